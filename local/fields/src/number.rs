//! Numbers as they are mostly written: digits, a sign, a point. `None` of any other text.

/// Whole numbers below 10^18 in size.
#[inline]
pub(crate) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// A decimal fraction that a division of two exact doubles rounds as it must: below 2^53 without its point.
#[inline]
pub(crate) fn double(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // So many digits are below 2^63; whether they are below 2^53 is seen when they are read.
    if digits.len() > 17 {
        return None;
    }
    let mut value = 0_u64;
    let mut point = digits.len();
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && point == digits.len() {
            point = at;
        } else {
            return None;
        }
    }
    // A digit before the point and, where there is one, behind it.
    let behind = match digits.len() - point {
        0 => 0,
        1 => return None,
        left => left - 1,
    };
    if point == 0 || value > 1 << 53 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "it is below 2^53")]
    let value = value as f64 / POWERS[behind];
    Some(if negative { -value } else { value })
}

/// Powers of ten, each exact.
const POWERS: [f64; 17] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_the_text_says() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200_000 {
            let digits = random.usize(0..19);
            let mut text: String = (0..digits).map(|_| random.digit(10)).collect();
            if random.u8(0..3) > 0 {
                text.insert(
                    random.usize(0..=text.len()),
                    *random.choice(b".-+e x").unwrap() as char,
                );
            }
            if random.bool() {
                text.insert(0, '-');
            }
            if let Some(found) = double(text.as_bytes()) {
                let expected: f64 = text.parse().unwrap();
                assert_eq!(found.to_bits(), expected.to_bits(), "{text}");
            }
            if let Some(found) = whole(text.as_bytes()) {
                assert_eq!(Ok(found), text.parse(), "{text}");
            }
        }
    }

    #[test]
    fn plain_numbers_are_read_and_nothing_else() {
        for (text, expected) in [
            ("0", 0.0),
            ("12.36", 12.36),
            ("-0.5", -0.5),
            ("9007199254740992", 9_007_199_254_740_992.0),
        ] {
            assert_eq!(double(text.as_bytes()), Some(expected), "{text}");
        }
        for text in
            ["", "-", ".", "5.", ".5", "1.2.3", "+1", "1e5", " 1", "NaN", "9007199254740993", "1d"]
        {
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
        assert_eq!(double(b"-0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
        assert_eq!(whole(b"999999999999999999"), Some(999_999_999_999_999_999));
        for text in ["", "-", "+1", "1.0", "1000000000000000000", "1 "] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }
}
