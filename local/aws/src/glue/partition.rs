//! Partitions.

use lake::CatalogError;
use lake::catalog::{Partition, PartitionInput};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::names;
use super::{Glue, Input, detail, nothing, refuse};
use crate::wire::ServiceError;

/// Partitions come in pages of at most this, and one `BatchGetPartition` takes so many.
/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>
const LARGEST_PAGE: usize = 1000;

/// Partitions one `BatchCreatePartition` or `BatchUpdatePartition` takes.
const LARGEST_BATCH: usize = 100;

/// Partitions one `BatchDeletePartition` takes.
const LARGEST_DELETE: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Values {
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    partition_value_list: Vec<String>,
    partition_input: PartitionInput,
}

/// A share of a table's partitions, for readers that work side by side.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: usize,
    total_segments: usize,
}

impl Glue {
    pub(super) fn create_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let definition: PartitionInput = input.required("PartitionInput")?;
        self.catalog.create_partition(&database, &table, definition).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn batch_create_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let definitions: Vec<PartitionInput> = input.list("PartitionInputList", LARGEST_BATCH)?;
        let values: Vec<Vec<String>> =
            definitions.iter().map(|input| input.values.clone()).collect();
        let created =
            self.catalog.create_partitions(&database, &table, definitions).map_err(refuse)?;
        let results = values.into_iter().zip(created);
        let errors: Vec<Value> =
            results.filter_map(|(values, result)| Some(failure(&values, &result.err()?))).collect();
        Ok(json!({"Errors": errors}))
    }

    pub(super) fn get_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let values: Vec<String> = input.required("PartitionValues")?;
        let partition = self.catalog.partition(&database, &table, &values).map_err(refuse)?;
        Ok(json!({"Partition": self.partition_shape(&partition)}))
    }

    pub(super) fn get_partitions(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let expression: Option<String> = input.optional("Expression")?;
        let segment: Option<Segment> = input.optional("Segment")?;
        let without_columns = input.optional("ExcludeColumnSchema")?.unwrap_or(false);
        let partitions =
            self.catalog.partitions(&database, &table, expression.as_deref()).map_err(refuse)?;
        let shapes = partitions
            .iter()
            .enumerate()
            .filter(|(at, _)| {
                segment.as_ref().is_none_or(|s| at % s.total_segments.max(1) == s.segment_number)
            })
            .map(|(_, partition)| {
                let mut shape = self.partition_shape(partition);
                if without_columns
                    && let Some(Value::Object(storage)) = shape.get_mut("StorageDescriptor")
                {
                    storage.remove("Columns");
                }
                shape
            })
            .collect();
        input.paging()?.answer("Partitions", shapes, LARGEST_PAGE)
    }

    /// What does not exist is left out.
    pub(super) fn batch_get_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let wanted: Vec<Values> = input.list("PartitionsToGet", LARGEST_PAGE)?;
        self.catalog.table(&database, &table).map_err(refuse)?;
        let mut found = Vec::new();
        for Values { values } in wanted {
            match self.catalog.partition(&database, &table, &values) {
                Ok(partition) => found.push(self.partition_shape(&partition)),
                Err(CatalogError::PartitionNotFound(_)) => {}
                Err(error) => return Err(refuse(error)),
            }
        }
        Ok(json!({"Partitions": found, "UnprocessedKeys": []}))
    }

    pub(super) fn update_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let values: Vec<String> = input.required("PartitionValueList")?;
        let definition: PartitionInput = input.required("PartitionInput")?;
        self.catalog.update_partition(&database, &table, &values, definition).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn batch_update_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let updates: Vec<Update> = input.list("Entries", LARGEST_BATCH)?;
        self.catalog.table(&database, &table).map_err(refuse)?;
        let mut errors = Vec::new();
        for Update { partition_value_list: values, partition_input } in updates {
            if let Err(error) =
                self.catalog.update_partition(&database, &table, &values, partition_input)
            {
                errors.push(json!({"PartitionValueList": values, "ErrorDetail": detail(&error)}));
            }
        }
        Ok(json!({"Errors": errors}))
    }

    pub(super) fn delete_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let values: Vec<String> = input.required("PartitionValues")?;
        self.catalog.delete_partition(&database, &table, &values).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn batch_delete_partition(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let wanted: Vec<Values> = input.list("PartitionsToDelete", LARGEST_DELETE)?;
        self.catalog.table(&database, &table).map_err(refuse)?;
        let mut errors = Vec::new();
        for Values { values } in wanted {
            if let Err(error) = self.catalog.delete_partition(&database, &table, &values) {
                errors.push(failure(&values, &error));
            }
        }
        Ok(json!({"Errors": errors}))
    }

    fn partition_shape(&self, partition: &Partition) -> Value {
        let mut shape = json!(partition);
        shape["CatalogId"] = self.settings.account_id.as_str().into();
        shape
    }
}

fn failure(values: &[String], error: &CatalogError) -> Value {
    json!({"PartitionValues": values, "ErrorDetail": detail(error)})
}
