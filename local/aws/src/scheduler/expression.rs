//! When a schedule fires: `cron(…)`, `rate(…)` or `at(…)`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cron::Cron;

#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Cron(Cron),
    Rate(SignedDuration),
    At(DateTime),
}

/// Not a schedule expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected cron(minutes hours day month weekday year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)"
)]
pub struct ExpressionError;

impl Expression {
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (kind, rest) = text.split_once('(').ok_or(ExpressionError)?;
        let inside = rest.strip_suffix(')').ok_or(ExpressionError)?;
        let parsed = match kind {
            "cron" => Cron::parse(inside).map(Expression::Cron),
            "rate" => rate(inside).map(Expression::Rate),
            "at" => inside.parse().ok().map(Expression::At),
            _ => None,
        };
        parsed.ok_or(ExpressionError)
    }

    /// The first time after `after`. Rates count from `start`.
    pub fn next(&self, after: Timestamp, zone: &TimeZone, start: Timestamp) -> Option<Timestamp> {
        match self {
            Expression::Cron(cron) => cron.next(after, zone),
            Expression::Rate(period) => {
                let passed = after.duration_since(start).max(SignedDuration::ZERO);
                let periods = passed.as_millis() / period.as_millis() + 1;
                let ahead = period.checked_mul(i32::try_from(periods).ok()?)?;
                start.checked_add(ahead).ok()
            }
            Expression::At(time) => {
                let time = time.to_zoned(zone.clone()).ok()?.timestamp();
                (time > after).then_some(time)
            }
        }
    }
}

fn rate(inside: &str) -> Option<SignedDuration> {
    let (value, unit) = inside.trim().split_once(' ')?;
    let value: i64 = value.parse().ok().filter(|value| *value > 0)?;
    let seconds = match (unit, value) {
        ("minute", 1) | ("minutes", _) => 60,
        ("hour", 1) | ("hours", _) => 3_600,
        ("day", 1) | ("days", _) => 86_400,
        _ => return None,
    };
    value.checked_mul(seconds).map(SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_single_times() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let next = |text: &str, after: &str| {
            let expression = Expression::parse(text).unwrap();
            expression
                .next(after.parse().unwrap(), &TimeZone::UTC, start)
                .map(|time| time.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(next("rate(5 minutes)", "2026-01-01T00:00:00Z"), some("2026-01-01T00:05:00Z"));
        assert_eq!(next("rate(5 minutes)", "2026-01-01T00:05:00Z"), some("2026-01-01T00:10:00Z"));
        assert_eq!(next("rate(1 hour)", "2026-01-01T03:10:00Z"), some("2026-01-01T04:00:00Z"));
        assert_eq!(
            next("at(2026-02-01T10:00:00)", "2026-01-01T00:00:00Z"),
            some("2026-02-01T10:00:00Z")
        );
        assert_eq!(next("at(2026-02-01T10:00:00)", "2026-02-01T10:00:00Z"), None);
        for wrong in ["rate(0 minutes)", "rate(5 minute)", "at(tomorrow)", "every day", "cron(x)"] {
            assert!(Expression::parse(wrong).is_err(), "{wrong}");
        }
    }
}
