//! Operators with Trino's types: which function computes them, and which pairs of
//! types have none.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF};
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
        const NAMES: [&str; 11] = [
            "$add",
            "$subtract",
            "$multiply",
            "$divide",
            "$modulus",
            "$shift",
            "$elapsed",
            "concat",
            "$equals",
            "$less",
            "$less_or_equal",
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
        if !comparable(&left_kind, &right_kind) {
            return Err(inapplicable(&op, &left_kind, &right_kind).into());
        }
        if is_order(&op) && !(orderable(&left_kind) && orderable(&right_kind)) {
            return Err(inapplicable(&op, &left_kind, &right_kind).into());
        }
        let chars = matches!((&left_kind, &right_kind), (TrinoType::Char(_), TrinoType::Char(_)));
        if !needs_function(&left_kind, &right_kind) || chars && is_equality(&op) {
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

/// Whether a type has an order: maps have none.
fn orderable(kind: &TrinoType) -> bool {
    match kind {
        TrinoType::Map(..) => false,
        TrinoType::Array(item) => orderable(item),
        TrinoType::Row(fields) => fields.iter().all(|(_, kind)| orderable(kind)),
        _ => true,
    }
}

fn is_order(op: &BinaryOperator) -> bool {
    is_comparison(op) && !is_equality(op)
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
