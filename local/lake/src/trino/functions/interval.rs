//! Intervals: their literals, their arithmetic, and moments moved by them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, DurationMillisecondArray, Float64Array, IntervalYearMonthArray,
    PrimitiveArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, DurationMillisecondType, Float64Type, Int64Type, IntervalYearMonthType,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};

use super::call::Call;
use super::date_arithmetic::{add_months, later, shown};
use super::function::{Function, Plan, unexpected};
use crate::moment::{
    Clock, DAY, MILLISECOND, Moment, clocks, moments, of_clocks, of_moments, too_far,
};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "$interval_year_month",
        |given| literal_types(given, TrinoType::IntervalYearMonth),
        literal,
    ),
    Function::new(
        "$interval_day_second",
        |given| literal_types(given, TrinoType::IntervalDaySecond),
        literal,
    ),
    Function::new(
        "$interval_add",
        |given| pair_types("+", given),
        |call| combined(call, "addition", "+", i64::checked_add),
    ),
    Function::new(
        "$interval_subtract",
        |given| pair_types("-", given),
        |call| combined(call, "subtraction", "-", i64::checked_sub),
    ),
    Function::new("$interval_multiply", multiply_types, multiply),
    Function::new("$interval_divide", divide_types, divide),
    Function::new("$interval_negate", negate_types, negate),
    Function::new("$shift", |given| shift_types("+", given), |call| shift(call, false)),
    Function::new("$shift_back", |given| shift_types("-", given), |call| shift(call, true)),
    Function::new("$elapsed", elapsed_types, elapsed),
    Function::new(
        "to_milliseconds",
        |given| match given {
            [TrinoType::IntervalDaySecond] => Ok(Plan::given(given, TrinoType::Bigint)),
            _ => {
                Err(unexpected("to_milliseconds", given, "to_milliseconds(interval day to second)"))
            }
        },
        |call| Ok(cast(&call.array(0)?, &DataType::Int64)?),
    ),
    Function::new(
        "parse_duration",
        |given| {
            super::function::exactly(
                "parse_duration",
                given,
                &[TrinoType::Varchar(None)],
                TrinoType::IntervalDaySecond,
            )
        },
        parse_duration,
    ),
];

/// Fields of interval literals, the widest first.
const FIELDS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// The function that makes an interval from one field to another, `None` when there is none such.
pub(in crate::trino) fn interval_literal(from: &str, to: &str) -> Option<&'static str> {
    let at = |field: &str| FIELDS.iter().position(|name| *name == field);
    let (from, to) = (at(from)?, at(to)?);
    match (from, to) {
        _ if from > to => None,
        (0 | 1, 0 | 1) => Some("$interval_year_month"),
        (2.., 2..) => Some("$interval_day_second"),
        _ => None,
    }
}

/// Months, or milliseconds, of `42 12:34:56.1` from one field to another.
fn read(text: &str, from: &str, to: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let first = FIELDS.iter().position(|name| *name == from)?;
    let last = FIELDS.iter().position(|name| *name == to)?;
    let mut total: i64 = 0;
    let mut rest = Some(rest);
    for (at, field) in FIELDS.iter().enumerate().take(last + 1).skip(first) {
        let separator = match at {
            _ if at == last => None,
            0 => Some('-'),
            2 => Some(' '),
            _ => Some(':'),
        };
        // Fields that are not said are none.
        let Some(text) = rest else { break };
        let (part, after) = separator
            .and_then(|separator| text.split_once(separator))
            .map_or((text, None), |(part, after)| (part, Some(after)));
        rest = after;
        let each: i64 = match at {
            0 => 12,
            1 => 1,
            2 => 86_400_000,
            3 => 3_600_000,
            4 => 60_000,
            _ => 1_000,
        };
        let amount = if *field == "second" { thousandths(part)? } else { whole(part)? };
        let each = if *field == "second" { 1 } else { each };
        total = total.checked_add(amount.checked_mul(each)?)?;
    }
    rest.is_none().then_some(if negative { -total } else { total })
}

fn whole(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Seconds with up to three digits of a fraction, in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{:0<3}", &fraction[..fraction.len().min(3)]);
    whole(seconds)?.checked_mul(1_000)?.checked_add(digits.parse().ok()?)
}

/// A literal's text, and the fields it goes from and to.
fn literal_types(given: &[TrinoType], result: TrinoType) -> Result<Plan, Failure> {
    super::function::exactly("interval", given, &[const { TrinoType::Varchar(None) }; 3], result)
}

fn literal(call: &Call) -> Result<ArrayRef> {
    let (texts, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let amounts = (0..call.rows).map(|row| {
        let text = texts.value(row);
        read(text, from.value(row), to.value(row)).map(Some).ok_or_else(|| {
            Failure::new("INVALID_LITERAL", format!("'{text}' is not a valid INTERVAL literal"))
        })
    });
    amounts_of(&call.result, amounts, || {
        Failure::new("INVALID_LITERAL", "the interval of a literal is too long")
    })
}

/// An array of intervals from months or milliseconds.
fn amounts_of(
    kind: &DataType,
    amounts: impl Iterator<Item = Result<Option<i64>, Failure>>,
    overflow: impl Fn() -> Failure,
) -> Result<ArrayRef> {
    if matches!(kind, DataType::Duration(_)) {
        let found: DurationMillisecondArray = amounts.collect::<Result<_, Failure>>()?;
        return Ok(Arc::new(found));
    }
    let found: IntervalYearMonthArray = amounts
        .map(|months| {
            months?.map(|months| i32::try_from(months).map_err(|_| overflow())).transpose()
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Arc::new(found))
}

/// Months, or milliseconds, of intervals.
pub(super) fn amounts(array: &dyn Array) -> Vec<Option<i64>> {
    if let Some(months) = array.as_primitive_opt::<IntervalYearMonthType>() {
        return months.iter().map(|months| months.map(i64::from)).collect();
    }
    match array.as_primitive_opt::<DurationMillisecondType>() {
        Some(millis) => millis.iter().collect(),
        None => vec![None; array.len()],
    }
}

fn pair_types(sign: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [left, right] if left == right && left.is_interval() => {
            Ok(Plan::given(given, left.clone()))
        }
        _ => Err(unexpected(sign, given, "two intervals of one kind")),
    }
}

fn out_of_range(kind: &TrinoType, noun: &str, shown: &str) -> Failure {
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} {noun} overflow: {shown}"))
}

/// A number within what an interval of a kind holds.
fn in_range(kind: &TrinoType, amount: i64) -> Option<i64> {
    (*kind == TrinoType::IntervalDaySecond || i32::try_from(amount).is_ok()).then_some(amount)
}

fn combined(
    call: &Call,
    noun: &str,
    sign: &str,
    operation: fn(i64, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let (left, right) = (amounts(&call.array(0)?), amounts(&call.array(1)?));
    let found = left.into_iter().zip(right).map(|(left, right)| {
        let Some((left, right)) = left.zip(right) else { return Ok(None) };
        operation(left, right)
            .and_then(|amount| in_range(kind, amount))
            .map(Some)
            .ok_or_else(|| out_of_range(kind, noun, &format!("{left} {sign} {right}")))
    });
    amounts_of(&call.result, found, too_far)
}

fn factor_type(kind: &TrinoType) -> Option<TrinoType> {
    Some(match kind {
        TrinoType::Tinyint
        | TrinoType::Smallint
        | TrinoType::Integer
        | TrinoType::Bigint
        | TrinoType::Unknown => TrinoType::Bigint,
        kind if kind.is_numeric() => TrinoType::Double,
        _ => return None,
    })
}

fn multiply_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let refused = || unexpected("*", given, "an interval and a number");
    match given {
        [interval, number] if interval.is_interval() => {
            let number = factor_type(number).ok_or_else(refused)?;
            Ok(Plan::new(vec![interval.clone(), number], interval.clone()))
        }
        [number, interval] if interval.is_interval() => {
            let number = factor_type(number).ok_or_else(refused)?;
            Ok(Plan::new(vec![number, interval.clone()], interval.clone()))
        }
        _ => Err(refused()),
    }
}

/// A product or quotient as the whole number it starts with.
#[expect(clippy::cast_possible_truncation, reason = "as Trino does, at the ends of the range too")]
fn truncated(value: f64) -> i64 {
    value as i64
}

#[expect(clippy::cast_precision_loss, reason = "as Trino does")]
fn multiply(call: &Call) -> Result<ArrayRef> {
    let swapped = call.kind(1).is_interval();
    let (interval, number) = if swapped { (1, 0) } else { (0, 1) };
    let kind = call.kind(interval);
    let lengths = amounts(&call.array(interval)?);
    let factors = call.array(number)?;
    if *call.kind(number) == TrinoType::Bigint {
        let factors = factors.as_primitive::<Int64Type>();
        let found = lengths.into_iter().zip(factors.iter()).map(|(length, factor)| {
            let Some((length, factor)) = length.zip(factor) else { return Ok(None) };
            length
                .checked_mul(factor)
                .and_then(|amount| in_range(kind, amount))
                .map(Some)
                .ok_or_else(|| {
                    let (left, right) = if swapped { (factor, length) } else { (length, factor) };
                    out_of_range(kind, "multiplication", &format!("{left} * {right}"))
                })
        });
        return amounts_of(&call.result, found, too_far);
    }
    let factors: &Float64Array = factors.as_primitive::<Float64Type>();
    let found = lengths.into_iter().zip(factors.iter()).map(|(length, factor)| {
        let Some((length, factor)) = length.zip(factor) else { return Ok(None) };
        if factor.is_nan() {
            return Err(Failure::invalid_argument("Cannot multiply by double NaN"));
        }
        Ok(Some(truncated(length as f64 * factor)))
    });
    amounts_of(&call.result, found, || {
        Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} multiplication overflow"))
    })
}

fn divide_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [interval, number] if interval.is_interval() && factor_type(number).is_some() => {
            Ok(Plan::new(vec![interval.clone(), TrinoType::Double], interval.clone()))
        }
        _ => Err(unexpected("/", given, "an interval and a number")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Trino does")]
fn divide(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let (lengths, divisors) = (amounts(&call.array(0)?), call.doubles(1)?);
    let found = lengths.into_iter().zip(divisors.iter()).map(|(length, divisor)| {
        let Some((length, divisor)) = length.zip(divisor) else { return Ok(None) };
        if divisor.is_nan() || divisor == 0.0 {
            let mut shown = String::new();
            crate::sql::write_double(divisor, &mut shown);
            return Err(Failure::invalid_argument(format!("Cannot divide by double {shown}")));
        }
        Ok(Some(truncated(length as f64 / divisor)))
    });
    amounts_of(&call.result, found, || {
        Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} division overflow"))
    })
}

fn negate_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [interval] if interval.is_interval() => Ok(Plan::given(given, interval.clone())),
        _ => Err(unexpected("-", given, "an interval")),
    }
}

fn negate(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let found = amounts(&call.array(0)?).into_iter().map(|amount| {
        let Some(amount) = amount else { return Ok(None) };
        amount
            .checked_neg()
            .and_then(|negative| in_range(kind, negative))
            .map(Some)
            .ok_or_else(|| out_of_range(kind, "negation", &amount.to_string()))
    });
    amounts_of(&call.result, found, too_far)
}

fn shift_types(sign: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let precise = |precision: u8| precision.max(3);
    let result = match given {
        [moment, TrinoType::IntervalYearMonth] if moment.is_moment() => moment.clone(),
        [TrinoType::Date, TrinoType::IntervalDaySecond] => TrinoType::Date,
        [TrinoType::Timestamp(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::Timestamp(precise(*precision))
        }
        [TrinoType::TimestampWithZone(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::TimestampWithZone(precise(*precision))
        }
        [TrinoType::Time(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::Time(precise(*precision))
        }
        [TrinoType::TimeWithZone(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::TimeWithZone(precise(*precision))
        }
        _ => return Err(unexpected(sign, given, "a date, time or timestamp and an interval")),
    };
    Ok(Plan::given(given, result))
}

/// Timestamps moved by one interval: a number of milliseconds, added to each. None where that is not all there is to it.
fn shift_by_constant(call: &Call, back: bool) -> Result<Option<ArrayRef>> {
    let Some(ScalarValue::DurationMillisecond(Some(step))) = call.scalar(1) else {
        return Ok(None);
    };
    let moments = call.array(0)?;
    // What overflows is told by the general way.
    let (DataType::Timestamp(..), Some(step)) =
        (moments.data_type(), if back { step.checked_neg() } else { Some(*step) })
    else {
        return Ok(None);
    };
    let moved = |array: &PrimitiveArray<Int64Type>| {
        array.try_unary::<_, Int64Type, ArrowError>(|value| {
            value.checked_add(step).ok_or_else(|| ArrowError::ArithmeticOverflow(String::new()))
        })
    };
    let kind = moments.data_type().clone();
    let numbers = cast(&moments, &DataType::Int64)?;
    match moved(numbers.as_primitive()) {
        Ok(numbers) => Ok(Some(cast(&numbers, &kind)?)),
        Err(_) => Ok(None),
    }
}

fn shift(call: &Call, back: bool) -> Result<ArrayRef> {
    if let Some(moved) = shift_by_constant(call, back)? {
        return Ok(moved);
    }
    let (kind, values) = (call.kind(0), call.array(0)?);
    let steps = amounts(&call.array(1)?);
    let result = TrinoType::of_arrow(&call.result);
    let sign: i128 = if back { -1 } else { 1 };
    if kind.is_time() {
        let found = clocks(&values).into_iter().zip(steps).map(|(clock, step)| {
            let (clock, step) = clock.zip(step)?;
            Some(Clock::plus(clock, sign * i128::from(step) * i128::from(MILLISECOND)))
        });
        return of_clocks(found, &result);
    }
    let of_months = *call.kind(1) == TrinoType::IntervalYearMonth;
    let found = moments(&values).into_iter().zip(steps).map(|(moment, step)| {
        let Some((moment, step)) = moment.zip(step) else { return Ok(None) };
        if of_months {
            let months = if back { step.checked_neg() } else { Some(step) };
            return shown(moment, |seconds| add_months(seconds, months?)).map(Some);
        }
        if *kind == TrinoType::Date && step % (DAY * 1_000) != 0 {
            return Err(Failure::invalid_argument(if back {
                "Cannot subtract hour, minutes or seconds from a date"
            } else {
                "Cannot add hour, minutes or seconds to a date"
            }));
        }
        let step = if back { step.checked_neg() } else { Some(step) };
        step.and_then(|step| later(moment, step)).map(Some).ok_or_else(too_far)
    });
    of_moments::<Failure>(found, &result)
}

fn elapsed_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [from, to] if from.is_moment() && to.is_moment() || from.is_time() && to.is_time() => {
            let kind = super::conditional::wider(from, to)
                .ok_or_else(|| unexpected("-", given, "two of one kind"))?;
            Ok(Plan::new(vec![kind.clone(), kind], TrinoType::IntervalDaySecond))
        }
        _ => Err(unexpected("-", given, "timestamp - timestamp")),
    }
}

/// Milliseconds of picoseconds, rounded half up.
fn millis(picos: i128) -> Result<i64, Failure> {
    let each = i128::from(MILLISECOND);
    i64::try_from((picos + each / 2).div_euclid(each)).map_err(|_| too_far())
}

fn elapsed(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    if call.kind(0).is_time() {
        let pairs = clocks(&left).into_iter().zip(clocks(&right)).map(|(left, right)| {
            let Some((left, right)) = left.zip(right) else { return Ok(None) };
            millis(i128::from(left.utc_picos()) - i128::from(right.utc_picos())).map(Some)
        });
        return amounts_of(&call.result, pairs, too_far);
    }
    let pairs = moments(&left).into_iter().zip(moments(&right)).map(|(left, right)| {
        let Some((left, right)): Option<(Moment, Moment)> = left.zip(right) else {
            return Ok(None);
        };
        millis(left.since(right)).map(Some)
    });
    amounts_of(&call.result, pairs, too_far)
}

/// `1.5h`, `20 ms`: a number and a unit.
fn parse_duration(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts.iter().map(|text| text.map(duration).transpose());
    amounts_of(&call.result, found, too_far)
}

fn duration(text: &str) -> Result<i64, Failure> {
    if text.is_empty() {
        return Err(Failure::invalid_argument("duration is empty"));
    }
    let malformed = || {
        Failure::invalid_argument(format!("duration is not a valid data duration string: {text}"))
    };
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(malformed)?;
    let (number, unit) = (&trimmed[..end], trimmed[end..].trim_start());
    let number: f64 = number.parse().map_err(|_| malformed())?;
    if unit.is_empty() || !unit.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(malformed());
    }
    let each = match unit {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        other => {
            return Err(Failure::invalid_argument(format!("Unknown time unit: {other}")));
        }
    };
    Ok(truncated((number * each).round()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read() {
        let cases = [
            ("42-7", "year", "month", Some(42 * 12 + 7)),
            ("-2", "month", "month", Some(-2)),
            ("1 12", "day", "hour", Some(36 * 3_600_000)),
            ("12:34:56.1", "hour", "second", Some(45_296_100)),
            ("0.5", "second", "second", Some(500)),
            ("1:2", "second", "second", None),
            ("x", "day", "day", None),
        ];
        for (text, from, to, expected) in cases {
            assert_eq!(read(text, from, to), expected, "{text}");
        }
        assert_eq!(interval_literal("month", "day"), None);
        assert_eq!(interval_literal("second", "day"), None);
    }
}
