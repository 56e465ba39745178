//! The paths of `json_extract` and its kin: `$.store.book[0]["title"]`.

use json_event_parser::JsonEvent;

use super::document::{Fractions, Json, Reader};
use crate::sql::Failure;

/// The names and places on the way to a value. What is a number may be either.
pub(super) struct Path(Vec<String>);

impl Path {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        steps(text)
            .map(Self)
            .ok_or_else(|| Failure::invalid_argument(format!("Invalid JSON path: '{text}'")))
    }

    /// The value at the path as JSON. What follows it is not read.
    pub fn value(&self, text: &str) -> Option<Json> {
        let mut reader = Reader::new(text, Fractions::Doubles);
        let first = self.locate(&mut reader)?;
        reader.value(first)
    }

    /// The text of the scalar at the path, numbers as they are written.
    pub fn scalar(&self, text: &str) -> Option<String> {
        let mut reader = Reader::new(text, Fractions::Kept);
        match self.locate(&mut reader)? {
            JsonEvent::String(text) => Some(text.into_owned()),
            JsonEvent::Number(number) => Some(number.into_owned()),
            JsonEvent::Boolean(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// How many items or members the value at the path has; scalars have none.
    pub fn size(&self, text: &str) -> Option<i64> {
        let mut reader = Reader::new(text, Fractions::Kept);
        match self.locate(&mut reader)? {
            JsonEvent::StartArray => items(&mut reader),
            JsonEvent::StartObject => {
                let mut count = 0;
                while let JsonEvent::ObjectKey(_) = reader.next()? {
                    let first = reader.next()?;
                    reader.skip(&first)?;
                    count += 1;
                }
                Some(count)
            }
            _ => Some(0),
        }
    }

    /// The event that begins the value at the path.
    fn locate<'a>(&self, reader: &mut Reader<'a>) -> Option<JsonEvent<'a>> {
        let mut found = reader.next()?;
        for step in &self.0 {
            found = match found {
                JsonEvent::StartObject => loop {
                    let JsonEvent::ObjectKey(name) = reader.next()? else { return None };
                    let first = reader.next()?;
                    if name == *step {
                        break first;
                    }
                    reader.skip(&first)?;
                },
                JsonEvent::StartArray => {
                    let mut before: usize = step.parse().ok()?;
                    loop {
                        let first = reader.next()?;
                        if first == JsonEvent::EndArray {
                            return None;
                        }
                        if before == 0 {
                            break first;
                        }
                        reader.skip(&first)?;
                        before -= 1;
                    }
                }
                _ => return None,
            };
        }
        (found != JsonEvent::Eof).then_some(found)
    }
}

/// How many items follow up to the end of their array.
pub(super) fn items(reader: &mut Reader<'_>) -> Option<i64> {
    let mut count = 0;
    loop {
        let first = reader.next()?;
        if first == JsonEvent::EndArray {
            return Some(count);
        }
        reader.skip(&first)?;
        count += 1;
    }
}

fn steps(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (step, after) = plain(after, |c| c == ':' || is_plain(c))?;
            steps.push(step);
            rest = after;
        } else {
            let inside = rest.strip_prefix('[')?;
            let (step, after) = match inside.strip_prefix('"') {
                Some(quoted) => quoted_step(quoted)?,
                None => plain(inside, is_plain)?,
            };
            steps.push(step);
            rest = after.strip_prefix(']')?;
        }
    }
    Some(steps)
}

fn is_plain(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn plain(text: &str, allowed: impl Fn(char) -> bool) -> Option<(String, &str)> {
    let end = text.find(|c| !allowed(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// A name up to its closing quote, and what follows.
fn quoted_step(text: &str) -> Option<(String, &str)> {
    let mut step = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((step, &text[at + 1..])),
            '\\' => match characters.next()? {
                (_, escaped @ ('"' | '\\')) => step.push(escaped),
                _ => return None,
            },
            c => step.push(c),
        }
    }
    None
}
