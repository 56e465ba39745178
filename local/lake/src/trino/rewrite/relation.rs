//! `FROM`: names for relations that have none, and joins that DataFusion's planner does not take
//! as they are written.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Select, SetExpr, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins, Value,
};

use super::UNNAMED;
use crate::sql::Failure;
use crate::trino::ast::quoted;
use crate::trino::using;

/// Before the relations of a select are looked at.
pub(super) fn enter(select: &mut Select, names: &mut usize) -> Result<(), Failure> {
    for from in &mut select.from {
        enter_joins(from, names)?;
    }
    Ok(())
}

fn enter_joins(from: &mut TableWithJoins, names: &mut usize) -> Result<(), Failure> {
    name(&mut from.relation, names)?;
    for join in &mut from.joins {
        if matches!(using::constraint(join), Some(JoinConstraint::Natural)) {
            return Err(Failure::not_supported("Natural join not supported"));
        }
        if using::constraint(join).is_none()
            && !matches!(join.join_operator, JoinOperator::CrossJoin(_))
        {
            return Err(Failure::new("SYNTAX_ERROR", "this kind of join is not Trino's"));
        }
        if let Some(constraint) = using::constraint(join)
            && matches!(join.relation, TableFactor::UNNEST { .. })
            && !is_true(constraint)
        {
            let kind = match join.join_operator {
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => "LEFT",
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => "RIGHT",
                JoinOperator::FullOuter(_) => "FULL",
                _ => "INNER",
            };
            return Err(Failure::not_supported(format!(
                "{kind} JOIN involving UNNEST is only supported with condition ON TRUE"
            )));
        }
        if keeps_right(&join.join_operator) {
            if let TableFactor::Derived { lateral: true, .. } = join.relation
                && !using::constraint(join).is_some_and(is_true)
            {
                return Err(Failure::not_supported(
                    "RIGHT and FULL JOIN involving LATERAL are only supported with condition ON TRUE",
                ));
            }
            unseeing(&mut join.relation);
        }
        name(&mut join.relation, names)?;
    }
    using::nested(from);
    Ok(())
}

fn is_true(constraint: &JoinConstraint) -> bool {
    match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(Expr::Value(value)) => value.value == Value::Boolean(true),
        _ => false,
    }
}

/// Whether rows of the right side are kept that match none of the left.
fn keeps_right(operator: &JoinOperator) -> bool {
    matches!(
        operator,
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
    )
}

/// The right side of such a join sees nothing of the left one, `LATERAL` or not.
fn unseeing(relation: &mut TableFactor) {
    match relation {
        TableFactor::Derived { lateral, .. } => *lateral = false,
        TableFactor::UNNEST { alias, .. } => {
            let alias = alias.take();
            let alone = TableWithJoins { relation: relation.clone(), joins: Vec::new() };
            *relation = TableFactor::NestedJoin { table_with_joins: Box::new(alone), alias };
        }
        _ => {}
    }
}

/// A derived table without a name gets one: its columns are not those of another one, nor those of
/// the tables in it. The columns of `VALUES` have no name.
fn name(relation: &mut TableFactor, names: &mut usize) -> Result<(), Failure> {
    match relation {
        TableFactor::NestedJoin { table_with_joins, .. } => enter_joins(table_with_joins, names),
        TableFactor::Derived { subquery, alias: alias @ None, .. } => {
            *names += 1;
            let columns = match subquery.body.as_ref() {
                SetExpr::Values(values) => values.rows.first().map_or(0, |row| row.len()),
                _ => 0,
            };
            *alias = Some(TableAlias {
                explicit: true,
                name: quoted(&format!("$derived{names}")),
                columns: (0..columns)
                    .map(|at| TableAliasColumnDef {
                        name: Ident::with_quote('"', format!("{UNNAMED}v{names}c{at}")),
                        data_type: None,
                    })
                    .collect(),
                at: None,
            });
            Ok(())
        }
        _ => Ok(()),
    }
}
