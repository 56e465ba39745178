//! `t.*` of a query around, and `(expression).*`: the fields of a row as columns.

use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName,
    Select, SelectItem, SelectItemQualifiedWildcardKind, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use crate::sql::Failure;
use crate::trino::ast::{call, quoted};

/// The relations of a select by name, with their columns where the query names them.
pub(super) type Scope = HashMap<String, Option<Vec<String>>>;

pub(super) fn scope(select: &Select) -> Scope {
    let mut found = Scope::new();
    for from in &select.from {
        for factor in factors(from) {
            if let Some((name, columns)) = named(factor) {
                found.insert(name, columns);
            }
        }
    }
    found
}

fn factors(from: &TableWithJoins) -> Vec<&TableFactor> {
    let all = std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
    all.flat_map(|factor| match factor {
        TableFactor::NestedJoin { table_with_joins, alias: None } => factors(table_with_joins),
        other => vec![other],
    })
    .collect()
}

fn named(factor: &TableFactor) -> Option<(String, Option<Vec<String>>)> {
    let (alias, own) = match factor {
        TableFactor::Table { alias, name, .. } => {
            (alias, name.0.last().and_then(|part| part.as_ident()))
        }
        TableFactor::Derived { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => (alias, None),
        _ => return None,
    };
    match (alias, own) {
        (Some(TableAlias { name, columns, .. }), _) => {
            let columns: Vec<String> =
                columns.iter().map(|column| column.name.value.to_lowercase()).collect();
            Some((name.value.to_lowercase(), (!columns.is_empty()).then_some(columns)))
        }
        (None, Some(name)) => Some((name.value.to_lowercase(), None)),
        (None, None) => None,
    }
}

/// Writes the wildcards of a select out that DataFusion's planner does not know. `scopes` are those
/// of the queries around, the nearest last.
pub(super) fn expand(
    select: &mut Select,
    scopes: &[Scope],
    names: &mut usize,
) -> Result<(), Failure> {
    let own = scope(select);
    let items = std::mem::take(&mut select.projection);
    let mut rows: Vec<(String, Expr, Vec<Ident>)> = Vec::new();
    let mut shown: Vec<SelectItem> = Vec::with_capacity(items.len());
    for item in items {
        match item {
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(ref name),
                ref options,
            ) => {
                let renamed = new_names(options)?;
                if let Some((relation, columns)) = outer_columns(name, &own, scopes) {
                    shown.extend(columns_of(&relation, &columns, &renamed)?);
                } else if let Some(row) = row_column(name, &own) {
                    rows.push(row_item(row, renamed, names, &mut shown));
                } else if renamed.is_empty() {
                    shown.push(item);
                } else {
                    let (relation, columns) = own_columns(name, &own).ok_or_else(|| {
                        Failure::not_supported(format!(
                            "{name}.* AS (...) of a relation whose columns the query does not name"
                        ))
                    })?;
                    shown.extend(columns_of(&relation, &columns, &renamed)?);
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(row), options) => {
                rows.push(row_item(row, new_names(&options)?, names, &mut shown));
            }
            other => shown.push(other),
        }
    }
    select.projection = shown;
    if rows.is_empty() { Ok(()) } else { with_rows(select, rows) }
}

/// The columns of `t.*`, where `t` is no relation of this query but one around.
fn outer_columns(
    name: &ObjectName,
    own: &Scope,
    scopes: &[Scope],
) -> Option<(String, Vec<String>)> {
    let [part] = name.0.as_slice() else { return None };
    let name = part.as_ident()?.value.to_lowercase();
    if own.contains_key(&name) {
        return None;
    }
    let columns = scopes.iter().rev().find_map(|scope| scope.get(&name))?;
    Some((name, columns.clone()?))
}

fn own_columns(name: &ObjectName, own: &Scope) -> Option<(String, Vec<String>)> {
    let [part] = name.0.as_slice() else { return None };
    let name = part.as_ident()?.value.to_lowercase();
    let columns = own.get(&name)?.clone()?;
    Some((name, columns))
}

/// The columns of a relation under their own names or new ones.
fn columns_of(
    relation: &str,
    columns: &[String],
    renamed: &[Ident],
) -> Result<Vec<SelectItem>, Failure> {
    if !renamed.is_empty() && renamed.len() != columns.len() {
        return Err(Failure::new(
            "MISMATCHED_COLUMN_ALIASES",
            format!(
                "Column alias list has {} entries but relation has {} columns",
                renamed.len(),
                columns.len()
            ),
        ));
    }
    Ok(columns
        .iter()
        .enumerate()
        .map(|(at, column)| SelectItem::ExprWithAlias {
            expr: Expr::CompoundIdentifier(vec![quoted(relation), quoted(column)]),
            alias: renamed.get(at).cloned().unwrap_or_else(|| quoted(column)),
        })
        .collect())
}

/// `a.b.*` of a column `b` of a relation `a`.
fn row_column(name: &ObjectName, own: &Scope) -> Option<Expr> {
    let parts: Vec<Ident> =
        name.0.iter().map(|part| part.as_ident().cloned()).collect::<Option<_>>()?;
    let relation = parts.first()?.value.to_lowercase();
    let is_column = match parts.as_slice() {
        [_] => !own.contains_key(&relation) && !own.is_empty(),
        [_, _] => own.contains_key(&relation),
        _ => false,
    };
    is_column.then(|| match parts.as_slice() {
        [one] => Expr::Identifier(one.clone()),
        _ => Expr::CompoundIdentifier(parts),
    })
}

/// The names of `.* AS (a, b)`, which were read as those of `EXCLUDE`.
fn new_names(options: &WildcardAdditionalOptions) -> Result<Vec<Ident>, Failure> {
    let names = match &options.opt_exclude {
        None => return Ok(Vec::new()),
        Some(ExcludeSelectItem::Single(name)) => vec![name.clone()],
        Some(ExcludeSelectItem::Multiple(names)) => names.clone(),
    };
    names
        .into_iter()
        .map(|name| match name.0.as_slice() {
            [part] => part.as_ident().cloned(),
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| Failure::new("SYNTAX_ERROR", "names of columns have one part"))
}

fn row_item(
    row: Expr,
    columns: Vec<Ident>,
    names: &mut usize,
    shown: &mut Vec<SelectItem>,
) -> (String, Expr, Vec<Ident>) {
    *names += 1;
    let name = format!("$row{names}");
    shown.push(SelectItem::QualifiedWildcard(
        SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![quoted(&name)])),
        WildcardAdditionalOptions::default(),
    ));
    (name, row, columns)
}

/// Each row becomes a relation of its fields: `CROSS JOIN UNNEST(ARRAY[row])`.
fn with_rows(select: &mut Select, rows: Vec<(String, Expr, Vec<Ident>)>) -> Result<(), Failure> {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
    };
    if grouped {
        return Err(Failure::not_supported("the fields of a row (.*) beside GROUP BY"));
    }
    let relations: Option<Vec<String>> = select
        .from
        .iter()
        .flat_map(factors)
        .map(|factor| named(factor).map(|(name, _)| name))
        .collect();
    if let Some(at) =
        select.projection.iter().position(|item| matches!(item, SelectItem::Wildcard(_)))
    {
        let Some(relations) = relations else {
            return Err(Failure::not_supported("the fields of a row (.*) beside *"));
        };
        let all = relations.iter().map(|name| {
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![quoted(name)])),
                WildcardAdditionalOptions::default(),
            )
        });
        let all: Vec<SelectItem> = all.collect();
        select.projection.splice(at..=at, all);
    }
    for (name, row, columns) in rows {
        let relation = TableFactor::UNNEST {
            alias: Some(TableAlias {
                explicit: true,
                name: quoted(&name),
                columns: columns
                    .into_iter()
                    .map(|name| TableAliasColumnDef { name, data_type: None })
                    .collect(),
                at: None,
            }),
            array_exprs: vec![call("$array", vec![row])],
            with_offset: false,
            with_offset_alias: None,
            with_ordinality: false,
        };
        match select.from.last_mut() {
            Some(from) => from.joins.push(Join {
                relation,
                global: false,
                join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
            }),
            None => select.from.push(TableWithJoins { relation, joins: Vec::new() }),
        }
    }
    Ok(())
}
