//! Numbers of as many bytes as they need, seven bits a byte, the lowest first; the form of Protocol Buffers and Avro.

/// Appends a number.
pub(super) fn write_varint(out: &mut Vec<u8>, value: u64) {
    let mut rest = value;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// The number that the next bytes are; `None` where they are none.
pub(super) fn read_varint<E>(mut next: impl FnMut() -> Result<u8, E>) -> Result<Option<u64>, E> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (value, length) in [(0, 1), (127, 1), (128, 2), (16_384, 3), (u64::MAX, 10)] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            assert_eq!(bytes.len(), length, "{value}");
            let mut rest = bytes.iter();
            let read = read_varint(|| rest.next().copied().ok_or(()));
            assert_eq!(read, Ok(Some(value)));
        }
        assert_eq!(read_varint(|| Err::<u8, _>("the end")), Err("the end"));
        assert_eq!(read_varint(|| Ok::<_, ()>(0xff)), Ok(None));
    }
}
