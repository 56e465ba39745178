//! Operators with Trino's types: which function computes them, and which pairs of
//! types have none.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::functions::{Function, operator_name};
use super::temporal::Temporal;
use crate::sql::{Failure, TrinoType};

/// Plans binary operators.
#[derive(Debug)]
pub(super) struct TrinoOperators {
    functions: HashMap<String, Arc<ScalarUDF>>,
    temporal: Option<Temporal>,
}

impl TrinoOperators {
    pub fn new(scalar: &[Arc<ScalarUDF>], temporal: Option<Temporal>) -> Self {
        let functions =
            scalar.iter().map(|function| (function.name().to_owned(), function.clone())).collect();
        Self { functions, temporal }
    }

    /// What the rewriter makes an operator of because its types decide.
    fn custom(
        &self,
        op: &Custom,
        (left, left_kind): (Expr, TrinoType),
        (right, right_kind): (Expr, TrinoType),
    ) -> Result<Expr> {
        match op {
            Custom::Negative if left_kind.is_interval() => {
                self.called("$interval_negate", vec![left])
            }
            Custom::Negative if left_kind.is_numeric() || left_kind == TrinoType::Unknown => {
                Ok(Expr::Negative(Box::new(left)))
            }
            Custom::Negative => {
                Err(Failure::type_mismatch(format!("Cannot negate {left_kind}")).into())
            }
            Custom::Extract(field) => {
                let call = self.called(field, vec![left])?;
                let Expr::ScalarFunction(ScalarFunction { func, .. }) = &call else {
                    return Ok(call);
                };
                let known = func.inner().downcast_ref::<Function>();
                if known
                    .is_some_and(|known| (known.plan)(std::slice::from_ref(&left_kind)).is_err())
                {
                    let field = field.to_uppercase();
                    return Err(Failure::type_mismatch(format!(
                        "Cannot extract {field} from {left_kind}"
                    ))
                    .into());
                }
                Ok(call)
            }
            Custom::Distinct(op) => {
                if !comparable(&left_kind, &right_kind) {
                    let shown = BinaryOperator::Custom(op.to_string());
                    return Err(inapplicable(&shown, &left_kind, &right_kind).into());
                }
                let (left, right) = match &self.temporal {
                    Some(temporal) => temporal.compared((left, &left_kind), (right, &right_kind)),
                    None => (left, right),
                };
                Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), *op, Box::new(right))))
            }
        }
    }

    fn called(&self, name: &str, arguments: Vec<Expr>) -> Result<Expr> {
        let function = self.functions.get(name).ok_or_else(|| {
            Failure::new("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered"))
        })?;
        Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function.clone(), arguments)))
    }

    fn call(&self, name: &str, arguments: Vec<Expr>) -> Result<PlannerResult<RawBinaryExpr>> {
        Ok(PlannerResult::Planned(self.called(name, arguments)?))
    }
}

impl ExprPlanner for TrinoOperators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let kind =
            |side: &Expr| side.to_field(schema).map(|(_, field)| TrinoType::of_field(&field));
        if let Some(custom) = custom(&op) {
            let known = |side: &Expr| kind(side).unwrap_or(TrinoType::Unknown);
            let (left_kind, right_kind) = (known(&left), known(&right));
            let planned = self.custom(&custom, (left, left_kind), (right, right_kind))?;
            return Ok(PlannerResult::Planned(planned));
        }
        let (Ok(left_kind), Ok(right_kind)) = (kind(&left), kind(&right)) else {
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        };
        if op == BinaryOperator::StringConcat {
            return self.call("concat", vec![left, right]);
        }
        if let Some(name) = operator_name(&op) {
            return match arithmetic(&op, &left_kind, &right_kind) {
                Some(Arithmetic::Numbers) => self.call(name, vec![left, right]),
                Some(Arithmetic::Function(name)) => self.call(name, vec![left, right]),
                Some(Arithmetic::Swapped(name)) => self.call(name, vec![right, left]),
                None => Err(inapplicable(&op, &left_kind, &right_kind).into()),
            };
        }
        if !is_comparison(&op) {
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        }
        let ordered = is_equality(&op) || (orderable(&left_kind) && orderable(&right_kind));
        if !ordered || !comparable(&left_kind, &right_kind) {
            return Err(inapplicable(&op, &left_kind, &right_kind).into());
        }
        let chars = matches!((&left_kind, &right_kind), (TrinoType::Char(_), TrinoType::Char(_)));
        if !needs_function(&left_kind, &right_kind) || chars && is_equality(&op) {
            let (left, right) = match &self.temporal {
                Some(temporal) => temporal.compared((left, &left_kind), (right, &right_kind)),
                None => (left, right),
            };
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        }
        match op {
            BinaryOperator::Eq => self.call("$equals", vec![left, right]),
            BinaryOperator::NotEq => Ok(PlannerResult::Planned(Expr::Not(Box::new(
                self.called("$equals", vec![left, right])?,
            )))),
            BinaryOperator::Lt => self.call("$less", vec![left, right]),
            BinaryOperator::LtEq => self.call("$less_or_equal", vec![left, right]),
            BinaryOperator::Gt => self.call("$less", vec![right, left]),
            _ => self.call("$less_or_equal", vec![right, left]),
        }
    }
}

/// Whether two types are compared otherwise than by Arrow's kernels.
fn needs_function(left: &TrinoType, right: &TrinoType) -> bool {
    use TrinoType::{Array, Char, Double, Map, Real, Row, Unknown};
    if matches!(left, Unknown) || matches!(right, Unknown) {
        return false;
    }
    let special =
        |kind: &TrinoType| matches!(kind, Array(_) | Map(..) | Row(_) | Double | Real | Char(_));
    special(left) || special(right)
}

fn inapplicable(op: &BinaryOperator, left: &TrinoType, right: &TrinoType) -> Failure {
    Failure::type_mismatch(format!("Cannot apply operator: {left} {op} {right}"))
}

enum Arithmetic {
    Numbers,
    Function(&'static str),
    /// A function that takes the right side first.
    Swapped(&'static str),
}

fn arithmetic(op: &BinaryOperator, left: &TrinoType, right: &TrinoType) -> Option<Arithmetic> {
    let number = |kind: &TrinoType| kind.is_numeric() || *kind == TrinoType::Unknown;
    if number(left) && number(right) {
        return Some(Arithmetic::Numbers);
    }
    let shifts = |value: &TrinoType, interval: &TrinoType| {
        value.is_moment() && interval.is_interval()
            || value.is_time() && *interval == TrinoType::IntervalDaySecond
    };
    Some(Arithmetic::Function(match op {
        BinaryOperator::Plus if shifts(left, right) => "$shift",
        BinaryOperator::Plus if shifts(right, left) => return Some(Arithmetic::Swapped("$shift")),
        BinaryOperator::Plus if left.is_interval() && left == right => "$interval_add",
        BinaryOperator::Minus if shifts(left, right) => "$shift_back",
        BinaryOperator::Minus if left.is_interval() && left == right => "$interval_subtract",
        BinaryOperator::Minus
            if left.is_moment() && right.is_moment() || left.is_time() && right.is_time() =>
        {
            "$elapsed"
        }
        BinaryOperator::Multiply
            if left.is_interval() && number(right) || number(left) && right.is_interval() =>
        {
            "$interval_multiply"
        }
        BinaryOperator::Divide if left.is_interval() && number(right) => "$interval_divide",
        _ => return None,
    }))
}

/// An operator that only the rewriter writes.
enum Custom {
    Negative,
    /// The function that takes a part of a time.
    Extract(String),
    Distinct(Operator),
}

fn custom(op: &BinaryOperator) -> Option<Custom> {
    let BinaryOperator::Custom(name) = op else { return None };
    match name.as_str() {
        NEGATION => Some(Custom::Negative),
        DISTINCT => Some(Custom::Distinct(Operator::IsDistinctFrom)),
        NOT_DISTINCT => Some(Custom::Distinct(Operator::IsNotDistinctFrom)),
        name => name.strip_prefix(EXTRACT).map(|part| Custom::Extract(part.to_owned())),
    }
}

/// `-x` as an operator, whose right side is not looked at.
pub(super) const NEGATION: &str = "-x";
/// What stands before the name of a part of `EXTRACT`, as an operator whose right side is not looked at.
pub(super) const EXTRACT: &str = "EXTRACT ";
/// `IS DISTINCT FROM` as an operator.
pub(super) const DISTINCT: &str = "IS DISTINCT FROM";
/// `IS NOT DISTINCT FROM` as an operator.
pub(super) const NOT_DISTINCT: &str = "IS NOT DISTINCT FROM";

fn is_equality(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq)
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

/// Whether Trino puts values of a type in order.
pub(super) fn orderable(kind: &TrinoType) -> bool {
    match kind {
        TrinoType::Json | TrinoType::Map(..) => false,
        TrinoType::Array(item) => orderable(item),
        TrinoType::Row(fields) => fields.iter().all(|field| orderable(&field.1)),
        _ => true,
    }
}

/// Whether Trino compares the two types without a cast.
fn comparable(left: &TrinoType, right: &TrinoType) -> bool {
    use TrinoType::{Array, Char, Map, Row, Unknown, Varchar};
    match (left, right) {
        (Unknown, _) | (_, Unknown) => true,
        (left, right) if left.is_numeric() && right.is_numeric() => true,
        (Varchar(_) | Char(_), Varchar(_) | Char(_)) => true,
        (left, right) if left.is_moment() && right.is_moment() => true,
        (left, right) if left.is_time() && right.is_time() => true,
        (left, right) if left.is_interval() && right.is_interval() => left == right,
        (Array(left), Array(right)) => comparable(left, right),
        (Map(key, value), Map(other_key, other_value)) => {
            comparable(key, other_key) && comparable(value, other_value)
        }
        (Row(left), Row(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| comparable(&left.1, &right.1))
        }
        (left, right) => left == right,
    }
}
