//! Text to [`Path`].

use serde_json::Value;

use super::filter::{Comparison, Filter, Operand, Operator};
use super::{Function, Path, Root, Step};

/// How deep filters nest: `[?(@[?(!(…))])]`. No path of a person comes near it.
const DEEPEST: usize = 50;

pub(super) fn parse(text: &str) -> Result<Path, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let root = parser.root()?;
    let steps = parser.steps()?;
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(Path { text: text.to_owned(), root, steps })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        self.spaces();
        if self.eat(token) {
            Ok(())
        } else {
            Err(format!("expected '{token}' at character {} of '{}'", self.at, self.text))
        }
    }

    fn unexpected(&self) -> String {
        format!("unexpected text at character {} of '{}'", self.at, self.text)
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn root(&mut self) -> Result<Root, String> {
        if !self.eat("$") {
            return Err(format!("'{}' does not start with '$'", self.text));
        }
        if self.eat("$") {
            return Ok(Root::Context);
        }
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_');
        Ok(if name.is_empty() { Root::Data } else { Root::Variable(name.to_owned()) })
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.eat("..") {
                steps.push(Step::Descend);
                if self.peek() != Some('[') {
                    steps.push(self.dotted()?);
                }
            } else if self.eat(".") {
                if self.peek() != Some('[') {
                    steps.push(self.dotted()?);
                }
            } else if self.eat("[") {
                steps.push(self.bracketed()?);
            } else {
                return Ok(steps);
            }
        }
    }

    fn dotted(&mut self) -> Result<Step, String> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        let name = self.take_while(|c| !".[]()*,'\"?=<>!&|@".contains(c) && !c.is_whitespace());
        if name.is_empty() {
            return Err(self.unexpected());
        }
        if self.eat("()") {
            return function(name).ok_or_else(|| format!("unknown function '{name}()'"));
        }
        Ok(Step::Member(name.to_owned()))
    }

    fn bracketed(&mut self) -> Result<Step, String> {
        self.spaces();
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('?') => {
                self.at += 1;
                self.expect("(")?;
                let filter = self.either()?;
                self.expect(")")?;
                Step::Filter(filter)
            }
            Some('(') => self.last_index()?,
            Some('\'' | '"') => self.names()?,
            _ => self.indexes()?,
        };
        self.expect("]")?;
        Ok(step)
    }

    /// `(@.length-1)`
    fn last_index(&mut self) -> Result<Step, String> {
        self.expect("(")?;
        self.expect("@.length")?;
        self.eat("()");
        self.expect("-")?;
        self.spaces();
        let back = self.integer()?.ok_or_else(|| self.unexpected())?;
        self.expect(")")?;
        Ok(Step::Index(back.saturating_neg()))
    }

    fn names(&mut self) -> Result<Step, String> {
        let mut names = vec![self.quoted()?];
        self.spaces();
        while self.eat(",") {
            self.spaces();
            names.push(self.quoted()?);
            self.spaces();
        }
        Ok(match names.pop() {
            Some(name) if names.is_empty() => Step::Member(name),
            last => Step::Members(names.into_iter().chain(last).collect()),
        })
    }

    fn quoted(&mut self) -> Result<String, String> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'));
        let quote = quote.ok_or_else(|| self.unexpected())?;
        self.at += 1;
        let mut name = String::new();
        loop {
            let c = self.peek().ok_or_else(|| self.unexpected())?;
            self.at += c.len_utf8();
            match c {
                '\\' => {
                    let escaped = self.peek().ok_or_else(|| self.unexpected())?;
                    self.at += escaped.len_utf8();
                    name.push(escaped);
                }
                c if c == quote => return Ok(name),
                c => name.push(c),
            }
        }
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let start = self.at;
        self.eat("-");
        self.take_while(|c| c.is_ascii_digit());
        match &self.text[start..self.at] {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| self.unexpected()),
        }
    }

    fn indexes(&mut self) -> Result<Step, String> {
        let first = self.integer()?;
        self.spaces();
        if self.eat(":") {
            self.spaces();
            return Ok(Step::Slice(first, self.integer()?));
        }
        let mut indexes = vec![first.ok_or_else(|| self.unexpected())?];
        while self.eat(",") {
            self.spaces();
            indexes.push(self.integer()?.ok_or_else(|| self.unexpected())?);
            self.spaces();
        }
        Ok(match indexes.as_slice() {
            [index] => Step::Index(*index),
            _ => Step::Indexes(indexes),
        })
    }

    fn either(&mut self) -> Result<Filter, String> {
        let mut filters = vec![self.both()?];
        self.spaces();
        while self.eat("||") {
            filters.push(self.both()?);
            self.spaces();
        }
        Ok(match filters.pop() {
            Some(filter) if filters.is_empty() => filter,
            last => Filter::Any(filters.into_iter().chain(last).collect()),
        })
    }

    fn both(&mut self) -> Result<Filter, String> {
        let mut filters = vec![self.term()?];
        self.spaces();
        while self.eat("&&") {
            filters.push(self.term()?);
            self.spaces();
        }
        Ok(match filters.pop() {
            Some(filter) if filters.is_empty() => filter,
            last => Filter::All(filters.into_iter().chain(last).collect()),
        })
    }

    /// One level down and up again.
    fn nested<T>(&mut self, part: fn(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err(format!("'{}' nests deeper than {DEEPEST} levels", self.text));
        }
        self.depth += 1;
        let found = part(self);
        self.depth -= 1;
        found
    }

    fn term(&mut self) -> Result<Filter, String> {
        self.nested(Self::inner_term)
    }

    fn inner_term(&mut self) -> Result<Filter, String> {
        self.spaces();
        if self.eat("!") {
            return Ok(Filter::Not(Box::new(self.term()?)));
        }
        if self.eat("(") {
            let inner = self.either()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let left = self.operand()?;
        self.spaces();
        let operator = Operator::ALL.into_iter().find(|(token, _)| self.eat(token));
        match (operator, left) {
            (Some((_, operator)), left) => {
                self.spaces();
                let right = self.operand()?;
                Ok(Filter::Compare(Comparison { left, operator, right }))
            }
            (None, Operand::Path(path)) => Ok(Filter::Exists(path)),
            (None, Operand::Literal(_)) => Err(self.unexpected()),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if self.eat("@") {
            return Ok(Operand::Path(Path {
                text: String::new(),
                root: Root::Data,
                steps: self.steps()?,
            }));
        }
        Ok(Operand::Literal(match self.peek() {
            Some('\'' | '"') => Value::String(self.quoted()?),
            Some('[') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.spaces();
                    if self.eat("]") {
                        break;
                    }
                    match self.nested(Self::operand)? {
                        Operand::Literal(item) => items.push(item),
                        Operand::Path(_) => return Err(self.unexpected()),
                    }
                    self.spaces();
                    self.eat(",");
                }
                Value::Array(items)
            }
            _ => {
                let word = self.take_while(|c| c.is_alphanumeric() || "+-._".contains(c));
                serde_json::from_str(word).map_err(|_| self.unexpected())?
            }
        }))
    }
}

fn function(name: &str) -> Option<Step> {
    let function = match name {
        "length" | "size" => Function::Length,
        "min" => Function::Min,
        "max" => Function::Max,
        "avg" => Function::Avg,
        "sum" => Function::Sum,
        "keys" => Function::Keys,
        "first" => Function::First,
        "last" => Function::Last,
        _ => return None,
    };
    Some(Step::Function(function))
}
