//! A JSON object a line: `OpenX`'s `SerDe` and Hive's own.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use indexmap::IndexMap;

use super::file_scan::Wanted;
use super::text::LineReader;
use super::{Format, TableDefinition};
use crate::sql::Failure;
use crate::trino::{Json, json_to};

pub(super) struct Reader {
    openx: bool,
    ignore_malformed: bool,
    /// Column → key, of `mapping.column` properties.
    keys: Vec<String>,
    /// Each wanted column's value in each row.
    values: Vec<Vec<Option<Json>>>,
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

    fn object(&self, line: &[u8]) -> Result<Option<IndexMap<String, Json>>, Failure> {
        match Json::read_object(line) {
            Some(object) => Ok(Some(object)),
            None if self.ignore_malformed => Ok(None),
            None => Err(Failure::new(
                "HIVE_CURSOR_ERROR",
                "Row is not a valid JSON Object - JSONException: A JSONObject text must begin with '{' at 1 [character 2 line 1]",
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
            column.push(value.filter(|value| **value != Json::Null).cloned());
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
                let read = json_to(&std::mem::take(values), &column.kind, self.openx);
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
