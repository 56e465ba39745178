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
        let [b' ', clock @ ..] = clock else { return None };
        let [h, i, b':', m, n, b':', s, t] = clock else { return None };
        let (hour, minute, second) = (two(*h, *i)?, two(*m, *n)?, two(*s, *t)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let thousandths = match fraction {
            [] => 0,
            [b'.', a] => two(b'0', *a)? * 100,
            [b'.', a, b] => two(*a, *b)? * 10,
            [b'.', a, b, c] => two(*a, *b)? * 10 + two(b'0', *c)?,
            _ => return None,
        };
        let seconds = (hour * 60 + minute) * 60 + second;
        Some(self.days(date)? * DAY + seconds * 1_000 + thousandths)
    }
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

fn days(text: &[u8; 10]) -> Option<i64> {
    let [a, b, c, d, b'-', m, n, b'-', e, f] = text else { return None };
    let year = two(*a, *b)? * 100 + two(*c, *d)?;
    let (month, day) = (two(*m, *n)?, two(*e, *f)?);
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
