//! AWS's cron: `minutes hours day-of-month month day-of-week year`.
//!
//! Own matcher: crates for Unix cron lack the year, `?`, Sunday as 1 and AWS's `L`, `W` and `#`, and bring a second
//! library of dates. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// How far ahead a next time is looked for. A leap day can be eight years away.
const HORIZON_DAYS: i32 = 366 * 12;

#[derive(Clone, Debug, PartialEq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days: Days,
    months: Set,
    weekdays: Weekdays,
    years: Option<Vec<(i64, i64, i64)>>,
}

/// Values 0..64 as bits.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Set(u64);

impl Set {
    fn has(self, value: i8) -> bool {
        self.0 >> value & 1 == 1
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Days {
    Any,
    In(Set),
    /// `L`, or `L-3`.
    Last(i8),
    /// `15W`: the weekday nearest to it in the month.
    NearestWeekday(i8),
    /// `LW`
    LastWeekday,
}

#[derive(Clone, Debug, PartialEq)]
enum Weekdays {
    Any,
    /// 1 is Sunday.
    In(Set),
    /// `6L`: the last Friday.
    Last(i8),
    /// `3#2`: the second Tuesday.
    Nth(i8, i8),
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Cron {
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
            return None;
        };
        // One of the two days must be left open.
        if (*day == "?") == (*weekday == "?") {
            return None;
        }
        Some(Cron {
            minutes: set(minutes, 0, 59, &[])?,
            hours: set(hours, 0, 23, &[])?,
            days: days(day)?,
            months: set(month, 1, 12, &MONTHS)?,
            weekdays: weekdays(weekday)?,
            years: if *year == "*" { None } else { Some(ranges(year, 1970, 2199, &[])?) },
        })
    }

    /// The first time after `after`, in the clock of `zone`. A time that the clock skips fires when it has moved on.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = after.to_zoned(zone.clone()).datetime();
        let mut date = start.date();
        for _ in 0..HORIZON_DAYS {
            if self.on(date) {
                let times = (0..24).filter(|hour| self.hours.has(*hour)).flat_map(|hour| {
                    let minutes = (0..60).filter(|minute| self.minutes.has(*minute));
                    minutes.map(move |minute| date.at(hour, minute, 0, 0))
                });
                let found = times
                    .filter(|time: &DateTime| *time > start || date > start.date())
                    .filter_map(|time| time.to_zoned(zone.clone()).ok())
                    .map(|time| time.timestamp())
                    .find(|time| *time > after);
                if found.is_some() {
                    return found;
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn on(&self, date: Date) -> bool {
        let year = i64::from(date.year());
        let in_year = self.years.as_ref().is_none_or(|ranges| {
            ranges
                .iter()
                .any(|(from, to, step)| (*from..=*to).contains(&year) && (year - from) % step == 0)
        });
        in_year
            && self.months.has(date.month())
            && self.days.match_date(date)
            && self.weekdays.match_date(date)
    }
}

impl Days {
    fn match_date(&self, date: Date) -> bool {
        let last = date.days_in_month();
        match self {
            Days::Any => true,
            Days::In(days) => days.has(date.day()),
            Days::Last(before) => date.day() == last - before,
            Days::NearestWeekday(day) => nearest_weekday(date, (*day).min(last)) == date.day(),
            Days::LastWeekday => {
                let end = match date.last_of_month().weekday() {
                    Weekday::Saturday => last - 1,
                    Weekday::Sunday => last - 2,
                    _ => last,
                };
                date.day() == end
            }
        }
    }
}

fn nearest_weekday(month: Date, day: i8) -> i8 {
    let last = month.days_in_month();
    let date = month.first_of_month().saturating_add((i32::from(day) - 1).days());
    match date.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    }
}

impl Weekdays {
    fn match_date(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_one_offset();
        match self {
            Weekdays::Any => true,
            Weekdays::In(days) => days.has(weekday),
            Weekdays::Last(day) => weekday == *day && date.day() + 7 > date.days_in_month(),
            Weekdays::Nth(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

fn days(field: &str) -> Option<Days> {
    Some(match field {
        "*" | "?" => Days::Any,
        "L" => Days::Last(0),
        "LW" => Days::LastWeekday,
        _ => match (field.strip_prefix("L-"), field.strip_suffix('W')) {
            (Some(before), _) => {
                Days::Last(before.parse().ok().filter(|day| (1..=30).contains(day))?)
            }
            (_, Some(day)) => {
                Days::NearestWeekday(day.parse().ok().filter(|day| (1..=31).contains(day))?)
            }
            _ => Days::In(set(field, 1, 31, &[])?),
        },
    })
}

fn weekdays(field: &str) -> Option<Weekdays> {
    if matches!(field, "*" | "?") {
        return Some(Weekdays::Any);
    }
    let day = |text: &str| value(text, 1, 7, &WEEKDAYS).and_then(|day| i8::try_from(day).ok());
    if let Some((weekday, nth)) = field.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
        return Some(Weekdays::Nth(day(weekday)?, nth));
    }
    match field.strip_suffix('L') {
        Some("") => Some(Weekdays::In(set("7", 1, 7, &[])?)),
        Some(weekday) if day(weekday).is_some() => Some(Weekdays::Last(day(weekday)?)),
        _ => Some(Weekdays::In(set(field, 1, 7, &WEEKDAYS)?)),
    }
}

fn set(field: &str, least: i64, most: i64, names: &[&str]) -> Option<Set> {
    let mut bits = 0_u64;
    for (from, to, step) in ranges(field, least, most, names)? {
        let mut value = from;
        while value <= to {
            bits |= 1 << value;
            value += step;
        }
    }
    Some(Set(bits))
}

/// `*`, `5`, `1-5`, `0/10`, `*/2`, `1-30/3`, names, and lists of them, as (from, to, step).
fn ranges(field: &str, least: i64, most: i64, names: &[&str]) -> Option<Vec<(i64, i64, i64)>> {
    field
        .split(',')
        .map(|part| {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, step.parse::<i64>().ok().filter(|step| *step > 0)?),
                None => (part, 1),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (least, most),
                Some((from, to)) => {
                    (value(from, least, most, names)?, value(to, least, most, names)?)
                }
                None => {
                    let from = value(range, least, most, names)?;
                    (from, if part.contains('/') { most } else { from })
                }
            };
            (from <= to).then_some((from, to, step))
        })
        .collect()
}

fn value(text: &str, least: i64, most: i64, names: &[&str]) -> Option<i64> {
    let upper = text.to_ascii_uppercase();
    if let Some(at) = names.iter().position(|name| *name == upper) {
        return i64::try_from(at).ok().map(|at| at + least);
    }
    text.parse().ok().filter(|value| (least..=most).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_times_are_those_of_aws() {
        let cases = [
            ("0 2 * * ? *", "UTC", "2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z"),
            ("0 2 * * ? *", "UTC", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"),
            ("0 2 * * ? *", "America/New_York", "2026-11-22T01:00:00Z", "2026-11-22T07:00:00Z"),
            // The hour from 2 to 3 is missing on this day: it fires once, when the clock has moved on.
            ("30 2 * * ? *", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-08T07:30:00Z"),
            ("0/15 * * * ? *", "UTC", "2026-11-22T01:01:00Z", "2026-11-22T01:15:00Z"),
            ("0 10 ? * MON-FRI *", "UTC", "2026-11-21T00:00:00Z", "2026-11-23T10:00:00Z"),
            ("0 0 L * ? *", "UTC", "2024-02-10T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("0 0 1W * ? *", "UTC", "2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z"),
            ("0 0 ? * 6L *", "UTC", "2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z"),
            ("0 0 ? * 3#2 *", "UTC", "2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"),
            ("0 0 29 2 ? *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 1 1 ? 2030", "UTC", "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ];
        for (expression, zone, after, expected) in cases {
            let cron = Cron::parse(expression).unwrap();
            let zone = TimeZone::get(zone).unwrap();
            let next = cron.next(after.parse().unwrap(), &zone);
            assert_eq!(next, Some(expected.parse().unwrap()), "{expression} after {after}");
        }
        let past = Cron::parse("0 0 1 1 ? 2020").unwrap();
        assert_eq!(past.next("2026-01-01T00:00:00Z".parse().unwrap(), &TimeZone::UTC), None);
        for wrong in ["0 2 * * *", "0 2 * * * *", "60 2 * * ? *", "0 2 ? * ? *", "0 2 32 * ? *"] {
            assert_eq!(Cron::parse(wrong), None, "{wrong}");
        }
    }
}
