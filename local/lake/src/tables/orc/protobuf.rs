//! As much of Protocol Buffers as the end of an ORC file needs.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use crate::tables::varint::{read_varint, write_varint};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message with their numbers; `None` where it is none.
pub(super) fn fields(mut message: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(number(&mut message)?),
            1 => Value::Bytes(take(&mut message, 8)?),
            2 => {
                let length = number(&mut message)?;
                Value::Bytes(take(&mut message, length)?)
            }
            5 => Value::Bytes(take(&mut message, 4)?),
            _ => return None,
        };
        found.push((tag >> 3, value));
    }
    Some(found)
}

/// Numbers packed one after the other.
pub(super) fn numbers(mut packed: &[u8]) -> Option<Vec<u64>> {
    let mut found = Vec::new();
    while !packed.is_empty() {
        found.push(number(&mut packed)?);
    }
    Some(found)
}

/// Appends a field that is a number.
pub(super) fn write_number(message: &mut Vec<u8>, field: u64, value: u64) {
    write_varint(message, field << 3);
    write_varint(message, value);
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let next = || {
        let (first, rest) = bytes.split_first().ok_or(())?;
        *bytes = rest;
        Ok::<_, ()>(*first)
    };
    read_varint(next).ok().flatten()
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        let mut message = Vec::new();
        write_number(&mut message, 1, 300);
        write_number(&mut message, 8000, 0);
        message.extend([0x12, 2, 7, 8]);
        let expected =
            vec![(1, Value::Number(300)), (8000, Value::Number(0)), (2, Value::Bytes(&[7, 8]))];
        assert_eq!(fields(&message), Some(expected));
        assert_eq!(fields(&message[..message.len() - 1]), None);
        assert_eq!(fields(&[0xff; 11]), None);
        assert_eq!(numbers(&[1, 0x80, 1]), Some(vec![1, 128]));
    }
}
