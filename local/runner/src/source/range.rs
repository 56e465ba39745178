//! The one range of bytes that a request asks for.

/// Bytes `first..=last` of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub first: u64,
    pub last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeError {
    /// Not a single range of bytes: RFC 9110 has the whole file sent.
    NotUnderstood,
    /// It starts where the file has ended.
    Beyond,
}

impl Range {
    pub fn whole(bytes: u64) -> Self {
        Self { first: 0, last: bytes.saturating_sub(1) }
    }

    /// `bytes=0-99`, `bytes=100-`, `bytes=-8` of a file of `bytes` bytes.
    pub fn parse(text: &str, bytes: u64) -> Result<Self, RangeError> {
        let (first, last) = text
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'))
            .ok_or(RangeError::NotUnderstood)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| RangeError::NotUnderstood);
        let range = match (first.trim(), last.trim()) {
            ("", suffix) => {
                let suffix = number(suffix)?;
                if suffix == 0 {
                    return Err(RangeError::Beyond);
                }
                Self { first: bytes.saturating_sub(suffix), last: bytes.saturating_sub(1) }
            }
            (first, "") => Self { first: number(first)?, last: bytes.saturating_sub(1) },
            (first, last) => {
                Self { first: number(first)?, last: number(last)?.min(bytes.saturating_sub(1)) }
            }
        };
        if range.first >= bytes {
            return Err(RangeError::Beyond);
        }
        if range.last < range.first {
            return Err(RangeError::NotUnderstood);
        }
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let range = |first, last| Ok(Range { first, last });
        for (text, expected) in [
            ("bytes=0-99", range(0, 99)),
            ("bytes=990-2000", range(990, 999)),
            ("bytes=500-", range(500, 999)),
            ("bytes=-8", range(992, 999)),
            ("bytes=-2000", range(0, 999)),
            ("bytes=1000-", Err(RangeError::Beyond)),
            ("bytes=-0", Err(RangeError::Beyond)),
            ("bytes=0-1,5-6", Err(RangeError::NotUnderstood)),
            ("bytes=9-3", Err(RangeError::NotUnderstood)),
            ("rows=0-1", Err(RangeError::NotUnderstood)),
        ] {
            assert_eq!(Range::parse(text, 1000), expected, "{text}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Err(RangeError::Beyond));
    }
}
