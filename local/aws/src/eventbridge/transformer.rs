//! What a target gets: the event, a part of it, a constant, or a template filled from it.

use serde_json::Value;

use super::rule::{Target, Transformer};

/// Variables that EventBridge itself offers to templates.
pub struct RuleVariables<'a> {
    pub rule_arn: &'a str,
    pub rule_name: &'a str,
}

/// The input of a target, as text.
pub fn input(target: &Target, event: &Value, rule: &RuleVariables<'_>) -> String {
    if let Some(constant) = &target.input {
        return constant.clone();
    }
    if let Some(path) = &target.input_path {
        return select(event, path).map_or_else(|| "null".to_owned(), Value::to_string);
    }
    match &target.input_transformer {
        Some(transformer) => fill(transformer, event, rule),
        None => event.to_string(),
    }
}

/// `$.detail.object.key`, `$.resources[0]`, `$.detail['a-b']`.
fn select<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = event;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            value = value.get(&after[..end])?;
            rest = &after[end..];
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            value = match inside.parse::<usize>() {
                Ok(index) => value.get(index)?,
                Err(_) => value.get(inside.trim_matches(['\'', '"']))?,
            };
            rest = after;
        }
    }
    Some(value)
}

/// Replaces `<name>`: inside quotes by the bare text, outside by JSON.
fn fill(transformer: &Transformer, event: &Value, rule: &RuleVariables<'_>) -> String {
    let variable = |name: &str| -> Option<Value> {
        match name {
            "aws.events.rule-arn" => Some(rule.rule_arn.into()),
            "aws.events.rule-name" => Some(rule.rule_name.into()),
            "aws.events.event.ingestion-time" => event.get("time").cloned(),
            "aws.events.event" | "aws.events.event.json" => Some(event.clone()),
            name => {
                let path = transformer.input_paths_map.get(name)?;
                // A path that finds nothing leaves an empty place, as on AWS.
                Some(select(event, path).cloned().unwrap_or_else(|| Value::from("")))
            }
        }
    };
    let template = transformer.input_template.as_str();
    let mut filled = String::with_capacity(template.len());
    let (mut rest, mut quoted) = (template, false);
    while let Some(character) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|after| after.split_once('>'));
        if let Some((name, after)) = name
            && let Some(value) = variable(name)
        {
            let json = value.to_string();
            match value.as_str() {
                Some(_) if quoted => filled.push_str(&json[1..json.len() - 1]),
                None if quoted => {
                    let escaped = Value::from(json).to_string();
                    filled.push_str(&escaped[1..escaped.len() - 1]);
                }
                _ => filled.push_str(&json),
            }
            rest = after;
            continue;
        }
        if character == '\\' && quoted {
            let pair = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
            filled.push_str(&rest[..pair]);
            rest = &rest[pair..];
            continue;
        }
        if character == '"' {
            quoted = !quoted;
        }
        filled.push(character);
        rest = &rest[character.len_utf8()..];
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_are_filled() {
        let event = json!({"detail": {"key": "a\"b", "size": 3, "tags": ["x"]}, "time": "T"});
        let rule = RuleVariables { rule_arn: "arn", rule_name: "arrivals" };
        let cases = [
            (r#"{"key": <key>, "size": <size>}"#, r#"{"key": "a\"b", "size": 3}"#),
            (r#""<key> has <size> bytes""#, r#""a\"b has 3 bytes""#),
            (
                r#"{"tag": "<tags>", "rule": "<aws.events.rule-name>"}"#,
                r#"{"tag": "[\"x\"]", "rule": "arrivals"}"#,
            ),
            (r#"{"none": "<none>", "other": "<other>"}"#, r#"{"none": "", "other": "<other>"}"#),
        ];
        for (template, expected) in cases {
            let paths = [
                ("key", "$.detail.key"),
                ("size", "$.detail.size"),
                ("tags", "$.detail['tags']"),
                ("none", "$.detail.x"),
            ];
            let transformer = Transformer {
                input_paths_map: paths
                    .map(|(name, path)| (name.to_owned(), path.to_owned()))
                    .into(),
                input_template: template.to_owned(),
            };
            assert_eq!(fill(&transformer, &event, &rule), expected);
        }
        assert_eq!(select(&event, "$.detail.tags[0]"), Some(&json!("x")));
        assert_eq!(select(&event, "$"), Some(&event));
    }
}
