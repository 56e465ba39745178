//! Which files may hold rows that filters let through, by the bounds in the manifests.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt64Array};
use datafusion::arrow::datatypes::Schema as ArrowSchema;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use iceberg::{Field, Primitive, Schema, Value};

use super::arrays::engine_values;
use super::snapshot_files::LiveFile;

/// The files that may have such rows. `arrow` has the columns of `schema`.
pub(super) fn pruned(
    state: &dyn Session,
    schema: &Schema,
    arrow: &Arc<ArrowSchema>,
    files: Vec<LiveFile>,
    filters: &[Expr],
) -> Result<Vec<LiveFile>> {
    let Some(condition) = conjunction(filters.iter().cloned()) else { return Ok(files) };
    let named = DFSchema::try_from(arrow.as_ref().clone())?;
    let physical = state.create_physical_expr(condition, &named)?;
    let pruning = PruningPredicateBuilder::new().with_file_schema(arrow.clone());
    // What says nothing of bounds prunes nothing.
    let Some(predicate) = pruning.build(physical) else { return Ok(files) };
    let kept = predicate.prune(&Bounds { schema, files: &files })?;
    Ok(files.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(file, _)| file).collect())
}

/// What is known of the files' columns, as DataFusion asks for it.
struct Bounds<'a> {
    schema: &'a Schema,
    files: &'a [LiveFile],
}

impl Bounds<'_> {
    fn field(&self, column: &Column) -> Option<(&Field, Primitive)> {
        let field = self.schema.column(&column.name)?;
        Some((field, field.kind.primitive()?))
    }

    fn bounds(
        &self,
        column: &Column,
        of: impl Fn(&LiveFile) -> &std::collections::BTreeMap<i32, Vec<u8>>,
    ) -> Option<ArrayRef> {
        let (field, primitive) = self.field(column)?;
        let values = self.files.iter().map(|file| {
            // A bound says nothing of NaNs, which are greater than nothing and equal to nothing.
            let may_have_nans = matches!(primitive, Primitive::Float | Primitive::Double)
                && file.file.nan_value_counts.get(&field.id) != Some(&0);
            let bytes = of(file).get(&field.id).filter(|_| !may_have_nans);
            bytes.and_then(|bytes| Value::from_bytes(bytes, primitive).ok())
        });
        engine_values(values, primitive).ok()
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| &file.file.lower_bounds)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| &file.file.upper_bounds)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (field, _) = self.field(column)?;
        let counts = self.files.iter().map(|file| {
            let count = file.file.null_value_counts.get(&field.id)?;
            u64::try_from(*count).ok()
        });
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts = self.files.iter().map(|file| u64::try_from(file.file.record_count).ok());
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn contained(
        &self,
        _: &Column,
        _: &std::collections::HashSet<ScalarValue>,
    ) -> Option<datafusion::arrow::array::BooleanArray> {
        None
    }
}
