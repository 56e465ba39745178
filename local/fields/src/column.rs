//! The values of one column.

use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use arrow_array::{Array as _, ArrayRef, ArrowPrimitiveType, PrimitiveArray, StringArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};

use crate::moment::Dates;
use crate::number;
use crate::texts::Texts;

/// What the fields of a column are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int8,
    Int16,
    Int32,
    Int64,
    Float64,
    /// Days since 1970.
    Date,
    /// Milliseconds since 1970.
    Timestamp,
}

/// Builds a column field by field.
#[derive(Debug)]
pub struct Column {
    values: Building,
    nulls: NullBufferBuilder,
    odd_rows: Vec<usize>,
    odd_texts: Texts,
}

#[derive(Debug)]
enum Building {
    Text(Texts),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Date(Vec<i32>, Dates),
    Timestamp(Vec<i64>, Dates),
}

/// A column that is read.
#[derive(Debug)]
pub struct Values {
    /// Null where a field was, was empty and no text, or is odd.
    pub array: ArrayRef,
    pub odd: Option<Odd>,
}

/// Fields that are written in no way that is read here.
#[derive(Debug)]
pub struct Odd {
    /// Where they stand, ascending.
    pub rows: Vec<usize>,
    pub texts: StringArray,
}

impl Column {
    pub fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Building::Text(Texts::default()),
            Kind::Int8 => Building::Int8(Vec::new()),
            Kind::Int16 => Building::Int16(Vec::new()),
            Kind::Int32 => Building::Int32(Vec::new()),
            Kind::Int64 => Building::Int64(Vec::new()),
            Kind::Float64 => Building::Float64(Vec::new()),
            Kind::Date => Building::Date(Vec::new(), Dates::default()),
            Kind::Timestamp => Building::Timestamp(Vec::new(), Dates::default()),
        };
        Self {
            values,
            nulls: NullBufferBuilder::new(0),
            odd_rows: Vec::new(),
            odd_texts: Texts::default(),
        }
    }

    #[inline]
    pub fn push(&mut self, field: &[u8]) {
        let read = match &mut self.values {
            Building::Text(texts) => {
                texts.push(field);
                true
            }
            Building::Int8(values) => pushed(values, whole(field)),
            Building::Int16(values) => pushed(values, whole(field)),
            Building::Int32(values) => pushed(values, whole(field)),
            Building::Int64(values) => pushed(values, number::whole(field)),
            Building::Float64(values) => pushed(values, number::double(field)),
            Building::Date(values, dates) => {
                pushed(values, dates.days(field).and_then(|days| i32::try_from(days).ok()))
            }
            Building::Timestamp(values, dates) => pushed(values, dates.milliseconds(field)),
        };
        if read {
            self.nulls.append_non_null();
        } else {
            self.push_odd(field);
        }
    }

    #[cold]
    fn push_odd(&mut self, field: &[u8]) {
        if !field.is_empty() {
            self.odd_rows.push(self.nulls.len());
            self.odd_texts.push(field);
        }
        self.nulls.append_null();
    }

    pub fn push_null(&mut self) {
        match &mut self.values {
            Building::Text(texts) => texts.end(),
            Building::Int8(values) => values.push(0),
            Building::Int16(values) => values.push(0),
            Building::Int32(values) | Building::Date(values, _) => values.push(0),
            Building::Int64(values) | Building::Timestamp(values, _) => values.push(0),
            Building::Float64(values) => values.push(0.0),
        }
        self.nulls.append_null();
    }

    /// All that was pushed; the column begins anew.
    pub fn finish(&mut self) -> Values {
        let nulls = std::mem::replace(&mut self.nulls, NullBufferBuilder::new(0)).finish();
        let array: ArrayRef = match &mut self.values {
            Building::Text(texts) => Arc::new(texts.finish(nulls)),
            Building::Int8(values) => Arc::new(finished::<Int8Type>(values, nulls)),
            Building::Int16(values) => Arc::new(finished::<Int16Type>(values, nulls)),
            Building::Int32(values) => Arc::new(finished::<Int32Type>(values, nulls)),
            Building::Int64(values) => Arc::new(finished::<Int64Type>(values, nulls)),
            Building::Float64(values) => Arc::new(finished::<Float64Type>(values, nulls)),
            Building::Date(values, _) => Arc::new(finished::<Date32Type>(values, nulls)),
            Building::Timestamp(values, _) => {
                Arc::new(finished::<TimestampMillisecondType>(values, nulls))
            }
        };
        let odd = (!self.odd_rows.is_empty()).then(|| Odd {
            rows: std::mem::take(&mut self.odd_rows),
            texts: self.odd_texts.finish(None),
        });
        Values { array, odd }
    }
}

/// Texts as values; `None` where any of them is empty or odd.
pub fn read(kind: Kind, texts: &StringArray) -> Option<ArrayRef> {
    let mut column = Column::new(kind);
    for text in texts {
        match text {
            None => column.push_null(),
            Some(text) => column.push(text.as_bytes()),
        }
        if !column.odd_rows.is_empty() {
            return None;
        }
    }
    let array = column.finish().array;
    (array.null_count() == texts.null_count()).then_some(array)
}

#[inline]
fn whole<T: TryFrom<i64>>(field: &[u8]) -> Option<T> {
    number::whole(field).and_then(|value| T::try_from(value).ok())
}

/// Pushes a value or its place; whether there is one.
#[inline]
fn pushed<T: Default>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_read = value.is_some();
    values.push(value.unwrap_or_default());
    is_read
}

fn finished<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<arrow_buffer::NullBuffer>,
) -> PrimitiveArray<T> {
    let rows = values.len();
    let values = std::mem::replace(values, Vec::with_capacity(rows));
    PrimitiveArray::new(ScalarBuffer::from(values), nulls)
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;

    use super::*;

    #[test]
    fn what_is_odd_is_handed_back() {
        let mut column = Column::new(Kind::Int8);
        for field in ["1", "", "300", "-5", " 7"] {
            column.push(field.as_bytes());
        }
        column.push_null();
        let Values { array, odd } = column.finish();
        let numbers: Vec<Option<i8>> = array.as_primitive::<Int8Type>().iter().collect();
        assert_eq!(numbers, [Some(1), None, None, Some(-5), None, None]);
        let odd = odd.unwrap();
        assert_eq!(odd.rows, [2, 4]);
        assert_eq!(odd.texts.iter().flatten().collect::<Vec<_>>(), ["300", " 7"]);
        column.push(b"2");
        let Values { array, odd } = column.finish();
        assert_eq!((array.len(), array.null_count(), odd.is_none()), (1, 0, true));
    }

    #[test]
    fn texts_are_read_all_or_not_at_all() {
        let read = |texts: &[Option<&str>]| read(Kind::Date, &StringArray::from(texts.to_vec()));
        let days = read(&[Some("1970-01-02"), None]).unwrap();
        assert_eq!(days.as_primitive::<Date32Type>().iter().collect::<Vec<_>>(), [Some(1), None]);
        assert!(read(&[Some("1970-01-02"), Some("")]).is_none());
        assert!(read(&[Some("1970-01-02 ")]).is_none());
    }

    #[test]
    fn an_empty_text_is_one() {
        let mut column = Column::new(Kind::Text);
        column.push(b"");
        column.push_null();
        let texts: Vec<Option<String>> = column
            .finish()
            .array
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(str::to_owned))
            .collect();
        assert_eq!(texts, [Some(String::new()), None]);
    }
}
