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
    And(Box<Predicate>, Box<Predicate>),
    Or(Box<Predicate>, Box<Predicate>),
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
