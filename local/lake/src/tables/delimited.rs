//! `LazySimpleSerDe`: no quotes, columns by position, what cannot be read is NULL.
//! Source: user guide, lazy-simple-serde.md; facts on Hive's text tables.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringBuilder};
use datafusion::common::Result;

use super::TableDefinition;
use super::text_scan::{LineReader, Wanted};
use crate::sql::{Failure, TrinoType};
use crate::trino::{text_to_list, text_to_map, text_to_or_null};

pub(super) struct Reader {
    separator: u8,
    escape: Option<u8>,
    items: u8,
    keys: u8,
    null: Vec<u8>,
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
        let separator =
            definition.byte("field.delim").or_else(|| definition.byte("serialization.format"));
        Self {
            separator: separator.unwrap_or(1),
            escape: definition.byte("escape.delim"),
            items: definition.byte("collection.delim").unwrap_or(2),
            keys: definition.byte("mapkey.delim").unwrap_or(3),
            null: definition
                .parameters
                .get("serialization.null.format")
                .map_or_else(|| b"\\N".to_vec(), |text| text.clone().into_bytes()),
            builders,
            wanted: wanted.to_vec(),
            rows: 0,
            field: Vec::new(),
        }
    }

    fn push(&mut self, at: usize, value: Option<&[u8]>) {
        if let Some(Some(builder)) = self.builders.get_mut(at) {
            match value {
                Some(value) if value != self.null => {
                    builder.append_value(String::from_utf8_lossy(value));
                }
                _ => builder.append_null(),
            }
        }
    }

    /// Where the first field ends, past escaped separators.
    fn end_of_field(&self, rest: &[u8]) -> Option<usize> {
        let Some(escape) = self.escape else {
            return rest.iter().position(|byte| *byte == self.separator);
        };
        let mut at = 0;
        while at < rest.len() {
            if rest[at] == escape {
                at += 2;
            } else if rest[at] == self.separator {
                return Some(at);
            } else {
                at += 1;
            }
        }
        None
    }

    fn unescaped(&mut self, field: &[u8]) {
        self.field.clear();
        let mut bytes = field.iter();
        while let Some(byte) = bytes.next() {
            if Some(*byte) == self.escape {
                self.field.extend(bytes.next());
            } else {
                self.field.push(*byte);
            }
        }
    }
}

impl LineReader for Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let mut rest = Some(line);
        for at in 0..self.builders.len() {
            let Some(text) = rest else {
                self.push(at, None);
                continue;
            };
            let end = self.end_of_field(text);
            let field = &text[..end.unwrap_or(text.len())];
            if self.escape.is_some_and(|escape| field.contains(&escape)) {
                self.unescaped(field);
                let field = std::mem::take(&mut self.field);
                self.push(at, Some(&field));
                self.field = field;
            } else {
                self.push(at, Some(field));
            }
            rest = end.map(|end| &text[end + 1..]);
        }
        self.rows += 1;
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        self.rows = 0;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len());
        for (place, column) in self.wanted.iter().enumerate() {
            if let Some(before) =
                self.wanted[..place].iter().position(|other| other.at == column.at)
            {
                columns.push(Arc::clone(&columns[before]));
                continue;
            }
            let builder = self.builders[column.at].as_mut().expect("wanted columns have builders");
            let texts: ArrayRef = Arc::new(builder.finish());
            columns.push(match &column.kind {
                TrinoType::Array(item) => {
                    text_to_list(texts.as_string(), item, char::from(self.items))?
                }
                TrinoType::Map(key, value) => text_to_map(
                    texts.as_string(),
                    key,
                    value,
                    char::from(self.items),
                    char::from(self.keys),
                )?,
                kind => text_to_or_null(&texts, kind)?,
            });
        }
        Ok(columns)
    }
}
