//! Values as Athena writes them in result files and `GetQueryResults`.

use std::fmt::Write as _;

use datafusion::arrow::array::{
    Array, AsArray, Decimal128Array, FixedSizeBinaryArray, StructArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};

use crate::moment::{Layout, write_day_second, write_packed, write_year_month};

use super::types::{ADDRESS_WIDTH, UNNAMED_FIELD, UUID_WIDTH};

/// Appends the text of one value; false (and nothing appended) when it is NULL.
pub fn write_value(array: &dyn Array, row: usize, out: &mut String) -> bool {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return false;
    }
    // Writing to a String cannot fail.
    match array.data_type() {
        DataType::Boolean => {
            out.push_str(if array.as_boolean().value(row) { "true" } else { "false" });
        }
        DataType::Int8 => drop(write!(out, "{}", array.as_primitive::<Int8Type>().value(row))),
        DataType::Int16 => drop(write!(out, "{}", array.as_primitive::<Int16Type>().value(row))),
        DataType::Int32 => drop(write!(out, "{}", array.as_primitive::<Int32Type>().value(row))),
        DataType::Int64 => drop(write!(out, "{}", array.as_primitive::<Int64Type>().value(row))),
        DataType::UInt32 => drop(write!(out, "{}", array.as_primitive::<UInt32Type>().value(row))),
        DataType::UInt64 => drop(write!(out, "{}", array.as_primitive::<UInt64Type>().value(row))),
        DataType::Float32 => write_real(array.as_primitive::<Float32Type>().value(row), out),
        DataType::Float64 => write_double(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Decimal128(..) => {
            let decimals: &Decimal128Array = array.as_primitive();
            out.push_str(&decimals.value_as_string(row));
        }
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => write_bytes(array.as_binary::<i32>().value(row), out),
        DataType::LargeBinary => write_bytes(array.as_binary::<i64>().value(row), out),
        DataType::BinaryView => write_bytes(array.as_binary_view().value(row), out),
        DataType::FixedSizeBinary(width) => return write_fixed(array, *width, row, out),
        DataType::Date32 => {
            write_date(i64::from(array.as_primitive::<Date32Type>().value(row)), out);
        }
        DataType::Timestamp(unit, _) => {
            let (ticks, per_second, digits) = ticks_of(array, *unit, row);
            write_timestamp(ticks, per_second, digits, out);
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array.as_primitive::<IntervalYearMonthType>().value(row);
            write_year_month(i64::from(months), out);
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            write_day_second(array.as_primitive::<DurationMillisecondType>().value(row), out);
        }
        DataType::List(_) => write_list(array.as_list::<i32>().value(row).as_ref(), out),
        DataType::LargeList(_) => write_list(array.as_list::<i64>().value(row).as_ref(), out),
        DataType::FixedSizeList(..) => {
            write_list(array.as_fixed_size_list().value(row).as_ref(), out);
        }
        DataType::Map(..) => write_map(&array.as_map().value(row), out),
        DataType::Struct(_) => write_struct(array.as_struct(), row, out),
        _ => match datafusion::arrow::util::display::array_value_to_string(array, row) {
            Ok(text) => out.push_str(&text),
            Err(_) => return false,
        },
    }
    true
}

/// Values whose type is told by their width: UUIDs, addresses, times; or plain bytes.
fn write_fixed(array: &dyn Array, width: i32, row: usize, out: &mut String) -> bool {
    let bytes: Option<&FixedSizeBinaryArray> = array.as_fixed_size_binary_opt();
    let bytes = bytes.map_or(&[][..], |bytes| bytes.value(row));
    match (width, Layout::of_width(width), bytes.first_chunk::<16>()) {
        (UUID_WIDTH, _, Some(value)) => {
            let _ = write!(out, "{}", uuid::Uuid::from_bytes(*value));
        }
        (ADDRESS_WIDTH, _, Some(value)) => write_address(*value, out),
        (UUID_WIDTH | ADDRESS_WIDTH, _, None) => return false,
        (_, Some(layout), _) => write_packed(bytes, layout, out),
        (_, None, _) => write_bytes(bytes, out),
    }
    true
}

/// Java's `Double.toString`: `1.0`, `1.0E10`, `NaN`, `Infinity`.
pub(crate) fn write_double(value: f64, out: &mut String) {
    let absolute = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value == 0.0 || (1e-3..1e7).contains(&absolute) {
        let _ = write!(out, "{value:?}");
    } else {
        write_scientific(&shortest(value), out);
    }
}

/// The shortest digits that mean a number, but no fewer than two where there are as good ones,
/// as Java has it.
pub(crate) fn shortest(value: f64) -> String {
    let digits = format!("{value:e}");
    if digits.contains('.') { digits } else { format!("{value:.1e}") }
}

pub(crate) fn write_real(value: f32, out: &mut String) {
    let absolute = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value == 0.0 || (1e-3..1e7).contains(&absolute) {
        let _ = write!(out, "{value:?}");
    } else {
        write_scientific(&format!("{value:e}"), out);
    }
}

/// `1e10` → `1.0E10`.
pub(crate) fn write_scientific(rust: &str, out: &mut String) {
    let (mantissa, exponent) = rust.split_once('e').unwrap_or((rust, "0"));
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    out.push('E');
    out.push_str(exponent);
}

/// An address in its shortest form; those of IPv4 within IPv6 as IPv4's.
fn write_address(bytes: [u8; 16], out: &mut String) {
    let address = std::net::Ipv6Addr::from(bytes);
    let _ = match address.to_ipv4_mapped() {
        Some(address) => write!(out, "{address}"),
        None => write!(out, "{address}"),
    };
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let _ = write!(out, "{byte:02x}");
    }
}

/// `days` since 1970-01-01.
pub(crate) fn write_date(days: i64, out: &mut String) {
    let (year, month, day) = civil(days);
    if (0..=9999).contains(&year) {
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
    } else {
        let _ = write!(out, "{year:+05}-{month:02}-{day:02}");
    }
}

/// Year, month and day of a day number, for every year (Howard Hinnant's algorithm).
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The day number of a civil date, `None` when there is no such day.
pub(crate) fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=days_of_month(year, month)?).contains(&day) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Days of a month, `None` when there is no such month.
pub(crate) fn days_of_month(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        _ => None,
    }
}

/// Ticks since the epoch, ticks a second, digits of the fraction.
pub(crate) fn ticks_of(array: &dyn Array, unit: TimeUnit, row: usize) -> (i64, i64, usize) {
    match unit {
        TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1, 0),
        TimeUnit::Millisecond => {
            (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000, 3)
        }
        TimeUnit::Microsecond => {
            (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000, 6)
        }
        TimeUnit::Nanosecond => {
            (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000, 9)
        }
    }
}

/// `2017-01-01 00:00:00.000`.
pub(crate) fn write_timestamp(ticks: i64, per_second: i64, digits: usize, out: &mut String) {
    let seconds = ticks.div_euclid(per_second);
    write_date(seconds.div_euclid(86_400), out);
    out.push(' ');
    write_clock(seconds.rem_euclid(86_400), ticks.rem_euclid(per_second), digits, out);
}

fn write_clock(second_of_day: i64, fraction: i64, digits: usize, out: &mut String) {
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60
    );
    if digits > 0 {
        let _ = write!(out, ".{fraction:0digits$}");
    }
}

fn write_list(items: &dyn Array, out: &mut String) {
    out.push('[');
    for at in 0..items.len() {
        if at > 0 {
            out.push_str(", ");
        }
        if !write_value(items, at, out) {
            out.push_str("null");
        }
    }
    out.push(']');
}

fn write_map(entries: &StructArray, out: &mut String) {
    out.push('{');
    for at in 0..entries.len() {
        if at > 0 {
            out.push_str(", ");
        }
        if !write_value(entries.column(0).as_ref(), at, out) {
            out.push_str("null");
        }
        out.push('=');
        if !write_value(entries.column(1).as_ref(), at, out) {
            out.push_str("null");
        }
    }
    out.push('}');
}

/// The name a row's field is shown by: `field0` of the first without one.
pub(crate) fn shown_field(name: &str) -> &str {
    if name.starts_with(UNNAMED_FIELD) { &name[1..] } else { name }
}

fn write_struct(row_array: &StructArray, row: usize, out: &mut String) {
    out.push('{');
    for (at, (field, column)) in row_array.fields().iter().zip(row_array.columns()).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(shown_field(field.name()));
        out.push('=');
        if !write_value(column.as_ref(), row, out) {
            out.push_str("null");
        }
    }
    out.push('}');
}
