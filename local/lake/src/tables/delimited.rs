//! `LazySimpleSerDe`: no quotes, columns by position, what cannot be read is NULL.
//! Source: user guide, lazy-simple-serde.md; facts on Hive's text tables.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::interleave;
use datafusion::common::Result;
use fields::{Delimited, Kind, Odd, Values};

use super::TableDefinition;
use super::file_scan::Wanted;
use super::text::LineReader;
use crate::sql::{Failure, TrinoType};
use crate::trino::{text_to_list, text_to_map, text_to_or_null};

pub(super) struct Reader {
    fields: Delimited,
    items: u8,
    keys: u8,
    wanted: Vec<Wanted>,
    rows: usize,
}

impl Reader {
    pub fn new(definition: &TableDefinition, wanted: &[Wanted]) -> Self {
        let mut kinds = vec![None; definition.columns.len()];
        for column in wanted {
            kinds[column.at] = Some(column.kind.plain_kind().unwrap_or(Kind::Text));
        }
        let separator =
            definition.byte("field.delim").or_else(|| definition.byte("serialization.format"));
        let null = definition
            .parameters
            .get("serialization.null.format")
            .map_or_else(|| b"\\N".to_vec(), |text| text.clone().into_bytes());
        let escape = definition.byte("escape.delim");
        Self {
            fields: Delimited::new(separator.unwrap_or(1), escape, null, &kinds),
            items: definition.byte("collection.delim").unwrap_or(2),
            keys: definition.byte("mapkey.delim").unwrap_or(3),
            wanted: wanted.to_vec(),
            rows: 0,
        }
    }

    fn typed(&mut self, column: &Wanted) -> Result<ArrayRef> {
        let Values { array, odd } = self.fields.finish(column.at).expect("wanted columns are read");
        match &column.kind {
            TrinoType::Array(item) => text_to_list(array.as_string(), item, char::from(self.items)),
            TrinoType::Map(key, value) => {
                let (items, keys) = (char::from(self.items), char::from(self.keys));
                text_to_map(array.as_string(), key, value, items, keys)
            }
            kind if kind.plain_kind().is_none() => text_to_or_null(&array, kind),
            kind => match odd {
                None => Ok(array),
                Some(odd) => with_odd(&array, odd, kind),
            },
        }
    }
}

/// The values with the odd fields among them, as the type reads them.
fn with_odd(array: &ArrayRef, odd: Odd, kind: &TrinoType) -> Result<ArrayRef> {
    let texts: ArrayRef = Arc::new(odd.texts);
    let read = text_to_or_null(&texts, kind)?;
    if read.null_count() == read.len() {
        return Ok(array.clone());
    }
    let mut places: Vec<(usize, usize)> = (0..array.len()).map(|row| (0, row)).collect();
    for (at, row) in odd.rows.into_iter().enumerate() {
        places[row] = (1, at);
    }
    Ok(interleave(&[array.as_ref(), read.as_ref()], &places)?)
}

impl LineReader for Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.fields.line(line);
        self.rows += 1;
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        let wanted = std::mem::take(&mut self.wanted);
        let columns = once_each(&wanted, |column| self.typed(column));
        self.wanted = wanted;
        columns
    }
}

/// The columns wanted; one that is wanted twice is read once.
pub(super) fn once_each(
    wanted: &[Wanted],
    mut read: impl FnMut(&Wanted) -> Result<ArrayRef>,
) -> Result<Vec<ArrayRef>> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
    for (place, column) in wanted.iter().enumerate() {
        let before = wanted[..place].iter().position(|other| other.at == column.at);
        columns.push(match before {
            Some(before) => Arc::clone(&columns[before]),
            None => read(column)?,
        });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::StringArray;

    use super::*;

    /// Fields as they may be found, plain and odd.
    const FIELDS: &[&str] = &[
        "",
        " ",
        "0",
        "-0",
        "7",
        "+7",
        " 7 ",
        "007",
        "127",
        "128",
        "-129",
        "32768",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "999999999999999999",
        "1.0",
        "1.",
        ".5",
        ".",
        "-",
        "1e3",
        "1E-5",
        "1d",
        "2f",
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "0x1f",
        "0.1",
        "12.36",
        "9007199254740993",
        "123456789012345678.5",
        "1.7976931348623157e308",
        "1e400",
        "5 5",
        "2024-01-31",
        "2024-1-31",
        "2024-02-30",
        "2024-02-29",
        "0000-01-01",
        "10000-01-01",
        "-0001-01-01",
        " 2024-01-31",
        "2024-01-31 ",
        "2024-01-31 10:20:30",
        "2024-01-31 10:20",
        "2024-01-31T10:20:30",
        "2024-01-31 10:20:30.1",
        "2024-01-31 10:20:30.1239",
        "2024-01-31 10:20:30.9996",
        "2024-01-31 24:00:00",
        "2024-01-31 10:20:30 UTC",
        "1969-12-31 23:59:59.999",
        "true",
        "\u{fc}",
        "\0\0\0\0\0\0\0\0\0\0",
    ];

    #[test]
    fn a_field_has_the_value_that_its_text_has() {
        let texts: ArrayRef = Arc::new(StringArray::from(FIELDS.to_vec()));
        for kind in [
            TrinoType::Tinyint,
            TrinoType::Smallint,
            TrinoType::Integer,
            TrinoType::Bigint,
            TrinoType::Double,
            TrinoType::Date,
            TrinoType::Timestamp(3),
        ] {
            let mut column = fields::Column::new(kind.plain_kind().unwrap());
            for field in FIELDS {
                column.push(field.as_bytes());
            }
            let Values { array, odd } = column.finish();
            let found = with_odd(&array, odd.unwrap(), &kind).unwrap();
            let expected = text_to_or_null(&texts, &kind).unwrap();
            for (row, field) in FIELDS.iter().enumerate() {
                assert_eq!(&found.slice(row, 1), &expected.slice(row, 1), "{field:?} as {kind}");
                // Alone a plain text takes the plain way of casts.
                let alone = text_to_or_null(&texts.slice(row, 1), &kind).unwrap();
                assert_eq!(&alone, &expected.slice(row, 1), "{field:?} as {kind}");
            }
        }
    }
}
