//! One expression after another, from the leaves up.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CeilFloorKind, DataType, DateTimeField, ExactNumberInfo, Expr,
    Interval, Subscript, TrimWhereField, UnaryOperator, Value,
};

use super::{function, lower};
use crate::sql::Failure;
use crate::trino::ast::{call, native_cast, number, text};
use crate::trino::functions;
use crate::trino::operators::{DISTINCT, NEGATION, NOT_DISTINCT};

/// On the way down: a sign belongs to its number, so that `-2147483648` is an integer.
pub(super) fn enter(expr: &mut Expr) {
    if let Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } = expr
        && let Expr::Value(value) = inner.as_ref()
        && let Value::Number(digits, _) = &value.value
        && !digits.starts_with('-')
    {
        *expr = number(format!("-{digits}"));
    }
    if let Expr::Lambda(lambda) = expr {
        use datafusion::sql::sqlparser::ast::OneOrManyWithParens;
        match &mut lambda.params {
            OneOrManyWithParens::One(parameter) => lower(&mut parameter.name),
            OneOrManyWithParens::Many(parameters) => {
                for parameter in parameters {
                    lower(&mut parameter.name);
                }
            }
        }
    }
}

/// On the way up.
pub(super) fn leave(expr: &mut Expr) -> Result<(), Failure> {
    let taken = std::mem::replace(expr, Expr::Value(Value::Null.into()));
    *expr = rewritten(taken)?;
    Ok(())
}

fn rewritten(expr: Expr) -> Result<Expr, Failure> {
    Ok(match expr {
        Expr::Identifier(mut ident) => {
            lower(&mut ident);
            Expr::Identifier(ident)
        }
        Expr::CompoundIdentifier(mut parts) => {
            parts.iter_mut().for_each(lower);
            Expr::CompoundIdentifier(parts)
        }
        Expr::Value(value) => match value.value {
            Value::Number(digits, _) => literal(&digits)?,
            Value::HexStringLiteral(digits) => {
                let digits: String = digits.split_whitespace().collect();
                call("from_hex", vec![text(&digits)])
            }
            Value::UnicodeStringLiteral(value) => text(&value),
            other => Expr::Value(other.into()),
        },
        Expr::Between { expr, negated, low, high } => between(*expr, negated, *low, *high),
        Expr::Like { negated, any: false, expr, pattern, escape_char } => {
            like(negated, *expr, *pattern, escape_char.map(Expr::Value))
        }
        Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(_) } => call("ceiling", vec![*expr]),
        Expr::Ceil { expr, field: CeilFloorKind::Scale(scale) } => {
            call("ceiling", vec![*expr, Expr::Value(scale)])
        }
        Expr::Floor { expr, field: CeilFloorKind::DateTimeField(_) } => call("floor", vec![*expr]),
        Expr::Floor { expr, field: CeilFloorKind::Scale(scale) } => {
            call("floor", vec![*expr, Expr::Value(scale)])
        }
        Expr::Position { expr, r#in } => call("strpos", vec![*r#in, *expr]),
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let mut arguments = vec![*expr];
            arguments.push(substring_from.map_or_else(|| number(1), |from| *from));
            arguments.extend(substring_for.map(|length| *length));
            call("substr", arguments)
        }
        Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
            let name = trim_name(trim_where);
            let mut arguments = vec![*expr];
            arguments.extend(trim_what.map(|what| *what));
            arguments.extend(trim_characters.into_iter().flatten());
            call(name, arguments)
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            call("at_timezone", vec![*timestamp, *time_zone])
        }
        Expr::Interval(interval) => interval_literal(&interval)?,
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            custom(*expr, NEGATION, Expr::Value(Value::Null.into()))
        }
        Expr::IsDistinctFrom(left, right) => custom(*left, DISTINCT, *right),
        Expr::IsNotDistinctFrom(left, right) => custom(*left, NOT_DISTINCT, *right),
        Expr::Array(array) => call("$array", array.elem),
        Expr::Tuple(values) => call("row", values),
        Expr::CompoundFieldAccess { root, access_chain } => access(*root, access_chain)?,
        Expr::Function(found) => function::rewritten(found)?,
        Expr::TypedString(typed) => {
            return Err(Failure::new(
                "TYPE_NOT_FOUND",
                format!("Unknown type: {}", typed.data_type),
            ));
        }
        other => foreign(other)?,
    })
}

/// Refuses what sqlparser reads and the Trino of Athena's engine does not.
fn foreign(expr: Expr) -> Result<Expr, Failure> {
    match expr {
        Expr::IsTrue(_) | Expr::IsNotTrue(_) => Err(unread("TRUE")),
        Expr::IsFalse(_) | Expr::IsNotFalse(_) => Err(unread("FALSE")),
        Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => Err(unread("UNKNOWN")),
        Expr::Overlay { .. } => {
            Err(Failure::new("SYNTAX_ERROR", "mismatched input 'PLACING'. Expecting: ')'"))
        }
        Expr::ILike { .. } | Expr::SimilarTo { .. } | Expr::RLike { .. } => {
            Err(Failure::new("SYNTAX_ERROR", "ILIKE, SIMILAR TO and RLIKE are not Trino's"))
        }
        other => Ok(other),
    }
}

/// Truth tests are of a Trino that Athena's engine is older than.
fn unread(word: &str) -> Failure {
    let expected = "Expecting: 'DISTINCT', 'NOT', 'NULL'";
    Failure::new("SYNTAX_ERROR", format!("mismatched input '{word}'. {expected}"))
}

/// Trino's type of a number: integer, bigint, decimal as it is written, or double
/// with an exponent.
fn literal(digits: &str) -> Result<Expr, Failure> {
    let digits = digits.replace('_', "");
    let unsigned = digits.trim_start_matches('-');
    if unsigned.contains(['e', 'E']) {
        return Ok(native_cast(text(&digits), DataType::Double(ExactNumberInfo::None)));
    }
    if unsigned.contains('.') {
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let scale = fraction.len();
        let precision = (whole.trim_start_matches('0').len() + scale).max(1);
        return decimal(&digits, precision, scale);
    }
    if digits.parse::<i32>().is_ok() {
        return Ok(native_cast(number(&digits), DataType::Int(None)));
    }
    if digits.parse::<i64>().is_ok() {
        return Ok(number(&digits));
    }
    Err(Failure::new("SYNTAX_ERROR", format!("Invalid numeric literal: {digits}")))
}

/// `INTERVAL '1 12' DAY TO HOUR`, its sign within the text.
fn interval_literal(interval: &Interval) -> Result<Expr, Failure> {
    let refused = || Failure::new("SYNTAX_ERROR", format!("Invalid interval: {interval}"));
    let Expr::Value(value) = interval.value.as_ref() else { return Err(refused()) };
    let Value::SingleQuotedString(value) = &value.value else { return Err(refused()) };
    let field = |field: &DateTimeField| field.to_string().to_lowercase();
    let from = interval.leading_field.as_ref().map(field).ok_or_else(refused)?;
    let to = interval.last_field.as_ref().map_or_else(|| from.clone(), field);
    let function = functions::interval_literal(&from, &to).ok_or_else(refused)?;
    Ok(call(function, vec![text(value), text(&from), text(&to)]))
}

fn decimal(digits: &str, precision: usize, scale: usize) -> Result<Expr, Failure> {
    if precision > 38 {
        return Err(Failure::new("INVALID_LITERAL", format!("Invalid decimal literal '{digits}'")));
    }
    Ok(call("$literal", vec![text(digits), text(&format!("decimal({precision},{scale})"))]))
}

fn trim_name(at: Option<TrimWhereField>) -> &'static str {
    match at {
        Some(TrimWhereField::Leading) => "ltrim",
        Some(TrimWhereField::Trailing) => "rtrim",
        Some(TrimWhereField::Both) | None => "trim",
    }
}

/// An operator that is planned by its name ([`crate::trino::operators`]).
fn custom(left: Expr, name: &str, right: Expr) -> Expr {
    binary(left, BinaryOperator::Custom(name.to_owned()), right)
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// Two comparisons, so that each is checked and coerced as Trino does.
fn between(value: Expr, negated: bool, low: Expr, high: Expr) -> Expr {
    let nested = |expr| Expr::Nested(Box::new(expr));
    let within = nested(binary(
        nested(binary(value.clone(), BinaryOperator::GtEq, low)),
        BinaryOperator::And,
        nested(binary(value, BinaryOperator::LtEq, high)),
    ));
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(within) } } else { within }
}

/// DataFusion's LIKE takes a backslash for an escape, Trino's only what ESCAPE names.
fn like(negated: bool, value: Expr, pattern: Expr, escape: Option<Expr>) -> Expr {
    let plain = matches!(&pattern, Expr::Value(value)
        if matches!(&value.value, Value::SingleQuotedString(text) if !text.contains('\\')));
    if escape.is_none() && plain {
        return Expr::Like {
            negated,
            any: false,
            expr: Box::new(value),
            pattern: Box::new(pattern),
            escape_char: None,
        };
    }
    let mut arguments = vec![value, pattern];
    arguments.extend(escape);
    let found = call("$like", arguments);
    if negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(found) } } else { found }
}

/// `a[1]`, `m['k']`, `r[1].field`.
fn access(root: Expr, chain: Vec<AccessExpr>) -> Result<Expr, Failure> {
    chain.into_iter().try_fold(root, |value, step| match step {
        AccessExpr::Subscript(Subscript::Index { index }) => {
            Ok(call("$subscript", vec![value, index]))
        }
        AccessExpr::Subscript(Subscript::Slice { .. }) => {
            Err(Failure::new("SYNTAX_ERROR", "array slices are not Trino's"))
        }
        AccessExpr::Dot(Expr::Identifier(field)) => {
            Ok(call("$field", vec![value, text(&field.value)]))
        }
        AccessExpr::Dot(other) => {
            Err(Failure::new("SYNTAX_ERROR", format!("{other} is no field of a row")))
        }
    })
}
