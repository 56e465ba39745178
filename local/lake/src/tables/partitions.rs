//! Which partitions a query needs: those of the catalog whose values its filters let
//! through.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;

use super::TableDefinition;
use super::definition::folder_of;
use crate::S3Url;
use crate::catalog::Partition;
use crate::sql::{Failure, TrinoType};
use crate::trino::text_to;

/// What Hive writes in place of NULL in a folder's name.
pub(super) const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// A partition there may be.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    /// The values of the keys, as they are written.
    pub values: Vec<String>,
    /// The folder of its files; a partition of the catalog may have none.
    pub location: Option<S3Url>,
}

impl Candidate {
    /// A partition of the catalog.
    ///
    /// Errors: `HIVE_PARTITION_SCHEMA_MISMATCH` where its own columns have types that do not become
    /// those of the table.
    pub fn of(partition: &Partition, definition: &TableDefinition) -> Result<Self, Failure> {
        check_columns(partition, definition)?;
        let location = partition.location().map(folder_of).transpose()?;
        Ok(Self { values: partition.values().to_vec(), location })
    }
}

/// A partition keeps the columns it was made with: their types must fit the table's, in order.
fn check_columns(partition: &Partition, definition: &TableDefinition) -> Result<(), Failure> {
    let Some(storage) = &partition.definition.storage_descriptor else { return Ok(()) };
    for (own, (name, kind)) in storage.columns.iter().zip(&definition.columns) {
        let Some(own_kind) = own.r#type.as_deref().and_then(TrinoType::parse) else { continue };
        if becomes(&own_kind, kind) {
            continue;
        }
        let keys = definition.partition_keys.iter().zip(partition.values());
        let shown: Vec<String> = keys.map(|((key, _), value)| format!("{key}={value}")).collect();
        return Err(Failure::new(
            "HIVE_PARTITION_SCHEMA_MISMATCH",
            format!(
                "There is a mismatch between the table and partition schemas. The types are incompatible and cannot be coerced. The column '{name}' in table '{}' is declared as type '{}', but partition '{}' declared column '{}' as type '{}'.",
                definition.full_name(),
                kind.to_hive()?,
                shown.join("/"),
                own.name,
                own_kind.to_hive()?
            ),
        ));
    }
    Ok(())
}

/// Whether values of a partition's type are read as those of the table's.
fn becomes(from: &TrinoType, to: &TrinoType) -> bool {
    use TrinoType::{
        Array, Bigint, Char, Decimal, Double, Integer, Map, Real, Row, Smallint, Tinyint, Varchar,
    };
    if from == to {
        return true;
    }
    match (from, to) {
        (Tinyint, Smallint | Integer | Bigint)
        | (Smallint, Integer | Bigint)
        | (Integer, Bigint)
        | (Real, Double)
        | (Decimal(..), Decimal(..) | Real | Double)
        | (Varchar(_), Varchar(_) | Tinyint | Smallint | Integer | Bigint)
        | (Tinyint | Smallint | Integer | Bigint | Char(_), Varchar(_)) => true,
        (Array(from), Array(to)) => becomes(from, to),
        (Map(key, value), Map(to_key, to_value)) => {
            becomes(key, to_key) && becomes(value, to_value)
        }
        (Row(from), Row(to)) => from.iter().zip(to).all(|(from, to)| becomes(&from.1, &to.1)),
        _ => false,
    }
}

/// A partition with its keys' values as the engine sees them.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub candidate: Candidate,
    pub values: Vec<ScalarValue>,
}

/// The partitions that may hold rows for which all `filters` are true. Filters that
/// name anything but partition keys have no say.
pub(super) fn choose(
    state: &dyn Session,
    definition: &TableDefinition,
    partitions: Vec<Candidate>,
    filters: &[Expr],
) -> Result<Vec<Chosen>> {
    let fields = definition.partition_fields();
    let columns: Vec<ArrayRef> = definition
        .partition_keys
        .iter()
        .enumerate()
        .map(|(at, (name, kind))| typed(&partitions, at, name, kind))
        .collect::<Result<_>>()?;
    let schema = Arc::new(Schema::new(fields));
    let kept = kept(state, &schema, &columns, partitions.len(), filters)?;
    let mut chosen = Vec::new();
    for (row, candidate) in partitions.into_iter().enumerate() {
        if kept.as_ref().is_some_and(|kept| kept.is_null(row) || !kept.as_boolean().value(row)) {
            continue;
        }
        let values = columns
            .iter()
            .map(|column| ScalarValue::try_from_array(column, row))
            .collect::<Result<_>>()?;
        chosen.push(Chosen { candidate, values });
    }
    Ok(chosen)
}

fn typed(partitions: &[Candidate], at: usize, name: &str, kind: &TrinoType) -> Result<ArrayRef> {
    let texts: StringArray = partitions
        .iter()
        .map(|partition| {
            partition.values.get(at).map(String::as_str).filter(|value| *value != NULL_FOLDER)
        })
        .collect();
    let texts: ArrayRef = Arc::new(texts);
    text_to(&texts, kind).map_err(|_| {
        Failure::new(
            "HIVE_INVALID_PARTITION_VALUE",
            format!("Invalid partition value for {kind} partition key: {name}"),
        )
        .into()
    })
}

fn kept(
    state: &dyn Session,
    schema: &Arc<Schema>,
    columns: &[ArrayRef],
    rows: usize,
    filters: &[Expr],
) -> Result<Option<ArrayRef>> {
    let about_keys = filters.iter().filter(|filter| is_about(filter, schema)).cloned();
    let Some(condition) = conjunction(about_keys) else { return Ok(None) };
    let df_schema = DFSchema::try_from(schema.as_ref().clone())?;
    let condition = unqualified(condition)?;
    let physical = state.create_physical_expr(condition, &df_schema)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns.to_vec(), &options)?;
    Ok(Some(physical.evaluate(&batch)?.into_array(rows)?))
}

/// Whether a filter names partition keys only, and at least one.
pub(super) fn is_about(filter: &Expr, keys: &Schema) -> bool {
    let named = filter.column_refs();
    !named.is_empty()
        && !filter.is_volatile()
        && named.iter().all(|column| keys.field_with_name(&column.name).is_ok())
}

fn unqualified(expr: Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    expr.transform(|node| {
        Ok(match node {
            Expr::Column(mut column) if column.relation.is_some() => {
                column.relation = None;
                Transformed::yes(Expr::Column(column))
            }
            other => Transformed::no(other),
        })
    })
    .map(|transformed| transformed.data)
}
