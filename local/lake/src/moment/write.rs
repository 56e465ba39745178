//! The texts of moments, times and intervals.

use std::fmt::Write as _;

use super::array::{unpack_clock, unpack_moment};
use super::{Clock, DAY, Kind, Layout, Moment};
use crate::sql::write_date;

/// Appends the text of fixed-size bytes of a layout.
pub fn write_packed(bytes: &[u8], layout: Layout, out: &mut String) {
    match layout.kind {
        Kind::Timestamp | Kind::Zoned => {
            let moment = unpack_moment(bytes, layout.kind);
            write_moment(moment.local(), layout.precision, ' ', out);
            if layout.kind == Kind::Zoned {
                out.push(' ');
                moment.zone.write(out);
            }
        }
        Kind::Time | Kind::ZonedTime => {
            let clock = unpack_clock(bytes, layout.kind);
            write_clock(clock, layout.precision, out);
            if layout.kind == Kind::ZonedTime {
                write_offset(clock.offset, out);
            }
        }
    }
}

/// `2017-01-01 00:00:00.000` of a place in the calendar; `between` stands between date and time.
pub fn write_moment(local: Moment, precision: u8, between: char, out: &mut String) {
    write_date(local.seconds.div_euclid(DAY), out);
    out.push(between);
    write_seconds(local.seconds.rem_euclid(DAY), local.picos, precision, out);
}

/// `12:34:56.123`, without what the zone is.
pub fn write_clock(clock: Clock, precision: u8, out: &mut String) {
    write_seconds(clock.second_of_day(), clock.fraction(), precision, out);
}

fn write_seconds(second_of_day: i64, picos: i64, precision: u8, out: &mut String) {
    let (hour, minute, second) =
        (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    // Writing to a String cannot fail.
    let _ = write!(out, "{hour:02}:{minute:02}:{second:02}");
    if precision > 0 {
        let digits = usize::from(precision);
        let _ = write!(out, ".{:0digits$}", picos / super::coarse(precision));
    }
}

/// `+05:45`.
pub fn write_offset(minutes: i64, out: &mut String) {
    let sign = if minutes < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
}

/// `1 02:03:04.000` of an interval of milliseconds.
pub fn write_day_second(millis: i64, out: &mut String) {
    let absolute = millis.unsigned_abs();
    if millis < 0 {
        out.push('-');
    }
    let (days, seconds) = (absolute / 86_400_000, absolute / 1_000 % 86_400);
    let _ = write!(
        out,
        "{days} {:02}:{:02}:{:02}.{:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        absolute % 1_000
    );
}

/// `1-2` of an interval of months.
pub fn write_year_month(months: i64, out: &mut String) {
    if months < 0 {
        out.push('-');
    }
    let _ = write!(out, "{}-{}", months.abs() / 12, months.abs() % 12);
}
