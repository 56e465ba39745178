//! `DataFreshness`.

use crate::condition::{Comparison, Duration, Operator};
use crate::table::{Column, ColumnKind};

/// Ages in hours, to the hundredth. Where ages are compared by order the moment itself is compared, which asks for no
/// arithmetic on rows.
pub(super) fn freshness(
    column: &Column,
    comparison: &Comparison<Duration>,
    now: jiff::civil::DateTime,
) -> String {
    let moment = match column.kind {
        ColumnKind::Timestamp => column.sql(),
        ColumnKind::Date => format!("CAST({} AS timestamp)", column.sql()),
        _ => format!("TRY_CAST({} AS timestamp)", column.text()),
    };
    let hours: Vec<f64> = comparison.operands.iter().map(|duration| hours(*duration)).collect();
    let first = hours.first().copied().unwrap_or_default();
    let last = hours.last().copied().unwrap_or_default();
    // A row is as old as `seconds` or older when its moment lies before this one.
    let at_least = |seconds: i64| {
        let before = now.saturating_sub(jiff::SignedDuration::from_secs(seconds.saturating_sub(1)));
        format!("{moment} < TIMESTAMP '{}'", before.strftime("%Y-%m-%d %H:%M:%S"))
    };
    let least = |hours| at_least(youngest(hours, |age, hours| age >= hours));
    let above = |hours| at_least(youngest(hours, |age, hours| age > hours));
    let condition = match comparison.operator {
        Operator::Greater => above(first),
        Operator::GreaterOrEqual => least(first),
        Operator::Less => format!("NOT {}", least(first)),
        Operator::LessOrEqual => format!("NOT {}", above(first)),
        Operator::Between => format!("{} AND NOT {}", above(first), least(last)),
        Operator::NotBetween => format!("NOT {} OR {}", above(first), least(last)),
        Operator::Equal | Operator::In => any_of(&hours, least, above),
        Operator::NotEqual | Operator::NotIn => format!("NOT ({})", any_of(&hours, least, above)),
        Operator::Matches | Operator::NotMatches => "FALSE".to_owned(),
    };
    // NULL is of no age.
    format!("COALESCE({condition}, FALSE)")
}

fn any_of(hours: &[f64], least: impl Fn(f64) -> String, above: impl Fn(f64) -> String) -> String {
    let each = hours.iter().map(|hours| format!("({} AND NOT {})", least(*hours), above(*hours)));
    each.collect::<Vec<_>>().join(" OR ")
}

/// Minutes are hours to four decimals.
#[expect(clippy::cast_precision_loss, reason = "minutes of 32 bits")]
fn hours(duration: Duration) -> f64 {
    (duration.minutes() as f64 / 60.0 * 10_000.0).round() / 10_000.0
}

/// The least age in seconds that, rounded to the hundredth of an hour, compares so with `hours`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "hours of 32 bits are few seconds"
)]
fn youngest(hours: f64, compares: impl Fn(f64, f64) -> bool) -> i64 {
    let rounded = |seconds: i64| (seconds as f64 / 36.0).round() / 100.0;
    let around = (hours * 3600.0) as i64;
    // A hundredth of an hour is 36 seconds: the answer is no farther away.
    (around - 72..=around + 72).find(|seconds| compares(rounded(*seconds), hours)).unwrap_or(around)
}
