//! Conditions of a statement.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use super::context::{Context, Unsupported};
use super::pattern::Pattern;

/// One operator on one key with the values of the policy, any of which may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    operator: Operator,
    /// `…IfExists`: holds when the call does not have the key.
    if_exists: bool,
    set: Option<Set>,
    key: String,
    values: Vec<Pattern>,
}

/// How the values of a call are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    All,
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Compare {
        test: Test,
        negated: bool,
    },
    /// The key is absent: `true` or `false`.
    Null,
    /// Known to IAM, not evaluated here.
    Unsupported(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoringCase,
    Like,
    Arn,
    Bool,
    Number(NumberTest),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberTest {
    Equals,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Operators of IAM that no key of this endpoint has a use for.
const UNSUPPORTED: [&str; 9] = [
    "BinaryEquals",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
];

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        let yes = |test| Some(Operator::Compare { test, negated: false });
        let no = |test| Some(Operator::Compare { test, negated: true });
        match name {
            "StringEquals" => yes(Test::Equals),
            "StringNotEquals" => no(Test::Equals),
            "StringEqualsIgnoreCase" => yes(Test::EqualsIgnoringCase),
            "StringNotEqualsIgnoreCase" => no(Test::EqualsIgnoringCase),
            "StringLike" => yes(Test::Like),
            "StringNotLike" => no(Test::Like),
            // The two forms behave identically.
            "ArnEquals" | "ArnLike" => yes(Test::Arn),
            "ArnNotEquals" | "ArnNotLike" => no(Test::Arn),
            "Bool" => yes(Test::Bool),
            "NumericEquals" => yes(Test::Number(NumberTest::Equals)),
            "NumericNotEquals" => no(Test::Number(NumberTest::Equals)),
            "NumericLessThan" => yes(Test::Number(NumberTest::Less)),
            "NumericLessThanEquals" => yes(Test::Number(NumberTest::AtMost)),
            "NumericGreaterThan" => yes(Test::Number(NumberTest::Greater)),
            "NumericGreaterThanEquals" => yes(Test::Number(NumberTest::AtLeast)),
            "Null" => Some(Operator::Null),
            _ if UNSUPPORTED.contains(&name) => Some(Operator::Unsupported(name.to_owned())),
            _ => None,
        }
    }
}

impl Condition {
    /// `None` when IAM has no operator of this name.
    pub fn parse(operator: &str, key: &str, values: Vec<Pattern>) -> Option<Self> {
        let (set, name) = match operator.split_once(':') {
            Some(("ForAllValues", name)) => (Some(Set::All), name),
            Some(("ForAnyValue", name)) => (Some(Set::Any), name),
            Some(_) => return None,
            None => (None, operator),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let operator = Operator::parse(name)?;
        // `NullIfExists` would say nothing.
        if if_exists && operator == Operator::Null {
            return None;
        }
        Some(Condition { operator, if_exists, set, key: key.to_owned(), values })
    }

    pub fn holds(&self, context: &Context) -> Result<bool, Unsupported> {
        let found = context.get(&self.key)?;
        let (test, negated) = match &self.operator {
            Operator::Unsupported(name) => return Err(Unsupported::Operator(name.clone())),
            Operator::Null => {
                let wanted = self.values.iter().any(|value| value.as_str() == "true");
                return Ok(found.is_none() == wanted);
            }
            Operator::Compare { test, negated } => (*test, *negated),
        };
        let Some(found) = found else {
            return Ok(match self.set {
                Some(Set::All) => true,
                Some(Set::Any) => self.if_exists,
                None => self.if_exists || negated,
            });
        };
        let mut verdicts = Vec::with_capacity(found.len());
        for value in found {
            verdicts.push(self.any(test, value, context)? != negated);
        }
        Ok(match self.set {
            Some(Set::All) => verdicts.into_iter().all(|verdict| verdict),
            Some(Set::Any) => verdicts.into_iter().any(|verdict| verdict),
            // A call's value beside others: a denial holds for all of them, a match for one.
            None if negated => verdicts.into_iter().all(|verdict| verdict),
            None => verdicts.into_iter().any(|verdict| verdict),
        })
    }

    fn any(&self, test: Test, value: &str, context: &Context) -> Result<bool, Unsupported> {
        for wanted in &self.values {
            if test.passes(value, wanted, context)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Test {
    fn passes(self, value: &str, wanted: &Pattern, context: &Context) -> Result<bool, Unsupported> {
        if self == Test::Like {
            return wanted.matches(value, context);
        }
        let Some(wanted) = wanted.resolved(context)? else { return Ok(false) };
        Ok(match self {
            Test::Like => unreachable!("wildcards are matched above"),
            Test::Equals => value == wanted,
            Test::EqualsIgnoringCase => value.eq_ignore_ascii_case(&wanted),
            Test::Bool => value.eq_ignore_ascii_case(&wanted),
            Test::Arn => arn_matches(value, &wanted),
            Test::Number(test) => match (value.parse::<f64>(), wanted.parse::<f64>()) {
                (Ok(value), Ok(wanted)) => test.passes(value, wanted),
                _ => false,
            },
        })
    }
}

impl NumberTest {
    fn passes(self, value: f64, wanted: f64) -> bool {
        match self {
            NumberTest::Equals => (value - wanted).abs() < f64::EPSILON,
            NumberTest::Less => value < wanted,
            NumberTest::AtMost => value <= wanted,
            NumberTest::Greater => value > wanted,
            NumberTest::AtLeast => value >= wanted,
        }
    }
}

/// Each of an ARN's six parts is matched by itself.
fn arn_matches(value: &str, wanted: &str) -> bool {
    let (value, wanted): (Vec<&str>, Vec<&str>) =
        (value.splitn(6, ':').collect(), wanted.splitn(6, ':').collect());
    let part = |(value, wanted): (&&str, &&str)| {
        Pattern::without_variables(wanted).matches(value, &Context::default()) == Ok(true)
    };
    value.len() == 6 && wanted.len() == 6 && value.iter().zip(&wanted).all(part)
}
