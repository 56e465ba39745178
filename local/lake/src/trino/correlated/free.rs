//! The outer columns a plan looks at, and other columns put in their place.

use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Subquery};

use super::inside;

/// A column of a query around.
pub(super) type Outer = (FieldRef, Column);

/// The columns a plan takes from queries around it, each once.
pub(super) fn of_plan(plan: &LogicalPlan) -> Result<Vec<Outer>> {
    let mut found = Vec::new();
    collect(plan, &mut found)?;
    Ok(found)
}

/// The columns an expression over `scope` takes from queries around the scope's.
pub(super) fn of_expr(expr: &Expr, scope: &DFSchema) -> Result<Vec<Outer>> {
    let mut found = Vec::new();
    collect_expr(expr, scope, &mut found)?;
    Ok(found)
}

fn add(found: &mut Vec<Outer>, outer: Outer) {
    if !found.iter().any(|(_, column)| *column == outer.1) {
        found.push(outer);
    }
}

fn collect(plan: &LogicalPlan, found: &mut Vec<Outer>) -> Result<()> {
    let scope = scope_of(plan)?;
    plan.apply_expressions(|expr| {
        collect_expr(expr, &scope, found)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    if let LogicalPlan::Join(join) = plan
        && is_lateral(&join.right)
    {
        for outer in of_plan(&join.right)? {
            if !join.left.schema().has_column(&outer.1) {
                add(found, outer);
            }
        }
        return collect(&join.left, found);
    }
    for input in plan.inputs() {
        collect(input, found)?;
    }
    Ok(())
}

fn collect_expr(expr: &Expr, scope: &DFSchema, found: &mut Vec<Outer>) -> Result<()> {
    expr.apply(|part| {
        if let Expr::OuterReferenceColumn(field, column) = part {
            add(found, (field.clone(), column.clone()));
        }
        if let Some(subquery) = inside(part) {
            for outer in of_plan(&subquery.subquery)? {
                if !scope.has_column(&outer.1) {
                    add(found, outer);
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// What the expressions of a node see.
pub(super) fn scope_of(plan: &LogicalPlan) -> Result<DFSchema> {
    let mut scope = DFSchema::empty();
    for input in plan.inputs() {
        scope.merge(input.schema());
    }
    Ok(scope)
}

/// Whether the right side of a join looks at the left one's rows.
pub(super) fn is_lateral(right: &LogicalPlan) -> bool {
    match right {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_lateral(&alias.input),
        LogicalPlan::Projection(projection) => is_lateral(&projection.input),
        _ => false,
    }
}

/// Other columns in place of outer ones.
pub(super) struct Substitution<'a> {
    /// Outer column, and the one that has its values here.
    pub pairs: &'a [(Column, Column)],
}

impl Substitution<'_> {
    fn of(&self, column: &Column) -> Option<&Column> {
        self.pairs.iter().find(|(outer, _)| outer == column).map(|(_, own)| own)
    }

    /// The node's expressions with columns of its input in place of the outer ones; subqueries in
    /// them see these columns as outer ones.
    pub fn here(&self, plan: &LogicalPlan) -> Result<Vec<Expr>> {
        let scope = scope_of(plan)?;
        let names = NamePreserver::new(plan);
        plan.expressions()
            .into_iter()
            .map(|expr| {
                let name = names.save(&expr);
                Ok(name.restore(self.in_expr(expr, &scope, true)?))
            })
            .collect()
    }

    /// One expression over a scope, as [`Self::here`].
    pub fn in_expr(&self, expr: Expr, scope: &DFSchema, own: bool) -> Result<Expr> {
        let changed = expr.transform_up(|part| {
            Ok(match part {
                Expr::OuterReferenceColumn(field, column) => match self.of(&column) {
                    Some(found) if own => Transformed::yes(Expr::Column(found.clone())),
                    Some(found) => {
                        Transformed::yes(Expr::OuterReferenceColumn(field, found.clone()))
                    }
                    None => Transformed::no(Expr::OuterReferenceColumn(field, column)),
                },
                Expr::ScalarSubquery(subquery) => {
                    Transformed::yes(Expr::ScalarSubquery(self.in_subquery(&subquery, scope)?))
                }
                Expr::Exists(exists) => Transformed::yes(Expr::Exists(Exists {
                    subquery: self.in_subquery(&exists.subquery, scope)?,
                    negated: exists.negated,
                })),
                Expr::InSubquery(within) => Transformed::yes(Expr::InSubquery(InSubquery {
                    subquery: self.in_subquery(&within.subquery, scope)?,
                    ..within
                })),
                Expr::SetComparison(comparison) => {
                    Transformed::yes(Expr::SetComparison(SetComparison {
                        subquery: self.in_subquery(&comparison.subquery, scope)?,
                        ..comparison
                    }))
                }
                other => Transformed::no(other),
            })
        })?;
        Ok(changed.data)
    }

    /// A subquery of an expression over a scope: a column of the scope hides an outer one of its name.
    fn in_subquery(&self, subquery: &Subquery, scope: &DFSchema) -> Result<Subquery> {
        let pairs: Vec<(Column, Column)> =
            self.pairs.iter().filter(|(outer, _)| !scope.has_column(outer)).cloned().collect();
        let plan = Substitution { pairs: &pairs }.below(&subquery.subquery)?;
        Ok(Subquery {
            outer_ref_columns: plan.all_out_ref_exprs(),
            subquery: Arc::new(plan),
            spans: subquery.spans.clone(),
        })
    }

    /// A whole plan with other outer columns.
    pub fn below(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        if self.pairs.is_empty() {
            return Ok(plan.clone());
        }
        if let LogicalPlan::Subquery(subquery) = plan {
            return Ok(LogicalPlan::Subquery(self.in_subquery(subquery, &DFSchema::empty())?));
        }
        let scope = scope_of(plan)?;
        let names = NamePreserver::new(plan);
        let changed = plan.clone().map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(Transformed::yes(name.restore(self.in_expr(expr, &scope, false)?)))
        })?;
        let changed = match changed.data {
            LogicalPlan::Join(join) => LogicalPlan::Join(self.below_join(join)?),
            other => other.map_children(|child| self.below(&child).map(Transformed::yes))?.data,
        };
        changed.recompute_schema()
    }

    fn below_join(&self, join: Join) -> Result<Join> {
        let right = if is_lateral(&join.right) {
            let left = join.left.schema();
            let pairs: Vec<(Column, Column)> =
                self.pairs.iter().filter(|(outer, _)| !left.has_column(outer)).cloned().collect();
            Substitution { pairs: &pairs }.below(&join.right)?
        } else {
            self.below(&join.right)?
        };
        Ok(Join { left: self.below(&join.left)?.into(), right: right.into(), ..join })
    }
}
