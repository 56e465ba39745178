//! OpenCSVSerde: quoted fields, everything text inside.
//!
//! A field missing at the end of a row is NULL, an empty one is '', more fields than
//! columns are ignored. A line is a record: no field holds a line end.
//! Source: user guide, csv-serde.md; DESIGN of the pipeline's raw tables.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, Date32Array, StringBuilder, TimestampMillisecondArray,
};
use datafusion::common::Result;

use super::TableDefinition;
use super::text_scan::{LineReader, Wanted};
use crate::sql::{Failure, TrinoType};
use crate::trino::text_to;

pub(super) struct Reader {
    separator: u8,
    quote: u8,
    escape: u8,
    /// The builder of each column of the table, where it is wanted.
    builders: Vec<Option<StringBuilder>>,
    wanted: Vec<Wanted>,
    rows: usize,
    field: Vec<u8>,
}

impl Reader {
    pub fn new(definition: &TableDefinition, wanted: &[Wanted]) -> Self {
        let mut builders: Vec<Option<StringBuilder>> =
            definition.columns.iter().map(|_| None).collect();
        for column in wanted {
            builders[column.at] = Some(StringBuilder::new());
        }
        Self {
            separator: definition.byte("separatorChar").unwrap_or(b','),
            quote: definition.byte("quoteChar").unwrap_or(b'"'),
            escape: definition.byte("escapeChar").unwrap_or(b'"'),
            builders,
            wanted: wanted.to_vec(),
            rows: 0,
            field: Vec::new(),
        }
    }

    fn push(&mut self, at: usize, value: Option<&[u8]>) {
        if let Some(Some(builder)) = self.builders.get_mut(at) {
            match value {
                Some(value) => match std::str::from_utf8(value) {
                    Ok(text) => builder.append_value(text),
                    Err(_) => builder.append_value(String::from_utf8_lossy(value)),
                },
                None => builder.append_null(),
            }
        }
    }

    /// A field that has quotes or escapes, from its first byte; what follows it.
    fn quoted<'a>(&mut self, mut rest: &'a [u8]) -> (&'a [u8], bool) {
        self.field.clear();
        let mut inside = false;
        while let Some((byte, after)) = rest.split_first() {
            let next = after.first().copied();
            if inside
                && *byte == self.escape
                && next.is_some_and(|next| next == self.quote || next == self.escape)
            {
                self.field.extend(next);
                rest = &after[1..];
            } else if *byte == self.quote {
                if inside && next == Some(self.quote) {
                    self.field.push(self.quote);
                    rest = &after[1..];
                } else {
                    inside = !inside;
                    rest = after;
                }
            } else if !inside && *byte == self.separator {
                return (after, true);
            } else if !inside && *byte == self.escape && self.escape != self.quote && next.is_some()
            {
                self.field.extend(next);
                rest = &after[1..];
            } else {
                self.field.push(*byte);
                rest = after;
            }
        }
        (rest, false)
    }
}

impl LineReader for Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let mut rest = line;
        let mut at = 0;
        let mut more = true;
        while more && at < self.builders.len() {
            let end = rest.iter().position(|byte| {
                *byte == self.separator || *byte == self.quote || *byte == self.escape
            });
            match end {
                None => {
                    self.push(at, Some(rest));
                    more = false;
                }
                Some(end) if rest[end] == self.separator => {
                    self.push(at, Some(&rest[..end]));
                    rest = &rest[end + 1..];
                }
                Some(_) => {
                    (rest, more) = self.quoted(rest);
                    let field = std::mem::take(&mut self.field);
                    self.push(at, Some(&field));
                    self.field = field;
                }
            }
            at += 1;
        }
        for missing in at..self.builders.len() {
            self.push(missing, None);
        }
        self.rows += 1;
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        let mut columns = Vec::with_capacity(self.wanted.len());
        for (place, column) in self.wanted.iter().enumerate() {
            // A column asked for twice has one builder.
            if let Some(before) =
                self.wanted[..place].iter().position(|other| other.at == column.at)
            {
                let again: ArrayRef = Arc::clone(&columns[before]);
                columns.push(again);
                continue;
            }
            let builder = self.builders[column.at].as_mut().expect("wanted columns have builders");
            let texts: ArrayRef = Arc::new(builder.finish());
            columns.push(typed(&texts, column)?);
        }
        Ok(columns)
    }
}

/// The declared type of a column; dates are days and timestamps milliseconds since the
/// epoch.
fn typed(texts: &ArrayRef, column: &Wanted) -> Result<ArrayRef> {
    let bad = |text: &str| {
        Failure::new(
            "HIVE_BAD_DATA",
            format!(
                "Error parsing field value '{text}' for field {}: For input string: \"{text}\"",
                column.at
            ),
        )
    };
    let strings = texts.as_string::<i32>();
    match column.kind {
        TrinoType::Varchar(None) => Ok(texts.clone()),
        TrinoType::Date => {
            let days: Date32Array = strings
                .iter()
                .map(|text| text.map(|text| text.parse::<i32>().map_err(|_| bad(text))).transpose())
                .collect::<Result<_, Failure>>()?;
            Ok(Arc::new(days))
        }
        TrinoType::Timestamp(_) => {
            let millis: TimestampMillisecondArray = strings
                .iter()
                .map(|text| text.map(|text| text.parse::<i64>().map_err(|_| bad(text))).transpose())
                .collect::<Result<_, Failure>>()?;
            Ok(Arc::new(millis))
        }
        _ => text_to(texts, &column.kind).map_err(|_| {
            let refused = strings.iter().flatten().find(|text| {
                let one: ArrayRef =
                    Arc::new(datafusion::arrow::array::StringArray::from(vec![*text]));
                text_to(&one, &column.kind).is_err()
            });
            bad(refused.unwrap_or_default()).into()
        }),
    }
}
