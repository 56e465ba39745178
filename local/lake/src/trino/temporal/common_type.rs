//! Where SQL asks for one type: CASE, COALESCE, IN, arguments, UNION, keys of joins.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{
    BinaryExpr, Case, InList, InSubquery, ScalarFunction, SetComparison,
};
use datafusion::logical_expr::{
    Expr, Join, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, Union,
};

use super::{Temporal, kind_of, no_common, refuse_parts};
use crate::sql::TrinoType;
use crate::trino::functions::{Function, common};

impl Temporal {
    /// One expression whose parts are done.
    pub(super) fn expression(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
                let (left_kind, right_kind) = (kind_of(&left, schema)?, kind_of(&right, schema)?);
                refuse_others(&left_kind, &right_kind)?;
                let (left, right) = self.compared((*left, &left_kind), (*right, &right_kind));
                Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(left),
                    op,
                    Box::new(right),
                )))
            }
            Expr::Case(case) => Transformed::yes(Expr::Case(self.case(case, schema)?)),
            Expr::InList(list) => Transformed::yes(Expr::InList(self.in_list(list, schema)?)),
            Expr::InSubquery(found) => {
                let (value, subquery) =
                    self.beside_subquery(*found.expr, found.subquery, schema)?;
                let found = InSubquery::new(Box::new(value), subquery, found.negated);
                Transformed::yes(Expr::InSubquery(found))
            }
            Expr::SetComparison(found) => {
                let (value, subquery) =
                    self.beside_subquery(*found.expr, found.subquery, schema)?;
                Transformed::yes(Expr::SetComparison(SetComparison::new(
                    Box::new(value),
                    subquery,
                    found.op,
                    found.quantifier,
                )))
            }
            Expr::ScalarFunction(call) => {
                Transformed::yes(Expr::ScalarFunction(self.arguments(call, schema)?))
            }
            Expr::AggregateFunction(call) => {
                Transformed::yes(Expr::AggregateFunction(self.aggregate(call, schema)?))
            }
            Expr::WindowFunction(call) => {
                Transformed::yes(Expr::WindowFunction(self.window(call, schema)?))
            }
            other => Transformed::no(other),
        })
    }

    /// Expressions as their common type, which they have to have; those that have nothing to do
    /// with time stay as they are.
    pub(super) fn as_one(
        &self,
        what: &str,
        exprs: Vec<Expr>,
        schema: &DFSchema,
    ) -> Result<Vec<Expr>> {
        let kinds = kinds_of(&exprs, schema)?;
        let common = common(&kinds).ok_or_else(|| no_common(what, &kinds))?;
        if !kinds.iter().any(TrinoType::holds_time) {
            return Ok(exprs);
        }
        Ok(exprs
            .into_iter()
            .zip(&kinds)
            .map(|(expr, kind)| self.cast(expr, kind, &common))
            .collect())
    }

    /// Expressions as what they are compared by, for which they have to have a common type.
    fn as_comparable(&self, what: &str, exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
        let kinds = kinds_of(&exprs, schema)?;
        let common = common(&kinds).ok_or_else(|| no_common(what, &kinds))?;
        if !kinds.iter().any(TrinoType::holds_time) {
            return Ok(exprs);
        }
        refuse_parts(&common)?;
        Ok(exprs
            .into_iter()
            .zip(&kinds)
            .map(|(expr, kind)| self.comparable(expr, kind, &common))
            .collect())
    }

    fn case(&self, case: Case, schema: &DFSchema) -> Result<Case> {
        let (whens, mut results): (Vec<Expr>, Vec<Expr>) =
            case.when_then_expr.into_iter().map(|(when, then)| (*when, *then)).unzip();
        let (operand, whens) = match case.expr {
            None => (None, whens),
            Some(operand) => {
                let all = std::iter::once(*operand).chain(whens).collect();
                let mut all =
                    self.as_comparable("CASE operand and WHEN clauses", all, schema)?.into_iter();
                (all.next(), all.collect())
            }
        };
        let has_else = case.else_expr.is_some();
        results.extend(case.else_expr.map(|expr| *expr));
        let mut results = self.as_one("All CASE results", results, schema)?;
        let otherwise = if has_else { results.pop() } else { None };
        Ok(Case {
            expr: operand.map(Box::new),
            when_then_expr: whens
                .into_iter()
                .zip(results)
                .map(|(when, then)| (Box::new(when), Box::new(then)))
                .collect(),
            else_expr: otherwise.map(Box::new),
        })
    }

    fn in_list(&self, list: InList, schema: &DFSchema) -> Result<InList> {
        let all = std::iter::once(*list.expr).chain(list.list).collect();
        let mut all = self.as_comparable("IN value and list items", all, schema)?.into_iter();
        let value = all.next().unwrap_or_default();
        Ok(InList::new(Box::new(value), all.collect(), list.negated))
    }

    /// A value, and the subquery whose rows it is compared with.
    fn beside_subquery(
        &self,
        value: Expr,
        subquery: Subquery,
        schema: &DFSchema,
    ) -> Result<(Expr, Subquery)> {
        let plan = &subquery.subquery;
        let kinds = [kind_of(&value, schema)?, TrinoType::of_field(plan.schema().field(0))];
        let common =
            common(&kinds).ok_or_else(|| no_common("Value and result of subquery", &kinds))?;
        if !kinds.iter().any(TrinoType::holds_time) {
            return Ok((value, subquery));
        }
        refuse_parts(&common)?;
        let column = Expr::from(plan.schema().qualified_field(0));
        let shown = self.comparable(column, &kinds[1], &common);
        let plan = LogicalPlanBuilder::from(plan.clone()).project([shown])?.build()?;
        let value = self.comparable(value, &kinds[0], &common);
        Ok((value, Subquery { subquery: Arc::new(plan), ..subquery }))
    }

    /// Arguments as the types their function plans.
    fn arguments(&self, mut call: ScalarFunction, schema: &DFSchema) -> Result<ScalarFunction> {
        if call.func.name() == "coalesce" {
            call.args = self.as_one("All COALESCE operands", call.args, schema)?;
            return Ok(call);
        }
        let kinds = kinds_of(&call.args, schema)?;
        if !kinds.iter().any(TrinoType::holds_time) {
            return Ok(call);
        }
        let Some(function) = call.func.inner().downcast_ref::<Function>() else {
            return Ok(call);
        };
        let wanted = (function.plan)(&kinds)?.arguments;
        call.args = call
            .args
            .into_iter()
            .zip(kinds.iter().zip(&wanted))
            .map(|(expr, (kind, wanted))| {
                if kind.holds_time() && wanted.holds_time() {
                    self.cast(expr, kind, wanted)
                } else {
                    expr
                }
            })
            .collect();
        Ok(call)
    }

    /// Plans that put columns of several inputs into one, or compare them.
    pub(super) fn one_type(&self, node: LogicalPlan) -> Result<LogicalPlan> {
        match node {
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::Join(join) => self.join(join).map(LogicalPlan::Join),
            other => Ok(other),
        }
    }

    fn union(&self, union: Union) -> Result<LogicalPlan> {
        let columns = union.schema.fields().len();
        let mut wanted = Vec::with_capacity(columns);
        for at in 0..columns {
            let kinds: Vec<TrinoType> = union
                .inputs
                .iter()
                .map(|input| TrinoType::of_field(input.schema().field(at)))
                .collect();
            let mixed = kinds.iter().any(|kind| *kind != kinds[0]);
            let common =
                common(&kinds).ok_or_else(|| no_common("Columns of a set operation", &kinds))?;
            wanted.push((mixed && kinds.iter().any(TrinoType::holds_time)).then_some(common));
        }
        if wanted.iter().all(Option::is_none) {
            return Ok(LogicalPlan::Union(union));
        }
        let inputs = union
            .inputs
            .iter()
            .map(|input| {
                let exprs =
                    input.schema().iter().zip(&wanted).map(|((qualifier, field), wanted)| {
                        let column = Expr::from((qualifier, field));
                        match wanted {
                            Some(kind) => self
                                .cast(column, &TrinoType::of_field(field), kind)
                                .alias_qualified(qualifier.cloned(), field.name()),
                            None => column,
                        }
                    });
                let exprs: Vec<Expr> = exprs.collect();
                LogicalPlanBuilder::from(input.clone()).project(exprs)?.build().map(Arc::new)
            })
            .collect::<Result<Vec<_>>>()?;
        Union::try_new_with_loose_types(inputs).map(LogicalPlan::Union)
    }

    fn join(&self, mut join: Join) -> Result<Join> {
        join.on = join
            .on
            .into_iter()
            .map(|(left, right)| {
                let left_kind = kind_of(&left, join.left.schema())?;
                let right_kind = kind_of(&right, join.right.schema())?;
                refuse_others(&left_kind, &right_kind)?;
                refuse_parts(&left_kind)?;
                Ok(self.compared((left, &left_kind), (right, &right_kind)))
            })
            .collect::<Result<_>>()?;
        Ok(join)
    }
}

fn kinds_of(exprs: &[Expr], schema: &DFSchema) -> Result<Vec<TrinoType>> {
    exprs.iter().map(|expr| kind_of(expr, schema)).collect()
}

/// Refuses sides of a comparison without a common type. Those of operators are refused before;
/// what is left are a value and the column of a subquery.
fn refuse_others(left: &TrinoType, right: &TrinoType) -> Result<()> {
    let kinds = [left.clone(), right.clone()];
    match common(&kinds) {
        Some(_) => Ok(()),
        None => Err(no_common("Value and result of subquery", &kinds).into()),
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}
