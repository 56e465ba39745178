//! A JSON text as a tree, and a tree as Trino writes it.

use std::fmt::Write as _;

use indexmap::IndexMap;
use json_event_parser::{JsonEvent, SliceJsonParser};

use crate::sql::write_double;

/// Most arrays and objects inside each other. Source: the limit of Jackson, with which Trino reads.
const DEPTH: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// A name that comes twice has its last value.
    Object(IndexMap<String, Json>),
}

/// What becomes of a number with a fraction or an exponent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::trino) enum Fractions {
    /// It is written as it was.
    Kept,
    /// It is written as a double.
    Doubles,
    /// It is written as a double where that loses nothing.
    Exact,
}

impl Json {
    /// The one value a text consists of; `None` when the text is no JSON.
    pub(in crate::trino) fn read(text: &str, fractions: Fractions) -> Option<Self> {
        let mut reader = Reader::new(text, fractions);
        let first = reader.next()?;
        let found = reader.value(first)?;
        (reader.next()? == JsonEvent::Eof).then_some(found)
    }

    /// The members of the object a line of a file consists of, numbers as they are written.
    pub fn read_object(line: &[u8]) -> Option<IndexMap<String, Self>> {
        match Self::read(std::str::from_utf8(line).ok()?, Fractions::Kept)? {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Puts the members of every object in the order of their names, as Java compares them.
    pub fn sort(&mut self) {
        match self {
            Self::Array(items) => items.iter_mut().for_each(Self::sort),
            Self::Object(members) => {
                members.sort_by(|a, _, b, _| a.encode_utf16().cmp(b.encode_utf16()));
                members.values_mut().for_each(Self::sort);
            }
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::Text(_) => {}
        }
    }

    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(number),
            Self::Text(text) => write_text(text, out),
            Self::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

/// A text in quotes.
pub(in crate::trino) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // Writing to a String cannot fail.
            c if c < ' ' => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether a number is written with a fraction or an exponent.
pub(in crate::trino) fn is_fraction(number: &str) -> bool {
    number.contains(['.', 'e', 'E'])
}

/// The events of a text, one value after another.
pub(super) struct Reader<'a> {
    events: SliceJsonParser<'a>,
    fractions: Fractions,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, fractions: Fractions) -> Self {
        Self { events: SliceJsonParser::new(text.as_bytes()), fractions, depth: 0 }
    }

    /// `None` where the text is no JSON.
    pub fn next(&mut self) -> Option<JsonEvent<'a>> {
        self.events.parse_next().ok()
    }

    /// The value an event begins.
    pub fn value(&mut self, first: JsonEvent<'a>) -> Option<Json> {
        Some(match first {
            JsonEvent::Null => Json::Null,
            JsonEvent::Boolean(value) => Json::Boolean(value),
            JsonEvent::Number(number) => Json::Number(self.number(&number)),
            JsonEvent::String(text) => Json::Text(text.into_owned()),
            JsonEvent::StartArray => {
                self.enter()?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        JsonEvent::EndArray => break,
                        first => items.push(self.value(first)?),
                    }
                }
                self.depth -= 1;
                Json::Array(items)
            }
            JsonEvent::StartObject => {
                self.enter()?;
                let mut members = IndexMap::new();
                while let JsonEvent::ObjectKey(name) = self.next()? {
                    let first = self.next()?;
                    let value = self.value(first)?;
                    members.insert(name.into_owned(), value);
                }
                self.depth -= 1;
                Json::Object(members)
            }
            JsonEvent::EndArray
            | JsonEvent::EndObject
            | JsonEvent::ObjectKey(_)
            | JsonEvent::Eof => return None,
        })
    }

    /// Reads past the value an event begins.
    pub fn skip(&mut self, first: &JsonEvent<'a>) -> Option<()> {
        if !matches!(first, JsonEvent::StartArray | JsonEvent::StartObject) {
            return (*first != JsonEvent::Eof).then_some(());
        }
        let mut open = 1_usize;
        while open > 0 {
            match self.next()? {
                JsonEvent::StartArray | JsonEvent::StartObject => open += 1,
                JsonEvent::EndArray | JsonEvent::EndObject => open -= 1,
                JsonEvent::Eof => return None,
                _ => {}
            }
        }
        Some(())
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= DEPTH).then_some(())
    }

    fn number(&self, written: &str) -> String {
        if self.fractions == Fractions::Kept || !is_fraction(written) {
            return written.to_owned();
        }
        let value: f64 = written.parse().unwrap_or(f64::NAN);
        let exact = self.fractions == Fractions::Doubles
            || significant(written) == significant(&format!("{value:e}"));
        if !value.is_finite() || !exact {
            return written.to_owned();
        }
        let mut text = String::new();
        write_double(value, &mut text);
        text
    }
}

/// A number's digits without zeros around them, and the power of ten of the last one.
fn significant(number: &str) -> (String, i64) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches(['-', '+']));
    let trimmed = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - trimmed.len()).unwrap_or(0);
    let scale = i64::try_from(fraction.len()).unwrap_or(0);
    let digits = trimmed.trim_start_matches('0');
    if digits.is_empty() {
        return (String::new(), 0);
    }
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX);
    (digits.to_owned(), exponent.saturating_sub(scale).saturating_add(dropped))
}
