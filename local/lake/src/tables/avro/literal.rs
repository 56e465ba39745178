//! `avro.schema.literal`: what a table says of its files itself.
//! Source: user guide, avro-serde.md; Trino's `AvroHiveFileUtils` and `AvroPageSourceFactory`.

use datafusion::common::{Result, ScalarValue};
use serde_json::Value;

use crate::sql::{Failure, TrinoType};
use crate::tables::TableDefinition;
use crate::trino::{Json, json_to};

/// The fields of the table's schema.
pub(super) struct Literal {
    name: String,
    fields: Vec<Value>,
}

impl Literal {
    /// The table's, if it has one.
    ///
    /// Errors: `NOT_SUPPORTED` for a schema elsewhere, `HIVE_CANNOT_OPEN_SPLIT` for one that is none.
    pub fn of(definition: &TableDefinition) -> Result<Option<Self>, Failure> {
        let parameter =
            |key| definition.parameters.get(key).filter(|text: &&String| !text.trim().is_empty());
        let Some(text) = parameter("avro.schema.literal").filter(|text| *text != "none") else {
            return match parameter("avro.schema.url") {
                None => Ok(None),
                Some(_) => Err(Failure::not_supported(
                    "avro.schema.url is not supported: give the schema as avro.schema.literal",
                )),
            };
        };
        let cannot =
            || Failure::new("HIVE_CANNOT_OPEN_SPLIT", "Unable to load or parse schema".to_owned());
        let schema: Value = serde_json::from_str(text).map_err(|_| cannot())?;
        let fields = schema["fields"].as_array().cloned().ok_or_else(cannot)?;
        Ok(Some(Self { name: schema["name"].as_str().unwrap_or_default().to_owned(), fields }))
    }

    /// The names that a file may have for a column, and what stands for it where the file has none.
    pub fn field(&self, column: &str) -> Result<Field<'_>, Failure> {
        let named = |field: &&Value| {
            field["name"].as_str().is_some_and(|name| name.to_lowercase() == column)
        };
        self.fields.iter().find(named).map(Field).ok_or_else(|| {
            Failure::new(
                "HIVE_CANNOT_OPEN_SPLIT",
                format!("Unable to find column {column} in table Avro schema {}", self.name),
            )
        })
    }
}

pub(super) struct Field<'a>(&'a Value);

impl Field<'_> {
    /// Names that it had before.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.0["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// The default as a value of the column's type; NULL where it is none of it, as Trino has it.
    pub fn default(&self, kind: &TrinoType) -> Option<Result<ScalarValue>> {
        let default = self.0.get("default")?;
        Some(typed(default, kind).unwrap_or_else(|| ScalarValue::try_from(&kind.to_arrow())))
    }
}

fn typed(value: &Value, kind: &TrinoType) -> Option<Result<ScalarValue>> {
    Some(Ok(match kind {
        TrinoType::Date => ScalarValue::Date32(Some(i32::try_from(value.as_i64()?).ok()?)),
        TrinoType::Timestamp(_) => ScalarValue::TimestampMillisecond(Some(value.as_i64()?), None),
        TrinoType::Varbinary => ScalarValue::Binary(Some(bytes(value)?)),
        TrinoType::Decimal(precision, scale) => {
            let number = crate::tables::fit::number(&bytes(value)?).ok()?;
            ScalarValue::Decimal128(Some(number), *precision, *scale)
        }
        kind => {
            let line = serde_json::json!({ "default": value }).to_string();
            let json = Json::read_object(line.as_bytes())?.swap_remove("default");
            let array = json_to(&[json], kind, false).ok()?;
            return Some(ScalarValue::try_from_array(&array, 0));
        }
    }))
}

/// Bytes as Avro writes them in JSON: each as the character of its number.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}
