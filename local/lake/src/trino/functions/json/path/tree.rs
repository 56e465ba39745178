//! A path of SQL/JSON as a tree.

use super::value::Value;

#[derive(Debug)]
pub(in crate::trino::functions::json) struct Path {
    /// What does not fit is an error, and no array is opened or made unasked.
    pub strict: bool,
    pub(super) root: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    /// `$`
    Context,
    /// `$name`
    Variable(String),
    /// `@`
    Current,
    /// `last`
    Last,
    Literal(Value),
    Null,
    /// `.name`
    Member(Box<Node>, String),
    /// `.*`
    Members(Box<Node>),
    /// `..name`
    Descendants(Box<Node>, String),
    /// `[*]`
    Items(Box<Node>),
    /// `[1, 3 to last]`
    Subscripts(Box<Node>, Vec<Subscript>),
    /// `?( … )`
    Filter(Box<Node>, Box<Predicate>),
    Method(Box<Node>, Method),
    Sign {
        negative: bool,
        of: Box<Node>,
    },
    Binary(Operation, Box<Node>, Box<Node>),
}

#[derive(Debug)]
pub(super) struct Subscript {
    pub from: Node,
    pub to: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    Type,
    Size,
    Double,
    Ceiling,
    Floor,
    Abs,
    KeyValue,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

#[derive(Debug)]
pub(super) enum Predicate {
    Compare(Comparison, Node, Node),
    StartsWith(Node, Node),
    Exists(Node),
    Not(Box<Predicate>),
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    IsUnknown(Box<Predicate>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Node {
    /// Whether no more parts than this stand inside each other.
    pub fn fits(&self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self {
            Self::Context
            | Self::Variable(_)
            | Self::Current
            | Self::Last
            | Self::Literal(_)
            | Self::Null => true,
            Self::Member(base, _)
            | Self::Members(base)
            | Self::Descendants(base, _)
            | Self::Items(base)
            | Self::Method(base, _)
            | Self::Sign { of: base, .. } => base.fits(depth),
            Self::Subscripts(base, subscripts) => {
                base.fits(depth)
                    && subscripts.iter().all(|subscript| {
                        subscript.from.fits(depth)
                            && subscript.to.as_ref().is_none_or(|to| to.fits(depth))
                    })
            }
            Self::Filter(base, predicate) => base.fits(depth) && predicate.fits(depth),
            Self::Binary(_, left, right) => left.fits(depth) && right.fits(depth),
        }
    }
}

impl Predicate {
    fn fits(&self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match self {
            Self::Compare(_, left, right) | Self::StartsWith(left, right) => {
                left.fits(depth) && right.fits(depth)
            }
            Self::Exists(path) => path.fits(depth),
            Self::Not(inner) | Self::IsUnknown(inner) => inner.fits(depth),
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| part.fits(depth)),
        }
    }
}
