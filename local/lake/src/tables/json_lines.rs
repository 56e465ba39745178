//! A JSON object a line: `OpenX`'s `SerDe` and Hive's own.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray};
use datafusion::common::Result;
use serde_json::{Map, Value};

use super::text_scan::{LineReader, Wanted};
use super::{Format, TableDefinition};
use crate::sql::Failure;
use crate::trino::json_to;

pub(super) struct Reader {
    openx: bool,
    ignore_malformed: bool,
    /// Column → key, of `mapping.column` properties.
    keys: Vec<String>,
    /// The JSON text of each wanted column's value in each row.
    values: Vec<Vec<Option<String>>>,
    wanted: Vec<Wanted>,
    rows: usize,
}

impl Reader {
    pub fn new(definition: &TableDefinition, wanted: &[Wanted]) -> Self {
        let property = |name: &str| definition.parameters.get(name);
        Self {
            openx: definition.format == Format::OpenxJson,
            ignore_malformed: property("ignore.malformed.json")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
            keys: wanted
                .iter()
                .map(|column| {
                    property(&format!("mapping.{}", column.name))
                        .map_or_else(|| column.name.clone(), |key| key.to_lowercase())
                })
                .collect(),
            values: wanted.iter().map(|_| Vec::new()).collect(),
            wanted: wanted.to_vec(),
            rows: 0,
        }
    }

    fn object(&self, line: &[u8]) -> Result<Option<Map<String, Value>>, Failure> {
        match serde_json::from_slice::<Value>(line) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            _ if self.ignore_malformed => Ok(None),
            Ok(_) => Err(Failure::new(
                "HIVE_CURSOR_ERROR",
                "Row is not a valid JSON Object - JSONException: A JSONObject text must begin with '{' at 1 [character 2 line 1]",
            )),
            Err(error) => Err(Failure::new(
                "HIVE_CURSOR_ERROR",
                format!("Row is not a valid JSON Object - JSONException: {error}"),
            )),
        }
    }
}

impl LineReader for Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        if line.iter().all(u8::is_ascii_whitespace) {
            if self.openx {
                self.values.iter_mut().for_each(|column| column.push(None));
                self.rows += 1;
            }
            return Ok(());
        }
        let object = self.object(line)?.unwrap_or_default();
        for (column, key) in self.values.iter_mut().zip(&self.keys) {
            let value = object.get(key).or_else(|| {
                object.iter().find(|(name, _)| name.to_lowercase() == *key).map(|(_, value)| value)
            });
            column.push(value.filter(|value| !value.is_null()).map(ToString::to_string));
        }
        self.rows += 1;
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        self.values
            .iter_mut()
            .zip(&self.wanted)
            .map(|(values, column)| {
                let texts: ArrayRef = Arc::new(StringArray::from(std::mem::take(values)));
                let read = json_to(&texts, &column.kind);
                read.map_err(|_| {
                    Failure::new(
                        "HIVE_BAD_DATA",
                        format!("Error parsing a column '{}' as {}", column.name, column.kind),
                    )
                    .into()
                })
            })
            .collect()
    }
}
