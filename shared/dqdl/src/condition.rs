//! What a rule's measure is held against.

use std::fmt;

use crate::number::Number;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Both ends are outside.
    Between,
    /// Both ends are inside.
    NotBetween,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    In,
    NotIn,
    Matches,
    NotMatches,
}

/// An operator with its operands: two for `between`, one or more for `in`, else one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison<T> {
    pub operator: Operator,
    pub operands: Vec<T>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Number(Comparison<Number>),
    Text(Comparison<Text>),
    Date(Comparison<Date>),
    Duration(Comparison<Duration>),
    Size(Comparison<Size>),
}

/// A text of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Null,
    Empty,
    WhitespacesOnly,
    /// `written` is what stands between the quotes in the canonical form, `value` what is compared.
    Quoted {
        written: String,
        value: String,
    },
    /// `$name`, with the texts that the variable has.
    Variable {
        name: String,
        values: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Date {
    /// `"2024-01-01"`.
    Day(String),
    /// A time of day, of today: `"9:30 PM"`.
    Time(String),
    Now,
    NowMinus(Duration),
    NowPlus(Duration),
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    pub amount: u32,
    pub unit: TimeUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    Minutes,
    Hours,
    Days,
}

impl Duration {
    /// In minutes.
    pub fn minutes(self) -> u64 {
        let minutes = match self.unit {
            TimeUnit::Minutes => 1,
            TimeUnit::Hours => 60,
            TimeUnit::Days => 24 * 60,
        };
        u64::from(self.amount) * minutes
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub amount: i64,
    pub unit: SizeUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeUnit {
    B,
    KB,
    MB,
    GB,
    TB,
}

impl Size {
    /// In bytes; a kilobyte has 1,024.
    pub fn bytes(&self) -> i128 {
        let power = match self.unit {
            SizeUnit::B => 0,
            SizeUnit::KB => 1,
            SizeUnit::MB => 2,
            SizeUnit::GB => 3,
            SizeUnit::TB => 4,
        };
        i128::from(self.amount) << (10 * power)
    }
}

impl<T: fmt::Display> fmt::Display for Comparison<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operands: Vec<_> = self.operands.iter().map(ToString::to_string).collect();
        let symbol = match self.operator {
            Operator::Between => return write!(f, "between {}", operands.join(" and ")),
            Operator::NotBetween => return write!(f, "not between {}", operands.join(" and ")),
            Operator::In => return write!(f, "in {}", list(&operands)),
            Operator::NotIn => return write!(f, "not in {}", list(&operands)),
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Matches => "matches",
            Operator::NotMatches => "not matches",
        };
        write!(f, "{symbol} {}", operands.concat())
    }
}

/// A variable stands for the whole list.
fn list(operands: &[String]) -> String {
    match operands {
        [only] if only.starts_with('$') => only.clone(),
        _ => format!("[{}]", operands.join(",")),
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(comparison) => comparison.fmt(f),
            Self::Text(comparison) => comparison.fmt(f),
            Self::Date(comparison) => comparison.fmt(f),
            Self::Duration(comparison) => comparison.fmt(f),
            Self::Size(comparison) => comparison.fmt(f),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Empty => f.write_str("EMPTY"),
            Self::WhitespacesOnly => f.write_str("WHITESPACES_ONLY"),
            Self::Quoted { written, .. } => write!(f, "\"{written}\""),
            Self::Variable { name, .. } => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(text) | Self::Time(text) => write!(f, "\"{text}\""),
            Self::Now => f.write_str("now()"),
            Self::NowMinus(duration) => write!(f, "(now() - {duration})"),
            Self::NowPlus(duration) => write!(f, "(now() + {duration})"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            TimeUnit::Minutes => "minutes",
            TimeUnit::Hours => "hours",
            TimeUnit::Days => "days",
        };
        write!(f, "{} {unit}", self.amount)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.amount, self.unit)
    }
}
