//! OpenCSVSerde: quoted fields, everything text inside.
//!
//! A field missing at the end of a row is NULL, an empty one is '', more fields than
//! columns are ignored. A line is a record: no field holds a line end.
//! Source: user guide, csv-serde.md; DESIGN of the pipeline's raw tables.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array, TimestampMillisecondArray};
use datafusion::common::Result;
use fields::Quoted;

use super::TableDefinition;
use super::delimited::once_each;
use super::file_scan::Wanted;
use super::text::LineReader;
use crate::sql::{Failure, TrinoType};
use crate::trino::text_to;

pub(super) struct Reader {
    fields: Quoted,
    wanted: Vec<Wanted>,
    rows: usize,
}

impl Reader {
    pub fn new(definition: &TableDefinition, wanted: &[Wanted]) -> Self {
        let mut is_wanted = vec![false; definition.columns.len()];
        for column in wanted {
            is_wanted[column.at] = true;
        }
        let mark = |key: &str, default: u8| definition.byte(key).unwrap_or(default);
        let (separator, quote) = (mark("separatorChar", b','), mark("quoteChar", b'"'));
        let escape = mark("escapeChar", b'"');
        Self {
            fields: Quoted::new(separator, quote, escape, &is_wanted),
            wanted: wanted.to_vec(),
            rows: 0,
        }
    }
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
        let fields = &mut self.fields;
        once_each(&self.wanted, |column| {
            let texts = fields.finish(column.at).expect("wanted columns are read").array;
            typed(&texts, column)
        })
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
