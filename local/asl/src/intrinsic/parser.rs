//! Text to [`Call`].

use serde_json::Value;

use super::{Argument, Call, Function};
use crate::path::Path;

/// How deep calls nest. AWS follows ten.
/// Source: Step Functions developer guide, "Intrinsic functions".
const DEEPEST: usize = 10;

pub(super) fn parse(text: &str) -> Result<Call, String> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let call = parser.call()?;
    parser.spaces();
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(call)
}

/// `\'`, `\{`, `\}` and `\\` to the characters they stand for.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
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

    fn unexpected(&self) -> String {
        format!("unexpected text at character {} of '{}'", self.at, self.text)
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn call(&mut self) -> Result<Call, String> {
        if self.depth > DEEPEST {
            return Err(format!("intrinsic functions nest deeper than {DEEPEST} levels"));
        }
        self.depth += 1;
        self.spaces();
        let rest = self.rest();
        let name = &rest[..rest.find('(').ok_or_else(|| self.unexpected())?];
        let function = Function::named(name.trim())
            .ok_or_else(|| format!("'{}' is not an intrinsic function", name.trim()))?;
        self.at += name.len() + 1;
        let mut arguments = Vec::new();
        if !self.eat(")") {
            loop {
                arguments.push(self.argument()?);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return Err(self.unexpected());
                }
            }
        }
        function.check_arguments(arguments.len())?;
        self.depth -= 1;
        Ok(Call { function, arguments })
    }

    fn argument(&mut self) -> Result<Argument, String> {
        self.spaces();
        let rest = self.rest();
        if rest.starts_with('\'') {
            return self.quoted().map(Argument::Text);
        }
        if rest.starts_with('$') {
            let end = end_of_path(rest);
            self.at += end;
            return Path::parse(rest[..end].trim_end()).map(Argument::Path);
        }
        if rest.starts_with("States.") {
            return self.call().map(Argument::Call);
        }
        let end = rest.find([',', ')']).ok_or_else(|| self.unexpected())?;
        let literal: Value =
            serde_json::from_str(rest[..end].trim()).map_err(|_| self.unexpected())?;
        self.at += end;
        Ok(Argument::Literal(literal))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let rest = &self.rest()[1..];
        let mut escaped = false;
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\'' => {
                    self.at += at + 2;
                    return Ok(rest[..at].to_owned());
                }
                _ => {}
            }
        }
        Err(format!("a quote is not closed in '{}'", self.text))
    }
}

/// A path ends at a comma or closing parenthesis outside its own brackets.
fn end_of_path(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) => quote = (c != open).then_some(open),
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ')' | ',') if depth == 0 => return at,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}
