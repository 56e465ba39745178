//! Where a Distributed Map's items come from, and how they are batched.

mod formats;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::definition::Fields;
use crate::failure::{Failure, Fault, Trouble, error_name};
use crate::payload::MAX_PAYLOAD_BYTES;
use crate::quantity::Quantity;
use crate::resource::Resource;
use crate::scope::Scope;
use crate::template::Template;

pub use formats::parse_items;

/// `ReaderConfig`, evaluated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReaderConfig {
    /// `JSON`, `JSONL`, `CSV`, `MANIFEST`, `PARQUET`; absent for lists of objects.
    pub input_type: Option<String>,
    /// `CSVHeaderLocation` GIVEN: these; `FIRST_ROW`: none.
    pub csv_headers: Option<Vec<String>>,
    /// `CSVDelimiter`: comma by default.
    pub csv_delimiter: char,
    /// Absent: all.
    pub max_items: Option<usize>,
    /// `ItemsPointer`: a JSON pointer to the array inside a JSON object.
    pub items_pointer: Option<String>,
    /// `Transformation`, `ManifestType`, `VersionId` and whatever else, as given.
    pub other: Map<String, Value>,
}

/// `ItemReader` of the definition.
#[derive(Debug)]
pub(crate) struct ItemReader {
    pub resource: Resource,
    parameters: Option<Template>,
    config: ReaderConfig,
    max_items: Option<Quantity>,
}

impl ItemReader {
    pub fn parse(fields: &Fields) -> Option<Self> {
        fields.require(&["Resource"]);
        let name = if fields.is_jsonata() { "Arguments" } else { "Parameters" };
        let parameters = fields.template(name);
        let mut config = ReaderConfig { csv_delimiter: ',', ..ReaderConfig::default() };
        let mut max_items = None;
        if let Some(reader) = fields.object("ReaderConfig") {
            max_items = reader.quantity("MaxItems", "MaxItemsPath");
            parse_config(&reader, &mut config);
        }
        let resource = fields.text("Resource").map(Resource::parse);
        fields.refuse_unknown(&[]);
        Some(Self { resource: resource?, parameters, config, max_items })
    }

    pub fn parameters(&self, scope: &Scope) -> Result<Value, Fault> {
        match &self.parameters {
            Some(template) => template.evaluate(scope),
            None => Ok(Value::Null),
        }
    }

    /// The configuration with `MaxItems` evaluated; 0 is no limit.
    pub fn config(&self, scope: &Scope) -> Result<ReaderConfig, Trouble> {
        let mut config = self.config.clone();
        if let Some(quantity) = &self.max_items {
            let limit = quantity.evaluate(scope)?;
            if limit < 0.0 {
                return Err(Failure::new(
                    error_name::ITEM_READER_FAILED,
                    "field MaxItems must be positive",
                )
                .into());
            }
            config.max_items = whole(limit);
        }
        Ok(config)
    }
}

fn parse_config(reader: &Fields, config: &mut ReaderConfig) {
    config.input_type = reader.text("InputType").map(str::to_owned);
    config.items_pointer = reader.text("ItemsPointer").map(str::to_owned);
    if let Some(name) = reader.text("CSVDelimiter") {
        config.csv_delimiter = match name {
            "PIPE" => '|',
            "SEMICOLON" => ';',
            "SPACE" => ' ',
            "TAB" => '\t',
            "COMMA" => ',',
            other => {
                reader.wrong("CSVDelimiter", format!("'{other}' is not a CSV delimiter"));
                ','
            }
        };
    }
    let location = reader.text("CSVHeaderLocation");
    if location == Some("GIVEN") {
        let headers = reader.list("CSVHeaders").unwrap_or_default();
        let headers = headers.iter().filter_map(Value::as_str).map(str::to_owned);
        config.csv_headers = Some(headers.collect());
    } else if reader.has("CSVHeaders") {
        reader.wrong("CSVHeaders", "CSVHeaders needs CSVHeaderLocation GIVEN");
        reader.get("CSVHeaders");
    }
    for name in ["ManifestType", "Transformation", "VersionId"] {
        if let Some(value) = reader.get(name) {
            config.other.insert(name.to_owned(), value.clone());
        }
    }
    reader.refuse_unknown(&[]);
}

/// A limit as a count; 0 is none.
fn whole(limit: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked not to be negative; saturates"
    )]
    let limit = limit as usize;
    (limit > 0).then_some(limit)
}

/// `ItemBatcher` of the definition.
#[derive(Debug)]
pub(crate) struct ItemBatcher {
    max_items: Option<Quantity>,
    max_bytes: Option<Quantity>,
    batch_input: Option<Template>,
}

impl ItemBatcher {
    pub fn parse(fields: &Fields) -> Self {
        let batcher = Self {
            max_items: fields.quantity("MaxItemsPerBatch", "MaxItemsPerBatchPath"),
            max_bytes: fields.quantity("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"),
            batch_input: fields.template("BatchInput"),
        };
        if batcher.max_items.is_none() && batcher.max_bytes.is_none() {
            fields.problems.schema(
                &fields.at,
                "One of these fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]",
            );
        }
        fields.refuse_unknown(&[]);
        batcher
    }

    /// Groups the items into `{"BatchInput", "Items"}` objects.
    pub fn batches(&self, items: Vec<Arc<Value>>, scope: &Scope) -> Result<Vec<Arc<Value>>, Fault> {
        let limit = |quantity: &Option<Quantity>| match quantity {
            Some(quantity) => quantity.evaluate(scope).map(|limit| whole(limit.max(0.0))),
            None => Ok(None),
        };
        let max_items = limit(&self.max_items)?.unwrap_or(usize::MAX);
        let max_bytes = limit(&self.max_bytes)?.unwrap_or(MAX_PAYLOAD_BYTES);
        let batch_input = match &self.batch_input {
            Some(template) => Some(template.evaluate(scope)?),
            None => None,
        };
        let batch = |items: Vec<Value>| {
            let input = batch_input.iter().map(|input| ("BatchInput", input.clone()));
            let members = input.chain([("Items", Value::Array(items))]);
            Value::Object(members.map(|(key, value)| (key.to_owned(), value)).collect())
        };
        let envelope = batch(Vec::new()).to_string().len();
        let mut batches = Vec::new();
        let mut current = Vec::new();
        let mut bytes = envelope;
        for item in items {
            let length = item.to_string().len() + 1;
            let full = current.len() == max_items || bytes + length > max_bytes;
            if full && !current.is_empty() {
                batches.push(Arc::new(batch(std::mem::take(&mut current))));
                bytes = envelope;
            }
            bytes += length;
            current.push(Arc::try_unwrap(item).unwrap_or_else(|shared| shared.as_ref().clone()));
        }
        if !current.is_empty() {
            batches.push(Arc::new(batch(current)));
        }
        Ok(batches)
    }
}
