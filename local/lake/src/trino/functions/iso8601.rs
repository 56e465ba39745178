//! ISO 8601: `from_iso8601_timestamp`, `from_iso8601_timestamp_nanos`, `from_iso8601_date`, `to_iso8601`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Date32Array};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, exactly, unexpected};
use crate::moment::{
    DAY, MILLISECOND, Moment, Zone, clocks, moments, of_moments, read_clock, write_clock,
    write_moment,
};
use crate::sql::{Failure, TrinoType, day_number, write_date};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "from_iso8601_timestamp",
        |given| exactly("from_iso8601_timestamp", given, &[TEXT], TrinoType::TimestampWithZone(3)),
        |call| from_text(call, true),
    ),
    Function::new(
        "from_iso8601_timestamp_nanos",
        |given| {
            exactly("from_iso8601_timestamp_nanos", given, &[TEXT], TrinoType::TimestampWithZone(9))
        },
        |call| from_text(call, false),
    ),
    Function::new(
        "from_iso8601_date",
        |given| exactly("from_iso8601_date", given, &[TEXT], TrinoType::Date),
        from_date,
    ),
    Function::new("to_iso8601", to_types, to_text),
];

/// Dates, weeks and ordinal days are as Trino's; a text without a zone is of the session's.
fn from_text(call: &Call, milliseconds: bool) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts.iter().map(|text| {
        let Some(text) = text else { return Ok(None) };
        let refused = || Failure::invalid_argument(format!("Invalid format: \"{text}\""));
        let moment = read(text, call.zone, milliseconds).ok_or_else(refused)?;
        // Joda reads milliseconds and drops what is below them.
        let picos =
            if milliseconds { moment.picos / MILLISECOND * MILLISECOND } else { moment.picos };
        Ok(Some(Moment { picos, ..moment }))
    });
    of_moments::<Failure>(found, &TrinoType::of_arrow(&call.result))
}

fn read(text: &str, session: Zone, partial: bool) -> Option<Moment> {
    let (date, clock) = text.split_once('T').unwrap_or((text, ""));
    let days = if date.is_empty() && partial { 0 } else { iso_date(date)? };
    if clock.is_empty() {
        return partial.then(|| Moment::in_zone(Moment::of_day(days), session));
    }
    let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let zone = match zone.split_once('[') {
        // Java's form, with a region after the offset.
        Some((_, region)) if !partial => Zone::parse(region.strip_suffix(']')?)?,
        _ if zone.is_empty() => session,
        _ => Zone::parse(zone)?,
    };
    let padded = match clock.matches(':').count() {
        0 => format!("{clock}:00"),
        _ => clock.replace(',', "."),
    };
    let (clock, ..) = read_clock(&padded)?;
    let local = Moment::new(days * DAY + clock.second_of_day(), clock.fraction());
    Some(Moment::in_zone(local, zone))
}

/// `2024-01-31`, `2024-01`, `2024`, `2024-031`, `2024-W05-3`; the year may have a sign.
fn iso_date(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = |text: &str| -> Option<i64> {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let parts: Vec<&str> = text.split('-').collect();
    let year = sign * number(parts.first()?)?;
    match &parts[1..] {
        [] => day_number(year, 1, 1),
        [week] | [week, _] if week.starts_with('W') => {
            let day = parts.get(2).map_or(Some(1), |day| number(day))?;
            let first = day_number(year, 1, 4)?;
            let monday = first - (first + 3).rem_euclid(7);
            let week = number(&week[1..])?;
            ((1..=53).contains(&week) && (1..=7).contains(&day))
                .then_some(monday + (week - 1) * 7 + day - 1)
        }
        [day] if day.len() == 3 => {
            let day = number(day)?;
            let first = day_number(year, 1, 1)?;
            let days = day_number(year + 1, 1, 1)? - first;
            (1..=days).contains(&day).then_some(first + day - 1)
        }
        [month] => day_number(year, number(month)?, 1),
        [month, day] => day_number(year, number(month)?, number(day)?),
        _ => None,
    }
}

fn from_date(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let days: Date32Array = texts
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            let days = iso_date(text).and_then(|days| i32::try_from(days).ok());
            days.map(Some)
                .ok_or_else(|| Failure::invalid_argument(format!("Invalid format: \"{text}\"")))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Arc::new(days))
}

fn to_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [kind] if kind.is_moment() => Ok(Plan::given(given, TEXT)),
        _ => Err(unexpected("to_iso8601", given, "to_iso8601(date or timestamp)")),
    }
}

fn to_text(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let found = moments(&call.array(0)?);
    call.each_text(|row| {
        Ok(found[row].map(|moment| {
            let mut text = String::new();
            match kind {
                TrinoType::Timestamp(precision) => {
                    write_moment(moment, *precision, 'T', &mut text);
                }
                TrinoType::TimestampWithZone(precision) => {
                    write_moment(moment.local(), *precision, 'T', &mut text);
                    write_iso_offset(moment.zone.offset_at(moment.seconds), &mut text);
                }
                _ => write_date(moment.day(), &mut text),
            }
            text
        }))
    })
}

/// `Z`, `+05:45`, and with seconds where they are any.
pub(super) fn write_iso_offset(seconds: i64, out: &mut String) {
    use std::fmt::Write as _;
    if seconds == 0 {
        out.push('Z');
        return;
    }
    let absolute = seconds.abs();
    let sign = if seconds < 0 { '-' } else { '+' };
    // Writing to a String cannot fail.
    let _ = write!(out, "{sign}{:02}:{:02}", absolute / 3_600, absolute / 60 % 60);
    if absolute % 60 != 0 {
        let _ = write!(out, ":{:02}", absolute % 60);
    }
}

/// A timestamp or a time of the day as Java's own types of it show themselves: seconds that are none are left out, and
/// fractions have three, six or nine digits. None of what Java has no type of.
pub(super) fn java_text(array: &ArrayRef, row: usize, kind: &TrinoType) -> Option<String> {
    let value = array.slice(row, 1);
    let mut text = String::new();
    if let TrinoType::Time(_) = kind {
        let clock = clocks(&value)[0]?.rounded(9);
        write_clock(clock, java_digits(clock.fraction()), &mut text);
        if clock.second_of_day() % 60 == 0 && clock.fraction() == 0 {
            text.truncate(text.len() - 3);
        }
        return Some(text);
    }
    if !matches!(kind, TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_)) {
        return None;
    }
    let moment = moments(&value)[0]?.rounded(9);
    let local = moment.local();
    write_moment(local, java_digits(local.picos), 'T', &mut text);
    if local.picos == 0 && local.seconds.rem_euclid(60) == 0 {
        text.truncate(text.len() - 3);
    }
    if matches!(kind, TrinoType::TimestampWithZone(_)) {
        write_iso_offset(local.seconds - moment.seconds, &mut text);
        let name = moment.zone.name();
        if !name.starts_with(['+', '-']) {
            text.push('[');
            text.push_str(&name);
            text.push(']');
        }
    }
    Some(text)
}

/// Digits Java shows of a fraction, whole nanoseconds.
fn java_digits(picos: i64) -> u8 {
    match picos / 1_000 {
        0 => 0,
        nanos if nanos % 1_000_000 == 0 => 3,
        nanos if nanos % 1_000 == 0 => 6,
        _ => 9,
    }
}
