//! Operators with Trino's types: which function computes them, and which pairs of
//! types have none.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::functions::operator_name;
use crate::sql::{Failure, TrinoType};

/// Plans binary operators.
#[derive(Debug)]
pub(super) struct TrinoOperators {
    functions: HashMap<&'static str, Arc<ScalarUDF>>,
}

impl TrinoOperators {
    pub fn new(scalar: &[Arc<ScalarUDF>]) -> Self {
        const NAMES: [&str; 9] = [
            "$add",
            "$subtract",
            "$multiply",
            "$divide",
            "$modulus",
            "$shift",
            "$elapsed",
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
        Self { functions }
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
                Some(Arithmetic::Shift { swap, negate }) => {
                    let (value, interval) = if swap { (right, left) } else { (left, right) };
                    let interval =
                        if negate { Expr::Negative(Box::new(interval)) } else { interval };
                    self.call("$shift", vec![value, interval])
                }
                Some(Arithmetic::Elapsed) => self.call("$elapsed", vec![left, right]),
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
        let nested = |kind: &TrinoType| matches!(kind, TrinoType::Array(_) | TrinoType::Map(..));
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
    /// A date or timestamp moved by an interval.
    Shift {
        swap: bool,
        negate: bool,
    },
    /// The time between two.
    Elapsed,
}

fn is_interval(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth)
}

fn is_moment(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Date | TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_))
}

fn arithmetic(op: &BinaryOperator, left: &TrinoType, right: &TrinoType) -> Option<Arithmetic> {
    let number = |kind: &TrinoType| kind.is_numeric() || *kind == TrinoType::Unknown;
    match op {
        _ if number(left) && number(right) => Some(Arithmetic::Numbers),
        BinaryOperator::Plus if is_moment(left) && is_interval(right) => {
            Some(Arithmetic::Shift { swap: false, negate: false })
        }
        BinaryOperator::Plus if is_interval(left) && is_moment(right) => {
            Some(Arithmetic::Shift { swap: true, negate: false })
        }
        BinaryOperator::Minus if is_moment(left) && is_interval(right) => {
            Some(Arithmetic::Shift { swap: false, negate: true })
        }
        BinaryOperator::Minus if is_moment(left) && is_moment(right) => Some(Arithmetic::Elapsed),
        _ => None,
    }
}

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
fn orderable(kind: &TrinoType) -> bool {
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
        (left, right) if is_moment(left) && is_moment(right) => true,
        (left, right) if is_interval(left) && is_interval(right) => true,
        (TrinoType::Time(_), TrinoType::Time(_)) => true,
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
