//! `sequence` of dates and timestamps by an interval.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::lists;
use super::sequence::sequence_length;
use crate::moment::{MILLISECOND, Moment, moments, of_moments, too_far};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::date_arithmetic::{add_months, later, months_between, shown};
use crate::trino::functions::interval::amounts;

pub(super) fn sequence(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let of_months = *call.kind(2) == TrinoType::IntervalYearMonth;
    let (starts, stops) = (moments(&call.array(0)?), moments(&call.array(1)?));
    let steps = amounts(&call.array(2)?);
    let (mut items, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let (Some(start), Some(stop), Some(step)) = (starts[row], stops[row], steps[row]) else {
            lengths.push(0);
            present.push(false);
            continue;
        };
        if *kind == TrinoType::Date && !of_months && step % 86_400_000 != 0 {
            return Err(Failure::invalid_argument(
                "sequence step must be a day interval if start and end values are dates",
            )
            .into());
        }
        let backwards = step < 0 && stop.since(start) > 0 || step > 0 && stop.since(start) < 0;
        let distance = match of_months {
            // Whole months do not tell which of two is first.
            true if backwards => -i128::from(step.signum()),
            true => i128::from(months_between(start, stop)),
            false => stop.since(start),
        };
        let stride =
            if of_months { i128::from(step) } else { i128::from(step) * i128::from(MILLISECOND) };
        let count = sequence_length(distance, stride)?;
        for at in 0..count {
            items.push(Ok(Some(item(start, at * step, of_months)?)));
        }
        lengths.push(usize::try_from(count).unwrap_or(0));
        present.push(true);
    }
    let items = of_moments::<Failure>(items.into_iter(), kind)?;
    lists(items, lengths, present, &call.result)
}

fn item(start: Moment, amount: i64, of_months: bool) -> Result<Moment, Failure> {
    if of_months {
        return shown(start, |seconds| add_months(seconds, amount));
    }
    later(start, amount).ok_or_else(too_far)
}
