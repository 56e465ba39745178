//! A YAML document with `CloudFormation`'s short forms, every part knowing its place.
use std::fmt;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Marker, Scalar, YamlData};
use serde_json::Value;

/// A place in the template, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Place {
    /// The place that a parser's text ends with: `… at byte 7 line 2 column 3`.
    pub fn named_in(message: &str) -> Option<Self> {
        let after = |word: &str| {
            let (_, rest) = message.rsplit_once(word)?;
            rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        };
        Some(Self { line: after("line ")?, column: after("column ")? })
    }
}

impl From<&Marker> for Place {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// Something that keeps the template from being deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub place: Place,
    pub message: String,
}

impl Problem {
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A part of the document.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// An intrinsic function, short (`!GetAtt a.b`) or long (`Fn::GetAtt: [a, b]`), by its
    /// name without `Fn::`.
    Call {
        function: String,
        argument: Box<Node>,
    },
}

/// A key of a map and what stands there.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

impl Node {
    /// Reads the one document of a file.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let documents = MarkedYaml::load_from_str(text).map_err(|error| {
            let message = error.to_string();
            let place = Place::named_in(&message).unwrap_or(Place { line: 1, column: 1 });
            Problem { place, message: format!("not YAML: {message}") }
        })?;
        match documents.as_slice() {
            [document] => Self::of(document),
            others => Err(Problem::new(
                Place { line: 1, column: 1 },
                format!("expected one document, found {}", others.len()),
            )),
        }
    }

    fn of(yaml: &MarkedYaml<'_>) -> Result<Self, Problem> {
        let place = Place::from(&yaml.span.start);
        let content = match &yaml.data {
            YamlData::Value(scalar) => Content::of(scalar),
            YamlData::Sequence(items) => {
                Content::List(items.iter().map(Self::of).collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let key_place = Place::from(&key.span.start);
                    let key = match &key.data {
                        YamlData::Value(scalar) => Content::of(scalar).as_text(),
                        _ => None,
                    };
                    let key =
                        key.ok_or_else(|| Problem::new(key_place, "expected a text as key"))?;
                    Ok(Entry { key, place: key_place, value: Self::of(value)? })
                });
                Content::of_map(entries.collect::<Result<_, _>>()?)
            }
            YamlData::Tagged(tag, inner) if tag.handle == "!" => {
                let mut argument = Self::of(inner)?;
                argument.place = place;
                Content::Call { function: tag.suffix.clone(), argument: Box::new(argument) }
            }
            YamlData::Tagged(_, inner) => return Self::of(inner),
            YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
                return Err(Problem::new(place, "not a value that a template can hold"));
            }
        };
        Ok(Self { place, content })
    }

    /// The entries of a map; a problem for anything else.
    pub fn entries(&self) -> Result<&[Entry], Problem> {
        match &self.content {
            Content::Map(entries) => Ok(entries),
            other => {
                Err(Problem::new(self.place, format!("expected a map, found {}", other.kind())))
            }
        }
    }

    /// What stands at a key; `None` where nothing does or this is no map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.content {
            Content::Map(entries) => {
                entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text without any function in it; a problem for anything else.
    pub fn literal(&self) -> Result<&str, Problem> {
        self.as_str().ok_or_else(|| {
            Problem::new(self.place, format!("expected a text, found {}", self.content.kind()))
        })
    }
}

impl Content {
    fn of(scalar: &Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => Self::Bool(*value),
            Scalar::Integer(value) => Self::Integer(*value),
            Scalar::FloatingPoint(value) => Self::Float(value.0),
            Scalar::String(text) => Self::Text(text.clone().into_owned()),
        }
    }

    /// A map of the one key `Ref` or `Fn::…` is a function in its long form.
    fn of_map(mut entries: Vec<Entry>) -> Self {
        if let [entry] = entries.as_mut_slice() {
            let function = entry.key.strip_prefix("Fn::").or((entry.key == "Ref").then_some("Ref"));
            if let Some(function) = function.map(str::to_owned) {
                let entry = entries.pop().expect("the slice had one entry");
                return Self::Call { function, argument: Box::new(entry.value) };
            }
        }
        Self::Map(entries)
    }

    fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Call { .. } => "a function",
        }
    }

    /// The scalar as JSON; `None` for lists, maps and functions.
    pub fn scalar(&self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Float(value) => Value::from(*value),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(_) | Self::Map(_) | Self::Call { .. } => return None,
        })
    }
}
