//! A subquery over a whole domain: each operator with the domain's columns at the end of
//! its own.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, JoinType, Result, ScalarValue};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, Join, Limit, LogicalPlan, LogicalPlanBuilder,
    Projection, SortExpr, Union, Unnest, Values, Window, lit,
};

use super::domain::{Domain, fresh, renamed};
use super::shape::{exprs, named, projected};
use super::{keys, native};
use crate::sql::Failure;
use crate::trino::functions::coalesced;

/// The plan's rows for each row of the domain: the plan's columns, then the domain's.
pub(super) fn over(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    if !domain.is_seen_by(plan)? {
        return crossed(plan, domain);
    }
    match plan {
        LogicalPlan::Subquery(subquery) => over(&subquery.subquery, domain),
        LogicalPlan::SubqueryAlias(alias) => {
            let input = over(&alias.input, domain)?;
            let shown = named(exprs(alias.input.schema()), &alias.schema);
            projected(input, shown.into_iter().chain(domain.columns()))
        }
        LogicalPlan::Projection(Projection { input, expr, .. }) => {
            if expr.iter().any(native::looks_around) && !keys::is_one_row(input) {
                return Err(unsupported());
            }
            let shown = domain.substitution().here(plan)?;
            projected(over(input, domain)?, shown.into_iter().chain(domain.columns()))
        }
        LogicalPlan::Filter(filter) => same(plan, &filter.input, domain),
        LogicalPlan::Sort(sort) => match sort.fetch {
            Some(fetch) => first(&sort.input, &sort.expr, 0, Some(fetch), domain),
            None => same(plan, &sort.input, domain),
        },
        LogicalPlan::Distinct(Distinct::All(input)) => {
            LogicalPlanBuilder::from(over(input, domain)?).distinct()?.build()
        }
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
            total(plan, aggregate, domain)
        }
        LogicalPlan::Aggregate(aggregate) => grouped(plan, aggregate, domain),
        LogicalPlan::Window(window) => windowed(plan, window, domain),
        LogicalPlan::Limit(limit) => limited(limit, domain),
        LogicalPlan::Union(union) => united(union, domain),
        LogicalPlan::Values(values) => listed(plan, values, domain),
        LogicalPlan::Unnest(unnest) => unnested(unnest, domain),
        LogicalPlan::Join(join) => joined(plan, join, domain),
        _ => Err(unsupported()),
    }
}

pub(super) fn unsupported() -> datafusion::error::DataFusionError {
    Failure::not_supported("Given correlated subquery is not supported").into()
}

fn crossed(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan.clone()).cross_join(domain.plan())?.build()
}

/// A node whose columns are its input's.
fn same(plan: &LogicalPlan, input: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    plan.with_new_exprs(domain.substitution().here(plan)?, vec![over(input, domain)?])
}

fn grouped(plan: &LogicalPlan, aggregate: &Aggregate, domain: &Domain) -> Result<LogicalPlan> {
    if matches!(aggregate.group_expr.first(), Some(Expr::GroupingSet(_))) {
        return Err(unsupported());
    }
    let mut groups = domain.substitution().here(plan)?;
    let aggregates = groups.split_off(aggregate.group_expr.len());
    groups.extend(domain.columns());
    let input = over(&aggregate.input, domain)?;
    let found = LogicalPlanBuilder::from(input).aggregate(groups, aggregates)?.build()?;
    projected(found, exprs(&aggregate.schema).chain(domain.columns()))
}

/// One row for each of the domain, with or without rows below: these are counted out by a mark.
fn total(plan: &LogicalPlan, aggregate: &Aggregate, domain: &Domain) -> Result<LogicalPlan> {
    if keys::is_filtered_unnest(aggregate) {
        return Err(unsupported());
    }
    let below = domain.again()?;
    let mark = Column::new(Some(fresh("mark")), "is");
    let input = over(&aggregate.input, &below)?;
    let marked = exprs(input.schema())
        .chain([lit(true).alias_qualified(mark.relation.clone(), mark.name.clone())])
        .collect::<Vec<_>>();
    let input = projected(input, marked)?;
    let rows = LogicalPlanBuilder::from(domain.plan())
        .join_on(input, JoinType::Left, domain.equals(&below))?
        .build()?;
    let aggregates: Vec<Expr> = below
        .substitution()
        .here(plan)?
        .into_iter()
        .map(|expr| counted(expr, &mark))
        .collect::<Result<_>>()?;
    let found = LogicalPlanBuilder::from(rows).aggregate(domain.columns(), aggregates)?.build()?;
    projected(found, exprs(&aggregate.schema).chain(domain.columns()))
}

/// An aggregate of the marked rows alone, under its own name.
fn counted(expr: Expr, mark: &Column) -> Result<Expr> {
    let name = expr.schema_name().to_string();
    let (expr, alias) = match expr {
        Expr::Alias(alias) => (*alias.expr, Some((alias.relation, alias.name))),
        other => (other, None),
    };
    let Expr::AggregateFunction(AggregateFunction { func, mut params }) = expr else {
        return Err(unsupported());
    };
    let is_row = Expr::Column(mark.clone()).is_not_null();
    params.filter = Some(Box::new(match params.filter.take() {
        Some(filter) => is_row.and(*filter),
        None => is_row,
    }));
    let expr = Expr::AggregateFunction(AggregateFunction { func, params });
    Ok(match alias {
        Some((relation, name)) => expr.alias_qualified(relation, name),
        None => expr.alias(name),
    })
}

fn windowed(plan: &LogicalPlan, window: &Window, domain: &Domain) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = domain.columns().collect();
    let windows = domain
        .substitution()
        .here(plan)?
        .into_iter()
        .map(|expr| parted(expr, &columns))
        .collect::<Result<Vec<_>>>()?;
    let found =
        LogicalPlan::Window(Window::try_new(windows, Arc::new(over(&window.input, domain)?))?);
    projected(found, exprs(&window.schema).chain(domain.columns()))
}

/// A window function that looks at rows of the same values alone, under its own name.
fn parted(expr: Expr, columns: &[Expr]) -> Result<Expr> {
    let name = expr.schema_name().to_string();
    let (expr, name) = match expr {
        Expr::Alias(alias) => (*alias.expr, alias.name),
        other => (other, name),
    };
    let Expr::WindowFunction(mut function) = expr else { return Err(unsupported()) };
    function.params.partition_by.extend(columns.iter().cloned());
    Ok(Expr::WindowFunction(function).alias(name))
}

/// A number that a LIMIT or OFFSET says.
fn number(expr: Option<&Expr>) -> Result<Option<usize>> {
    match expr {
        None => Ok(None),
        Some(Expr::Literal(ScalarValue::Int64(None), _)) => Ok(None),
        Some(Expr::Literal(ScalarValue::Int64(Some(number)), _)) => {
            usize::try_from(*number).map(Some).map_err(|_| unsupported())
        }
        Some(_) => Err(unsupported()),
    }
}

fn limited(limit: &Limit, domain: &Domain) -> Result<LogicalPlan> {
    let skip = number(limit.skip.as_deref())?.unwrap_or(0);
    let fetch = number(limit.fetch.as_deref())?;
    match limit.input.as_ref() {
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => {
            first(&sort.input, &sort.expr, skip, fetch, domain)
        }
        // What is sorted by may be no column of the result.
        LogicalPlan::Projection(projection)
            if matches!(projection.input.as_ref(), LogicalPlan::Sort(_)) =>
        {
            let below =
                LogicalPlan::Limit(Limit { input: projection.input.clone(), ..limit.clone() });
            let shown = domain.substitution().here(limit.input.as_ref())?;
            projected(over_limit(&below, domain)?, shown.into_iter().chain(domain.columns()))
        }
        other => first(other, &[], skip, fetch, domain),
    }
}

fn over_limit(plan: &LogicalPlan, domain: &Domain) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Limit(limit) => limited(limit, domain),
        other => over(other, domain),
    }
}

/// The first rows for each of the domain.
fn first(
    input: &LogicalPlan,
    order: &[SortExpr],
    skip: usize,
    fetch: Option<usize>,
    domain: &Domain,
) -> Result<LogicalPlan> {
    if !keys::are_plain_and_grouped(input, domain)? {
        return Err(unsupported());
    }
    let substitution = domain.substitution();
    let order = order
        .iter()
        .map(|sort| {
            let expr = substitution.in_expr(sort.expr.clone(), input.schema(), true)?;
            Ok(SortExpr { expr, ..sort.clone() })
        })
        .collect::<Result<Vec<_>>>()?;
    let place = Column::new(Some(fresh("place")), "at");
    let rows = over(input, domain)?;
    let shown: Vec<Expr> = exprs(rows.schema()).collect();
    let mut at = row_number().partition_by(domain.columns().collect());
    if !order.is_empty() {
        at = at.order_by(order);
    }
    let at = at.build()?;
    let numbered =
        LogicalPlanBuilder::from(rows).window([at.alias(place.name.clone())])?.build()?;
    let own = Column::from_name(place.name.clone());
    let numbered = projected(numbered, shown.iter().cloned().chain([renamed(own, &place)]))?;
    let number = |count: usize| lit(u64::try_from(count).unwrap_or(u64::MAX));
    let mut kept = Expr::Column(place.clone()).gt(number(skip));
    if let Some(fetch) = fetch {
        kept = kept.and(Expr::Column(place).lt_eq(number(skip.saturating_add(fetch))));
    }
    let kept = LogicalPlanBuilder::from(numbered).filter(kept)?.build()?;
    projected(kept, shown)
}

fn united(union: &Union, domain: &Domain) -> Result<LogicalPlan> {
    let inputs = union.inputs.iter().map(|input| {
        let columns: Vec<Expr> = exprs(input.schema()).collect();
        projected(over(input, domain)?, columns.into_iter().chain(domain.columns()))
    });
    together(inputs, &union.schema, domain)
}

/// Rows with outer values in them: each is a row of the domain's.
fn listed(plan: &LogicalPlan, values: &Values, domain: &Domain) -> Result<LogicalPlan> {
    let exprs = domain.substitution().here(plan)?;
    let rows = exprs.chunks(values.schema.fields().len()).map(|row| {
        let shown = named(row.to_vec(), &values.schema);
        projected(domain.plan(), shown.into_iter().chain(domain.columns()))
    });
    together(rows, &values.schema, domain)
}

/// The rows of all parts under the names of a schema and the domain.
fn together(
    mut parts: impl Iterator<Item = Result<LogicalPlan>>,
    schema: &DFSchema,
    domain: &Domain,
) -> Result<LogicalPlan> {
    let begun = parts.next().ok_or_else(unsupported)??;
    let all = parts
        .try_fold(LogicalPlanBuilder::from(begun), |builder, part| builder.union(part?))?
        .build()?;
    let found: Vec<Expr> = exprs(all.schema()).collect();
    let (own, outer) = found.split_at(schema.fields().len());
    let mut shown = named(own.to_vec(), schema);
    shown.extend(outer.iter().zip(&domain.pairs).map(|(value, (_, name))| {
        value.clone().alias_qualified(name.relation.clone(), name.name.clone())
    }));
    projected(all, shown)
}

fn unnested(unnest: &Unnest, domain: &Domain) -> Result<LogicalPlan> {
    let input = over(&unnest.input, domain)?;
    LogicalPlanBuilder::from(input)
        .unnest_columns_with_options(unnest.exec_columns.clone(), unnest.options.clone())?
        .build()
}

/// A join: the domain comes by the side whose rows are all kept.
fn joined(plan: &LogicalPlan, join: &Join, domain: &Domain) -> Result<LogicalPlan> {
    use JoinType::{Full, Inner, Left, LeftAnti, LeftMark, LeftSemi, Right, RightAnti, RightSemi};
    let lateral = super::free::is_lateral(&join.right);
    if lateral && !matches!(join.join_type, Inner | Left) {
        return Err(unsupported());
    }
    let mut sides = [domain.is_seen_by(&join.left)?, !lateral && domain.is_seen_by(&join.right)?];
    match join.join_type {
        Left | LeftSemi | LeftAnti | LeftMark => sides[0] = true,
        Right | RightSemi | RightAnti => sides[1] = true,
        Full => sides = [true, true],
        _ if lateral || sides == [false, false] => sides[0] = true,
        _ => {}
    }
    let other = domain.again()?;
    let (left_domain, right_domain) = if sides[0] { (domain, &other) } else { (&other, domain) };
    let left = if sides[0] { over(&join.left, left_domain)? } else { join.left.as_ref().clone() };
    let right = match (lateral, sides[1]) {
        (true, _) => left_domain.substitution().below(&join.right)?,
        (false, true) => over(&join.right, right_domain)?,
        (false, false) => join.right.as_ref().clone(),
    };
    let shown_domain =
        if sides[0] && !matches!(join.join_type, Right) { left_domain } else { right_domain };
    let mut conditions: Vec<Expr> = join
        .on
        .iter()
        .map(|(one, two)| Ok(one.clone().eq(two.clone())))
        .chain(join.filter.iter().map(|filter| {
            let scope = join.left.schema().join(join.right.schema())?;
            shown_domain.substitution().in_expr(filter.clone(), &scope, true)
        }))
        .collect::<Result<_>>()?;
    if sides == [true, true] {
        conditions.extend(left_domain.equals(right_domain));
    }
    let found = LogicalPlanBuilder::from(left)
        .join_on(right, join.join_type, conditions.into_iter().reduce(Expr::and))?
        .build()?;
    let values = domain.pairs.iter().enumerate().map(|(at, (_, name))| {
        let one = Expr::Column(left_domain.pairs[at].1.clone());
        let two = Expr::Column(right_domain.pairs[at].1.clone());
        let value = match join.join_type {
            Full => coalesced(vec![one, two]),
            Right | RightSemi | RightAnti => two,
            _ if sides[0] => one,
            _ => two,
        };
        match &value {
            Expr::Column(column) if column == name => value,
            _ => value.alias_qualified(name.relation.clone(), name.name.clone()),
        }
    });
    let shown: Vec<Expr> = exprs(plan.schema()).chain(values).collect();
    projected(found, shown)
}
