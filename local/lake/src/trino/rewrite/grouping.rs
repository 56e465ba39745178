//! `GROUP BY` with sets: what DataFusion's planner does not expand is written out.

use datafusion::sql::sqlparser::ast::{Expr, GroupByExpr, Select};

use crate::sql::Failure;

/// What stands for the word `DISTINCT` after `GROUP BY`, put there before parsing.
pub(in crate::trino) const DISTINCT: &str = "$distinct";
/// Most sets a `GROUP BY` may have, as in Trino.
const SETS: usize = 2_048;

/// Writes out sets with rows of columns in them, and sets that must differ.
pub(super) fn expand(select: &mut Select) -> Result<(), Failure> {
    let GroupByExpr::Expressions(exprs, _) = &mut select.group_by else { return Ok(()) };
    let distinct = exprs.first().is_some_and(is_mark);
    if distinct {
        exprs.remove(0);
    }
    let sets: Vec<Option<Vec<Vec<Expr>>>> = exprs.iter().map(sets_of).collect();
    let has_rows = exprs.iter().any(holds_rows);
    if !(has_rows || distinct && sets.iter().any(Option::is_some)) {
        return Ok(());
    }
    let mut all: Vec<Vec<Expr>> = vec![Vec::new()];
    for (expr, sets) in exprs.iter().zip(sets) {
        let sets = sets.unwrap_or_else(|| vec![vec![expr.clone()]]);
        if all.len().saturating_mul(sets.len()) > SETS {
            return Err(Failure::new(
                "TOO_MANY_GROUPING_SETS",
                format!("GROUP BY has more than {SETS} grouping sets"),
            ));
        }
        all = all
            .iter()
            .flat_map(|before| sets.iter().map(move |set| [before.as_slice(), set].concat()))
            .collect();
    }
    if distinct {
        let mut seen = std::collections::HashSet::new();
        all.retain(|set| {
            let names: std::collections::BTreeSet<String> = set.iter().map(name_of).collect();
            seen.insert(names)
        });
    }
    *exprs = vec![Expr::GroupingSets(all)];
    Ok(())
}

fn is_mark(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(name) if name.value == DISTINCT)
}

/// A column's name alone: `a` and `t.a` are one column.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::CompoundIdentifier(parts) => {
            parts.last().map_or_else(String::new, |part| part.value.to_lowercase())
        }
        Expr::Identifier(name) => name.value.to_lowercase(),
        other => other.to_string().to_lowercase(),
    }
}

fn holds_rows(expr: &Expr) -> bool {
    let (Expr::Rollup(groups) | Expr::Cube(groups)) = expr else { return false };
    groups.iter().any(|group| group.len() != 1 || matches!(group[0], Expr::Tuple(_)))
}

fn flat(group: &[Expr]) -> Vec<Expr> {
    group
        .iter()
        .flat_map(|expr| match expr {
            Expr::Tuple(parts) => parts.clone(),
            other => vec![other.clone()],
        })
        .collect()
}

/// The sets an element stands for; `None` for one that is a plain expression.
fn sets_of(expr: &Expr) -> Option<Vec<Vec<Expr>>> {
    match expr {
        Expr::GroupingSets(sets) => Some(sets.iter().map(|set| flat(set)).collect()),
        Expr::Rollup(groups) => {
            let groups: Vec<Vec<Expr>> = groups.iter().map(|group| flat(group)).collect();
            Some((0..=groups.len()).rev().map(|length| groups[..length].concat()).collect())
        }
        Expr::Cube(groups) if groups.len() <= 11 => {
            let groups: Vec<Vec<Expr>> = groups.iter().map(|group| flat(group)).collect();
            let subset = |mask: usize| {
                let chosen = groups.iter().enumerate().filter(move |(at, _)| mask >> at & 1 == 1);
                chosen.flat_map(|(_, group)| group.iter().cloned()).collect::<Vec<Expr>>()
            };
            Some((0..1_usize << groups.len()).rev().map(subset).collect())
        }
        _ => None,
    }
}
