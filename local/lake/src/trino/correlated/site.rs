//! Where a subquery stands in an expression: it becomes a column, joined to the rows that
//! the expression is of.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, Result, ScalarValue};
use datafusion::functions_aggregate::expr_fn::{bool_or, count};
use datafusion::logical_expr::expr::SetQuantifier;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Distinct, Expr, Join, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, lit, when,
};

use super::domain::{Domain, fresh, renamed};
use super::native::conjuncts;
use super::shape::{exprs, projected};
use super::single::single;
use super::{dependent, free, has_subquery, keys, native};
use crate::sql::Failure;
use crate::trino::functions::coalesced;

/// The node with its subqueries joined; it stays as it is where it has none, or none but those that
/// DataFusion joins.
pub(super) fn resolved(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan.expressions().iter().any(has_subquery) {
        return Ok(plan);
    }
    match &plan {
        LogicalPlan::Filter(filter) => {
            let mut rows = Rows::of(filter.input.as_ref().clone());
            let mut conditions = Vec::new();
            conjuncts(&filter.predicate, &mut conditions);
            let kept = conditions
                .into_iter()
                .map(|condition| {
                    if native::is_semi_join(condition)? {
                        return Ok(condition.clone());
                    }
                    rows.joined(condition.clone(), true)
                })
                .collect::<Result<Vec<_>>>()?;
            let Some(predicate) = kept.into_iter().reduce(Expr::and) else { return Ok(plan) };
            let found = LogicalPlanBuilder::from(rows.plan).filter(predicate)?.build()?;
            shown(found, &plan, rows.grown)
        }
        LogicalPlan::Projection(projection) => one_input(&plan, &projection.input, true),
        LogicalPlan::Aggregate(aggregate) => one_input(&plan, &aggregate.input, false),
        LogicalPlan::Window(window) => one_input(&plan, &window.input, false),
        LogicalPlan::Sort(sort) => one_input(&plan, &sort.input, false),
        LogicalPlan::Values(values) => {
            let one_row = LogicalPlanBuilder::empty(true).build()?;
            let rows = values.values.iter().map(|row| {
                let shown = super::shape::named(row.clone(), &values.schema);
                projected(one_row.clone(), shown)
            });
            let all = rows
                .reduce(|all, row| LogicalPlanBuilder::from(all?).union(row?)?.build())
                .ok_or_else(dependent::unsupported)??;
            let shown =
                super::shape::named(exprs(all.schema()).collect::<Vec<_>>(), &values.schema);
            projected(all, shown)
        }
        LogicalPlan::Join(join) => condition(&plan, join),
        _ => Ok(plan),
    }
}

fn one_input(plan: &LogicalPlan, input: &LogicalPlan, scalars_stay: bool) -> Result<LogicalPlan> {
    let mut rows = Rows::of(input.clone());
    let names = NamePreserver::new(plan);
    let changed = plan
        .expressions()
        .into_iter()
        .map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(rows.joined(expr, scalars_stay)?))
        })
        .collect::<Result<Vec<_>>>()?;
    if !rows.grown {
        return Ok(plan.clone());
    }
    let found = plan.with_new_exprs(changed, vec![rows.plan])?;
    shown(found, plan, true)
}

/// The columns the node had.
fn shown(found: LogicalPlan, plan: &LogicalPlan, grown: bool) -> Result<LogicalPlan> {
    if !grown || found.schema().fields().len() == plan.schema().fields().len() {
        return Ok(found);
    }
    projected(found, exprs(plan.schema()).collect::<Vec<_>>())
}

/// A join whose condition has subqueries: above an inner one, beside the side they are compared
/// with in an outer one, where they may look at neither side.
fn condition(plan: &LogicalPlan, join: &Join) -> Result<LogicalPlan> {
    let Some(filter) = &join.filter else { return Ok(plan.clone()) };
    let mut conditions = Vec::new();
    conjuncts(filter, &mut conditions);
    let (asking, plain): (Vec<&Expr>, Vec<&Expr>) =
        conditions.into_iter().partition(|condition| has_subquery(condition));
    let plain = || plain.iter().map(|condition| (*condition).clone()).reduce(Expr::and);
    if join.join_type == JoinType::Inner {
        let below = LogicalPlan::Join(Join { filter: plain(), ..join.clone() });
        let asking = asking.into_iter().cloned().reduce(Expr::and).unwrap_or_else(|| lit(true));
        return resolved(LogicalPlanBuilder::from(below).filter(asking)?.build()?);
    }
    let mut left = Rows::of(join.left.as_ref().clone());
    let mut right = Rows::of(join.right.as_ref().clone());
    let scope = join.left.schema().join(join.right.schema())?;
    let mut kept: Vec<Expr> = plain().into_iter().collect();
    for condition in asking {
        if let Some(column) = subquery_columns(condition, &scope)?.first() {
            return Err(Failure::new(
                "INVALID_COLUMN_REFERENCE",
                format!(
                    "Reference to column '{}' from outer scope not allowed in this context",
                    column.flat_name()
                ),
            )
            .into());
        }
        let seen: Vec<Column> = condition.column_refs().into_iter().cloned().collect();
        let of = |side: &LogicalPlan| seen.iter().all(|column| side.schema().has_column(column));
        kept.push(if of(&join.left) {
            left.joined(condition.clone(), false)?
        } else if of(&join.right) {
            right.joined(condition.clone(), false)?
        } else {
            return Err(dependent::unsupported());
        });
    }
    let joined = Join {
        left: left.plan.into(),
        right: right.plan.into(),
        filter: kept.into_iter().reduce(Expr::and),
        ..join.clone()
    };
    let found = LogicalPlan::Join(joined).recompute_schema()?;
    shown(found, plan, true)
}

/// The columns of a scope that the subqueries of an expression look at.
fn subquery_columns(expr: &Expr, scope: &datafusion::common::DFSchema) -> Result<Vec<Column>> {
    let nothing = datafusion::common::DFSchema::empty();
    Ok(free::of_expr(expr, &nothing)?
        .into_iter()
        .map(|(_, column)| column)
        .filter(|column| scope.has_column(column))
        .collect())
}

/// Rows that get a column for each subquery.
struct Rows {
    plan: LogicalPlan,
    grown: bool,
}

impl Rows {
    fn of(plan: LogicalPlan) -> Self {
        Self { plan, grown: false }
    }

    /// The expression with columns in place of its subqueries.
    fn joined(&mut self, expr: Expr, scalars_stay: bool) -> Result<Expr> {
        let changed = expr.transform_up(|part| {
            if scalars_stay && native::is_scalar(&part)? {
                return Ok(Transformed::no(part));
            }
            Ok(match part {
                Expr::ScalarSubquery(subquery) => {
                    Transformed::yes(self.scalar(&subquery.subquery)?)
                }
                Expr::Exists(exists) => {
                    let found = self.exists(&exists.subquery.subquery)?;
                    Transformed::yes(if exists.negated { !found } else { found })
                }
                Expr::InSubquery(within) => {
                    let plan = &within.subquery.subquery;
                    let found = self.compared(*within.expr, Operator::Eq, plan, false)?;
                    Transformed::yes(if within.negated { !found } else { found })
                }
                Expr::SetComparison(comparison) => {
                    let all = comparison.quantifier == SetQuantifier::All;
                    let plan = &comparison.subquery.subquery;
                    Transformed::yes(self.compared(*comparison.expr, comparison.op, plan, all)?)
                }
                other => Transformed::no(other),
            })
        })?;
        Ok(changed.data)
    }

    /// The domain of a subquery over these rows.
    fn domain(&self, plan: &LogicalPlan, more: Option<free::Outer>) -> Result<Domain> {
        let seen: Vec<free::Outer> = free::of_plan(plan)?
            .into_iter()
            .filter(|(_, column)| self.plan.schema().has_column(column))
            .chain(more)
            .collect();
        Domain::of(&self.plan, &seen)
    }

    /// Joins what was found for the domain; its columns are not the rows' ones.
    fn grow(&mut self, domain: &Domain, found: LogicalPlan) -> Result<()> {
        let rows = std::mem::replace(&mut self.plan, LogicalPlanBuilder::empty(false).build()?);
        self.plan = domain.joined(rows, found, JoinType::Left, None)?;
        self.grown = true;
        Ok(())
    }

    fn scalar(&mut self, plan: &LogicalPlan) -> Result<Expr> {
        let domain = self.domain(plan, None)?;
        let value = Column::new(Some(fresh("scalar")), "value");
        let column =
            plan.schema().columns().into_iter().next().ok_or_else(dependent::unsupported)?;
        let found = over(plan, &domain)?;
        let found = if is_single(plan) {
            let shown = [renamed(column, &value)].into_iter().chain(domain.columns());
            projected(found, shown.collect::<Vec<_>>())?
        } else {
            let one = single(Expr::Column(column)).alias("$value");
            let found =
                LogicalPlanBuilder::from(found).aggregate(domain.columns(), [one])?.build()?;
            let own = renamed(Column::from_name("$value"), &value);
            projected(found, [own].into_iter().chain(domain.columns()).collect::<Vec<_>>())?
        };
        self.grow(&domain, found)?;
        Ok(Expr::Column(value))
    }

    fn exists(&mut self, plan: &LogicalPlan) -> Result<Expr> {
        let domain = self.domain(plan, None)?;
        if keys::has_groups(plan) && !keys::are_plain(plan, &domain)? {
            return Err(dependent::unsupported());
        }
        let value = Column::new(Some(fresh("exists")), "rows");
        let found = LogicalPlanBuilder::from(over(plan, &domain)?)
            .aggregate(domain.columns(), [count(lit(1_i64)).alias("$rows")])?
            .build()?;
        let own = renamed(Column::from_name("$rows"), &value);
        let found =
            projected(found, [own].into_iter().chain(domain.columns()).collect::<Vec<_>>())?;
        self.grow(&domain, found)?;
        let rows = coalesced(vec![Expr::Column(value), lit(0_i64)]);
        Ok(rows.gt(lit(0_i64)))
    }

    /// `value op ANY (plan)`, or `ALL`: true, false, or NULL where one of the comparisons is.
    fn compared(
        &mut self,
        value: Expr,
        op: Operator,
        plan: &LogicalPlan,
        all: bool,
    ) -> Result<Expr> {
        let own = Column::new(Some(fresh("value")), "of");
        let rows = std::mem::replace(&mut self.plan, LogicalPlanBuilder::empty(false).build()?);
        let wider: Vec<Expr> = exprs(rows.schema())
            .chain([value.alias_qualified(own.relation.clone(), own.name.clone())])
            .collect();
        self.plan = projected(rows, wider)?;
        self.grown = true;
        let (_, field) = self.plan.schema().qualified_field_from_column(&own)?;
        let domain = self.domain(plan, Some((field.clone(), own.clone())))?;
        let (_, inner) = domain.pairs.last().ok_or_else(dependent::unsupported)?;
        let column =
            plan.schema().columns().into_iter().next().ok_or_else(dependent::unsupported)?;
        let holds = binary_expr(Expr::Column(inner.clone()), op, Expr::Column(column));
        let holds = if all { !holds } else { holds };
        let found = LogicalPlanBuilder::from(over(plan, &domain)?)
            .aggregate(
                domain.columns(),
                [
                    bool_or(holds.clone()).alias("$holds"),
                    bool_or(holds.is_null()).alias("$unknown"),
                ],
            )?
            .build()?;
        let relation = Some(fresh("compared"));
        let column = |name: &str| Column::new(relation.clone(), name);
        let (any, unknown) = (column("holds"), column("unknown"));
        let shown = [
            renamed(Column::from_name("$holds"), &any),
            renamed(Column::from_name("$unknown"), &unknown),
        ];
        let found =
            projected(found, shown.into_iter().chain(domain.columns()).collect::<Vec<_>>())?;
        self.grow(&domain, found)?;
        let (any, unknown) = (Expr::Column(any), Expr::Column(unknown));
        let nothing = Expr::Literal(ScalarValue::Boolean(None), None);
        when(unknown.clone().is_null(), lit(all))
            .when(any, lit(!all))
            .when(unknown, nothing)
            .otherwise(lit(all))
    }
}

fn over(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    if domain.pairs.is_empty() { Ok(plan.clone()) } else { dependent::over(plan, domain) }
}

/// Whether a plan has one row at most.
fn is_single(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(_) => true,
        LogicalPlan::Projection(projection) => is_single(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_single(&alias.input),
        LogicalPlan::Subquery(subquery) => is_single(&subquery.subquery),
        LogicalPlan::Filter(filter) => is_single(&filter.input),
        LogicalPlan::Sort(sort) => is_single(&sort.input),
        LogicalPlan::Distinct(Distinct::All(input)) => is_single(input),
        LogicalPlan::Values(values) => values.values.len() <= 1,
        _ => false,
    }
}
