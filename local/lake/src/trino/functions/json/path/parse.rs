//! From a path's text to its tree: Trino's grammar of SQL/JSON paths.

use super::token::{Token, Word, words};
use super::tree::{Comparison, Method, Node, Operation, Path, Predicate, Subscript};
use super::value::Value;
use crate::sql::Failure;

/// Most parentheses, filters and subscripts inside each other.
const DEPTH: usize = 100;
/// Most words of a path.
const WORDS: usize = 2_000;
/// Most parts of the tree inside each other: each step of a path holds those before it.
const NESTED: usize = 150;

/// Where a path's text stands in the statement, both from one; zero when that is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::trino::functions::json) struct Place {
    pub line: u64,
    pub column: u64,
}

pub(in crate::trino::functions::json) fn parse(text: &str, place: Place) -> Result<Path, Failure> {
    let words = words(text);
    let mut parser = Parser { text, place, words, at: 0, depth: 0 };
    if parser.words.len() > WORDS {
        return Err(parser.refused("path is too long"));
    }
    let strict = match &parser.peek().token {
        Token::Name(mode) if mode == "lax" => false,
        Token::Name(mode) if mode == "strict" => true,
        _ => return Err(parser.mismatched(Some("{'lax', 'strict'}"))),
    };
    parser.at += 1;
    let root = parser.path()?;
    if parser.peek().token != Token::End {
        return Err(parser.mismatched(None));
    }
    if !root.fits(NESTED) {
        return Err(parser.refused("path is nested too deep"));
    }
    Ok(Path { strict, root })
}

struct Parser<'a> {
    text: &'a str,
    place: Place,
    words: Vec<Word>,
    at: usize,
    depth: usize,
}

/// What parentheses may hold.
enum Either {
    Path(Node),
    Predicate(Predicate),
}

impl Parser<'_> {
    fn peek(&self) -> &Word {
        &self.words[self.at.min(self.words.len() - 1)]
    }

    fn refused(&self, what: &str) -> Failure {
        let before: String = self.text.chars().take(self.peek().at).collect();
        let Place { line, column } = self.place;
        if line == 0 {
            return Failure::new("SYNTAX_ERROR", what);
        }
        let breaks = before.matches('\n').count() as u64;
        let last = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) as u64;
        // The quote before the path counts on its first line.
        let column = if breaks == 0 { column + 1 + last } else { last + 1 };
        Failure::new("SYNTAX_ERROR", format!("line {}:{column}: {what}", line + breaks))
    }

    fn mismatched(&self, expected: Option<&str>) -> Failure {
        let found = &self.peek().text;
        self.refused(&match expected {
            Some(expected) => format!("mismatched input '{found}' expecting {expected}"),
            None => format!("mismatched input '{found}'"),
        })
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek().token, Token::Symbol(found) if found == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Failure> {
        if self.symbol(symbol) {
            return Ok(());
        }
        Err(self.mismatched(Some(&format!("'{symbol}'"))))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(&self.peek().token, Token::Name(name) if name == keyword);
        self.at += usize::from(found);
        found
    }

    fn enter(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > DEPTH { Err(self.refused("path is nested too deep")) } else { Ok(()) }
    }

    fn path(&mut self) -> Result<Node, Failure> {
        match self.sum()? {
            Either::Path(node) => Ok(node),
            Either::Predicate(_) => Err(self.mismatched(None)),
        }
    }

    fn predicate(&mut self) -> Result<Predicate, Failure> {
        match self.disjunction()? {
            Either::Predicate(predicate) => Ok(predicate),
            Either::Path(_) => Err(self.mismatched(None)),
        }
    }

    fn disjunction(&mut self) -> Result<Either, Failure> {
        self.joined("||", Self::conjunction, Predicate::Any)
    }

    fn conjunction(&mut self) -> Result<Either, Failure> {
        self.joined("&&", Self::comparison, Predicate::All)
    }

    /// Predicates with a word between them; one alone stays as it is.
    fn joined(
        &mut self,
        between: &str,
        part: fn(&mut Self) -> Result<Either, Failure>,
        whole: fn(Vec<Predicate>) -> Predicate,
    ) -> Result<Either, Failure> {
        let first = match part(self)? {
            Either::Predicate(first) => first,
            path @ Either::Path(_) => return Ok(path),
        };
        let mut parts = vec![first];
        while self.symbol(between) {
            match part(self)? {
                Either::Predicate(next) => parts.push(next),
                Either::Path(_) => return Err(self.mismatched(None)),
            }
        }
        Ok(Either::Predicate(if parts.len() == 1 { parts.remove(0) } else { whole(parts) }))
    }

    fn comparison(&mut self) -> Result<Either, Failure> {
        if self.symbol("!") {
            return self.negation();
        }
        if matches!(&self.peek().token, Token::Name(name) if name == "exists") {
            return self.exists();
        }
        let left = match self.sum()? {
            Either::Path(left) => left,
            predicate @ Either::Predicate(_) => return Ok(predicate),
        };
        if let Token::Symbol(symbol) = self.peek().token
            && let Some(comparison) = comparison(symbol)
        {
            self.at += 1;
            let right = self.path()?;
            return Ok(Either::Predicate(Predicate::Compare(comparison, left, right)));
        }
        if self.keyword("starts") {
            if !self.keyword("with") {
                return Err(self.mismatched(Some("'with'")));
            }
            let prefix = match self.peek().token.clone() {
                Token::Text(text) => Node::Literal(Value::Text(text)),
                Token::Variable(name) => Node::Variable(name),
                _ => return Err(self.mismatched(Some("{STRING, NAMED_VARIABLE}"))),
            };
            self.at += 1;
            return Ok(Either::Predicate(Predicate::StartsWith(left, prefix)));
        }
        if self.keyword("like_regex") {
            return Err(Failure::not_supported(
                "like_regex predicate in JSON path is not yet supported",
            ));
        }
        Ok(Either::Path(left))
    }

    /// What follows `!`: `exists( … )` or a predicate in parentheses.
    fn negation(&mut self) -> Result<Either, Failure> {
        let negated = if matches!(&self.peek().token, Token::Name(name) if name == "exists") {
            match self.exists()? {
                Either::Predicate(predicate) => predicate,
                Either::Path(_) => return Err(self.mismatched(None)),
            }
        } else {
            self.enter()?;
            self.expect("(")?;
            let predicate = self.predicate()?;
            self.expect(")")?;
            self.depth -= 1;
            predicate
        };
        Ok(Either::Predicate(Predicate::Not(Box::new(negated))))
    }

    fn exists(&mut self) -> Result<Either, Failure> {
        self.enter()?;
        self.at += 1;
        self.expect("(")?;
        let path = self.path()?;
        self.expect(")")?;
        self.depth -= 1;
        Ok(Either::Predicate(Predicate::Exists(path)))
    }

    fn sum(&mut self) -> Result<Either, Failure> {
        self.binary(Self::product, &[("+", Operation::Add), ("-", Operation::Subtract)])
    }

    fn product(&mut self) -> Result<Either, Failure> {
        self.binary(
            Self::signed,
            &[("*", Operation::Multiply), ("/", Operation::Divide), ("%", Operation::Modulus)],
        )
    }

    fn binary(
        &mut self,
        operand: fn(&mut Self) -> Result<Either, Failure>,
        operations: &[(&str, Operation)],
    ) -> Result<Either, Failure> {
        let mut left = operand(self)?;
        while let Either::Path(first) = left {
            let Some((_, operation)) = operations.iter().find(|(symbol, _)| self.symbol(symbol))
            else {
                return Ok(Either::Path(first));
            };
            let Either::Path(second) = operand(self)? else {
                return Err(self.mismatched(None));
            };
            left = Either::Path(Node::Binary(*operation, Box::new(first), Box::new(second)));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Either, Failure> {
        let negative = self.symbol("-");
        if !negative && !self.symbol("+") {
            return self.accessors();
        }
        self.enter()?;
        let Either::Path(of) = self.signed()? else { return Err(self.mismatched(None)) };
        self.depth -= 1;
        Ok(Either::Path(Node::Sign { negative, of: Box::new(of) }))
    }

    fn accessors(&mut self) -> Result<Either, Failure> {
        let mut base = match self.primary()? {
            Either::Path(base) => base,
            predicate @ Either::Predicate(_) => return Ok(predicate),
        };
        loop {
            base = if self.symbol("..") {
                Node::Descendants(Box::new(base), self.name()?)
            } else if self.symbol(".") {
                self.member(base)?
            } else if self.symbol("[") {
                self.enter()?;
                let found = self.subscripts(base)?;
                self.depth -= 1;
                found
            } else if self.symbol("?") {
                self.enter()?;
                self.expect("(")?;
                let predicate = self.predicate()?;
                self.expect(")")?;
                self.depth -= 1;
                Node::Filter(Box::new(base), Box::new(predicate))
            } else {
                return Ok(Either::Path(base));
            };
        }
    }

    fn name(&mut self) -> Result<String, Failure> {
        match self.peek().token.clone() {
            Token::Name(name) | Token::Text(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.mismatched(None)),
        }
    }

    /// What follows a point: a name, `*` or a method.
    fn member(&mut self, base: Node) -> Result<Node, Failure> {
        if self.symbol("*") {
            return Ok(Node::Members(Box::new(base)));
        }
        let is_name = matches!(self.peek().token, Token::Name(_));
        let name = self.name()?;
        if !is_name || !self.symbol("(") {
            return Ok(Node::Member(Box::new(base), name));
        }
        let method = match name.as_str() {
            "type" => Method::Type,
            "size" => Method::Size,
            "double" => Method::Double,
            "ceiling" => Method::Ceiling,
            "floor" => Method::Floor,
            "abs" => Method::Abs,
            "keyvalue" => Method::KeyValue,
            "datetime" => {
                return Err(Failure::not_supported(
                    "datetime method in JSON path is not yet supported",
                ));
            }
            _ => {
                self.at -= 1;
                return Err(self.mismatched(None));
            }
        };
        self.expect(")")?;
        Ok(Node::Method(Box::new(base), method))
    }

    fn subscripts(&mut self, base: Node) -> Result<Node, Failure> {
        if self.symbol("*") {
            self.expect("]")?;
            return Ok(Node::Items(Box::new(base)));
        }
        let mut found = Vec::new();
        loop {
            let from = self.path()?;
            let to = if self.keyword("to") { Some(self.path()?) } else { None };
            found.push(Subscript { from, to });
            if !self.symbol(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Node::Subscripts(Box::new(base), found))
    }

    fn primary(&mut self) -> Result<Either, Failure> {
        let Word { token, text, .. } = self.peek().clone();
        let node = match token {
            Token::Symbol("$") => Node::Context,
            Token::Symbol("@") => Node::Current,
            Token::Variable(name) => Node::Variable(name),
            Token::Text(text) => Node::Literal(Value::Text(text)),
            Token::Name(name) => match name.as_str() {
                "last" => Node::Last,
                "null" => Node::Null,
                "true" => Node::Literal(Value::Boolean(true)),
                "false" => Node::Literal(Value::Boolean(false)),
                _ => return Err(self.mismatched(None)),
            },
            Token::Integer | Token::Decimal | Token::Double => {
                let value = Value::literal(&text)
                    .ok_or_else(|| self.refused(&format!("Invalid numeric literal: {text}")))?;
                Node::Literal(value)
            }
            Token::Symbol("(") => return self.parentheses(),
            Token::Symbol(_) | Token::Unknown | Token::End => return Err(self.mismatched(None)),
        };
        self.at += 1;
        Ok(Either::Path(node))
    }

    fn parentheses(&mut self) -> Result<Either, Failure> {
        self.enter()?;
        self.at += 1;
        let inner = self.disjunction()?;
        self.expect(")")?;
        self.depth -= 1;
        let Either::Predicate(predicate) = inner else { return Ok(inner) };
        if !self.keyword("is") {
            return Ok(Either::Predicate(predicate));
        }
        if !self.keyword("unknown") {
            return Err(self.mismatched(Some("'unknown'")));
        }
        Ok(Either::Predicate(Predicate::IsUnknown(Box::new(predicate))))
    }
}

fn comparison(symbol: &str) -> Option<Comparison> {
    Some(match symbol {
        "==" => Comparison::Equal,
        "<>" | "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        ">" => Comparison::Greater,
        "<=" => Comparison::LessOrEqual,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
