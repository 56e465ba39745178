//! Dates and times as they are mostly written: `2024-01-31`, `2024-01-31 10:20:30[.123]`. `None` of any other text.

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The last date that was read: dates of rows in a row are mostly one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    text: [u8; 10],
    days: i64,
}

impl Default for Dates {
    fn default() -> Self {
        Self { text: *b"1970-01-01", days: 0 }
    }
}

impl Dates {
    /// Days since 1970 of the years 1 to 9999.
    #[inline]
    pub fn days(&mut self, text: &[u8]) -> Option<i64> {
        let text: &[u8; 10] = text.try_into().ok()?;
        if *text == self.text {
            return Some(self.days);
        }
        let days = days(text)?;
        *self = Self { text: *text, days };
        Some(days)
    }

    /// Milliseconds since 1970.
    #[inline]
    pub fn milliseconds(&mut self, text: &[u8]) -> Option<i64> {
        let (date, clock) = text.split_at_checked(10)?;
        let (clock, fraction) = clock.split_at_checked(9)?;
        let clock: &[u8; 9] = clock.try_into().ok()?;
        if [clock[0], clock[3], clock[6]] != *b" ::" {
            return None;
        }
        let (hour, minute, second) = (two(clock, 1)?, two(clock, 4)?, two(clock, 7)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let thousandths = match fraction {
            [] => 0,
            [b'.', digits @ ..] if (1..=3).contains(&digits.len()) => {
                let mut padded = *b"0000";
                padded[1..=digits.len()].copy_from_slice(digits);
                two(&padded, 0)? * 100 + two(&padded, 2)?
            }
            _ => return None,
        };
        let seconds = (hour * 60 + minute) * 60 + second;
        Some(self.days(date)? * DAY + seconds * 1_000 + thousandths)
    }
}

/// The number of two digits.
#[inline]
fn two<const N: usize>(text: &[u8; N], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

fn days(text: &[u8; 10]) -> Option<i64> {
    if [text[4], text[7]] != *b"--" {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let (month, day) = (two(text, 5)?, two(text, 8)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if year == 0 || day == 0 || day > length {
        return None;
    }
    // Years that begin in March end with the day that some do not have.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let century = year.div_euclid(100);
    let leap_days = year.div_euclid(4) - century + century.div_euclid(4);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let mut expected = days(b"0001-01-01").unwrap();
        assert_eq!(expected, -719_162);
        for year in 1..10_000 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    if let Some(found) = days(text.as_bytes().try_into().unwrap()) {
                        assert_eq!(found, expected, "{text}");
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(days(b"1970-01-01"), Some(0));
        assert_eq!(expected - 1, 2_932_896);
    }

    #[test]
    fn plain_moments_are_read_and_nothing_else() {
        let mut dates = Dates::default();
        let cases = [
            ("1970-01-01 00:00:00", Some(0)),
            ("1970-01-01 00:00:01.5", Some(1_500)),
            ("1970-01-02 23:59:59.987", Some(2 * DAY - 13)),
            ("1969-12-31 23:59:59.05", Some(-950)),
            ("2024-02-30 00:00:00", None),
            ("1900-02-29 00:00:00", None),
            ("2024-01-01 24:00:00", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01 00:00", None),
            ("2024-01-01 00:00:00.", None),
            ("2024-01-01 00:00:00.1234", None),
            ("2024-01-01", None),
            ("2024-1-01 00:00:00", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(dates.milliseconds(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(dates.days(b"2024-02-29"), Some(19_782));
        assert_eq!(dates.days(b"0000-01-01"), None);
        assert_eq!(dates.days(b"2024-13-01"), None);
    }
}
