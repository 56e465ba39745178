//! Results without a bound, and what may not be done with them: a state holds 256 KiB, a history
//! 25,000 events.

use asl::{Outline, Remark, ResourceKind, StateOutline, hands_on};
use serde_json::Value;

/// Operations that answer with as much as there is, page by page.
const UNBOUNDED: [(&str, &[&str]); 6] = [
    ("athena", &["getQueryResults"]),
    ("aws-sdk:athena", &["getQueryResults"]),
    ("aws-sdk:cloudwatchlogs", &["filterLogEvents", "getLogEvents", "getQueryResults"]),
    ("aws-sdk:dynamodb", &["query", "scan"]),
    ("aws-sdk:glue", &["getDatabases", "getPartitions", "getTables"]),
    ("aws-sdk:s3", &["getObject", "listObjects", "listObjectsV2", "listObjectVersions"]),
];

const TOO_LARGE: &str = "States.DataLimitExceeded";

pub fn remarks(outline: &Outline) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (at, state) in outline.states.iter().enumerate() {
        let Some(operation) = operation(state) else { continue };
        remarks.extend(uncaught(state, &operation));
        let receivers = hands_on(outline, at).into_iter().filter_map(|path| path.last().copied());
        let by_input = receivers.filter(|to| takes_input(&outline.states[*to]));
        let by_variable = outline
            .states
            .iter()
            .enumerate()
            .filter_map(|(to, map)| takes_variable(map, &kept(state)).then_some(to));
        let mut maps: Vec<usize> = by_input.chain(by_variable).collect();
        maps.sort_unstable();
        maps.dedup();
        for map in maps.into_iter().map(|to| &outline.states[to]).filter(|map| is_inline(map)) {
            remarks.push(
                Remark::warning(
                    "inline-map-over-results",
                    map.pointer.clone(),
                    format!("an inline Map over what {operation} answers in {}", state.name),
                )
                .expected("a list whose length is known, or a Distributed Map with ItemReader")
                .advice("let a function look at the rows, and hand on a small verdict"),
            );
        }
    }
    remarks
}

/// The operation of a Task that may answer more than a state holds.
fn operation(state: &StateOutline) -> Option<String> {
    let resource = state.resource()?;
    let ResourceKind::Service { service, action, .. } = &resource.kind else { return None };
    let unbounded = UNBOUNDED
        .iter()
        .any(|(known, actions)| known == service && actions.contains(&action.as_str()));
    unbounded.then(|| format!("{service}:{action}"))
}

fn uncaught(state: &StateOutline, operation: &str) -> Option<Remark> {
    let names: Vec<&str> = state
        .handlers("Catch")
        .flat_map(|(_, catcher)| catcher["ErrorEquals"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    if names.contains(&TOO_LARGE) {
        return None;
    }
    let found = if names.contains(&"States.ALL") {
        format!("{operation} may answer more than 256 KiB, and only States.ALL is caught")
    } else {
        format!("{operation} may answer more than 256 KiB, and nothing catches that")
    };
    Some(
        Remark::warning("data-limit-uncaught", state.pointer.clone(), found)
            .expected(format!(
                "a Catch of {TOO_LARGE} by name: AWS documents that States.ALL does not take it"
            ))
            .advice("catch it, or ask for less: a count, a page, a pointer to S3"),
    )
}

fn is_inline(state: &StateOutline) -> bool {
    state.state_type.is_some_and(|kind| kind.name() == "Map") && !state.is_distributed_map()
}

/// Whether a Map's items come out of its input.
fn takes_input(state: &StateOutline) -> bool {
    match state.value["Items"].as_str() {
        Some(items) => items.contains("$states.input"),
        None => state.value.get("Items").is_none(),
    }
}

/// Variables that keep a part of the result.
fn kept(state: &StateOutline) -> Vec<String> {
    let members = state.value["Assign"].as_object().into_iter().flatten();
    let kept = members.filter(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        text.contains("$states.result") || (name.ends_with(".$") && text.starts_with("$."))
    });
    kept.map(|(name, _)| name.trim_end_matches(".$").to_owned()).collect()
}

fn takes_variable(state: &StateOutline, variables: &[String]) -> bool {
    let items = ["Items", "ItemsPath"].into_iter().filter_map(|name| state.value[name].as_str());
    let text: String = items.collect();
    variables.iter().any(|name| {
        text.match_indices(&format!("${name}")).any(|(at, found)| {
            !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(task: Value, map: Value, expected: &[&str]) {
        let mut rows = json!({"Type": "Task", "Resource": "arn:aws:states:::athena:getQueryResults",
            "Catch": [{"ErrorEquals": [TOO_LARGE], "Next": "End"}], "Next": "Each"});
        let mut each = json!({"Type": "Map", "Next": "End"});
        for (state, more) in [(&mut rows, task), (&mut each, map)] {
            state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        let document = json!({"StartAt": "Rows", "States": {"Rows": rows, "Each": each, "End": {"Type": "Succeed"}}});
        let found: Vec<_> =
            remarks(&Outline::of(&document)).iter().map(|remark| remark.rule).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_are_not_for_inline_maps() {
        let items = || json!({"ItemsPath": "$.ResultSet.Rows"});
        check(json!({}), items(), &["inline-map-over-results"]);
        check(json!({"ResultSelector": {"n.$": "$.UpdateCount"}}), items(), &[]);
        let variable = json!({"QueryLanguage": "JSONata", "Output": {},
            "Assign": {"rows": "{% $states.result.ResultSet.Rows %}"}});
        let taken = json!({"QueryLanguage": "JSONata", "Items": "{% $rows %}"});
        check(variable.clone(), taken, &["inline-map-over-results"]);
        check(variable, json!({"QueryLanguage": "JSONata", "Items": "{% $rowset %}"}), &[]);
        let distributed = json!({"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}}});
        check(json!({}), distributed, &[]);
        check(json!({"Catch": []}), json!({"Items": [1]}), &["data-limit-uncaught"]);
    }
}
