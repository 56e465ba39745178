//! Numbers of a condition: literals, arithmetic, and functions over a metric's history.

use std::fmt;

/// A number, or how it is computed.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// As it is written: `-0.50`.
    Literal(String),
    /// `NULL`, which `ColumnValues` compares with.
    Null,
    /// `avg(last(10))`.
    Call { function: String, arguments: Vec<Number> },
    /// From left to right: no operator binds closer than another.
    Arithmetic { left: Box<Number>, operator: char, right: Box<Number> },
    /// In parentheses.
    Group(Box<Number>),
}

impl Number {
    /// The value of a plain number; none of what is computed.
    pub fn literal(&self) -> Option<f64> {
        match self {
            Self::Literal(text) => text.parse().ok(),
            Self::Group(inner) => inner.literal(),
            Self::Null | Self::Call { .. } | Self::Arithmetic { .. } => None,
        }
    }

    /// Whether it looks at the metric's history.
    pub fn needs_history(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Null => false,
            Self::Call { function, arguments } => {
                function == "last" || arguments.iter().any(Self::needs_history)
            }
            Self::Arithmetic { left, right, .. } => left.needs_history() || right.needs_history(),
            Self::Group(inner) => inner.needs_history(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Null => f.write_str("NULL"),
            Self::Call { function, arguments } => {
                let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                write!(f, "{function}({})", arguments.join(","))
            }
            Self::Arithmetic { left, operator, right } => write!(f, "{left} {operator} {right}"),
            // Around a single number the canonical form has no parentheses.
            Self::Group(inner) => match inner.as_ref() {
                Self::Arithmetic { .. } => write!(f, "({inner})"),
                Self::Literal(_) | Self::Null | Self::Call { .. } | Self::Group(_) => inner.fmt(f),
            },
        }
    }
}
