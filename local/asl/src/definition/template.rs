//! JSON to [`Template`].

use std::sync::Arc;

use serde_json::Value;

use super::QueryLanguage;
use super::fields::Fields;
use crate::diagnostic::Problems;
use crate::intrinsic::Intrinsic;
use crate::jsonata::Query;
use crate::path::Path;
use crate::template::Template;

/// The longest variable name, in characters.
const MAX_VARIABLE_NAME: usize = 80;

/// `location` is the field as AWS names it in causes: `Output/a`.
pub(super) fn parse(
    value: &Value,
    location: &str,
    pointer: &str,
    language: QueryLanguage,
    problems: &Problems,
) -> Template {
    let reader = Reader { problems, language };
    reader.template(value, location, pointer)
}

pub(super) fn parse_assign(fields: &Fields) -> Vec<(String, Template)> {
    let reader = Reader { problems: fields.problems, language: fields.scheme.language };
    let mut assigned = Vec::new();
    for (key, value) in fields.entries() {
        let (name, template) = reader.member(key, value, &format!("Assign/{key}"), &fields.at);
        let valid = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && name.chars().count() <= MAX_VARIABLE_NAME
            && name != "states";
        if !valid {
            let message = format!("'{name}' is not a valid variable name");
            fields.problems.schema(&fields.pointer(key), message);
        }
        assigned.push((name, template));
    }
    assigned
}

struct Reader<'a> {
    problems: &'a Problems,
    language: QueryLanguage,
}

impl Reader<'_> {
    fn template(&self, value: &Value, location: &str, pointer: &str) -> Template {
        match value {
            Value::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| {
                        self.member(key, value, &format!("{location}/{key}"), pointer)
                    })
                    .collect();
                if members.iter().all(|(_, member)| member.literal().is_some()) {
                    return Template::Literal(Arc::new(value.clone()));
                }
                Template::Object(members)
            }
            Value::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| {
                        self.template(
                            item,
                            &format!("{location}[{at}]"),
                            &format!("{pointer}/{at}"),
                        )
                    })
                    .collect();
                if items.iter().all(|item| item.literal().is_some()) {
                    return Template::Literal(Arc::new(value.clone()));
                }
                Template::Array(items)
            }
            Value::String(text) if self.language == QueryLanguage::Jsonata => {
                match Query::body(text) {
                    Some(body) => self.query(body, location, pointer, value),
                    None => Template::Literal(Arc::new(value.clone())),
                }
            }
            _ => Template::Literal(Arc::new(value.clone())),
        }
    }

    fn query(&self, body: &str, location: &str, pointer: &str, value: &Value) -> Template {
        match Query::parse(body) {
            Ok(query) => Template::Query { query, location: location.to_owned() },
            Err(refusal) => {
                self.problems.query(pointer, &refusal);
                Template::Literal(Arc::new(value.clone()))
            }
        }
    }

    /// A member of an object, with its name as it will be in the result.
    fn member(&self, key: &str, value: &Value, location: &str, parent: &str) -> (String, Template) {
        let pointer = format!("{parent}/{key}");
        if self.language == QueryLanguage::Jsonata {
            return (key.to_owned(), self.template(value, location, &pointer));
        }
        let Some(name) = key.strip_suffix(".$") else {
            return (key.to_owned(), self.template(value, location, &pointer));
        };
        let template = value.as_str().and_then(|text| dynamic(key, text));
        let template = template.unwrap_or_else(|| {
            // AWS names the object that holds the field.
            self.problems.schema(
                parent,
                format!(
                    "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic \
                     function call"
                ),
            );
            Template::Literal(Arc::new(Value::Null))
        });
        (name.to_owned(), template)
    }
}

fn dynamic(key: &str, text: &str) -> Option<Template> {
    if text.starts_with('$') {
        return Path::parse(text).ok().map(|path| Template::Path { field: key.to_owned(), path });
    }
    Intrinsic::parse(text).ok().map(Template::Intrinsic)
}
