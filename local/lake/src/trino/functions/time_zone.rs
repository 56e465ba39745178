//! Zones: moving between zones, and between seconds since the epoch and timestamps.
#![expect(clippy::cast_possible_truncation, reason = "seconds are doubles in Trino")]

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray};
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type};
use datafusion::common::Result;

use super::call::Call;
use super::cast::rescale;
use super::function::{Function, Plan, coerces, unexpected};
use crate::moment::{
    Clock, MILLISECOND, Moment, SECOND, Zone, clocks, moments, of_clocks, of_moments, too_far,
    write_offset,
};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("at_timezone", |given| moved("at_timezone", given), at_timezone),
    Function::new("with_timezone", with_timezone_types, with_timezone),
    Function::new("$at_local", at_local_types, at_local),
    Function::new("$instant", instant_types, instant),
    Function::new("timezone", timezone_types, timezone),
    Function::new(
        "current_timezone",
        |given| super::function::exactly("current_timezone", given, &[], TEXT),
        |call| Ok(Arc::new(StringArray::from(vec![call.zone.name(); call.rows]))),
    ),
    Function::new("from_unixtime", from_unixtime_types, from_unixtime),
    Function::new("from_unixtime_nanos", from_unixtime_nanos_types, from_unixtime_nanos),
    Function::new("to_unixtime", to_unixtime_types, to_unixtime),
];

/// A zone by the name a user gave it.
pub(super) fn named(name: &str) -> Result<Zone, Failure> {
    Zone::parse(name)
        .ok_or_else(|| Failure::invalid_argument(format!("'{name}' is not a valid time zone")))
}

/// The zone an interval is ahead of UTC.
fn of_interval(millis: i64) -> Result<Zone, Failure> {
    if millis % 60_000 != 0 {
        return Err(Failure::invalid_argument(
            "Invalid time zone offset interval: interval contains seconds",
        ));
    }
    of_minutes(millis / 60_000)
}

fn of_minutes(minutes: i64) -> Result<Zone, Failure> {
    Zone::of_offset(minutes)
        .ok_or_else(|| Failure::invalid_argument(format!("Invalid offset minutes {minutes}")))
}

/// The zones of an argument's rows: one for all, or one each.
enum Zones {
    Names { names: StringArray, constant: Option<Zone> },
    Intervals(Vec<Option<i64>>),
}

impl Zones {
    fn new(call: &Call, at: usize) -> Result<Self> {
        if *call.kind(at) == TrinoType::IntervalDaySecond {
            return Ok(Self::Intervals(super::interval::amounts(&call.array(at)?)));
        }
        let constant = call.constant_text(at).map(named).transpose()?;
        Ok(Self::Names { names: call.texts(at)?, constant })
    }

    fn at(&self, row: usize) -> Result<Option<Zone>, Failure> {
        match self {
            Self::Names { constant: Some(zone), .. } => Ok(Some(*zone)),
            Self::Names { names, .. } if names.is_null(row) => Ok(None),
            Self::Names { names, .. } => named(names.value(row)).map(Some),
            Self::Intervals(intervals) => intervals[row].map(of_interval).transpose(),
        }
    }
}

/// The type with a zone of what has one or not.
fn zoned(kind: &TrinoType) -> Option<TrinoType> {
    Some(match kind {
        TrinoType::Timestamp(precision) | TrinoType::TimestampWithZone(precision) => {
            TrinoType::TimestampWithZone(*precision)
        }
        TrinoType::Time(precision) | TrinoType::TimeWithZone(precision) => {
            TrinoType::TimeWithZone(*precision)
        }
        _ => return None,
    })
}

fn moved(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    if let [moment, zone @ (TrinoType::Varchar(_) | TrinoType::IntervalDaySecond)] = given {
        let kind = match moment {
            TrinoType::Unknown => Some(TrinoType::TimestampWithZone(3)),
            moment => zoned(moment),
        };
        if let Some(kind) = kind {
            return Ok(Plan::new(vec![kind.clone(), zone.clone()], kind));
        }
    }
    Err(unexpected(name, given, &format!("{name}(timestamp(p) with time zone, varchar(x))")))
}

fn at_timezone(call: &Call) -> Result<ArrayRef> {
    let zones = Zones::new(call, 1)?;
    let values = call.array(0)?;
    if call.kind(0).is_time() {
        let now = crate::clock::now().as_second();
        let found = clocks(&values)
            .into_iter()
            .enumerate()
            .map(|(row, clock)| {
                Ok(clock
                    .zip(zones.at(row)?)
                    .map(|(clock, zone)| clock.at(zone.offset_at(now) / 60)))
            })
            .collect::<Result<Vec<Option<Clock>>, Failure>>()?;
        return of_clocks(found.into_iter(), call.kind(0));
    }
    let found = moments(&values)
        .into_iter()
        .enumerate()
        .map(|(row, moment)| Ok(moment.zip(zones.at(row)?).map(|(moment, zone)| moment.at(zone))));
    of_moments::<Failure>(found, call.kind(0))
}

fn at_local_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [moment] => match zoned(moment) {
            Some(kind) => Ok(Plan::new(vec![kind.clone()], kind)),
            None => Err(unexpected("AT LOCAL", given, "a time or timestamp")),
        },
        _ => Err(unexpected("AT LOCAL", given, "a time or timestamp")),
    }
}

fn at_local(call: &Call) -> Result<ArrayRef> {
    let (kind, values) = (call.kind(0), call.array(0)?);
    if kind.is_time() {
        let offset = call.zone.offset_at(crate::clock::now().as_second()) / 60;
        let found = clocks(&values).into_iter().map(|clock| clock.map(|clock| clock.at(offset)));
        return of_clocks(found, kind);
    }
    let found =
        moments(&values).into_iter().map(|moment| Ok(moment.map(|moment| moment.at(call.zone))));
    of_moments::<Failure>(found, kind)
}

/// What two values with zones are compared by: the type without a zone, as UTC's clocks show it.
pub(in crate::trino) fn instant_type(kind: &TrinoType) -> Option<TrinoType> {
    match kind {
        TrinoType::TimestampWithZone(precision) => Some(TrinoType::Timestamp((*precision).max(3))),
        TrinoType::TimeWithZone(precision) => Some(TrinoType::Time(*precision)),
        _ => None,
    }
}

fn instant_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [kind] => match instant_type(kind) {
            Some(result) => Ok(Plan::given(given, result)),
            None => Ok(Plan::given(given, kind.clone())),
        },
        _ => Err(unexpected("$instant", given, "one value")),
    }
}

fn instant(call: &Call) -> Result<ArrayRef> {
    let (kind, values) = (call.kind(0), call.array(0)?);
    match instant_type(kind) {
        None => Ok(values),
        Some(result) if kind.is_time() => {
            let found = clocks(&values).into_iter();
            of_clocks(found.map(|clock| clock.map(|clock| clock.at(0))), &result)
        }
        Some(result) => {
            let found = moments(&values).into_iter();
            of_moments::<Failure>(
                found.map(|moment| Ok(moment.map(|moment| moment.at(Zone::UTC)))),
                &result,
            )
        }
    }
}

fn timezone_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::TimestampWithZone(_) | TrinoType::TimeWithZone(_)] => {
            Ok(Plan::given(given, TEXT))
        }
        _ => Err(unexpected("timezone", given, "timezone(timestamp(p) with time zone)")),
    }
}

fn timezone(call: &Call) -> Result<ArrayRef> {
    let values = call.array(0)?;
    if call.kind(0).is_time() {
        let found = clocks(&values);
        return call.each_text(|row| {
            Ok(found[row].map(|clock| {
                let mut text = String::new();
                write_offset(clock.offset, &mut text);
                text
            }))
        });
    }
    let found = moments(&values);
    call.each_text(|row| Ok(found[row].map(|moment| moment.zone.name())))
}

fn with_timezone_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Timestamp(precision), TrinoType::Varchar(_)] => {
            Ok(Plan::given(given, TrinoType::TimestampWithZone(*precision)))
        }
        [TrinoType::Date | TrinoType::Unknown, TrinoType::Varchar(_)] => {
            Ok(Plan::new(vec![TrinoType::Timestamp(3), TEXT], TrinoType::TimestampWithZone(3)))
        }
        _ => Err(unexpected("with_timezone", given, "with_timezone(timestamp(p), varchar(x))")),
    }
}

fn with_timezone(call: &Call) -> Result<ArrayRef> {
    let zones = Zones::new(call, 1)?;
    let result = TrinoType::of_arrow(&call.result);
    let found = moments(&call.array(0)?).into_iter().enumerate().map(|(row, local)| {
        Ok(local.zip(zones.at(row)?).map(|(local, zone)| Moment::in_zone(local, zone)))
    });
    of_moments::<Failure>(found, &result)
}

fn from_unixtime_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let number = |kind: &TrinoType| kind.is_numeric() || *kind == TrinoType::Unknown;
    let result = TrinoType::TimestampWithZone(3);
    match given {
        [seconds] if number(seconds) => Ok(Plan::new(vec![TrinoType::Double], result)),
        [seconds, TrinoType::Varchar(_)] if number(seconds) => {
            Ok(Plan::new(vec![TrinoType::Double, TEXT], result))
        }
        [seconds, hours, minutes]
            if number(seconds)
                && coerces(hours, &TrinoType::Bigint)
                && coerces(minutes, &TrinoType::Bigint) =>
        {
            Ok(Plan::new(vec![TrinoType::Double, TrinoType::Bigint, TrinoType::Bigint], result))
        }
        _ => Err(unexpected(
            "from_unixtime",
            given,
            "from_unixtime(double), from_unixtime(double, bigint, bigint), from_unixtime(double, varchar(x))",
        )),
    }
}

fn from_unixtime(call: &Call) -> Result<ArrayRef> {
    let seconds = call.doubles(0)?;
    let zones = if call.count() == 2 { Some(Zones::new(call, 1)?) } else { None };
    let offsets = if call.count() == 3 { Some((call.longs(1)?, call.longs(2)?)) } else { None };
    let zone_at = |row: usize| -> Result<Option<Zone>, Failure> {
        match (&zones, &offsets) {
            (Some(zones), _) => zones.at(row),
            (_, Some((hours, minutes))) => {
                if hours.is_null(row) || minutes.is_null(row) {
                    return Ok(None);
                }
                let total = hours.value(row).checked_mul(60);
                let total = total.and_then(|total| total.checked_add(minutes.value(row)));
                of_minutes(total.ok_or_else(too_far)?).map(Some)
            }
            (None, None) => Ok(Some(call.zone)),
        }
    };
    let found = seconds.iter().enumerate().map(|(row, seconds)| {
        let Some((seconds, zone)) = seconds.zip(zone_at(row)?) else { return Ok(None) };
        let millis = java_round(seconds * 1_000.0);
        if (millis << 12) >> 12 != millis {
            return Err(Failure::invalid_argument(format!("Millis overflow: {millis}")));
        }
        Ok(Some(Moment::of_millis(millis, zone)))
    });
    of_moments::<Failure>(found, &TrinoType::TimestampWithZone(3))
}

/// Java's `Math.round`: halves go up.
fn java_round(value: f64) -> i64 {
    (value + 0.5).floor() as i64
}

fn from_unixtime_nanos_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let result = TrinoType::TimestampWithZone(9);
    match given {
        [TrinoType::Decimal(..)] => Ok(Plan::given(given, result)),
        [nanos] if coerces(nanos, &TrinoType::Bigint) => {
            Ok(Plan::new(vec![TrinoType::Bigint], result))
        }
        _ => Err(unexpected(
            "from_unixtime_nanos",
            given,
            "from_unixtime_nanos(bigint), from_unixtime_nanos(decimal(p,s))",
        )),
    }
}

fn from_unixtime_nanos(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let of_nanos = |nanos: i128| -> Result<Option<Moment>, Failure> {
        let whole = |part: i128| i64::try_from(part).map_err(|_| too_far());
        Ok(Some(Moment {
            seconds: whole(nanos.div_euclid(1_000_000_000))?,
            picos: whole(nanos.rem_euclid(1_000_000_000))? * (SECOND / 1_000_000_000),
            zone: call.zone,
        }))
    };
    let result = TrinoType::TimestampWithZone(9);
    if let TrinoType::Decimal(_, scale) = call.kind(0) {
        let found = array.as_primitive::<Decimal128Type>().iter().map(|value| match value {
            None => Ok(None),
            Some(value) => of_nanos(rescale(value, i32::from(*scale), 0).ok_or_else(too_far)?),
        });
        return of_moments::<Failure>(found, &result);
    }
    let found = array
        .as_primitive::<Int64Type>()
        .iter()
        .map(|nanos| nanos.map_or(Ok(None), |nanos| of_nanos(i128::from(nanos))));
    of_moments::<Failure>(found, &result)
}

fn to_unixtime_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_)] => {
            Ok(Plan::given(given, TrinoType::Double))
        }
        [TrinoType::Date | TrinoType::Unknown] => {
            Ok(Plan::new(vec![TrinoType::Timestamp(3)], TrinoType::Double))
        }
        _ => Err(unexpected("to_unixtime", given, "to_unixtime(timestamp(p))")),
    }
}

/// Trino has this of instants alone: a timestamp without a zone is of the session's.
#[expect(clippy::cast_precision_loss, reason = "as Trino does")]
fn to_unixtime(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let precise = match kind {
        TrinoType::Timestamp(precision) | TrinoType::TimestampWithZone(precision) => *precision > 3,
        _ => false,
    };
    let session = matches!(kind, TrinoType::Timestamp(_)).then_some(call.zone);
    let found: Float64Array = moments(&call.array(0)?)
        .into_iter()
        .map(|moment| {
            let moment = match session {
                Some(zone) => Moment::in_zone(moment?, zone),
                None => moment?,
            };
            let seconds = moment.millis().unwrap_or(i64::MAX) as f64 / 1e3;
            let below = (moment.picos % MILLISECOND) as f64 / 1e12;
            Some(if precise { seconds + below } else { seconds })
        })
        .collect();
    Ok(Arc::new(found))
}
