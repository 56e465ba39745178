//! JSON paths of `json_extract`: `$.store.book[0]['title']`, and `[*]`, `..` not.

use serde_json::Value;

use crate::sql::Failure;

enum Step {
    Key(String),
    Index(usize),
    All,
}

pub(super) struct Path(Vec<Step>);

impl Path {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let refused = || Failure::invalid_argument(format!("Invalid JSON path: '{text}'"));
        let text = text.trim();
        let standard = text.starts_with("lax ") || text.starts_with("strict ");
        if standard && text.contains(['?', '(', '@']) {
            return Err(Failure::not_supported(format!(
                "filters and methods in an SQL/JSON path: {text}"
            )));
        }
        let text = text
            .strip_prefix("lax ")
            .or_else(|| text.strip_prefix("strict "))
            .unwrap_or(text)
            .trim();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        if !text.starts_with('$') {
            // `store.book` means `$.store.book`.
            return Self::parse(&format!("$.{text}"));
        }
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                if after.starts_with('.') {
                    return Err(Failure::not_supported(format!("JSON path with '..': {text}")));
                }
                let (key, after) = if let Some(quoted) = after.strip_prefix('"') {
                    let end = quoted.find('"').ok_or_else(refused)?;
                    (&quoted[..end], &quoted[end + 1..])
                } else {
                    let end = after.find(['.', '[']).unwrap_or(after.len());
                    (&after[..end], &after[end..])
                };
                if key.is_empty() {
                    return Err(refused());
                }
                steps.push(if key == "*" { Step::All } else { Step::Key(key.to_owned()) });
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let end = inside.find(']').ok_or_else(refused)?;
                let index = inside[..end].trim();
                steps.push(match index {
                    "*" => Step::All,
                    index if index.starts_with(['"', '\'']) => {
                        Step::Key(index.trim_matches(['"', '\'']).to_owned())
                    }
                    index => match index.parse() {
                        Ok(index) => Step::Index(index),
                        Err(_) if index.starts_with('-') => return Err(refused()),
                        Err(_) => Step::Key(index.to_owned()),
                    },
                });
                rest = &inside[end + 1..];
            } else {
                return Err(refused());
            }
        }
        Ok(Self(steps))
    }

    /// The value at the path; several when it has a `*`.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![value];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| -> Vec<&'a Value> {
                    match (step, value) {
                        (Step::Key(key), Value::Object(object)) => {
                            object.get(key).into_iter().collect()
                        }
                        (Step::Index(index), Value::Array(items)) => {
                            items.get(*index).into_iter().collect()
                        }
                        (Step::All, Value::Array(items)) => items.iter().collect(),
                        (Step::All, Value::Object(object)) => object.values().collect(),
                        // A number as a key of an object.
                        (Step::Index(index), Value::Object(object)) => {
                            object.get(&index.to_string()).into_iter().collect()
                        }
                        _ => Vec::new(),
                    }
                })
                .collect();
        }
        found
    }

    pub fn has_wildcard(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::All))
    }
}
