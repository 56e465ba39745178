//! `date_add`, `date_diff`, `date_trunc`, `last_day_of_month` and `date`.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;

use super::call::Call;
use super::date_parts::weekday;
use super::function::{Function, Plan, unexpected};
use super::milliseconds;
use crate::moment::{
    Clock, DAY, MILLISECOND, Moment, SECOND, clocks, moments, of_clocks, of_moments, too_far,
};
use crate::sql::{Failure, TrinoType, civil, day_number, days_of_month};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("date_add", add_types, add),
    Function::new("date_diff", diff_types, diff),
    Function::new("date_trunc", trunc_types, trunc),
    Function::new("last_day_of_month", last_day_types, last_day),
    Function::new("date", date_types, date),
];

const TEXT: TrinoType = TrinoType::Varchar(None);

fn is_text(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Varchar(_))
}

fn add_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, number, moment]
            if is_text(unit)
                && (number.is_numeric() || *number == TrinoType::Unknown)
                && (moment.is_moment() || moment.is_time()) =>
        {
            Ok(Plan::new(vec![TEXT, TrinoType::Bigint, moment.clone()], moment.clone()))
        }
        _ => Err(unexpected("date_add", given, "date_add(varchar, bigint, date or timestamp)")),
    }
}

fn diff_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, from, to]
            if is_text(unit)
                && (from.is_moment() && to.is_moment() || from.is_time() && to.is_time()) =>
        {
            let kind = super::conditional::wider(from, to).unwrap_or(TrinoType::Timestamp(3));
            Ok(Plan::new(vec![TEXT, kind.clone(), kind], TrinoType::Bigint))
        }
        _ => Err(unexpected("date_diff", given, "date_diff(varchar, timestamp(p), timestamp(p))")),
    }
}

fn trunc_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [unit, moment] if is_text(unit) && (moment.is_moment() || moment.is_time()) => {
            Ok(Plan::new(vec![TEXT, moment.clone()], moment.clone()))
        }
        [unit, TrinoType::Unknown] if is_text(unit) => {
            Ok(Plan::new(vec![TEXT, TrinoType::Timestamp(3)], TrinoType::Timestamp(3)))
        }
        _ => Err(unexpected("date_trunc", given, "date_trunc(varchar, date or timestamp)")),
    }
}

fn last_day_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment] if moment.is_moment() => Ok(Plan::given(given, TrinoType::Date)),
        _ => Err(unexpected("last_day_of_month", given, "last_day_of_month(date or timestamp)")),
    }
}

fn date_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment] if moment.is_moment() || is_text(moment) => {
            Ok(Plan::given(given, TrinoType::Date))
        }
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
    Year,
    Quarter,
    Month,
    Week,
    Day,
    /// Picoseconds of an hour and less.
    Clock(i64),
}

impl Unit {
    fn read(text: &str, kind: &TrinoType) -> Result<Self, Failure> {
        let (of_day, of_clock, noun) = match kind {
            TrinoType::Date => (true, false, "DATE"),
            TrinoType::Time(_) | TrinoType::TimeWithZone(_) => (false, true, "TIME"),
            _ => (true, true, "TIMESTAMP"),
        };
        let unit = match text.to_lowercase().as_str() {
            "year" if of_day => Self::Year,
            "quarter" if of_day => Self::Quarter,
            "month" if of_day => Self::Month,
            "week" if of_day => Self::Week,
            "day" if of_day => Self::Day,
            "hour" if of_clock => Self::Clock(3_600 * SECOND),
            "minute" if of_clock => Self::Clock(60 * SECOND),
            "second" if of_clock => Self::Clock(SECOND),
            "millisecond" if of_clock => Self::Clock(MILLISECOND),
            _ => {
                return Err(Failure::invalid_argument(format!(
                    "'{text}' is not a valid {noun} field"
                )));
            }
        };
        Ok(unit)
    }

    /// Milliseconds of a unit that is always as long.
    fn millis(self) -> Option<i64> {
        match self {
            Self::Week => Some(7 * DAY * 1_000),
            Self::Day => Some(DAY * 1_000),
            Self::Clock(each) => Some(each / MILLISECOND),
            Self::Year | Self::Quarter | Self::Month => None,
        }
    }

    /// Months of a unit of the calendar.
    fn months(self) -> Option<i64> {
        match self {
            Self::Year => Some(12),
            Self::Quarter => Some(3),
            Self::Month => Some(1),
            Self::Week | Self::Day | Self::Clock(_) => None,
        }
    }
}

/// The units of a call's rows: one for all, or one each.
struct Units<'c> {
    constant: Option<Unit>,
    texts: datafusion::arrow::array::StringArray,
    kind: &'c TrinoType,
}

impl<'c> Units<'c> {
    fn new(call: &'c Call, kind: &'c TrinoType) -> Result<Self> {
        let constant = call.constant_text(0).map(|text| Unit::read(text, kind)).transpose()?;
        Ok(Self { constant, texts: call.texts(0)?, kind })
    }

    fn at(&self, row: usize) -> Result<Option<Unit>, Failure> {
        match self.constant {
            Some(unit) => Ok(Some(unit)),
            None if self.texts.is_null(row) => Ok(None),
            None => Unit::read(self.texts.value(row), self.kind).map(Some),
        }
    }
}

/// Months are added to the calendar; a day the month has not becomes its last.
pub(super) fn add_months(seconds: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let total = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let day = day.min(days_of_month(year, month)?);
    day_number(year, month, day)?.checked_mul(DAY)?.checked_add(seconds.rem_euclid(DAY))
}

/// A moment whose clocks show something else, in the zone it is in.
pub(super) fn shown(
    moment: Moment,
    change: impl FnOnce(i64) -> Option<i64>,
) -> Result<Moment, Failure> {
    let seconds = change(moment.local_seconds()).ok_or_else(too_far)?;
    Ok(Moment::in_zone(Moment::new(seconds, moment.picos), moment.zone))
}

fn moved(moment: Moment, unit: Unit, count: i64) -> Result<Moment, Failure> {
    match unit {
        Unit::Year | Unit::Quarter | Unit::Month => {
            let months = unit.months().and_then(|months| months.checked_mul(count));
            shown(moment, |seconds| add_months(seconds, months?))
        }
        Unit::Week | Unit::Day => {
            let each = if unit == Unit::Week { 7 * DAY } else { DAY };
            shown(moment, |seconds| seconds.checked_add(each.checked_mul(count)?))
        }
        Unit::Clock(MILLISECOND) => later(moment, count).ok_or_else(too_far),
        Unit::Clock(each) => (each / SECOND)
            .checked_mul(count)
            .and_then(|seconds| moment.plus(seconds, 0))
            .ok_or_else(too_far),
    }
}

/// A moment so many milliseconds later.
pub(super) fn later(moment: Moment, millis: i64) -> Option<Moment> {
    moment.plus(millis.div_euclid(1_000), millis.rem_euclid(1_000) * MILLISECOND)
}

fn add(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(2);
    let (units, counts, values) = (Units::new(call, kind)?, call.longs(1)?, call.array(2)?);
    if let Some(each) = units.constant.and_then(Unit::millis)
        && let Some(found) = milliseconds::later(&values, &counts, each)
    {
        return Ok(found);
    }
    let step = |row: usize| -> Result<Option<(Unit, i64)>, Failure> {
        let unit = units.at(row)?;
        Ok(unit.filter(|_| counts.is_valid(row)).map(|unit| (unit, counts.value(row))))
    };
    if kind.is_time() {
        let found = clocks(&values)
            .into_iter()
            .enumerate()
            .map(|(row, clock)| {
                let Some((clock, (unit, count))) = clock.zip(step(row)?) else { return Ok(None) };
                let each = if let Unit::Clock(each) = unit { each } else { 0 };
                Ok(Some(clock.plus(i128::from(each) * i128::from(count))))
            })
            .collect::<Result<Vec<Option<Clock>>>>()?;
        return of_clocks(found.into_iter(), kind);
    }
    let found = moments(&values).into_iter().enumerate().map(|(row, moment)| {
        let Some((moment, (unit, count))) = moment.zip(step(row)?) else { return Ok(None) };
        moved(moment, unit, count).map(Some)
    });
    of_moments::<Failure>(found, kind)
}

/// Whole units between two moments, towards zero.
fn between(from: Moment, to: Moment, unit: Unit) -> i64 {
    let (start, end) = match unit {
        Unit::Clock(_) => (from, to),
        // Days are those of the first moment's zone.
        _ => (from.local(), to.at(from.zone).local()),
    };
    let whole = |each: i128| i64::try_from(end.since(start) / each).unwrap_or(i64::MAX);
    let day = i128::from(DAY) * i128::from(SECOND);
    match unit {
        Unit::Clock(each) => whole(i128::from(each)),
        Unit::Day => whole(day),
        Unit::Week => whole(7 * day),
        Unit::Year | Unit::Quarter | Unit::Month => {
            let backwards = end.since(start) < 0;
            let (start, end) = if backwards { (end, start) } else { (start, end) };
            let (y1, m1, _) = civil(start.seconds.div_euclid(DAY));
            let (y2, m2, _) = civil(end.seconds.div_euclid(DAY));
            let mut months = (y2 - y1) * 12 + (m2 - m1);
            // The month is whole once its day and time are reached; the last day of a
            // shorter month counts as reached.
            let reached = add_months(start.seconds, months);
            if reached.is_some_and(|seconds| (seconds, start.picos) > (end.seconds, end.picos)) {
                months -= 1;
            }
            let units = months / unit.months().unwrap_or(1);
            if backwards { -units } else { units }
        }
    }
}

/// Whole months from one moment to another.
pub(super) fn months_between(from: Moment, to: Moment) -> i64 {
    between(from, to, Unit::Month)
}

fn diff(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(1);
    let units = Units::new(call, kind)?;
    if kind.is_time() {
        let (from, to) = (clocks(&call.array(1)?), clocks(&call.array(2)?));
        return call.each_long(|row| {
            let Some(Unit::Clock(each)) = units.at(row)? else { return Ok(None) };
            Ok(from[row].zip(to[row]).map(|(from, to)| (to.utc_picos() - from.utc_picos()) / each))
        });
    }
    let (from, to) = (call.array(1)?, call.array(2)?);
    if let Some(each) = units.constant.and_then(Unit::millis)
        && let Some(found) = milliseconds::between(&from, &to, each)
    {
        return Ok(found);
    }
    let (from, to) = (moments(&from), moments(&to));
    call.each_long(|row| {
        let Some(unit) = units.at(row)? else { return Ok(None) };
        Ok(from[row].zip(to[row]).map(|(from, to)| between(from, to, unit)))
    })
}

fn truncated(moment: Moment, unit: Unit) -> Moment {
    if let Unit::Clock(each) = unit {
        let offset = moment.zone.offset_at(moment.seconds);
        let local = moment.seconds + offset;
        let (seconds, picos) = if each >= SECOND {
            (local.div_euclid(each / SECOND) * (each / SECOND), 0)
        } else {
            (local, moment.picos / each * each)
        };
        return Moment { seconds: seconds - offset, picos, zone: moment.zone };
    }
    Moment::in_zone(Moment::of_day(first_day(moment.day(), unit)), moment.zone)
}

/// The first day of the unit a day is in.
fn first_day(days: i64, unit: Unit) -> i64 {
    let (year, month, _) = civil(days);
    let first = |month: i64| day_number(year, month, 1).unwrap_or(days);
    match unit {
        Unit::Year => first(1),
        Unit::Quarter => first((month - 1) / 3 * 3 + 1),
        Unit::Month => first(month),
        Unit::Week => days - weekday(days) + 1,
        Unit::Day | Unit::Clock(_) => days,
    }
}

fn trunc(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(1);
    let (units, values) = (Units::new(call, kind)?, call.array(1)?);
    if kind.is_time() {
        let found = clocks(&values)
            .into_iter()
            .enumerate()
            .map(|(row, clock)| {
                let Some((clock, Unit::Clock(each))) = clock.zip(units.at(row)?) else {
                    return Ok(None);
                };
                Ok(Some(Clock { picos: clock.picos / each * each, ..clock }))
            })
            .collect::<Result<Vec<Option<Clock>>>>()?;
        return of_clocks(found.into_iter(), kind);
    }
    let quickly = match units.constant {
        Some(Unit::Clock(each)) => milliseconds::floored(&values, each / MILLISECOND),
        Some(unit) => milliseconds::by_day(&values, |day| first_day(day, unit)),
        None => None,
    };
    if let Some(found) = quickly {
        return Ok(found);
    }
    let found = moments(&values)
        .into_iter()
        .enumerate()
        .map(|(row, moment)| Ok(moment.zip(units.at(row)?).map(|(m, unit)| truncated(m, unit))));
    of_moments::<Failure>(found, kind)
}

fn last_day(call: &Call) -> Result<ArrayRef> {
    let found = moments(&call.array(0)?).into_iter().map(|moment| {
        Ok(moment.and_then(|moment| {
            let (year, month, _) = civil(moment.day());
            day_number(year, month, days_of_month(year, month)?).map(Moment::of_day)
        }))
    });
    of_moments::<Failure>(found, &TrinoType::Date)
}
