//! What a person gets to read about a failure: dead letter, notification, the Cause of the Fail.

use serde_json::{Value, json};
use shared::error::{Class, ErrorMessage, Subject};
use shared::event::Source;

use crate::failure::Failure;
use crate::redaction::{redact, redact_value, shorten};
use crate::verdict::Verdict;

/// Longest cause that is passed on. A Cause may have 32,768 characters (Step Functions API
/// reference, `ExecutionFailedEventDetails`); nobody reads more than this.
const LONGEST_CAUSE: usize = 4096;
/// Longest name of a file or a column.
const LONGEST_NAME: usize = 1024;
/// An SNS subject has at most 100 ASCII characters (SNS API reference, `Publish`).
const LONGEST_SUBJECT: usize = 100;
/// An execution's input may be 256 KiB, as much as a whole SQS message.
const LONGEST_INPUT: usize = 32 * 1024;

/// The Cause of the failed item: JSON text `{dataset, month, file, column?, error, cause}`.
pub fn cause(failure: &Failure, verdict: &Verdict) -> String {
    let (subject, reason) = about(failure, verdict);
    let mut cause = json!({
        "dataset": subject.dataset,
        "month": subject.month,
        "file": subject.file,
        "error": verdict.error,
        "cause": reason,
    });
    if let Some(column) = subject.column {
        cause["column"] = column.into();
    }
    cause.to_string()
}

/// The message for the dead-letter queue.
pub fn dead_letter(failure: &Failure, verdict: &Verdict) -> Value {
    let (subject, reason) = about(failure, verdict);
    json!({
        "dataset": subject.dataset,
        "month": subject.month,
        "file": subject.file,
        "column": subject.column,
        "error": verdict.error,
        "class": verdict.class,
        "cause": reason,
        "state": failure.state,
        "attempts": failure.attempt,
        "execution": failure.execution,
        "run_execution": failure.run_execution,
        "unit": redact_value(&json!(failure.unit), LONGEST_INPUT),
        "start_again": start_again(failure),
        "event": failure.odd.as_ref().map(|event| {
            shorten(redact_value(event, LONGEST_INPUT).to_string(), LONGEST_INPUT)
        }),
    })
}

/// The subject of the notification.
pub fn subject(failure: &Failure, verdict: &Verdict) -> String {
    let what = match (&failure.unit, verdict.class) {
        (Some(unit), Class::Data) => format!("{} {} is set aside", unit.dataset, unit.month),
        (Some(unit), Class::Transient | Class::Permanent) => {
            format!("{} {} failed", unit.dataset, unit.month)
        }
        (None, _) => "a run failed".to_owned(),
    };
    let subject = format!("NYC taxi ETL: {what}: {}", verdict.error);
    shorten(
        subject.chars().filter(|c| *c == ' ' || c.is_ascii_graphic()).collect(),
        LONGEST_SUBJECT,
    )
}

/// The text of the notification.
pub fn message(failure: &Failure, verdict: &Verdict) -> String {
    let (about, reason) = about(failure, verdict);
    let advice = match verdict.class {
        Class::Transient => {
            "It was tried again and did not pass. Once the service is well, start it again."
        }
        Class::Data => {
            "The file is at fault. Rows of this month that were published before stay published."
        }
        Class::Permanent => {
            "Trying again cannot help: set-up, input or code is to be changed first."
        }
    };
    let mut lines = vec![subject(failure, verdict), String::new()];
    for (name, value) in [("File", about.file), ("Column", about.column)] {
        lines.extend(value.map(|value| format!("{name}: {value}")));
    }
    lines.extend([
        format!("Why: {reason}"),
        format!("Where: state {} (attempt {})", failure.state, failure.attempt),
        format!("Execution: {}", failure.execution),
        String::new(),
        advice.to_owned(),
        format!("How: {}", start_again(failure)["command"].as_str().unwrap_or_default()),
    ]);
    lines.join("\n")
}

/// What the error is about, and why it happened: the function's words, Athena's, or the cause.
fn about(failure: &Failure, verdict: &Verdict) -> (Subject, String) {
    let said = ErrorMessage::from_cause(&failure.cause);
    let mut subject = said.subject;
    if let Some(unit) = &failure.unit {
        subject.dataset = Some(unit.dataset.to_string());
        subject.month = Some(unit.month.to_string());
        subject.file.get_or_insert_with(|| unit.source.file_name().to_owned());
    }
    let reason = verdict.reason.as_deref().unwrap_or(&said.message);
    let reason = if reason.is_empty() { "no cause was given" } else { reason };
    for said in [&mut subject.file, &mut subject.column] {
        *said = said.take().map(|text| redact(&text, LONGEST_NAME));
    }
    (subject, redact(reason, LONGEST_CAUSE))
}

/// How the month, or the run, is started again.
fn start_again(failure: &Failure) -> Value {
    let start = |input: Value| {
        let machine = state_machine_arn(&failure.run_execution);
        let quoted = quote(&input.to_string());
        let command = format!(
            "aws stepfunctions start-execution --state-machine-arn {machine} --input {quoted}"
        );
        json!({ "command": command, "input": input })
    };
    match &failure.unit {
        Some(unit) => match &unit.source {
            Source::Http { .. } => {
                start(json!({ "dataset": unit.dataset, "months": [unit.month] }))
            }
            Source::S3 { bucket, key, .. } => {
                let uri = quote(&format!("s3://{bucket}/{key}"));
                let command = format!("aws s3 cp --metadata-directive REPLACE {uri} {uri}");
                json!({ "command": command, "object": { "bucket": bucket, "key": key } })
            }
        },
        None => match &failure.input {
            Some(input) if input.to_string().len() <= LONGEST_INPUT => {
                start(redact_value(input, LONGEST_INPUT))
            }
            _ => start(json!({ "trigger": "schedule" })),
        },
    }
}

/// One word for a shell, whatever is in it.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `…:execution:NAME:ID` or `…:execution:NAME/LABEL:ID` runs `…:stateMachine:NAME`.
fn state_machine_arn(execution: &str) -> String {
    let mut parts = execution.split(':').collect::<Vec<_>>();
    match parts.as_mut_slice() {
        [_, _, _, _, _, kind, name, _] => {
            *kind = "stateMachine";
            *name = name.split('/').next().unwrap_or(name);
            parts[..7].join(":")
        }
        _ => "STATE_MACHINE_ARN".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_name_their_state_machine() {
        let check = |execution, expected| assert_eq!(state_machine_arn(execution), expected);
        check(
            "arn:aws:states:us-east-1:123456789012:execution:etl:e1",
            "arn:aws:states:us-east-1:123456789012:stateMachine:etl",
        );
        check(
            "arn:aws:states:us-east-1:123456789012:execution:etl/Months:c1",
            "arn:aws:states:us-east-1:123456789012:stateMachine:etl",
        );
        check("", "STATE_MACHINE_ARN");
    }
}
