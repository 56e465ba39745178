//! Texts that look like expressions and are passed on as they stand.

use serde_json::Value;

use super::outline::{StateOutline, escaped};
use super::remark::Remark;

/// Fields with payload templates, in either language.
const TEMPLATES: [&str; 10] = [
    "Arguments",
    "Assign",
    "ItemBatcher",
    "ItemReader",
    "ItemSelector",
    "Items",
    "Output",
    "Parameters",
    "ResultSelector",
    "ResultWriter",
];

pub(super) fn remarks(state: &StateOutline) -> Vec<Remark> {
    let mut look = Look { jsonata: state.is_jsonata(), remarks: Vec::new() };
    look.templates(state.value, &state.pointer);
    for member in ["Choices", "Catch"] {
        for (pointer, handler) in state.handlers(member) {
            look.templates(handler, &pointer);
        }
    }
    look.placeholders(state.value, &state.pointer);
    look.remarks
}

struct Look {
    jsonata: bool,
    remarks: Vec<Remark>,
}

impl Look {
    fn templates(&mut self, holder: &Value, pointer: &str) {
        for name in TEMPLATES {
            if let Some(template) = holder.get(name) {
                self.template(name, template, &format!("{pointer}/{name}"));
            }
        }
    }

    fn template(&mut self, name: &str, value: &Value, pointer: &str) {
        match value {
            Value::String(text) => {
                let remark = if self.jsonata {
                    in_jsonata(name, text, pointer)
                } else {
                    in_json_path(name, text, pointer)
                };
                self.remarks.extend(remark);
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.template("", item, &format!("{pointer}/{at}"));
                }
            }
            Value::Object(members) => {
                for (name, inner) in members {
                    self.template(name, inner, &format!("{pointer}/{}", escaped(name)));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// `${Name}`: what a template was to put in, in any text of the state itself.
    fn placeholders(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::String(text) => {
                if let Some(placeholder) = placeholder(text) {
                    self.remarks.push(
                        Remark::error(
                            "placeholder-left",
                            pointer,
                            format!("{placeholder} is left"),
                        )
                        .expected("a text with everything put in")
                        .advice("give its value in DefinitionSubstitutions"),
                    );
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.placeholders(item, &format!("{pointer}/{at}"));
                }
            }
            Value::Object(members) => {
                for (name, inner) in members {
                    // Inner states speak for themselves.
                    if !["States", "Comment"].contains(&name.as_str()) {
                        self.placeholders(inner, &format!("{pointer}/{}", escaped(name)));
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn in_jsonata(name: &str, text: &str, pointer: &str) -> Option<Remark> {
    let whole = text.starts_with("{%") && text.ends_with("%}");
    if !whole && text.contains("{%") && text.contains("%}") {
        return Some(
            Remark::warning("text-like-expression", pointer, "{% … %} within a text")
                .expected("a text that is one expression from its first character to its last")
                .advice("join the parts inside: {% 'text' & $variable %}; as it stands it is text"),
        );
    }
    if name.ends_with(".$") || text.starts_with("$.") || text.starts_with("$$.") {
        return Some(
            Remark::warning("text-like-expression", pointer, "a JSONPath in a JSONata state")
                .expected("{% $states.input… %} or {% $states.context… %}")
                .advice("rewrite it; as it stands it is text"),
        );
    }
    let looks = ["$states.input", "$states.result", "$states.context", "$states.errorOutput"];
    looks.iter().any(|start| text.starts_with(start)).then(|| {
        Remark::warning("text-like-expression", pointer, "$states outside of {% and %}")
            .expected("{% $states… %}")
            .advice("enclose it; as it stands it is text")
    })
}

fn in_json_path(name: &str, text: &str, pointer: &str) -> Option<Remark> {
    if name.ends_with(".$") || name.ends_with("Path") {
        return None;
    }
    if text.starts_with("{%") && text.ends_with("%}") {
        return Some(
            Remark::warning("text-like-expression", pointer, "{% … %} in a JSONPath state")
                .expected("QueryLanguage JSONata on this state or on the whole machine")
                .advice("add it, or write a JSONPath; as it stands it is text"),
        );
    }
    let intrinsic = text.starts_with("States.") && text.ends_with(')');
    if !text.starts_with("$.") && !text.starts_with("$$.") && !intrinsic {
        return None;
    }
    // An item of a list has no name of its own.
    let (expected, advice) = if name.is_empty() {
        let list = format!("a field ending with .$ that is States.Array({text}, …)");
        (list, "make the list by an intrinsic function; as it stands this is text")
    } else {
        (
            format!("\"{name}.$\": \"{text}\""),
            "end the field's name with .$; as it stands it is text",
        )
    };
    Some(
        Remark::warning("text-like-expression", pointer, format!("\"{text}\" is text"))
            .expected(expected)
            .advice(advice),
    )
}

/// `${Name}` or `${Resource.Attribute}`; a `${` of JSONata goes on with something else.
fn placeholder(text: &str) -> Option<&str> {
    text.match_indices("${").find_map(|(start, _)| {
        let length = text[start..].find('}')?;
        let name = &text[start + 2..start + length];
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || ".:_".contains(c));
        is_name.then(|| &text[start..=start + length])
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::Outline;

    #[test]
    fn texts_that_were_meant_to_be_evaluated_are_told() {
        for (language, member, template, expected) in [
            ("JSONPath", "Parameters", json!({"error": "$.error"}), Some("\"$.error\" is text")),
            ("JSONPath", "Parameters", json!({"error.$": "$.error"}), None),
            ("JSONPath", "Parameters", json!({"id": "States.UUID()"}), Some("is text")),
            ("JSONPath", "Parameters", json!({"a": "{% $x %}"}), Some("in a JSONPath state")),
            ("JSONata", "Arguments", json!({"a": "s3://{% $b %}/"}), Some("within a text")),
            ("JSONata", "Arguments", json!({"a": "{% $b %}", "c": "$5"}), None),
            ("JSONata", "Arguments", json!({"a": "$.b"}), Some("a JSONPath in")),
            ("JSONata", "Output", json!("$states.input"), Some("outside of")),
            ("JSONata", "Output", json!("{% ${'a': 1} %}"), None),
            ("JSONata", "Output", json!("${Bucket.Arn}"), Some("${Bucket.Arn} is left")),
        ] {
            let document = json!({"QueryLanguage": language, "States": {"A": {member: template}}});
            let found = remarks(&Outline::of(&document).states[0]);
            assert_eq!(found.len(), usize::from(expected.is_some()), "{template}: {found:?}");
            assert!(expected.is_none_or(|piece| found[0].found.contains(piece)), "{found:?}");
        }
    }
}
