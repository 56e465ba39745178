//! The rewriter: a tree of Trino's SQL becomes a tree DataFusion plans with Trino's
//! meaning. Only what needs no types happens here; what does is done while planning
//! ([`super::operators`]) or inside the functions.

mod aggregate;
mod expression;
mod function;
mod grouping;
mod relation;
mod sample;
mod select;
mod values;
mod wildcard;
mod window;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Select, TableFactor, VisitMut, VisitorMut,
};

use crate::sql::Failure;

pub(super) use aggregate::NAMES as REWRITTEN_AGGREGATES;

pub(super) use grouping::DISTINCT as GROUP_BY_DISTINCT;
pub(super) use select::{UNNAMED, selects, shown_name};

/// Rewrites a query in place.
pub(super) fn rewrite(query: &mut Query) -> Result<(), Failure> {
    match query.visit(&mut Rewriter::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(failure) => Err(failure),
    }
}

#[derive(Default)]
struct Rewriter {
    /// Derived tables named so far.
    derived: usize,
    /// The selects being visited, the innermost last.
    scopes: Vec<wildcard::Scope>,
}

impl Rewriter {
    fn enter_select(&mut self, select: &mut Select) -> Result<(), Failure> {
        grouping::expand(select)?;
        wildcard::expand(select, &self.scopes, &mut self.derived)?;
        self.scopes.push(wildcard::scope(select));
        relation::enter(select, &mut self.derived)?;
        select::enter_select(select);
        Ok(())
    }
}

fn flow(done: Result<(), Failure>) -> ControlFlow<Failure> {
    match done {
        Ok(()) => ControlFlow::Continue(()),
        Err(failure) => ControlFlow::Break(failure),
    }
}

impl VisitorMut for Rewriter {
    type Break = Failure;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        values::one_type(query);
        flow(select::enter_query(query))
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        select::leave_query(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Failure> {
        flow(self.enter_select(select))
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Failure> {
        self.scopes.pop();
        select::leave_select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<Failure> {
        lower_name(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Failure> {
        flow(select::table_factor(factor))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
        expression::enter(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Failure> {
        flow(expression::leave(expr))
    }
}

/// Trino's names have no case, quoted or not.
pub(super) fn lower(ident: &mut Ident) {
    ident.value = ident.value.to_lowercase();
    ident.quote_style = Some('"');
}

fn lower_name(name: &mut ObjectName) {
    for part in &mut name.0 {
        if let ObjectNamePart::Identifier(ident) = part {
            lower(ident);
        }
    }
}
