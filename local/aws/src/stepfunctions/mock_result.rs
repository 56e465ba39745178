//! Whether a mocked result is one that the mocked operation could answer.
//!
//! The answers of operations lie in `local/aws/signatures/results.txt`, where a script writes them from AWS's own models.

use std::collections::HashMap;
use std::sync::OnceLock;

use asl::{Pattern, ResourceKind};
use serde_json::{Map, Value};

/// `fieldValidationMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Required members are there, and all are of their types.
    Strict,
    /// What is there is of its type.
    Present,
    None,
}

/// Optimised integrations, by the names of the services whose operations they call.
const CALLS: [(&str, &str); 2] = [("events", "eventbridge"), ("states", "sfn")];

/// Integrations whose answers are no API's.
const FREE: [&str; 3] = ["apigateway", "http", "elasticmapreduce"];

/// Members that Step Functions answers parsed.
const PARSED: [(&str, &str, &[&str]); 2] =
    [("lambda", "invoke", &["Payload"]), ("states", "startExecution", &["Input", "Output"])];

/// Checks the result of a Task.
///
/// # Errors
/// What is wrong with it, in AWS's words; or that the operation's answer is not known here.
pub(super) fn check(
    resource: &ResourceKind,
    result: &Value,
    strictness: Strictness,
) -> Result<(), String> {
    let ResourceKind::Service { service, action, pattern } = resource else { return Ok(()) };
    let free = FREE.contains(&service.as_str())
        || (service == "eks" && ["call", "runJob"].contains(&action.as_str()));
    if strictness == Strictness::None || *pattern == Pattern::WaitForTaskToken || free {
        return Ok(());
    }
    let unknown = || {
        format!(
            "What {service}:{action}{} answers is not known here: set fieldValidationMode to NONE",
            pattern.suffix()
        )
    };
    let (section, shape) = answer(service, action, *pattern).ok_or_else(unknown)?;
    let parsed: &[&str] = PARSED
        .into_iter()
        .find(|(name, of, _)| (name, of) == (&service.as_str(), &action.as_str()))
        .filter(|_| *pattern != Pattern::Sync)
        .map_or(&[], |(_, _, members)| members);
    let check = Check { section, strictness, parsed };
    check
        .value(shape, "Result", result)
        .map_err(|wrong| format!("Mock result schema validation error: {wrong}"))
}

/// What a Task's result is: a service's section, and a type in it.
fn answer(
    service: &str,
    action: &str,
    pattern: Pattern,
) -> Option<(&'static Section, &'static str)> {
    let called = CALLS.iter().find(|(name, _)| *name == service);
    let name =
        called.map_or_else(|| service.strip_prefix("aws-sdk:").unwrap_or(service), |(_, sdk)| sdk);
    let section = sections().get(name)?;
    let waits = matches!(pattern, Pattern::Sync | Pattern::Sync2);
    // Who waits is answered what describes the work when it is done.
    let shape = match (waits, name, action) {
        (false, _, action) => section.operations.get(action)?,
        (true, "athena", "startQueryExecution") => section.operations.get("getQueryExecution")?,
        (true, "sfn", "startExecution") => section.operations.get("describeExecution")?,
        (true, "glue", "startJobRun") => "JobRun",
        (true, ..) => return None,
    };
    Some((section, shape))
}

#[derive(Debug, Default)]
struct Section {
    /// The types of answers, by operation.
    operations: HashMap<&'static str, &'static str>,
    shapes: HashMap<&'static str, Shape>,
}

#[derive(Debug)]
enum Shape {
    Structure(Vec<Member>),
    Number { least: Option<f64>, most: Option<f64> },
    Values(Vec<&'static str>),
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    required: bool,
    kind: &'static str,
}

fn sections() -> &'static HashMap<&'static str, Section> {
    static ALL: OnceLock<HashMap<&str, Section>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: HashMap<&str, Section> = HashMap::new();
        let mut section = "";
        for line in include_str!("../../signatures/results.txt").lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']');
                continue;
            }
            let (name, text) = line.split_once(' ').unwrap_or((line, ""));
            let known = all.entry(section).or_default();
            match name.strip_prefix(':') {
                Some(name) => drop(known.shapes.insert(name, shape(text))),
                None => drop(known.operations.insert(name, text)),
            }
        }
        all
    })
}

fn shape(text: &'static str) -> Shape {
    let mut words = text.split(' ');
    match (text.as_bytes(), words.next()) {
        ([b'n', b' ', ..], _) => {
            let mut bound = || words.next().and_then(|bound| bound.parse().ok());
            Shape::Number { least: bound(), most: bound() }
        }
        ([b's', b' ', ..], _) => {
            Shape::Values(words.next().unwrap_or_default().split('|').collect())
        }
        _ => Shape::Structure(text.split(' ').filter_map(member).collect()),
    }
}

fn member(text: &'static str) -> Option<Member> {
    let (name, kind) = text.split_once('=')?;
    let required = name.ends_with('!');
    Some(Member { name: name.trim_end_matches('!'), required, kind })
}

struct Check<'a> {
    section: &'static Section,
    strictness: Strictness,
    /// Members of the answer that may be anything.
    parsed: &'a [&'a str],
}

impl Check<'_> {
    fn value(&self, kind: &str, field: &str, value: &Value) -> Result<(), String> {
        let must = |fits: bool, what: &str| {
            if fits { Ok(()) } else { Err(format!("Field '{field}' must be {what}")) }
        };
        match kind {
            "*" => return Ok(()),
            "s" => return must(value.is_string(), "a string"),
            "n" => return must(value.is_number(), "a number"),
            "b" => return must(value.is_boolean(), "a boolean"),
            _ => {}
        }
        if let Some(inner) = kind.strip_prefix("a:") {
            must(value.is_array(), "an array")?;
            let mut items = value.as_array().into_iter().flatten();
            return items.try_for_each(|item| self.value(inner, field, item));
        }
        if let Some(inner) = kind.strip_prefix("o:") {
            must(value.is_object(), "an object")?;
            let mut members = value.as_object().into_iter().flatten();
            return members.try_for_each(|(_, item)| self.value(inner, field, item));
        }
        match self.section.shapes.get(kind) {
            Some(Shape::Structure(members)) => {
                must(value.is_object(), "an object")?;
                value.as_object().map_or(Ok(()), |given| self.members(members, given))
            }
            Some(Shape::Number { least, most }) => {
                must(value.is_number(), "a number")?;
                let number = value.as_f64().unwrap_or_default();
                if least.is_some_and(|least| number < least) {
                    return Err(format!("Field '{field}' is less than the minimum value"));
                }
                if most.is_some_and(|most| number > most) {
                    return Err(format!("Field '{field}' is greater than the maximum value"));
                }
                Ok(())
            }
            Some(Shape::Values(values)) => {
                must(value.is_string(), "a string")?;
                let given = value.as_str().unwrap_or_default().replace(' ', "_");
                if values.contains(&given.as_str()) {
                    return Ok(());
                }
                Err(format!("Field '{field}' is not an expected value"))
            }
            None => Ok(()),
        }
    }

    /// Members that the operation does not have are let through.
    fn members(&self, members: &[Member], given: &Map<String, Value>) -> Result<(), String> {
        for member in members {
            match given.get(member.name) {
                Some(_) if self.parsed.contains(&member.name) => {}
                Some(value) => self.value(member.kind, member.name, value)?,
                None if member.required && self.strictness == Strictness::Strict => {
                    return Err(format!("Required field '{}' is missing", member.name));
                }
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use asl::Resource;
    use serde_json::json;

    use super::*;

    fn checked(resource: &str, result: &Value, strictness: Strictness) -> Result<(), String> {
        check(&Resource::parse(&format!("arn:aws:states:::{resource}")).kind, result, strictness)
    }

    #[test]
    fn every_type_of_the_answers_is_known() {
        let mut members = 0;
        for (name, section) in sections() {
            let kinds = section.shapes.values().flat_map(|shape| match shape {
                Shape::Structure(members) => members.iter().map(|member| member.kind).collect(),
                Shape::Number { .. } | Shape::Values(_) => Vec::new(),
            });
            for kind in kinds.chain(section.operations.values().copied()) {
                members += 1;
                let kind = kind.trim_start_matches("a:").trim_start_matches("o:");
                let kind = kind.trim_start_matches("a:").trim_start_matches("o:");
                let known = ["*", "s", "n", "b"].contains(&kind);
                assert!(known || section.shapes.contains_key(kind), "{name}: {kind}");
            }
        }
        assert!(members > 1_000, "{members}");
    }

    #[test]
    fn who_waits_is_answered_what_describes_the_work() {
        let query =
            json!({"QueryExecution": {"QueryExecutionId": "q", "Status": {"State": "DONE"}}});
        assert_eq!(
            checked("athena:startQueryExecution.sync", &query, Strictness::Present),
            Err("Mock result schema validation error: Field 'State' is not an expected value"
                .to_owned())
        );
        let ended = json!({
            "ExecutionArn": "e", "StateMachineArn": "m", "Status": "SUCCEEDED", "StartDate": "t", "Output": {"a": 1},
        });
        assert_eq!(checked("states:startExecution.sync:2", &ended, Strictness::Strict), Ok(()));
        assert!(checked("states:startExecution.sync", &ended, Strictness::Strict).is_err());
        assert_eq!(
            checked("sqs:sendMessage.waitForTaskToken", &json!(1), Strictness::Strict),
            Ok(())
        );
        let unknown = checked("ecs:runTask.sync", &json!({}), Strictness::Strict).unwrap_err();
        assert!(unknown.contains("ecs:runTask.sync answers is not known here"), "{unknown}");
        assert_eq!(checked("ecs:runTask.sync", &json!({}), Strictness::None), Ok(()));
    }
}
