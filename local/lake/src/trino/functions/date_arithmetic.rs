//! `date_add`, `date_diff`, `date_trunc`, `last_day_of_month`, and intervals beside
//! dates and timestamps.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, PrimitiveArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};

use super::call::Call;
use super::cast::{from_instants, instants};
use super::date_parts::weekday;
use super::function::{Function, Plan, unexpected};
use crate::sql::{Failure, TrinoType, civil, day_number};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("date_add", add_types, add),
    Function::new("date_diff", diff_types, diff),
    Function::new("date_trunc", trunc_types, trunc),
    Function::new("last_day_of_month", last_day_types, last_day),
    Function::new("date", date_types, date),
    Function::new("$shift", shift_types, shift),
    Function::new("$elapsed", elapsed_types, elapsed),
];

/// A moment as seconds since the epoch and nanoseconds of the second.
type Instant = (i64, i64);

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

fn is_moment(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Date | TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_))
}

fn is_text(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Varchar(_))
}

fn add_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, number, moment]
            if is_text(unit)
                && (number.is_numeric() || *number == TrinoType::Unknown)
                && is_moment(moment) =>
        {
            Ok(Plan::new(
                vec![TrinoType::Varchar(None), TrinoType::Bigint, moment.clone()],
                moment.clone(),
            ))
        }
        _ => Err(unexpected("date_add", given, "date_add(varchar, bigint, date or timestamp)")),
    }
}

fn diff_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, from, to] if is_text(unit) && is_moment(from) && is_moment(to) => {
            let kind = super::conditional::wider(from, to).unwrap_or(TrinoType::Timestamp(3));
            Ok(Plan::new(vec![TrinoType::Varchar(None), kind.clone(), kind], TrinoType::Bigint))
        }
        _ => Err(unexpected("date_diff", given, "date_diff(varchar, timestamp(p), timestamp(p))")),
    }
}

fn trunc_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, moment] if is_text(unit) && is_moment(moment) => {
            Ok(Plan::new(vec![TrinoType::Varchar(None), moment.clone()], moment.clone()))
        }
        [unit, TrinoType::Unknown] if is_text(unit) => Ok(Plan::new(
            vec![TrinoType::Varchar(None), TrinoType::Timestamp(3)],
            TrinoType::Timestamp(3),
        )),
        _ => Err(unexpected("date_trunc", given, "date_trunc(varchar, date or timestamp)")),
    }
}

fn last_day_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment] if is_moment(moment) => Ok(Plan::given(given, TrinoType::Date)),
        _ => Err(unexpected("last_day_of_month", given, "last_day_of_month(date or timestamp)")),
    }
}

fn date_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment] if is_moment(moment) || is_text(moment) => Ok(Plan::given(given, TrinoType::Date)),
        _ => Err(unexpected("date", given, "date(timestamp or varchar)")),
    }
}

fn date(call: &Call) -> Result<ArrayRef> {
    super::cast::cast_array(
        &call.array(0)?,
        call.kind(0),
        &TrinoType::Date,
        super::cast::OnFailure::Fail,
    )
}

/// A unit of `date_add` and its kin.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// So many months.
    Months(i64),
    /// So many seconds.
    Seconds(i64),
    Millisecond,
}

fn unit(text: &str, of_date: bool, noun: &str) -> Result<Unit, Failure> {
    let unit = match text.to_lowercase().as_str() {
        "year" => Unit::Months(12),
        "quarter" => Unit::Months(3),
        "month" => Unit::Months(1),
        "week" => Unit::Seconds(7 * DAY),
        "day" => Unit::Seconds(DAY),
        "hour" if !of_date => Unit::Seconds(3_600),
        "minute" if !of_date => Unit::Seconds(60),
        "second" if !of_date => Unit::Seconds(1),
        "millisecond" if !of_date => Unit::Millisecond,
        _ => {
            return Err(Failure::invalid_argument(format!("'{text}' is not a valid {noun} field")));
        }
    };
    Ok(unit)
}

fn noun(of_date: bool) -> &'static str {
    if of_date { "DATE" } else { "TIMESTAMP" }
}

/// Months are added to the calendar; a day the month has not becomes its last.
pub(super) fn add_months(seconds: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let total = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let day = day.min(days_of_month(year, month)?);
    Some(day_number(year, month, day)? * DAY + seconds.rem_euclid(DAY))
}

fn days_of_month(year: i64, month: i64) -> Option<i64> {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Some(day_number(next_year, next, 1)? - day_number(year, month, 1)?)
}

fn moved((seconds, nanos): Instant, unit: Unit, count: i64) -> Option<Instant> {
    match unit {
        Unit::Months(months) => Some((add_months(seconds, months.checked_mul(count)?)?, nanos)),
        Unit::Seconds(each) => Some((seconds.checked_add(each.checked_mul(count)?)?, nanos)),
        Unit::Millisecond => {
            let nanos = nanos + count.rem_euclid(1_000) * 1_000_000;
            Some((seconds + count.div_euclid(1_000) + nanos / NANOS, nanos % NANOS))
        }
    }
}

fn add(call: &Call) -> Result<ArrayRef> {
    let (units, counts) = (call.texts(0)?, call.longs(1)?);
    let of_date = *call.kind(2) == TrinoType::Date;
    let constant =
        call.constant_text(0).map(|text| unit(text, of_date, noun(of_date))).transpose()?;
    let found = instants(&call.array(2)?)
        .into_iter()
        .enumerate()
        .map(|(row, instant)| {
            let Some(instant) = instant.filter(|_| units.is_valid(row) && counts.is_valid(row))
            else {
                return Ok(None);
            };
            let unit = match constant {
                Some(unit) => unit,
                None => unit(units.value(row), of_date, noun(of_date))?,
            };
            Ok(moved(instant, unit, counts.value(row)))
        })
        .collect::<Result<Vec<_>>>()?;
    from_instants(found.into_iter(), call.kind(2))
}

/// Whole units between two moments, towards zero.
fn between(from: Instant, to: Instant, unit: Unit) -> i64 {
    let nanos = i128::from(to.0 - from.0) * i128::from(NANOS) + i128::from(to.1 - from.1);
    let whole = |each: i128| i64::try_from(nanos / each).unwrap_or(i64::MAX);
    match unit {
        Unit::Seconds(each) => whole(i128::from(each) * i128::from(NANOS)),
        Unit::Millisecond => whole(1_000_000),
        Unit::Months(each) => {
            let (start, end, sign) = if to < from { (to, from, -1) } else { (from, to, 1) };
            let (y1, m1, _) = civil(start.0.div_euclid(DAY));
            let (y2, m2, _) = civil(end.0.div_euclid(DAY));
            let mut months = (y2 - y1) * 12 + (m2 - m1);
            // The month is whole once its day and time are reached; the last day of a
            // shorter month counts as reached.
            if add_months(start.0, months).is_some_and(|reached| (reached, start.1) > end) {
                months -= 1;
            }
            sign * (months / each)
        }
    }
}

fn diff(call: &Call) -> Result<ArrayRef> {
    let units = call.texts(0)?;
    let of_date = *call.kind(1) == TrinoType::Date;
    let constant =
        call.constant_text(0).map(|text| unit(text, of_date, noun(of_date))).transpose()?;
    let (from, to) = (instants(&call.array(1)?), instants(&call.array(2)?));
    call.each_long(|row| {
        let unit = match constant {
            Some(unit) => unit,
            None => unit(units.value(row), of_date, noun(of_date))?,
        };
        Ok(from[row].zip(to[row]).map(|(from, to)| between(from, to, unit)))
    })
}

fn truncated((seconds, nanos): Instant, text: &str, of_date: bool) -> Result<Instant, Failure> {
    let days = seconds.div_euclid(DAY);
    let (year, month, _) = civil(days);
    let first = |month: i64| day_number(year, month, 1).unwrap_or(days) * DAY;
    Ok(match (unit(text, of_date, noun(of_date))?, text.to_lowercase().as_str()) {
        (Unit::Months(12), _) => (first(1), 0),
        (Unit::Months(3), _) => (first((month - 1) / 3 * 3 + 1), 0),
        (Unit::Months(_), _) => (first(month), 0),
        (_, "week") => ((days - weekday(days) + 1) * DAY, 0),
        (Unit::Seconds(each), _) => (seconds.div_euclid(each) * each, 0),
        (Unit::Millisecond, _) => (seconds, nanos / 1_000_000 * 1_000_000),
    })
}

fn trunc(call: &Call) -> Result<ArrayRef> {
    let units = call.texts(0)?;
    let of_date = *call.kind(1) == TrinoType::Date;
    let constant = call.constant_text(0).map(str::to_owned);
    let found = instants(&call.array(1)?)
        .into_iter()
        .enumerate()
        .map(|(row, instant)| match instant {
            Some(instant) if units.is_valid(row) => {
                let text = constant.as_deref().unwrap_or_else(|| units.value(row));
                Ok(Some(truncated(instant, text, of_date)?))
            }
            _ => Ok(None),
        })
        .collect::<Result<Vec<_>>>()?;
    from_instants(found.into_iter(), call.kind(1))
}

fn last_day(call: &Call) -> Result<ArrayRef> {
    let found = instants(&call.array(0)?).into_iter().map(|instant| {
        instant.and_then(|(seconds, _)| {
            let (year, month, _) = civil(seconds.div_euclid(DAY));
            Some((day_number(year, month, days_of_month(year, month)?)? * DAY, 0))
        })
    });
    from_instants(found, &TrinoType::Date)
}

fn shift_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment, TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth]
            if is_moment(moment) =>
        {
            Ok(Plan::given(given, moment.clone()))
        }
        _ => Err(unexpected("+", given, "date or timestamp + interval")),
    }
}

/// Months, days and nanoseconds of intervals.
pub(super) fn intervals(array: &ArrayRef) -> Vec<Option<(i64, i64, i64)>> {
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => array
            .as_primitive::<IntervalYearMonthType>()
            .iter()
            .map(|months| months.map(|months| (i64::from(months), 0, 0)))
            .collect(),
        DataType::Interval(IntervalUnit::MonthDayNano) => array
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .map(|value| {
                value.map(|value| {
                    (i64::from(value.months), i64::from(value.days), value.nanoseconds)
                })
            })
            .collect(),
        _ => vec![None; array.len()],
    }
}

/// Seconds and nanoseconds of intervals of days and below.
pub(super) fn interval_parts(array: &ArrayRef) -> Vec<Option<Instant>> {
    intervals(array)
        .into_iter()
        .map(|interval| {
            interval.map(|(_, days, nanos)| {
                (days * DAY + nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS))
            })
        })
        .collect()
}

/// Timestamps moved by one interval of days and below: a number of ticks, added to each. None where that is not all there
/// is to it.
fn shift_by_constant(call: &Call) -> Result<Option<ArrayRef>> {
    let Some(ScalarValue::IntervalMonthDayNano(Some(step))) = call.scalar(1) else {
        return Ok(None);
    };
    let moments = call.array(0)?;
    let DataType::Timestamp(unit, _) = moments.data_type() else { return Ok(None) };
    let tick: i64 = match unit {
        TimeUnit::Second => NANOS,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    let day = DAY * (NANOS / tick);
    if step.months != 0 || step.nanoseconds % tick != 0 {
        return Ok(None);
    }
    // What overflows is told by the general way.
    let days = i64::from(step.days).checked_mul(day);
    let Some(ticks) = days.and_then(|ticks| ticks.checked_add(step.nanoseconds / tick)) else {
        return Ok(None);
    };
    let moved = |array: &PrimitiveArray<Int64Type>| {
        array.try_unary::<_, Int64Type, ArrowError>(|value| {
            value.checked_add(ticks).ok_or_else(|| ArrowError::ArithmeticOverflow(String::new()))
        })
    };
    let kind = moments.data_type().clone();
    let numbers = cast(&moments, &DataType::Int64)?;
    match moved(numbers.as_primitive()) {
        Ok(numbers) => Ok(Some(cast(&numbers, &kind)?)),
        Err(_) => Ok(None),
    }
}

fn shift(call: &Call) -> Result<ArrayRef> {
    if let Some(moved) = shift_by_constant(call)? {
        return Ok(moved);
    }
    let of_date = *call.kind(0) == TrinoType::Date;
    let steps = intervals(&call.array(1)?);
    let found = instants(&call.array(0)?)
        .into_iter()
        .zip(steps)
        .map(|(instant, step)| {
            let Some(((seconds, nanos), (months, days, step))) = instant.zip(step) else {
                return Ok(None);
            };
            if of_date && step != 0 {
                return Err(Failure::invalid_argument(
                    "Cannot add hour, minutes or seconds to a date",
                ));
            }
            let seconds = add_months(seconds, months).map(|seconds| seconds + days * DAY);
            let nanos = nanos + step.rem_euclid(NANOS);
            Ok(seconds
                .map(|seconds| (seconds + step.div_euclid(NANOS) + nanos / NANOS, nanos % NANOS)))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    from_instants(found.into_iter(), call.kind(0))
}

fn elapsed_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [from, to] if is_moment(from) && is_moment(to) => {
            Ok(Plan::given(given, TrinoType::IntervalDaySecond))
        }
        _ => Err(unexpected("-", given, "timestamp - timestamp")),
    }
}

fn elapsed(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (instants(&call.array(0)?), instants(&call.array(1)?));
    let found: IntervalMonthDayNanoArray = left
        .into_iter()
        .zip(right)
        .map(|(left, right)| {
            let (left, right) = left.zip(right)?;
            let nanos =
                i128::from(left.0 - right.0) * i128::from(NANOS) + i128::from(left.1 - right.1);
            let day = i128::from(DAY * NANOS);
            Some(IntervalMonthDayNano::new(
                0,
                i32::try_from(nanos / day).ok()?,
                i64::try_from(nanos % day).ok()?,
            ))
        })
        .collect();
    Ok(Arc::new(found))
}
