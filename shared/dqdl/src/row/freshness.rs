//! `DataFreshness`.

use super::compared;
use crate::condition::{Comparison, Duration, Operator};
use crate::table::{Column, ColumnKind};

/// Ages in hours, to the hundredth.
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
    let now = now.strftime("%Y-%m-%d %H:%M:%S");
    let age = format!("ROUND(DATE_DIFF('second', {moment}, TIMESTAMP '{now}') / 3600e0, 2)");
    let hours = |duration: &Duration| {
        #[expect(clippy::cast_precision_loss, reason = "minutes of 32 bits")]
        let hours = (duration.minutes() as f64 / 60.0 * 10_000.0).round() / 10_000.0;
        format!("{hours:?}e0")
    };
    let operands: Vec<_> = comparison.operands.iter().map(hours).collect();
    match comparison.operator {
        // NULL is of no age.
        Operator::NotEqual => format!("COALESCE({age} <> {}, FALSE)", operands[0]),
        Operator::NotIn => format!("COALESCE({age} NOT IN ({}), FALSE)", operands.join(", ")),
        operator => compared(&age, "FALSE", operator, &operands, false),
    }
}
