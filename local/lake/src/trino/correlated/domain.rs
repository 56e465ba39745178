//! The distinct values of the outer columns a subquery looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{Column, NullEquality, Result, TableReference};
use datafusion::logical_expr::{
    Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr,
};

use super::free;
use super::free::{Outer, Substitution};

static RELATIONS: AtomicUsize = AtomicUsize::new(0);

/// A relation name no query has.
pub(super) fn fresh(kind: &str) -> TableReference {
    let number = RELATIONS.fetch_add(1, Ordering::Relaxed);
    TableReference::bare(format!("${kind}{number}"))
}

/// A relation with one row for each combination of values.
#[derive(Clone)]
pub(super) struct Domain {
    /// Outer column, and the domain's.
    pub pairs: Vec<(Column, Column)>,
    plan: Arc<LogicalPlan>,
}

impl Domain {
    /// The values of `columns` in the rows of `rows`.
    pub fn of(rows: &LogicalPlan, columns: &[Outer]) -> Result<Self> {
        let relation = fresh("outer");
        let pairs: Vec<(Column, Column)> = columns
            .iter()
            .enumerate()
            .map(|(at, (_, column))| {
                (column.clone(), Column::new(Some(relation.clone()), format!("c{at}")))
            })
            .collect();
        let shown = pairs.iter().map(|(outer, own)| renamed(outer.clone(), own));
        let plan = LogicalPlanBuilder::from(rows.clone()).project(shown)?.distinct()?.build()?;
        Ok(Self { pairs, plan: Arc::new(plan) })
    }

    pub fn plan(&self) -> LogicalPlan {
        self.plan.as_ref().clone()
    }

    /// The same values under other names.
    pub fn again(&self) -> Result<Self> {
        let relation = fresh("outer");
        let pairs: Vec<(Column, Column)> = self
            .pairs
            .iter()
            .map(|(outer, own)| {
                (outer.clone(), Column::new(Some(relation.clone()), own.name.clone()))
            })
            .collect();
        let shown =
            self.pairs.iter().zip(&pairs).map(|((_, own), (_, other))| renamed(own.clone(), other));
        let plan = LogicalPlanBuilder::from(self.plan()).project(shown)?.build()?;
        Ok(Self { pairs, plan: Arc::new(plan) })
    }

    /// Its columns as expressions.
    pub fn columns(&self) -> impl Iterator<Item = Expr> + '_ {
        self.pairs.iter().map(|(_, own)| Expr::Column(own.clone()))
    }

    pub fn substitution(&self) -> Substitution<'_> {
        Substitution { pairs: &self.pairs }
    }

    /// Whether a plan looks at one of its columns.
    pub fn is_seen_by(&self, plan: &LogicalPlan) -> Result<bool> {
        let seen = free::of_plan(plan)?;
        Ok(self.sees(&seen))
    }

    pub fn sees(&self, seen: &[Outer]) -> bool {
        seen.iter().any(|(_, column)| self.pairs.iter().any(|(outer, _)| outer == column))
    }

    /// That the values of two domains are the same, NULL being itself.
    pub fn equals(&self, other: &Self) -> Option<Expr> {
        self.pairs
            .iter()
            .zip(&other.pairs)
            .map(|((_, one), (_, two))| {
                binary_expr(
                    Expr::Column(one.clone()),
                    Operator::IsNotDistinctFrom,
                    Expr::Column(two.clone()),
                )
            })
            .reduce(Expr::and)
    }

    /// Rows joined with what was found for their values. The domain's columns go along.
    pub fn joined(
        &self,
        rows: LogicalPlan,
        found: LogicalPlan,
        join_type: JoinType,
        filter: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let (outer, own): (Vec<Column>, Vec<Column>) = self.pairs.iter().cloned().unzip();
        let rows = LogicalPlanBuilder::from(rows);
        if outer.is_empty() {
            return rows.join_on(found, join_type, filter)?.build();
        }
        rows.join_detailed(found, join_type, (outer, own), filter, NullEquality::NullEqualsNull)?
            .build()
    }
}

/// A column under another name.
pub(super) fn renamed(column: Column, name: &Column) -> Expr {
    Expr::Column(column).alias_qualified(name.relation.clone(), name.name.clone())
}
