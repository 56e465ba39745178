//! Arrays: made, taken apart, compared, joined.

mod access;
mod build;
mod elements;
mod moments;
mod ordered;
mod sequence;
mod sets;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt64Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use super::function::Function;
use crate::sql::Failure;

pub(super) use access::{SUBSCRIPT, reversed};

pub(super) static FUNCTIONS: &[&[Function]] = &[
    access::FUNCTIONS,
    build::FUNCTIONS,
    sequence::FUNCTIONS,
    elements::FUNCTIONS,
    ordered::FUNCTIONS,
    sets::FUNCTIONS,
];

/// Where the items of a row stand; nowhere when it is NULL.
pub(super) fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    if list.is_null(row) {
        return 0..0;
    }
    let offsets = list.value_offsets();
    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
}

/// Lists of chosen items of other lists, `None` for NULL rows and for NULL items.
pub(super) struct Chosen {
    places: Vec<Option<u64>>,
    lengths: Vec<usize>,
    present: Vec<bool>,
}

impl Chosen {
    pub fn new() -> Self {
        Self { places: Vec::new(), lengths: Vec::new(), present: Vec::new() }
    }

    pub fn row(&mut self, places: impl IntoIterator<Item = usize>) {
        let before = self.places.len();
        self.places.extend(places.into_iter().map(|place| Some(place as u64)));
        self.lengths.push(self.places.len() - before);
        self.present.push(true);
    }

    fn null(&mut self) {
        self.lengths.push(0);
        self.present.push(false);
    }

    pub fn build(self, items: &ArrayRef, result: &DataType) -> Result<ArrayRef> {
        let items = take(items, &UInt64Array::from(self.places), None)?;
        lists(items, self.lengths, self.present, result)
    }
}

/// Lists from their items.
fn lists(
    items: ArrayRef,
    lengths: Vec<usize>,
    present: Vec<bool>,
    result: &DataType,
) -> Result<ArrayRef> {
    let DataType::List(field) = result else {
        return Err(Failure::type_mismatch("an array is a list").into());
    };
    let items = if items.data_type() == field.data_type() {
        items
    } else {
        datafusion::arrow::compute::cast(&items, field.data_type())?
    };
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        OffsetBuffer::from_lengths(lengths),
        items,
        Some(NullBuffer::from(present)),
    )?))
}

/// Values as bytes that compare as the values do, NULL last.
fn comparable(values: &ArrayRef) -> Result<Rows> {
    let options = datafusion::arrow::compute::SortOptions { descending: false, nulls_first: false };
    let converter =
        RowConverter::new(vec![SortField::new_with_options(values.data_type().clone(), options)])?;
    Ok(converter.convert_columns(&[crate::moment::told_apart(values)])?)
}
