//! Entries of `Retry` and `Catch` that no error reaches.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.

use std::collections::BTreeSet;

use super::outline::{StateOutline, errors};
use super::remark::{Remark, nearest};
use crate::event::StateType;
use crate::failure::error_name;

/// The names that begin with `States.`.
const RESERVED: [&str; 17] = [
    error_name::ALL,
    "States.BranchFailed",
    error_name::DATA_LIMIT_EXCEEDED,
    error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
    error_name::HEARTBEAT_TIMEOUT,
    "States.Http.Socket",
    error_name::INTRINSIC_FAILURE,
    error_name::ITEM_READER_FAILED,
    error_name::NO_CHOICE_MATCHED,
    error_name::PARAMETER_PATH_FAILURE,
    error_name::PERMISSIONS,
    error_name::QUERY_EVALUATION_ERROR,
    error_name::RESULT_PATH_MATCH_FAILURE,
    error_name::RESULT_WRITER_FAILED,
    error_name::RUNTIME,
    error_name::TASK_FAILED,
    error_name::TIMEOUT,
];

pub(super) fn remarks(state: &StateOutline) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for member in ["Retry", "Catch"] {
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for (pointer, handler) in state.handlers(member) {
            let pointer = format!("{pointer}/ErrorEquals");
            for name in errors(handler) {
                remarks.extend(shadowed(name, &taken, &pointer));
                remarks.extend(reserved(name, state, member, &pointer));
            }
            taken.extend(errors(handler));
        }
    }
    remarks
}

/// An earlier entry of the same list takes the error first.
fn shadowed(name: &str, taken: &BTreeSet<&str>, pointer: &str) -> Option<Remark> {
    let wildcard = taken.contains(error_name::TASK_FAILED)
        && ![error_name::ALL, error_name::TIMEOUT, error_name::HEARTBEAT_TIMEOUT].contains(&name);
    let by = if taken.contains(name) {
        name
    } else if wildcard {
        error_name::TASK_FAILED
    } else {
        return None;
    };
    Some(
        Remark::warning(
            "handler-out-of-reach",
            pointer,
            format!("{name} never comes to this entry"),
        )
        .expected(format!("no entry before this one that takes {by}"))
        .advice("put special errors before general ones, and each only once"),
    )
}

fn reserved(name: &str, state: &StateOutline, member: &str, pointer: &str) -> Option<Remark> {
    let dead = |why: &str| Remark::warning("handler-of-no-error", pointer, format!("{name} {why}"));
    if name == error_name::RUNTIME {
        return Some(
            dead("is caught by nobody: it ends the execution, whatever Retry and Catch say")
                .expected(format!("an error that {member} can take"))
                .advice("remove it; what can fail at run time belongs into a nested execution"),
        );
    }
    if !name.starts_with("States.") {
        let misspelt = name.strip_prefix("State.").is_some();
        return misspelt.then(|| {
            dead("is no reserved name: they begin with States.")
                .expected(format!("States.{}", &name["State.".len()..]))
                .advice("correct the name")
        });
    }
    if !RESERVED.contains(&name) {
        let meant = nearest(name, RESERVED);
        return Some(
            Remark::error(
                "unknown-error-name",
                pointer,
                format!("{name} is no error of Step Functions"),
            )
            .expected(meant.map_or_else(|| RESERVED.join(", "), |meant| format!("{meant}?")))
            .advice("names that begin with States. are reserved: correct it"),
        );
    }
    let is_map = state.state_type == Some(StateType::Map);
    let is_task = state.state_type == Some(StateType::Task);
    match name {
        error_name::DATA_LIMIT_EXCEEDED if member == "Retry" => Some(
            dead("is retried, and the same result is as large again")
                .expected("a Catch of this error")
                .advice("catch it by name, and hand on a pointer to S3 instead of the data"),
        ),
        error_name::TIMEOUT if is_task && !state.is_bounded() => Some(
            dead("does not come in time: without TimeoutSeconds a Task has 99,999,999 seconds")
                .expected("TimeoutSeconds")
                .advice("give the Task a TimeoutSeconds"),
        ),
        error_name::ITEM_READER_FAILED
        | error_name::RESULT_WRITER_FAILED
        | error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD
            if is_task || (is_map && !state.is_distributed_map()) =>
        {
            Some(
                dead("comes from a Distributed Map alone")
                    .expected("an error that this state can raise")
                    .advice("remove it, or move it to the Distributed Map"),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::review::Outline;

    fn check(catch: &Value, expected: &[&str]) {
        let entries = catch.as_array().unwrap().iter();
        let entries: Vec<_> = entries.map(|names| json!({"ErrorEquals": names})).collect();
        let state = json!({"Type": "Task", "Catch": entries});
        let document = json!({"StartAt": "A", "States": {"A": state}});
        let found = remarks(&Outline::of(&document).states[0]);
        let rules: Vec<_> = found.iter().map(|remark| remark.rule).collect();
        assert_eq!(rules, expected, "{catch}");
    }

    #[test]
    fn an_entry_is_reached_by_some_error() {
        check(&json!([["A.B"], ["States.TaskFailed"], ["States.ALL"]]), &[]);
        check(&json!([["A.B"], ["A.B", "C"]]), &["handler-out-of-reach"]);
        check(&json!([["States.TaskFailed"], ["A.B"]]), &["handler-out-of-reach"]);
        check(&json!([["States.Runtime"]]), &["handler-of-no-error"]);
        check(&json!([["State.ALL"]]), &["handler-of-no-error"]);
        check(&json!([["States.TaskFaild"]]), &["unknown-error-name"]);
        check(&json!([["States.Timeout"]]), &["handler-of-no-error"]);
        check(&json!([["States.ItemReaderFailed"]]), &["handler-of-no-error"]);
    }
}
