//! The `Expression` of Glue's `GetPartitions`: an SQL condition over partition keys.
//!
//! `=`, `<>`, `!=`, `<`, `>`, `<=`, `>=`, `BETWEEN`, `IN`, `LIKE`, `IS NULL`, each but
//! the last also with NOT, joined by AND, OR, NOT and parentheses.
//! Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>

use std::cmp::Ordering;

use super::CatalogError;
use super::storage::Column;

mod parse;

/// How Hive writes the partition value NULL.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A parsed expression over the keys it was parsed for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Condition);

/// What is wrong with an expression, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("partition expression, byte {at}: expected {expected}, found {found}")]
pub struct FilterError {
    pub at: usize,
    pub expected: String,
    pub found: String,
}

impl From<FilterError> for CatalogError {
    fn from(error: FilterError) -> Self {
        Self::InvalidInput(error.to_string())
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Key, Comparison, String),
    Between(Key, String, String),
    In(Key, Vec<String>),
    Like(Key, String),
    IsNull(Key),
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    index: usize,
    kind: Kind,
}

/// How the values of a key compare. Dates and times are written so that their texts
/// are in their order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Integer,
    Decimal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Parses an expression over these partition keys.
    ///
    /// # Errors
    /// Where the text is no condition, or names what is no partition key.
    pub fn parse(text: &str, keys: &[Column]) -> Result<Self, FilterError> {
        parse::condition(text, keys).map(Self)
    }

    /// Whether a partition with these values, one for each key, is let through.
    /// Unknown, as in SQL, is not.
    pub fn matches(&self, values: &[String]) -> bool {
        self.0.holds(values) == Some(true)
    }
}

impl Condition {
    fn holds(&self, values: &[String]) -> Option<bool> {
        match self {
            Self::And(a, b) => match (a.holds(values), b.holds(values)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(values), b.holds(values)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(condition) => condition.holds(values).map(|holds| !holds),
            Self::Compare(key, comparison, literal) => {
                key.compare(key.value(values)?, literal).map(|order| comparison.holds(order))
            }
            Self::Between(key, low, high) => {
                let value = key.value(values)?;
                Some(key.compare(value, low)?.is_ge() && key.compare(value, high)?.is_le())
            }
            Self::In(key, literals) => {
                let value = key.value(values)?;
                Some(
                    literals
                        .iter()
                        .any(|literal| key.compare(value, literal) == Some(Ordering::Equal)),
                )
            }
            Self::Like(key, pattern) => Some(like(key.value(values)?, pattern)),
            Self::IsNull(key) => Some(key.value(values).is_none()),
        }
    }
}

impl Key {
    fn value<'a>(&self, values: &'a [String]) -> Option<&'a str> {
        values.get(self.index).map(String::as_str).filter(|value| *value != NULL)
    }

    fn compare(&self, value: &str, literal: &str) -> Option<Ordering> {
        match self.kind {
            Kind::Text => Some(value.cmp(literal)),
            Kind::Integer => match (value.trim().parse::<i128>(), literal.trim().parse::<i128>()) {
                (Ok(value), Ok(literal)) => Some(value.cmp(&literal)),
                _ => compare_numbers(value, literal),
            },
            Kind::Decimal => compare_numbers(value, literal),
        }
    }
}

fn compare_numbers(value: &str, literal: &str) -> Option<Ordering> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    number(value)?.partial_cmp(&number(literal)?)
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// `%` is any text, `_` any character; there is no escape.
fn like(value: &str, pattern: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let mut reached = vec![false; value.len() + 1];
    reached[0] = true;
    for symbol in pattern.chars() {
        let mut next = vec![false; value.len() + 1];
        for (i, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            match symbol {
                '%' => next[i..].fill(true),
                _ if i < value.len() && (symbol == '_' || symbol == value[i]) => next[i + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached[value.len()]
}
