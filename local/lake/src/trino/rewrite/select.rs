//! Names and ordinals of queries: what Trino calls a column without a name, and the
//! numbers that mean a column.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, LimitClause, NamedWindowExpr, OrderByExpr, OrderByKind, OrderByOptions,
    Query, Select, SelectItem, TableAlias, TableFactor, Value,
};

use super::{lower, sample};
use crate::sql::Failure;
use crate::trino::ast::{number, quoted, text};
use crate::trino::ties::MARK;

/// The name of a column that has none, until its place is known: `$unnamed0`.
pub(in crate::trino) const UNNAMED: &str = "$unnamed";
/// What follows the name of a column whose name another one has too: `a$same1`.
pub(in crate::trino) const SAME: &str = "$same";

/// A number that means a column, kept from becoming a value.
const ORDINAL: &str = "$ordinal";

pub(super) fn enter_query(query: &mut Query) -> Result<(), Failure> {
    if let Some(with) = &mut query.with {
        for table in &mut with.cte_tables {
            lower_alias(&mut table.alias);
        }
    }
    order_of_distinct(query);
    first_rows(query)?;
    for_ordinals(query, hide);
    if query.order_by.as_ref().is_some_and(|order| matches!(order.kind, OrderByKind::All(_))) {
        return Err(Failure::new("SYNTAX_ERROR", "ORDER BY ALL is not supported"));
    }
    Ok(())
}

/// `FETCH FIRST n ROWS` is a LIMIT; with ties, what is sorted by ends with a mark.
fn first_rows(query: &mut Query) -> Result<(), Failure> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.percent {
        return Err(Failure::new("SYNTAX_ERROR", "FETCH FIRST takes a number of rows"));
    }
    if fetch.with_ties {
        let Some(OrderByKind::Expressions(items)) = query.order_by.as_mut().map(|by| &mut by.kind)
        else {
            return Err(Failure::new(
                "MISSING_ORDER_BY",
                "FETCH FIRST WITH TIES clause requires ORDER BY",
            ));
        };
        items.push(OrderByExpr {
            expr: text(MARK),
            options: OrderByOptions::default(),
            with_fill: None,
        });
    }
    let rows = fetch.quantity.unwrap_or_else(|| number(1));
    let offset = match query.limit_clause.take() {
        Some(LimitClause::LimitOffset { offset, limit: None, .. }) => offset,
        None => None,
        Some(_) => return Err(Failure::new("SYNTAX_ERROR", "LIMIT beside FETCH FIRST")),
    };
    query.limit_clause =
        Some(LimitClause::LimitOffset { limit: Some(rows), offset, limit_by: Vec::new() });
    Ok(())
}

/// `SELECT DISTINCT a + b … ORDER BY a + b`: what is sorted by is a column of the result, however it
/// is written.
fn order_of_distinct(query: &mut Query) {
    use datafusion::sql::sqlparser::ast::{Distinct, SetExpr};
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    if !matches!(select.distinct, Some(Distinct::Distinct)) {
        return;
    }
    let shown: Vec<Option<String>> = select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                Some(without_relations(expr))
            }
            _ => None,
        })
        .collect();
    // Where `*` comes before it, the place of a column is not known here.
    let known = shown.iter().take_while(|name| name.is_some()).count();
    let names: HashSet<String> = select.projection.iter().filter_map(output_name).collect();
    let Some(order) = &mut query.order_by else { return };
    let OrderByKind::Expressions(items) = &mut order.kind else { return };
    for item in items {
        if matches!(item.expr, Expr::Identifier(_) | Expr::Value(_)) || mentions(&item.expr, &names)
        {
            continue;
        }
        let wanted = Some(without_relations(&item.expr));
        if let Some(at) = shown[..known].iter().position(|name| *name == wanted) {
            item.expr = Expr::Value(Value::Number((at + 1).to_string(), false).into());
        }
    }
}

/// The name a column of the result has for ORDER BY.
fn output_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            parts.last().map(|name| name.value.to_lowercase())
        }
        _ => None,
    }
}

fn mentions(expr: &Expr, names: &HashSet<String>) -> bool {
    use datafusion::sql::sqlparser::ast::visit_expressions;
    use std::ops::ControlFlow;
    visit_expressions(expr, |part| match part {
        Expr::Identifier(name) if names.contains(&name.value.to_lowercase()) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// The text of an expression with columns by their names alone.
fn without_relations(expr: &Expr) -> String {
    use datafusion::sql::sqlparser::ast::visit_expressions_mut;
    use std::ops::ControlFlow;
    let mut expr = expr.clone();
    let _: ControlFlow<()> = visit_expressions_mut(&mut expr, |part| {
        if let Expr::CompoundIdentifier(parts) = part
            && let Some(name) = parts.last()
        {
            *part = Expr::Identifier(name.clone());
        }
        ControlFlow::Continue(())
    });
    expr.to_string().to_lowercase()
}

pub(super) fn leave_query(query: &mut Query) {
    for_ordinals(query, show);
}

fn for_ordinals(query: &mut Query, mut change: impl FnMut(&mut Expr)) {
    if let Some(order) = &mut query.order_by
        && let OrderByKind::Expressions(items) = &mut order.kind
    {
        for item in items {
            change(&mut item.expr);
        }
    }
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, .. }) => {
            limit.iter_mut().for_each(&mut change);
            if let Some(offset) = offset {
                change(&mut offset.value);
            }
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => {
            change(offset);
            change(limit);
        }
        None => {}
    }
    if let Some(quantity) = query.fetch.as_mut().and_then(|fetch| fetch.quantity.as_mut()) {
        change(quantity);
    }
}

fn hide(expr: &mut Expr) {
    if let Expr::Value(value) = expr
        && let Value::Number(number, _) = &value.value
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        *expr = Expr::Value(Value::Placeholder(format!("{ORDINAL}{number}")).into());
    }
}

fn show(expr: &mut Expr) {
    if let Expr::Value(value) = expr
        && let Value::Placeholder(mark) = &value.value
        && let Some(number) = mark.strip_prefix(ORDINAL)
    {
        *expr = Expr::Value(Value::Number(number.to_owned(), false).into());
    }
}

fn group_ordinals(select: &mut Select, change: impl FnMut(&mut Expr)) {
    if let GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
        exprs.iter_mut().for_each(change);
    }
}

pub(super) fn enter_select(select: &mut Select) {
    group_ordinals(select, hide);
}

pub(super) fn leave_select(select: &mut Select) {
    for window in &mut select.named_window {
        if let NamedWindowExpr::WindowSpec(window) = &mut window.1 {
            super::window::plain_bounds(window);
        }
    }
    group_ordinals(select, show);
    let mut names = HashSet::new();
    let mut lasts: HashSet<(String, bool)> = HashSet::new();
    for (at, item) in select.projection.iter_mut().enumerate() {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => {
                lower(alias);
                (expr, Some(alias.clone()))
            }
            SelectItem::ExprWithAliases { .. }
            | SelectItem::QualifiedWildcard(..)
            | SelectItem::Wildcard(_) => continue,
        };
        // A column keeps its name and its table; two of one name need a difference.
        let (known_as, name) = match (&alias, &*expr) {
            (Some(alias), _) => (alias.value.clone(), alias.value.clone()),
            (None, Expr::Identifier(ident)) => (ident.value.clone(), ident.value.clone()),
            (None, Expr::CompoundIdentifier(parts)) => (
                parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join("."),
                parts.last().map_or_else(String::new, |part| part.value.clone()),
            ),
            (None, _) => {
                let name = format!("{UNNAMED}{at}");
                (name.clone(), name)
            }
        };
        // `v1` and `t.v1` may be one column.
        let qualified = known_as != name;
        let fresh = names.insert(known_as) && !lasts.contains(&(name.clone(), !qualified));
        lasts.insert((name.clone(), qualified));
        let plain = alias.is_none() && !name.starts_with(UNNAMED);
        if fresh && (plain || alias.is_some()) {
            continue;
        }
        let name = if fresh { name } else { format!("{name}{SAME}{at}") };
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: quoted(&name) };
    }
}

/// Whether the outermost select names a column.
pub(in crate::trino) fn selects(query: &Query, column: &str) -> bool {
    use datafusion::sql::sqlparser::ast::SetExpr;
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.value == column,
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            parts.last().is_some_and(|part| part.value == column)
        }
        SelectItem::ExprWithAlias { alias, .. } => alias.value == column,
        _ => false,
    })
}

/// The name the user sees of a planned column at a position.
pub(in crate::trino) fn shown_name(name: &str, position: usize) -> String {
    if name.starts_with(UNNAMED) {
        return format!("_col{position}");
    }
    match name.split_once(SAME) {
        Some((before, _)) => before.to_owned(),
        None => name.to_owned(),
    }
}

pub(super) fn table_factor(factor: &mut TableFactor) -> Result<(), Failure> {
    sample::by_chance(factor)?;
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::TableFunction { alias, .. } => alias.iter_mut().for_each(lower_alias),
        TableFactor::MatchRecognize { .. } => {
            return Err(Failure::not_supported("MATCH_RECOGNIZE is not supported"));
        }
        _ => return Err(Failure::not_supported("this kind of relation is not supported")),
    }
    Ok(())
}

fn lower_alias(alias: &mut TableAlias) {
    lower(&mut alias.name);
    alias.columns.iter_mut().for_each(|column| lower(&mut column.name));
}
