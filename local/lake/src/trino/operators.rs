//! Operators with Trino's types: which function computes them, and which pairs of
//! types have none.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Operator, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::functions::operator_name;
use super::temporal::Temporal;
use crate::sql::{Failure, TrinoType};

/// Plans binary operators.
#[derive(Debug)]
pub(super) struct TrinoOperators {
    functions: HashMap<&'static str, Arc<ScalarUDF>>,
    temporal: Option<Temporal>,
}

impl TrinoOperators {
    pub fn new(scalar: &[Arc<ScalarUDF>], temporal: Option<Temporal>) -> Self {
        const NAMES: [&str; 15] = [
            "$add",
            "$subtract",
            "$multiply",
            "$divide",
            "$modulus",
            "$shift",
            "$shift_back",
            "$elapsed",
            "$interval_add",
            "$interval_subtract",
            "$interval_multiply",
            "$interval_divide",
            "$interval_negate",
            "concat",
            "$equals",
        ];
        let functions = NAMES
            .into_iter()
            .filter_map(|name| {
                scalar
                    .iter()
                    .find(|function| function.name() == name)
                    .map(|function| (name, function.clone()))
            })
            .collect();
        Self { functions, temporal }
    }

    fn distinct(
        &self,
        op: Operator,
        (left, left_kind): (Expr, TrinoType),
        (right, right_kind): (Expr, TrinoType),
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        if !comparable(&left_kind, &right_kind) {
            let name = BinaryOperator::Custom(DISTINCT.to_owned());
            return Err(inapplicable(&name, &left_kind, &right_kind).into());
        }
        let (left, right) = match &self.temporal {
            Some(temporal) => temporal.compared((left, &left_kind), (right, &right_kind)),
            None => (left, right),
        };
        Ok(PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr::new(
            Box::new(left),
            op,
            Box::new(right),
        ))))
    }

    fn call(&self, name: &str, arguments: Vec<Expr>) -> Result<PlannerResult<RawBinaryExpr>> {
        let function = self.functions.get(name).ok_or_else(|| {
            Failure::new("FUNCTION_NOT_FOUND", format!("Function '{name}' not registered"))
        })?;
        Ok(PlannerResult::Planned(Expr::ScalarFunction(ScalarFunction::new_udf(
            function.clone(),
            arguments,
        ))))
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
        if is_negation(&op) {
            return negated(left, &left_kind, self.functions.get("$interval_negate"));
        }
        if let Some(distinct) = distinct(&op) {
            return self.distinct(distinct, (left, left_kind), (right, right_kind));
        }
        if !is_comparison(&op) {
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        }
        if !comparable(&left_kind, &right_kind) {
            return Err(inapplicable(&op, &left_kind, &right_kind).into());
        }
        let nested = |kind: &TrinoType| match kind {
            TrinoType::Array(_) | TrinoType::Map(..) => true,
            TrinoType::Row(_) => kind.holds_zone(),
            _ => false,
        };
        let zoned_parts = |kind: &TrinoType| nested(kind) && kind.holds_zone();
        if !is_equality(&op) && (zoned_parts(&left_kind) || zoned_parts(&right_kind)) {
            return Err(Failure::not_supported(
                "ordering arrays and rows of values with time zones is not supported",
            )
            .into());
        }
        if nested(&left_kind) && nested(&right_kind) && is_equality(&op) {
            let equal = self.call("$equals", vec![left, right])?;
            return Ok(match equal {
                PlannerResult::Planned(equal) if op == BinaryOperator::NotEq => {
                    PlannerResult::Planned(Expr::Not(Box::new(equal)))
                }
                equal => equal,
            });
        }
        let (left, right) =
            (floating(left, &left_kind, &right_kind), floating(right, &right_kind, &left_kind));
        let (left, right) = match &self.temporal {
            Some(temporal) => temporal.compared((left, &left_kind), (right, &right_kind)),
            None => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// A decimal that is compared with a floating number is one, as in Trino; DataFusion makes decimals of both, which
/// infinity is none of.
fn floating(side: Expr, kind: &TrinoType, other: &TrinoType) -> Expr {
    match (kind, other) {
        (TrinoType::Decimal(..), TrinoType::Double | TrinoType::Real) => {
            Expr::Cast(Cast::new(Box::new(side), other.to_arrow()))
        }
        _ => side,
    }
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

/// `IS [NOT] DISTINCT FROM`, which the rewriter makes an operator of.
fn distinct(op: &BinaryOperator) -> Option<Operator> {
    match op {
        BinaryOperator::Custom(name) if name == DISTINCT => Some(Operator::IsDistinctFrom),
        BinaryOperator::Custom(name) if name == NOT_DISTINCT => Some(Operator::IsNotDistinctFrom),
        _ => None,
    }
}

fn is_negation(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::Custom(name) if name == NEGATION)
}

/// `-x` of a number or an interval.
fn negated(
    value: Expr,
    kind: &TrinoType,
    of_interval: Option<&Arc<ScalarUDF>>,
) -> Result<PlannerResult<RawBinaryExpr>> {
    match of_interval {
        Some(function) if kind.is_interval() => Ok(PlannerResult::Planned(Expr::ScalarFunction(
            ScalarFunction::new_udf(function.clone(), vec![value]),
        ))),
        _ if kind.is_numeric() || *kind == TrinoType::Unknown => {
            Ok(PlannerResult::Planned(Expr::Negative(Box::new(value))))
        }
        _ => Err(Failure::type_mismatch(format!("Cannot negate {kind}")).into()),
    }
}

/// `-x` as an operator, whose right side is not looked at.
pub(super) const NEGATION: &str = "-x";
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

/// Whether Trino compares the two types without a cast.
fn comparable(left: &TrinoType, right: &TrinoType) -> bool {
    use TrinoType::{Array, Char, Json, Map, Row, Unknown, Varchar};
    match (left, right) {
        (Unknown, _) | (_, Unknown) => true,
        (left, right) if left.is_numeric() && right.is_numeric() => true,
        (Varchar(_) | Char(_) | Json, Varchar(_) | Char(_) | Json) => true,
        (left, right) if left.is_moment() && right.is_moment() => true,
        (left, right) if left.is_time() && right.is_time() => true,
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
