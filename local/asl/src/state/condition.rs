//! The comparisons of a `JSONPath` Choice rule.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::definition::Fields;
use crate::failure::Fault;
use crate::path::Path;
use crate::scope::Scope;
use crate::timestamp;

#[derive(Debug)]
pub(crate) enum Condition {
    Always(bool),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Is { variable: Path, test: TypeTest, expected: bool },
    Compare { variable: Path, domain: Domain, operator: Operator, with: Operand },
    Matches { variable: Path, pattern: String },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum TypeTest {
    Present,
    Null,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

/// What both sides must be for the comparison to hold at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    String,
    Numeric,
    Boolean,
    Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Operator {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Debug)]
pub(crate) enum Operand {
    Value(Value),
    Path(Path),
}

const TYPE_TESTS: [(&str, TypeTest); 6] = [
    ("IsPresent", TypeTest::Present),
    ("IsNull", TypeTest::Null),
    ("IsNumeric", TypeTest::Numeric),
    ("IsString", TypeTest::String),
    ("IsBoolean", TypeTest::Boolean),
    ("IsTimestamp", TypeTest::Timestamp),
];

/// Every comparison, with and without `Path`.
const COMPARISONS: [(&str, &str, Domain, Operator); 16] = {
    use Domain::{Boolean, Numeric, String, Timestamp};
    use Operator::{Equals, GreaterThan, GreaterThanEquals, LessThan, LessThanEquals};
    [
        ("StringEquals", "StringEqualsPath", String, Equals),
        ("StringLessThan", "StringLessThanPath", String, LessThan),
        ("StringGreaterThan", "StringGreaterThanPath", String, GreaterThan),
        ("StringLessThanEquals", "StringLessThanEqualsPath", String, LessThanEquals),
        ("StringGreaterThanEquals", "StringGreaterThanEqualsPath", String, GreaterThanEquals),
        ("NumericEquals", "NumericEqualsPath", Numeric, Equals),
        ("NumericLessThan", "NumericLessThanPath", Numeric, LessThan),
        ("NumericGreaterThan", "NumericGreaterThanPath", Numeric, GreaterThan),
        ("NumericLessThanEquals", "NumericLessThanEqualsPath", Numeric, LessThanEquals),
        ("NumericGreaterThanEquals", "NumericGreaterThanEqualsPath", Numeric, GreaterThanEquals),
        ("BooleanEquals", "BooleanEqualsPath", Boolean, Equals),
        ("TimestampEquals", "TimestampEqualsPath", Timestamp, Equals),
        ("TimestampLessThan", "TimestampLessThanPath", Timestamp, LessThan),
        ("TimestampGreaterThan", "TimestampGreaterThanPath", Timestamp, GreaterThan),
        ("TimestampLessThanEquals", "TimestampLessThanEqualsPath", Timestamp, LessThanEquals),
        (
            "TimestampGreaterThanEquals",
            "TimestampGreaterThanEqualsPath",
            Timestamp,
            GreaterThanEquals,
        ),
    ]
};

impl Condition {
    /// Reads the comparison in `fields`, which may also hold the rule's `Next`.
    pub fn parse(fields: &Fields) -> Option<Self> {
        for (name, all) in [("And", true), ("Or", false)] {
            if fields.has(name) {
                let conditions = Self::parse_all(fields, name)?;
                return Some(if all { Self::And(conditions) } else { Self::Or(conditions) });
            }
        }
        if fields.has("Not") {
            let inner = fields.object("Not")?;
            let condition = Self::parse(&inner);
            inner.refuse_unknown(&[]);
            return Some(Self::Not(Box::new(condition?)));
        }
        fields.require(&["Variable"]);
        let variable = fields.path("Variable");
        let comparison = Self::parse_comparison(fields, variable?);
        if comparison.is_none() {
            fields.problems.schema(&fields.at, "A comparison operator is required");
        }
        comparison
    }

    fn parse_all(fields: &Fields, name: &'static str) -> Option<Vec<Self>> {
        let items = fields.list(name)?;
        if items.is_empty() {
            fields.wrong(name, format!("{name} must not be empty"));
        }
        let conditions = items.iter().enumerate().map(|(at, item)| {
            let inner = fields.object_of(&format!("{name}/{at}"), item)?;
            let condition = Self::parse(&inner);
            inner.refuse_unknown(&[]);
            condition
        });
        conditions.collect::<Vec<_>>().into_iter().collect()
    }

    fn parse_comparison(fields: &Fields, variable: Path) -> Option<Self> {
        for (name, test) in TYPE_TESTS {
            if fields.has(name) {
                let expected = fields.boolean(name)?;
                return Some(Self::Is { variable, test, expected });
            }
        }
        if fields.has("StringMatches") {
            let pattern = fields.text("StringMatches")?.to_owned();
            return Some(Self::Matches { variable, pattern });
        }
        for (name, path_name, domain, operator) in COMPARISONS {
            let with = if fields.has(path_name) {
                Operand::Path(fields.path(path_name)?)
            } else if fields.has(name) {
                let value = fields.get(name)?;
                if !domain.accepts(value) {
                    fields.wrong(name, format!("Expected value of type {domain:?}"));
                }
                Operand::Value(value.clone())
            } else {
                continue;
            };
            return Some(Self::Compare { variable, domain, operator, with });
        }
        None
    }

    pub fn holds(&self, scope: &Scope) -> Result<bool, Fault> {
        match self {
            Self::Always(value) => Ok(*value),
            Self::And(conditions) => {
                for condition in conditions {
                    if !condition.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(conditions) => {
                for condition in conditions {
                    if condition.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(condition) => Ok(!condition.holds(scope)?),
            Self::Is { variable, test: TypeTest::Present, expected } => {
                Ok(is_present(variable, scope) == *expected)
            }
            Self::Is { variable, test, expected } => {
                Ok(test.holds(reference(variable, scope)?.as_ref()) == *expected)
            }
            Self::Matches { variable, pattern } => {
                Ok(reference(variable, scope)?.as_str().is_some_and(|text| matches(pattern, text)))
            }
            Self::Compare { variable, domain, operator, with } => {
                let left = reference(variable, scope)?;
                let right = match with {
                    Operand::Value(value) => Cow::Borrowed(value),
                    Operand::Path(path) => reference(path, scope)?,
                };
                let ordering = domain.compare(&left, &right);
                Ok(ordering.is_some_and(|ordering| operator.holds(ordering)))
            }
        }
    }
}

fn reference<'a>(path: &Path, scope: &'a Scope) -> Result<Cow<'a, Value>, Fault> {
    scope.select(path).map_err(|_| {
        Fault::runtime(format!(
            "Invalid path '{}': The choice state's condition path references an invalid value.",
            path.text
        ))
    })
}

/// A path that lists is present when it lists something.
fn is_present(path: &Path, scope: &Scope) -> bool {
    match scope.select(path) {
        Ok(value) => path.is_definite() || value.as_array().is_none_or(|list| !list.is_empty()),
        Err(_) => false,
    }
}

impl TypeTest {
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Present => true,
            Self::Null => value.is_null(),
            Self::Numeric => value.is_number(),
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => value.as_str().and_then(timestamp::parse).is_some(),
        }
    }
}

impl Domain {
    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Numeric => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Timestamp => value.as_str().and_then(timestamp::parse).is_some(),
        }
    }

    /// `None` unless both sides are of this domain.
    fn compare(self, left: &Value, right: &Value) -> Option<Ordering> {
        match self {
            // By UTF-16 units, as Java's compareTo.
            Self::String => {
                let (left, right) = (left.as_str()?, right.as_str()?);
                Some(left.encode_utf16().cmp(right.encode_utf16()))
            }
            Self::Numeric => match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
            },
            Self::Boolean => Some(left.as_bool()?.cmp(&right.as_bool()?)),
            Self::Timestamp => {
                let left = timestamp::parse(left.as_str()?)?;
                Some(left.cmp(&timestamp::parse(right.as_str()?)?))
            }
        }
    }
}

impl Operator {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::GreaterThan => ordering.is_gt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

/// `StringMatches`: `*` is any text, `\*` a star, `\\` a backslash.
fn matches(pattern: &str, text: &str) -> bool {
    let mut units = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        units.push(match c {
            '*' => None,
            '\\' => chars.next(),
            c => Some(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    // The classic walk: on a mismatch, let the last star take one more.
    let (mut at, mut unit, mut star) = (0, 0, None);
    while at < text.len() {
        match units.get(unit) {
            Some(None) => {
                star = Some((unit, at));
                unit += 1;
            }
            Some(Some(c)) if *c == text[at] => {
                at += 1;
                unit += 1;
            }
            _ => match star {
                Some((star_unit, taken)) => {
                    unit = star_unit + 1;
                    at = taken + 1;
                    star = Some((star_unit, at));
                }
                None => return false,
            },
        }
    }
    units[unit..].iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_match_any_text() {
        assert!(matches("log-*.txt", "log-2024.txt"));
        assert!(matches("*", ""));
        assert!(matches(r"a\*b*", "a*bc"));
        assert!(!matches(r"a\*b", "axb"));
        assert!(!matches("a*c", "ab"));
        assert!(matches("*a*b", "xxaxxab"));
    }
}
