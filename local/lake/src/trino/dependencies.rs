//! Groups of joined rows: keeps DataFusion from believing that a key of one side is a key of the
//! groups.
//!
//! `GROUP BY d.x, b.v` over `(SELECT DISTINCT x …) d JOIN b`: `x` was a key of `d`. DataFusion 55
//! takes it for a key of the groups, and then leaves `v` out of the grouping or the sorting above
//! where nobody else asks for it. Behind a function that returns its argument the key is not seen.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Aggregate, ColumnarValue, Distinct, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;

/// Runs last, on the plan as it is optimized.
#[derive(Debug)]
pub(super) struct HiddenKeys;

impl AnalyzerRule for HiddenKeys {
    fn name(&self) -> &'static str {
        "hidden_keys"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let node = node.recompute_schema()?;
            let aggregate = match &node {
                LogicalPlan::Aggregate(aggregate) => aggregate.clone(),
                // As the optimizer does later: its rows are a key.
                LogicalPlan::Distinct(Distinct::All(input)) => {
                    let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
                    Aggregate::try_new(input.clone(), columns, Vec::new())?
                }
                _ => return Ok(Transformed::yes(node)),
            };
            Ok(Transformed::yes(match hidden(&aggregate.group_expr, aggregate.input.schema()) {
                Some(groups) => grouped(&aggregate, groups)?,
                None => LogicalPlan::Aggregate(aggregate),
            }))
        })
        .map(|transformed| transformed.data)
    }
}

/// The group expressions with such keys hidden; `None` when there are none.
fn hidden(groups: &[Expr], input: &DFSchema) -> Option<Vec<Expr>> {
    let places: Vec<Option<usize>> = groups
        .iter()
        .map(|expr| match expr {
            Expr::Column(column) => input.maybe_index_of_column(column),
            _ => None,
        })
        .collect();
    let mut hide: Vec<usize> = Vec::new();
    for dependency in input.functional_dependencies().iter() {
        let grouped = |place: &usize| places.contains(&Some(*place));
        let determined = |place: &Option<usize>| {
            place.is_some_and(|place| dependency.target_indices.contains(&place))
        };
        if dependency.source_indices.iter().all(grouped) && !places.iter().all(determined) {
            hide.extend(&dependency.source_indices);
        }
    }
    if hide.is_empty() {
        return None;
    }
    let found = groups.iter().zip(&places).map(|(expr, place)| match place {
        Some(place) if hide.contains(place) => same(expr.clone()),
        _ => expr.clone(),
    });
    Some(found.collect())
}

fn grouped(aggregate: &Aggregate, groups: Vec<Expr>) -> Result<LogicalPlan> {
    let found = LogicalPlan::Aggregate(Aggregate::try_new(
        aggregate.input.clone(),
        groups,
        aggregate.aggr_expr.clone(),
    )?);
    let shown: Vec<Expr> = found
        .schema()
        .columns()
        .into_iter()
        .zip(aggregate.schema.columns())
        .map(|(own, name)| {
            if own == name {
                return Expr::Column(own);
            }
            Expr::Column(own).alias_qualified(name.relation, name.name)
        })
        .collect();
    LogicalPlanBuilder::from(found).project(shown)?.build()
}

static SAME: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Same { signature }))
});

fn same(expr: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(SAME.clone(), vec![expr]))
}

/// `$same(x)`: x.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Same {
    signature: Signature,
}

impl ScalarUDFImpl for Same {
    fn name(&self) -> &'static str {
        "$same"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(arguments.arg_fields[0].clone())
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(arguments.args.swap_remove(0))
    }
}
