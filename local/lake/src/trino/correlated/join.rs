//! `JOIN LATERAL`: the right side over the left one's rows.

use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan};

use super::domain::Domain;
use super::shape::{exprs, projected};
use super::{dependent, free};

/// A lateral join as a join; `None` when it is no lateral one.
pub(super) fn lateral(join: &Join) -> Result<Option<LogicalPlan>> {
    if !free::is_lateral(&join.right) {
        return Ok(None);
    }
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
        return Err(dependent::unsupported());
    }
    let left = join.left.schema();
    let seen: Vec<_> = free::of_plan(&join.right)?
        .into_iter()
        .filter(|(_, column)| left.has_column(column))
        .collect();
    let domain = Domain::of(&join.left, &seen)?;
    let found =
        if seen.is_empty() { plain(&join.right) } else { dependent::over(&join.right, &domain)? };
    let filter = join
        .on
        .iter()
        .map(|(one, two)| one.clone().eq(two.clone()))
        .chain(join.filter.clone())
        .reduce(Expr::and);
    let joined = domain.joined(join.left.as_ref().clone(), found, join.join_type, filter)?;
    projected(joined, exprs(&join.schema).collect::<Vec<_>>()).map(Some)
}

/// The plan without the mark that it may look around.
fn plain(plan: &LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Subquery(subquery) => subquery.subquery.as_ref().clone(),
        other => other.clone(),
    }
}
