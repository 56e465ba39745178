//! `UNNEST(…)` as a relation by itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, NullHandling, Result, UnnestOptions};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    ContextProvider, PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlanBuilder, lit};
use datafusion::sql::sqlparser::ast::TableFactor;

use crate::sql::{Failure, TrinoType, UNNAMED_FIELD};
use crate::trino::rewrite::UNNAMED;

/// Relations so far: columns without a name differ from those of others.
static RELATIONS: AtomicUsize = AtomicUsize::new(0);

/// Plans `UNNEST` with Trino's columns: a row's fields are columns each, a map is a
/// column of keys and one of values.
#[derive(Debug)]
pub(in crate::trino) struct UnnestRelation;

impl RelationPlanner for UnnestRelation {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let nothing = DFSchema::empty();
        let mut lists = Vec::with_capacity(array_exprs.len());
        for expr in array_exprs {
            lists.push(context.sql_to_expr(expr, &nothing)?);
        }
        let plan = planned(lists, with_ordinality, context.context_provider())?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn call(context: &dyn ContextProvider, name: &str, arguments: Vec<Expr>) -> Result<Expr> {
    let function = context.get_function_meta(name).ok_or_else(|| {
        Failure::new("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered"))
    })?;
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments)))
}

fn planned(
    lists: Vec<Expr>,
    with_ordinality: bool,
    context: &dyn ContextProvider,
) -> Result<datafusion::logical_expr::LogicalPlan> {
    let nothing = DFSchema::empty();
    let mut columns = Vec::new();
    let mut fields: Vec<usize> = Vec::new();
    for list in &lists {
        let (_, field) = list.to_field(&nothing)?;
        let (list, parts) = match TrinoType::of_field(&field) {
            TrinoType::Array(item) => match item.as_ref() {
                TrinoType::Row(parts) => (list.clone(), parts.len()),
                _ => (list.clone(), 0),
            },
            TrinoType::Map(..) => (call(context, "map_entries", vec![list.clone()])?, 2),
            TrinoType::Unknown => {
                (call(context, "$cast", vec![list.clone(), lit("array(unknown)")])?, 0)
            }
            other => {
                return Err(Failure::type_mismatch(format!("Cannot unnest type: {other}")).into());
            }
        };
        columns.push(list);
        fields.push(parts);
    }
    if with_ordinality {
        columns.push(call(context, "$ordinals", columns.clone())?);
        fields.push(0);
    }
    let named = columns.into_iter().enumerate().map(|(at, list)| list.alias(format!("$list{at}")));
    let plan = LogicalPlanBuilder::empty(true).project(named)?.build()?;
    let options = UnnestOptions { null_handling: NullHandling::Drop, ..UnnestOptions::default() };
    let names = (0..fields.len()).map(|at| Column::from_name(format!("$list{at}"))).collect();
    let plan =
        LogicalPlanBuilder::from(plan).unnest_columns_with_options(names, options)?.build()?;
    shown(plan, &fields)
}

/// The columns of the items: those of rows taken apart.
fn shown(
    plan: datafusion::logical_expr::LogicalPlan,
    fields: &[usize],
) -> Result<datafusion::logical_expr::LogicalPlan> {
    let mut columns = Vec::new();
    let unnamed = format!("{UNNAMED}u{}c", RELATIONS.fetch_add(1, Ordering::Relaxed));
    for (at, parts) in fields.iter().enumerate() {
        let item = Column::from_name(format!("$list{at}"));
        if *parts == 0 {
            columns.push(Expr::Column(item).alias(format!("{unnamed}{}", columns.len())));
            continue;
        }
        let data_type = plan.schema().field_with_unqualified_name(&item.name)?.data_type().clone();
        let DataType::Struct(names) = data_type else {
            return Err(Failure::type_mismatch("rows have fields").into());
        };
        for name in names.iter().map(|field| field.name()) {
            let value = datafusion::functions::core::expr_fn::get_field(
                Expr::Column(item.clone()),
                name.as_str(),
            );
            let shown = if name.starts_with(UNNAMED_FIELD) {
                format!("{unnamed}{}", columns.len())
            } else {
                name.clone()
            };
            columns.push(value.alias(shown));
        }
    }
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
