//! Arrays of moments and of times of the day.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, FixedSizeBinaryArray, ListArray, PrimitiveArray,
    StructArray, TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
};
use datafusion::common::Result;

use super::clock::WHOLE;
use super::packed::Packed;
use super::{Clock, Kind, Layout, Moment, SECOND, Zone, too_far};
use crate::sql::{Failure, TrinoType, ticks_of};

/// The sign of a number, flipped so that bytes are in the order of numbers.
const SIGN: u64 = 1 << 63;
/// What is added to minutes from UTC, so that none are negative.
const WEST: i64 = 840;

/// The moment fixed-size bytes of a layout hold.
pub(super) fn unpack_moment(bytes: &[u8], kind: Kind) -> Moment {
    let micros = (u64::from_be_bytes(first(bytes)) ^ SIGN).cast_signed();
    let picos = i64::from(u32::from_be_bytes(first(&bytes[8..])));
    Moment {
        seconds: micros.div_euclid(1_000_000),
        picos: micros.rem_euclid(1_000_000) * 1_000_000 + picos,
        zone: match kind {
            Kind::Zoned => Zone::of_number(u16::from_be_bytes(first(&bytes[12..]))),
            _ => Zone::UTC,
        },
    }
}

fn pack_moment(moment: Moment, layout: Layout, out: &mut Vec<u8>) -> Result<(), Failure> {
    let micros = moment
        .seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(moment.picos / 1_000_000))
        .ok_or_else(too_far)?;
    if layout.kind == Kind::Zoned && layout.precision <= 3 {
        // Trino keeps the milliseconds of these in 52 bits.
        let millis = micros.div_euclid(1_000);
        if (millis << 12) >> 12 != millis {
            return Err(Failure::invalid_argument(format!("Millis overflow: {millis}")));
        }
    }
    out.extend_from_slice(&(micros.cast_unsigned() ^ SIGN).to_be_bytes());
    let picos = u32::try_from(moment.picos % 1_000_000).unwrap_or(0);
    out.extend_from_slice(&picos.to_be_bytes());
    if layout.kind == Kind::Zoned {
        out.extend_from_slice(&moment.zone.number().to_be_bytes());
    }
    Ok(())
}

/// The time of the day fixed-size bytes of a layout hold.
pub(super) fn unpack_clock(bytes: &[u8], kind: Kind) -> Clock {
    let utc = u64::from_be_bytes(first(bytes)).cast_signed();
    match kind {
        Kind::ZonedTime => {
            let offset = i64::from(u16::from_be_bytes(first(&bytes[8..]))) - WEST;
            Clock::new(utc + offset * 60 * SECOND, offset)
        }
        _ => Clock::new(utc, 0),
    }
}

fn pack_clock(clock: Clock, kind: Kind, out: &mut Vec<u8>) {
    if kind == Kind::ZonedTime {
        out.extend_from_slice(&clock.utc_picos().to_be_bytes());
        out.extend_from_slice(&u16::try_from(clock.offset + WEST).unwrap_or(0).to_be_bytes());
    } else {
        out.extend_from_slice(&clock.picos.rem_euclid(WHOLE).to_be_bytes());
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut found = [0; N];
    found.copy_from_slice(&bytes[..N]);
    found
}

/// The layout of an array of fixed-size bytes.
fn layout_of(array: &dyn Array) -> Option<Layout> {
    match array.data_type() {
        DataType::FixedSizeBinary(width) => Layout::of_width(*width),
        _ => None,
    }
}

/// The moment in each row of dates or timestamps; a date is its midnight.
pub fn moments(array: &dyn Array) -> Vec<Option<Moment>> {
    match (array.data_type(), layout_of(array)) {
        (DataType::Date32, _) => array
            .as_primitive::<Date32Type>()
            .iter()
            .map(|days| days.map(|days| Moment::of_day(i64::from(days))))
            .collect(),
        (DataType::Timestamp(TimeUnit::Millisecond, _), _) => array
            .as_primitive::<TimestampMillisecondType>()
            .iter()
            .map(|millis| millis.map(|millis| Moment::of_millis(millis, Zone::UTC)))
            .collect(),
        (DataType::Timestamp(unit, _), _) => (0..array.len())
            .map(|row| {
                (!array.is_null(row)).then(|| {
                    let (ticks, per_second, _) = ticks_of(array, *unit, row);
                    Moment::new(
                        ticks.div_euclid(per_second),
                        ticks.rem_euclid(per_second) * (SECOND / per_second),
                    )
                })
            })
            .collect(),
        (_, Some(Layout { kind: kind @ (Kind::Timestamp | Kind::Zoned), .. })) => array
            .as_fixed_size_binary()
            .iter()
            .map(|bytes| bytes.map(|bytes| unpack_moment(bytes, kind)))
            .collect(),
        _ => vec![None; array.len()],
    }
}

/// The time of the day in each row of times.
pub fn clocks(array: &dyn Array) -> Vec<Option<Clock>> {
    match layout_of(array) {
        Some(Layout { kind: kind @ (Kind::Time | Kind::ZonedTime), .. }) => array
            .as_fixed_size_binary()
            .iter()
            .map(|bytes| bytes.map(|bytes| unpack_clock(bytes, kind)))
            .collect(),
        _ => vec![None; array.len()],
    }
}

impl Layout {
    /// Bytes that tell a value from others; a zone after them does not.
    pub fn telling(self) -> usize {
        match self.kind {
            Kind::Zoned | Kind::Timestamp => 12,
            Kind::Time | Kind::ZonedTime => 8,
        }
    }
}

/// Values with a zone as they are told apart: all in one zone, also within arrays and rows.
pub fn told_apart(array: &ArrayRef) -> ArrayRef {
    let kept = |found: Option<ArrayRef>| found.unwrap_or_else(|| array.clone());
    if !TrinoType::of_arrow(array.data_type()).holds_zone() {
        return array.clone();
    }
    match array.data_type() {
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let found = ListArray::try_new(
                field.clone(),
                list.offsets().clone(),
                told_apart(list.values()),
                list.nulls().cloned(),
            );
            kept(found.ok().map(|found| Arc::new(found) as ArrayRef))
        }
        DataType::Struct(fields) => {
            let row = array.as_struct();
            let columns = row.columns().iter().map(told_apart).collect();
            let found = StructArray::try_new_with_length(
                fields.clone(),
                columns,
                row.nulls().cloned(),
                row.len(),
            );
            kept(found.ok().map(|found| Arc::new(found) as ArrayRef))
        }
        _ => kept(layout_of(array.as_ref()).and_then(|layout| in_no_zone(array, layout))),
    }
}

fn in_no_zone(array: &ArrayRef, layout: Layout) -> Option<ArrayRef> {
    let values = array.as_fixed_size_binary();
    let width = usize::try_from(layout.width()).ok()?;
    let mut bytes = Vec::with_capacity(values.len() * width);
    for row in 0..values.len() {
        let end = bytes.len() + width;
        bytes.extend_from_slice(&values.value(row)[..layout.telling()]);
        bytes.resize(end, 0);
    }
    let found =
        FixedSizeBinaryArray::try_new(layout.width(), bytes.into(), values.nulls().cloned());
    found.ok().map(|found| Arc::new(found) as ArrayRef)
}

enum Values {
    Days(Date32Builder),
    Millis(TimestampMillisecondBuilder),
    Packed(Packed),
}

/// Makes an array of dates or timestamps.
pub struct MomentBuilder(Values);

impl MomentBuilder {
    pub fn new(kind: &TrinoType, rows: usize) -> Result<Self, Failure> {
        let values = match (kind, Layout::of(kind)) {
            (TrinoType::Date, _) => Values::Days(Date32Builder::with_capacity(rows)),
            (TrinoType::Timestamp(3), _) => {
                Values::Millis(TimestampMillisecondBuilder::with_capacity(rows))
            }
            (_, Some(layout)) if matches!(layout.kind, Kind::Timestamp | Kind::Zoned) => {
                Values::Packed(Packed::new(layout, rows))
            }
            _ => {
                return Err(Failure::type_mismatch(format!("Cannot cast timestamp to {kind}")));
            }
        };
        Ok(Self(values))
    }

    /// Appends a moment, rounded half up; a date is the moment's day where it is.
    pub fn append(&mut self, moment: Option<Moment>) -> Result<(), Failure> {
        match &mut self.0 {
            Values::Days(days) => {
                days.append_option(moment.map(|moment| day_of(moment.day())).transpose()?);
            }
            Values::Millis(ticks) => ticks.append_option(match moment {
                Some(moment) => Some(moment.rounded(3).millis().ok_or_else(too_far)?),
                None => None,
            }),
            Values::Packed(values) => {
                let Some(moment) = moment else {
                    values.append_null();
                    return Ok(());
                };
                let layout = values.layout;
                let moment = moment.rounded(layout.precision);
                values.append(|out| pack_moment(moment, layout, out))?;
            }
        }
        Ok(())
    }

    pub fn finish(self) -> ArrayRef {
        match self.0 {
            Values::Days(mut days) => Arc::new(days.finish()),
            Values::Millis(mut ticks) => Arc::new(ticks.finish()),
            Values::Packed(values) => values.finish(),
        }
    }
}

fn day_of(day: i64) -> Result<i32, Failure> {
    i32::try_from(day).map_err(|_| {
        let bound = if day < 0 { "is less than MIN_INT" } else { "exceeds MAX_INT" };
        Failure::new("GENERIC_INTERNAL_ERROR", format!("Value {day} {bound} for type date"))
    })
}

/// An array of dates or timestamps of a type, rounded half up.
pub fn of_moments<E: Into<Failure>>(
    moments: impl Iterator<Item = Result<Option<Moment>, E>>,
    kind: &TrinoType,
) -> Result<ArrayRef> {
    let mut found = MomentBuilder::new(kind, moments.size_hint().0)?;
    for moment in moments {
        found.append(moment.map_err(Into::into)?)?;
    }
    Ok(found.finish())
}

/// Microseconds since the epoch as timestamps of six digits, with UTC as their zone where `zoned`.
pub fn of_micros(micros: &PrimitiveArray<TimestampMicrosecondType>, zoned: bool) -> ArrayRef {
    let layout = Layout::new(if zoned { Kind::Zoned } else { Kind::Timestamp }, 6);
    let width = usize::try_from(layout.width()).unwrap_or(0);
    let mut bytes = vec![0; micros.len() * width];
    let utc = Zone::UTC.number().to_be_bytes();
    for (value, micros) in bytes.chunks_exact_mut(width).zip(micros.values()) {
        value[..8].copy_from_slice(&(micros.cast_unsigned() ^ SIGN).to_be_bytes());
        if zoned {
            value[12..14].copy_from_slice(&utc);
        }
    }
    let nulls = micros.nulls().cloned();
    Arc::new(FixedSizeBinaryArray::new(layout.width(), bytes.into(), nulls))
}

/// The microseconds of timestamps of six digits; `None` of other arrays.
pub fn to_micros(array: &dyn Array) -> Option<PrimitiveArray<TimestampMicrosecondType>> {
    match layout_of(array) {
        Some(Layout { kind: Kind::Timestamp | Kind::Zoned, precision: 6 }) => {
            let values = array.as_fixed_size_binary();
            let micros = (0..values.len())
                .map(|row| (u64::from_be_bytes(first(values.value(row))) ^ SIGN).cast_signed());
            Some(PrimitiveArray::new(micros.collect(), values.nulls().cloned()))
        }
        _ => None,
    }
}

/// Makes an array of times.
pub struct ClockBuilder(Packed);

impl ClockBuilder {
    pub fn new(kind: &TrinoType, rows: usize) -> Result<Self, Failure> {
        match Layout::of(kind) {
            Some(layout) if matches!(layout.kind, Kind::Time | Kind::ZonedTime) => {
                Ok(Self(Packed::new(layout, rows)))
            }
            _ => Err(Failure::type_mismatch(format!("Cannot cast time to {kind}"))),
        }
    }

    /// Appends a time, rounded half up.
    pub fn append(&mut self, clock: Option<Clock>) -> Result<(), Failure> {
        let Some(clock) = clock else {
            self.0.append_null();
            return Ok(());
        };
        let layout = self.0.layout;
        self.0.append(|out| {
            pack_clock(clock.rounded(layout.precision), layout.kind, out);
            Ok(())
        })
    }

    pub fn finish(self) -> ArrayRef {
        self.0.finish()
    }
}

/// An array of times of a type, rounded half up.
pub fn of_clocks(
    clocks: impl Iterator<Item = Option<Clock>>,
    kind: &TrinoType,
) -> Result<ArrayRef> {
    let mut found = ClockBuilder::new(kind, clocks.size_hint().0)?;
    for clock in clocks {
        found.append(clock)?;
    }
    Ok(found.finish())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::TimestampMicrosecondArray;

    use super::*;

    #[test]
    fn microseconds_are_packed_as_their_moments() {
        let micros =
            TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1_700_000_000_000_001)]);
        for (zoned, kind) in
            [(false, TrinoType::Timestamp(6)), (true, TrinoType::TimestampWithZone(6))]
        {
            let packed = of_micros(&micros, zoned);
            let slow = of_moments(moments(&micros).into_iter().map(Ok::<_, Failure>), &kind);
            assert_eq!(&packed, &slow.unwrap());
            assert_eq!(to_micros(packed.as_ref()), Some(micros.clone()));
        }
        assert_eq!(to_micros(&micros), None);
    }
}
