//! Timestamps of milliseconds, which tables have, as the numbers they are: whole arrays at once.
//!
//! A function answers `None` where numbers alone do not do, or do not suffice.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use datafusion::arrow::compute::kernels::arity::try_binary;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DurationMillisecondType, Int64Type, TimestampMillisecondType,
};
use datafusion::arrow::error::ArrowError;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

fn timestamps(array: &ArrayRef) -> Option<&TimestampMillisecondArray> {
    array.as_primitive_opt()
}

/// Numbers from pairs of numbers; `None` as soon as one is too large.
fn pairs<A: ArrowPrimitiveType<Native = i64>, B: ArrowPrimitiveType<Native = i64>>(
    left: &TimestampMillisecondArray,
    right: &datafusion::arrow::array::PrimitiveArray<A>,
    number: impl Fn(i64, i64) -> Option<i64>,
) -> Option<ArrayRef> {
    let found = try_binary::<_, _, _, B>(left, right, |left, right| {
        number(left, right).ok_or_else(|| ArrowError::ArithmeticOverflow(String::new()))
    });
    found.ok().map(|found| Arc::new(found) as ArrayRef)
}

/// Each timestamp so many times `each` milliseconds later.
pub(super) fn later(moments: &ArrayRef, counts: &Int64Array, each: i64) -> Option<ArrayRef> {
    pairs::<Int64Type, TimestampMillisecondType>(timestamps(moments)?, counts, |millis, count| {
        millis.checked_add(each.checked_mul(count)?)
    })
}

/// How many times `each` milliseconds lie between timestamps, towards zero.
pub(super) fn between(from: &ArrayRef, to: &ArrayRef, each: i64) -> Option<ArrayRef> {
    pairs::<TimestampMillisecondType, Int64Type>(timestamps(from)?, timestamps(to)?, |from, to| {
        Some(to.checked_sub(from)? / each)
    })
}

/// The milliseconds from timestamps to those before, as intervals.
pub(super) fn elapsed(later: &ArrayRef, before: &ArrayRef) -> Option<ArrayRef> {
    pairs::<TimestampMillisecondType, DurationMillisecondType>(
        timestamps(later)?,
        timestamps(before)?,
        i64::checked_sub,
    )
}

/// Timestamps without what is below `each` milliseconds, a part of a day.
pub(super) fn floored(moments: &ArrayRef, each: i64) -> Option<ArrayRef> {
    let found = timestamps(moments)?
        .unary::<_, TimestampMillisecondType>(|millis| millis.div_euclid(each).wrapping_mul(each));
    Some(Arc::new(found))
}

/// Timestamps at the midnight of a day that theirs decides. Rows of one day follow each other.
pub(super) fn by_day(moments: &ArrayRef, day_of: impl Fn(i64) -> i64) -> Option<ArrayRef> {
    let moments = timestamps(moments)?;
    let mut last = None;
    let found = moments.values().iter().map(|millis| {
        let day = millis.div_euclid(DAY);
        match last {
            Some((known, found)) if known == day => found,
            _ => {
                let found = day_of(day).wrapping_mul(DAY);
                last = Some((day, found));
                found
            }
        }
    });
    let found = found.collect::<Vec<i64>>();
    Some(Arc::new(TimestampMillisecondArray::new(found.into(), moments.nulls().cloned())))
}
