//! `[?(…)]`.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::Path;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Path),
    Compare(Comparison),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub left: Operand,
    pub operator: Operator,
    pub right: Operand,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// Below the item under test, `@`.
    Path(Path),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    In,
    NotIn,
}

impl Operator {
    /// Longer tokens first, so that `<=` is not read as `<`.
    pub const ALL: [(&'static str, Self); 8] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("nin", Self::NotIn),
        ("in", Self::In),
    ];
}

impl Filter {
    pub fn holds(&self, item: &Value) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.holds(item)),
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(item)),
            Self::Not(filter) => !filter.holds(item),
            Self::Exists(path) => path.select(item).is_ok(),
            Self::Compare(comparison) => comparison.holds(item),
        }
    }
}

impl Comparison {
    fn holds(&self, item: &Value) -> bool {
        let (left, right) = (self.left.value(item), self.right.value(item));
        let (Some(left), Some(right)) = (left, right) else {
            return self.operator == Operator::NotEqual;
        };
        let ordering = || order(&left, &right);
        match self.operator {
            Operator::Equal => equal(&left, &right),
            Operator::NotEqual => !equal(&left, &right),
            Operator::Less => ordering() == Some(Ordering::Less),
            Operator::Greater => ordering() == Some(Ordering::Greater),
            Operator::LessOrEqual => ordering().is_some_and(Ordering::is_le),
            Operator::GreaterOrEqual => ordering().is_some_and(Ordering::is_ge),
            Operator::In => contains(&right, &left),
            Operator::NotIn => !contains(&right, &left),
        }
    }
}

impl Operand {
    fn value(&self, item: &Value) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Path(path) => path.select(item).ok().map(Cow::into_owned),
        }
    }
}

fn contains(list: &Value, item: &Value) -> bool {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().any(|other| equal(other, item))
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// Equality of JSON values with numbers by value: `1 == 1.0`.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, l)| right.get(key).is_some_and(|r| equal(l, r)))
        }
        _ => left == right,
    }
}
