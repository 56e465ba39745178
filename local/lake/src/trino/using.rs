//! `JOIN … USING (k)`: one column `k` before all others, with no table's name.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, ScalarUDF,
};
use datafusion::sql::sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, TableFactor, TableWithJoins,
};

use super::functions::coalesced;
use crate::sql::Failure;

/// How an operator joins, and its constraint.
fn parts(operator: &JoinOperator) -> Option<(JoinType, &JoinConstraint)> {
    use JoinOperator::{FullOuter, Inner, Join, Left, LeftOuter, Right, RightOuter};
    match operator {
        Join(constraint) | Inner(constraint) => Some((JoinType::Inner, constraint)),
        Left(constraint) | LeftOuter(constraint) => Some((JoinType::Left, constraint)),
        Right(constraint) | RightOuter(constraint) => Some((JoinType::Right, constraint)),
        FullOuter(constraint) => Some((JoinType::Full, constraint)),
        _ => None,
    }
}

/// The condition of a join, where it can have one.
pub(super) fn constraint(join: &Join) -> Option<&JoinConstraint> {
    parts(&join.join_operator).map(|(_, constraint)| constraint)
}

/// Puts parentheses around each join with `USING` and what stands before it, for [`UsingRelation`].
pub(super) fn nested(from: &mut TableWithJoins) {
    let is_using = |join: &Join| matches!(constraint(join), Some(JoinConstraint::Using(_)));
    while let Some(at) = from.joins.iter().position(is_using) {
        let after = from.joins.split_off(at + 1);
        let inner = TableWithJoins {
            relation: from.relation.clone(),
            joins: std::mem::replace(&mut from.joins, after),
        };
        from.relation = TableFactor::NestedJoin { table_with_joins: Box::new(inner), alias: None };
    }
}

/// Plans a join with `USING` that [`nested`] set apart.
#[derive(Debug)]
pub(super) struct UsingRelation;

impl RelationPlanner for UsingRelation {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let (mut inner, alias) = match relation {
            TableFactor::NestedJoin { table_with_joins, alias }
                if table_with_joins.joins.last().is_some_and(|join| {
                    matches!(constraint(join), Some(JoinConstraint::Using(_)))
                }) =>
            {
                (*table_with_joins, alias)
            }
            other => return Ok(RelationPlanning::Original(Box::new(other))),
        };
        let Some(join) = inner.joins.pop() else {
            return Err(Failure::new("SYNTAX_ERROR", "a join without a right side").into());
        };
        let left = if inner.joins.is_empty() {
            context.plan(inner.relation)?
        } else {
            let before = TableFactor::NestedJoin { table_with_joins: Box::new(inner), alias: None };
            context.plan(before)?
        };
        let Some((join_type, JoinConstraint::Using(names))) = parts(&join.join_operator) else {
            return Err(Failure::not_supported("USING of this kind of join").into());
        };
        let keys = names.iter().map(|name| key(name, context)).collect::<Result<Vec<_>>>()?;
        let right = context.plan(join.relation)?;
        let equals = context.context_provider().get_function_meta("$equals").ok_or_else(|| {
            Failure::new("FUNCTION_NOT_FOUND", "Function '$equals' not registered")
        })?;
        let plan = joined(left, right, join_type, &keys, &equals)?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias))))
    }
}

fn key(name: &ObjectName, context: &dyn RelationPlannerContext) -> Result<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| context.normalize_ident(ident.clone())),
        _ => None,
    }
    .ok_or_else(|| {
        Failure::new("SYNTAX_ERROR", format!("USING takes names of columns, not {name}")).into()
    })
}

fn side(schema: &DFSchema, key: &str, side: &str) -> Result<Column> {
    let found = schema.qualified_fields_with_unqualified_name(key);
    match found.as_slice() {
        [(relation, field)] => Ok(Column::new(relation.cloned(), field.name())),
        [] => Err(Failure::new(
            "COLUMN_NOT_FOUND",
            format!("Column '{key}' is missing from {side} side of join"),
        )
        .into()),
        _ => Err(Failure::new("AMBIGUOUS_NAME", format!("Column '{key}' is ambiguous")).into()),
    }
}

fn joined(
    left: LogicalPlan,
    right: LogicalPlan,
    join_type: JoinType,
    keys: &[String],
    equals: &Arc<ScalarUDF>,
) -> Result<LogicalPlan> {
    let mut conditions = Vec::new();
    let mut shown = Vec::new();
    let mut used = Vec::new();
    for key in keys {
        let one = side(left.schema(), key, "left")?;
        let two = side(right.schema(), key, "right")?;
        let (first, second) = (Expr::Column(one.clone()), Expr::Column(two.clone()));
        let (of_one, of_two) = (first.get_type(left.schema())?, second.get_type(right.schema())?);
        let same = of_one == of_two;
        let value = match join_type {
            JoinType::Inner | JoinType::Left if same => first.clone(),
            JoinType::Right if same => second.clone(),
            JoinType::Right => coalesced(vec![second.clone(), first.clone()]),
            _ => coalesced(vec![first.clone(), second.clone()]),
        };
        shown.push(value.alias(key));
        // Zeros of both signs are equal, and NaN is equal to nothing.
        let floating = of_one.is_floating() || of_two.is_floating();
        conditions.push(if floating {
            Expr::ScalarFunction(ScalarFunction::new_udf(equals.clone(), vec![first, second]))
        } else {
            first.eq(second)
        });
        used.extend([one, two]);
    }
    let others = left.schema().columns().into_iter().chain(right.schema().columns());
    shown.extend(others.filter(|column| !used.contains(column)).map(Expr::Column));
    LogicalPlanBuilder::from(left).join_on(right, join_type, conditions)?.project(shown)?.build()
}
