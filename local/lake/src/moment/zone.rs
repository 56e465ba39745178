//! Zones: UTC, whole minutes from it, and the names of the zone database.

use std::sync::{LazyLock, OnceLock};

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// A zone by its number: 0 is UTC, then come the offsets, then the names of the database in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(u16);

/// Most minutes a zone is from UTC.
const FARTHEST: i64 = 14 * 60;
/// The number of the first zone with a name.
const NAMED: u16 = 1_682;
/// Seconds after which the calendar repeats itself: 400 years.
const CYCLE: i64 = 146_097 * super::DAY;

struct Named {
    name: String,
    zone: OnceLock<TimeZone>,
}

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

static ZONES: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let mut names: Vec<String> =
        DATABASE.available().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    names.into_iter().map(|name| Named { name, zone: OnceLock::new() }).collect()
});

/// Names that are UTC to Trino.
const UTC_NAMES: [&str; 31] = [
    "UTC",
    "Z",
    "GMT",
    "GMT0",
    "GMT+0",
    "GMT-0",
    "Etc/GMT",
    "Etc/GMT0",
    "Etc/GMT+0",
    "Etc/GMT-0",
    "UT",
    "UT+0",
    "UT-0",
    "Etc/UT",
    "Etc/UT+0",
    "Etc/UT-0",
    "UTC+0",
    "UTC-0",
    "Etc/UTC",
    "Etc/UTC+0",
    "Etc/UTC-0",
    "+0000",
    "+00:00",
    "-0000",
    "-00:00",
    "Zulu",
    "UCT",
    "Greenwich",
    "Universal",
    "Etc/Universal",
    "Etc/UCT",
];

/// What may stand before an offset.
const PREFIXES: [&str; 6] = ["Etc/GMT", "Etc/UTC", "Etc/UT", "GMT", "UTC", "UT"];

impl Zone {
    pub const UTC: Self = Self(0);

    /// The zone so many minutes from UTC; `None` when it is too far.
    pub fn of_offset(minutes: i64) -> Option<Self> {
        match minutes {
            0 => Some(Self::UTC),
            _ if minutes.abs() > FARTHEST => None,
            _ => u16::try_from(minutes + FARTHEST + 1).ok().map(Self),
        }
    }

    /// A zone by the name or offset Trino knows it by.
    pub fn parse(text: &str) -> Option<Self> {
        if UTC_NAMES.contains(&text) {
            return Some(Self::UTC);
        }
        for prefix in PREFIXES {
            if let Some(rest) = text.strip_prefix(prefix)
                && rest.starts_with(['+', '-'])
            {
                let minutes = offset(rest)?;
                return Self::of_offset(if prefix == "Etc/GMT" { -minutes } else { minutes });
            }
        }
        if text.starts_with(['+', '-']) {
            return Self::of_offset(offset(text)?);
        }
        let at = ZONES.binary_search_by(|zone| zone.name.as_str().cmp(text)).ok()?;
        u16::try_from(at).ok().map(|at| Self(NAMED + at))
    }

    /// The number the bytes of a value keep.
    pub(super) fn number(self) -> u16 {
        self.0
    }

    pub(super) fn of_number(number: u16) -> Self {
        Self(number)
    }

    /// Whether the zone is so many minutes from UTC, always.
    pub fn is_fixed(self) -> bool {
        self.fixed().is_some()
    }

    /// Minutes from UTC, of a zone that is nothing else.
    fn fixed(self) -> Option<i64> {
        match self.0 {
            0 => Some(0),
            1..NAMED => Some(i64::from(self.0) - FARTHEST - 1),
            _ => None,
        }
    }

    fn named(self) -> Option<&'static Named> {
        ZONES.get(usize::from(self.0.checked_sub(NAMED)?))
    }

    fn rules(self) -> Option<&'static TimeZone> {
        let named = self.named()?;
        Some(named.zone.get_or_init(|| DATABASE.get(&named.name).unwrap_or(TimeZone::UTC)))
    }

    /// Appends the zone's name: `UTC`, `+05:45`, `Asia/Kathmandu`.
    pub fn write(self, out: &mut String) {
        match (self.fixed(), self.named()) {
            (Some(0), _) | (None, None) => out.push_str("UTC"),
            (Some(minutes), _) => super::write::write_offset(minutes, out),
            (None, Some(named)) => out.push_str(&named.name),
        }
    }

    pub fn name(self) -> String {
        let mut name = String::new();
        self.write(&mut name);
        name
    }

    /// Seconds the zone is ahead of UTC at an instant.
    pub fn offset_at(self, utc: i64) -> i64 {
        if let Some(minutes) = self.fixed() {
            return minutes * 60;
        }
        let instant = jiff::Timestamp::from_second(known(utc)).unwrap_or_default();
        self.rules().map_or(0, |rules| i64::from(rules.to_offset(instant).seconds()))
    }

    /// The instant the zone's clocks show a local time (in seconds as if it were UTC): the first of two, and what a
    /// clock that was not set shows where there is none.
    pub fn to_utc(self, local: i64) -> i64 {
        if let Some(minutes) = self.fixed() {
            return local - minutes * 60;
        }
        let near = known(local);
        let instant = jiff::Timestamp::from_second(near).unwrap_or_default();
        let shown: DateTime = Offset::UTC.to_datetime(instant);
        let utc = self
            .rules()
            .and_then(|rules| rules.to_timestamp(shown).ok())
            .map_or(near, jiff::Timestamp::as_second);
        local - (near - utc)
    }
}

/// A time of the years the database knows, whole cycles of the calendar away: long ago no zone changed, and in times to
/// come each goes by its last rules.
fn known(seconds: i64) -> i64 {
    const FIRST: i64 = -370_000_000_000;
    const LAST: i64 = 250_000_000_000;
    if seconds < FIRST {
        FIRST + (seconds - FIRST).rem_euclid(CYCLE)
    } else if seconds > LAST {
        LAST - CYCLE + (seconds - LAST).rem_euclid(CYCLE)
    } else {
        seconds
    }
}

/// `+05:45`, `-8`, `+0530` in minutes.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at(2),
        None => (rest, "0"),
    };
    let number = |text: &str| -> Option<i64> {
        ((1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_the_names_trino_gives_them() {
        let cases = [
            ("UTC", Some("UTC")),
            ("Zulu", Some("UTC")),
            ("+00:00", Some("UTC")),
            ("+5", Some("+05:00")),
            ("-0830", Some("-08:30")),
            ("UTC+3", Some("+03:00")),
            ("Etc/GMT+8", Some("-08:00")),
            ("Asia/Kathmandu", Some("Asia/Kathmandu")),
            ("+14:01", None),
            ("asia/kathmandu", None),
            ("Mars/Olympus", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Zone::parse(text).map(Zone::name).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn clocks_of_zones() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        // Winter, summer, and 8000 years later in the year.
        for (utc, offset) in
            [(1_577_836_800, 3_600), (1_593_561_600, 7_200), (1_593_561_600 + 20 * CYCLE, 7_200)]
        {
            assert_eq!(berlin.offset_at(utc), offset);
            assert_eq!(berlin.to_utc(utc + offset), utc);
        }
        // 02:30 of 2020-03-29 was on no clock, and of 2020-10-25 on it twice.
        assert_eq!(berlin.to_utc(1_585_449_000), 1_585_445_400);
        assert_eq!(berlin.to_utc(1_603_593_000), 1_603_585_800);
        assert_eq!(Zone::parse("Asia/Kathmandu").unwrap().offset_at(-10 * CYCLE), 20_476);
    }
}
