//! Event patterns: which events a rule wants.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use serde_json::Value;

use super::wildcard;

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// All members must match.
    Members(Vec<(String, Node)>),
    /// Any of these must match, `"$or"`.
    Any(Vec<Node>),
    /// One of the matchers must match the value, or one element of it.
    Leaf(Vec<Matcher>),
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    Exact(Value),
    Prefix(Text),
    Suffix(Text),
    IgnoreCase(String),
    Wildcard(String),
    Not(Vec<Matcher>),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(std::net::IpAddr, u32),
    Exists(bool),
}

/// A text to compare with, possibly without regard to case.
#[derive(Clone, Debug, PartialEq)]
struct Text {
    text: String,
    ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Pattern {
    /// Parses a pattern's text. The error is a reason in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if value.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err("Event pattern must be a JSON object that is not empty".to_owned());
        }
        node(&value).map(Pattern)
    }

    pub fn matches(&self, event: &Value) -> bool {
        self.0.matches(Some(event))
    }
}

fn node(value: &Value) -> Result<Node, String> {
    match value {
        Value::Object(members) => {
            let mut nodes = Vec::new();
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("$or", Value::Array(options)) => {
                        let options = options.iter().map(node).collect::<Result<_, _>>()?;
                        nodes.push(("$or".to_owned(), Node::Any(options)));
                    }
                    _ => nodes.push((name.clone(), node(value)?)),
                }
            }
            Ok(Node::Members(nodes))
        }
        Value::Array(matchers) if !matchers.is_empty() => {
            Ok(Node::Leaf(matchers.iter().map(matcher).collect::<Result<_, _>>()?))
        }
        Value::Array(_) => Err("Empty arrays are not allowed".to_owned()),
        other => Err(format!("Match value must be an array, found {other}")),
    }
}

fn matcher(value: &Value) -> Result<Matcher, String> {
    let members = match value {
        Value::Object(members) => members,
        Value::Array(_) => return Err("a match value cannot be an array".to_owned()),
        exact => return Ok(Matcher::Exact(exact.clone())),
    };
    let mut members = members.iter();
    let (Some((operator, operand)), None) = (members.next(), members.next()) else {
        return Err("Only one key allowed in match expression".to_owned());
    };
    let wrong = || format!("{operator} cannot take {operand}");
    let text = || operand.as_str().map(str::to_owned).ok_or_else(wrong);
    Ok(match operator.as_str() {
        "prefix" => Matcher::Prefix(cased(operand).ok_or_else(wrong)?),
        "suffix" => Matcher::Suffix(cased(operand).ok_or_else(wrong)?),
        "equals-ignore-case" => Matcher::IgnoreCase(text()?.to_lowercase()),
        "wildcard" => Matcher::Wildcard(text()?),
        "exists" => Matcher::Exists(operand.as_bool().ok_or_else(wrong)?),
        "numeric" => Matcher::Numeric(numeric(operand).ok_or_else(wrong)?),
        "cidr" => {
            let text = text()?;
            let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
            let address = address.parse().map_err(|_| wrong())?;
            Matcher::Cidr(address, bits.parse().map_err(|_| wrong())?)
        }
        "anything-but" => Matcher::Not(anything_but(operand)?),
        other => return Err(format!("Unrecognized match type {other}")),
    })
}

/// `"x"` or `{"equals-ignore-case": "x"}`.
fn cased(operand: &Value) -> Option<Text> {
    match operand {
        Value::String(text) => Some(Text { text: text.clone(), ignore_case: false }),
        other => {
            let text = other["equals-ignore-case"].as_str()?.to_lowercase();
            Some(Text { text, ignore_case: true })
        }
    }
}

/// A value, a list of values, or `{"prefix" | "suffix" | "wildcard" | "equals-ignore-case": one or a list}`.
fn anything_but(operand: &Value) -> Result<Vec<Matcher>, String> {
    match operand {
        Value::Array(values) => values.iter().map(matcher).collect(),
        Value::Object(members) => {
            let mut all = Vec::new();
            for (operator, operand) in members {
                let operands = match operand {
                    Value::Array(operands) => operands.clone(),
                    single => vec![single.clone()],
                };
                for operand in operands {
                    all.push(matcher(&serde_json::json!({operator.as_str(): operand}))?);
                }
            }
            Ok(all)
        }
        value => Ok(vec![Matcher::Exact(value.clone())]),
    }
}

fn numeric(operand: &Value) -> Option<Vec<(Comparison, f64)>> {
    let parts = operand.as_array()?;
    if parts.is_empty() || parts.len() % 2 != 0 {
        return None;
    }
    let pairs = parts.chunks(2).map(|pair| {
        let comparison = match pair[0].as_str()? {
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            "=" => Comparison::Equal,
            ">=" => Comparison::GreaterOrEqual,
            ">" => Comparison::Greater,
            _ => return None,
        };
        Some((comparison, pair[1].as_f64()?))
    });
    pairs.collect()
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Node::Any(options) => options.iter().any(|option| option.matches(value)),
            Node::Members(members) => match value {
                // Of a list of objects one must match as a whole.
                Some(Value::Array(items)) => items.iter().any(|item| self.matches(Some(item))),
                _ => members.iter().all(|(name, node)| match node {
                    Node::Any(_) if name == "$or" => node.matches(value),
                    _ => node.matches(value.and_then(|value| value.get(name))),
                }),
            },
            Node::Leaf(matchers) => matchers.iter().any(|matcher| matcher.matches(value)),
        }
    }
}

impl Matcher {
    fn matches(&self, value: Option<&Value>) -> bool {
        if let Matcher::Exists(wanted) = self {
            return value.is_some_and(|value| !value.is_object()) == *wanted;
        }
        match value {
            None => false,
            Some(Value::Array(items)) => items.iter().any(|item| self.matches_one(item)),
            Some(value) => self.matches_one(value),
        }
    }

    fn matches_one(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Matcher::Exact(Value::Number(wanted)) => {
                value.is_number() && value.as_f64() == wanted.as_f64()
            }
            Matcher::Exact(wanted) => value == wanted,
            Matcher::Prefix(prefix) => {
                text.is_some_and(|text| prefix.cased(text).starts_with(&prefix.text))
            }
            Matcher::Suffix(suffix) => {
                text.is_some_and(|text| suffix.cased(text).ends_with(&suffix.text))
            }
            Matcher::IgnoreCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Matcher::Wildcard(wanted) => text.is_some_and(|text| wildcard::matches(wanted, text)),
            Matcher::Not(matchers) => !matchers.iter().any(|matcher| matcher.matches_one(value)),
            Matcher::Numeric(bounds) => value.as_f64().is_some_and(|number| {
                bounds.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Matcher::Cidr(network, bits) => text
                .and_then(|text| text.parse().ok())
                .is_some_and(|address| in_network(address, *network, *bits)),
            Matcher::Exists(_) => unreachable!("it asks for the member, not for its value"),
        }
    }
}

impl Text {
    fn cased(&self, text: &str) -> String {
        if self.ignore_case { text.to_lowercase() } else { text.to_owned() }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "'=' of a pattern means the same number")]
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Comparison::Less => number < bound,
            Comparison::LessOrEqual => number <= bound,
            Comparison::Equal => number == bound,
            Comparison::GreaterOrEqual => number >= bound,
            Comparison::Greater => number > bound,
        }
    }
}

fn in_network(address: std::net::IpAddr, network: std::net::IpAddr, bits: u32) -> bool {
    use std::net::IpAddr::{V4, V6};
    match (address, network) {
        (V4(address), V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (V6(address), V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;
    use serde_json::{Value, json};

    #[test]
    fn patterns_choose_events() {
        let event = json!({
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": "raw"},
                "object": {"key": "arrivals/green_tripdata_2024-01.parquet", "size": 10},
                "tags": ["a", "b"],
                "parts": [{"n": 1, "k": "x"}, {"n": 2, "k": "y"}],
                "ip": "10.0.0.7",
            },
        });
        let object = |matcher: Value| json!({"detail": {"object": {"key": [matcher]}}});
        let size = |matcher: Value| json!({"detail": {"object": {"size": [matcher]}}});
        let cases = [
            (json!({"source": ["aws.s3"]}), true),
            (json!({"source": ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"]}), true),
            (json!({"source": ["aws.ec2"]}), false),
            (object(json!({"prefix": "arrivals/"})), true),
            (object(json!({"prefix": {"equals-ignore-case": "ARRIVALS/"}})), true),
            (object(json!({"suffix": ".parquet"})), true),
            (object(json!({"suffix": ".csv"})), false),
            (object(json!({"wildcard": "arrivals/*_tripdata_*.parquet"})), true),
            (object(json!({"wildcard": "arrivals/*.csv"})), false),
            (
                object(json!({"equals-ignore-case": "ARRIVALS/green_tripdata_2024-01.PARQUET"})),
                true,
            ),
            (object(json!({"anything-but": {"prefix": "arrivals/"}})), false),
            (object(json!({"anything-but": ["x", "y"]})), true),
            (size(json!({"numeric": [">", 5, "<=", 10]})), true),
            (size(json!({"numeric": ["=", 11]})), false),
            (size(json!(10.0)), true),
            (size(json!({"anything-but": 10})), false),
            (json!({"detail": {"none": [{"exists": false}]}}), true),
            (json!({"detail": {"bucket": {"name": [{"exists": true}]}}}), true),
            (json!({"detail": {"tags": ["b"]}}), true),
            (json!({"detail": {"parts": {"n": [1], "k": ["x"]}}}), true),
            (json!({"detail": {"parts": {"n": [1], "k": ["y"]}}}), false),
            (json!({"detail": {"ip": [{"cidr": "10.0.0.0/24"}]}}), true),
            (json!({"$or": [{"source": ["x"]}, {"detail": {"tags": ["a"]}}]}), true),
        ];
        for (pattern, expected) in cases {
            let parsed = Pattern::parse(&pattern.to_string()).unwrap();
            assert_eq!(parsed.matches(&event), expected, "{pattern}");
        }
        for wrong in ["[]", "{}", "{\"source\":\"x\"}", "{\"a\":[]}", "{\"a\":[{\"like\":\"x\"}]}"]
        {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
