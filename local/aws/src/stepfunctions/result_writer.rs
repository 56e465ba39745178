//! Where a Distributed Map's results go: files under a prefix of S3, listed by a manifest.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>

use asl::{ChildResult, Failure, Outcome, ResultSink, error_name};
use lake::store::{PutOptions, Store};
use serde_json::{Value, json};

use super::StepFunctions;
use crate::iam::{Caller, Need};

/// Results of one file; AWS splits its files at 5 GB.
const LARGEST_FILE: usize = 64 * 1024 * 1024;

/// What the role needs where results are written: they go up in parts.
/// <https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html>
const NEEDED: [&str; 4] =
    ["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"];

/// `WriterConfig.Transformation`
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transformation {
    /// Outputs with the child's metadata (also what a Map without `WriterConfig` writes).
    Full,
    /// The outputs alone.
    Compact,
    /// The outputs, arrays taken apart.
    Flatten,
}

pub(super) fn write(
    service: &StepFunctions,
    caller: &Caller,
    store: &Store,
    sink: &ResultSink,
) -> Result<Value, Failure> {
    let config = sink.writer_config.clone().unwrap_or_default();
    let transformation = match config["Transformation"].as_str() {
        None | Some("NONE") => Transformation::Full,
        Some("COMPACT") => Transformation::Compact,
        Some("FLATTEN") => Transformation::Flatten,
        Some(other) => return Err(failed(format!("'{other}' is not a Transformation"))),
    };
    let lines = config["OutputType"] == "JSONL";
    let Some(bucket) = sink.parameters["Bucket"].as_str() else {
        // Without a bucket the results become the state's own, transformed.
        let all = sink.outcomes.iter().flat_map(|result| records(sink, result, transformation));
        return Ok(Value::Array(all.collect()));
    };
    let run = sink.map_run_arn.rsplit(':').next().unwrap_or_default();
    let prefix = sink.parameters["Prefix"].as_str().unwrap_or_default().trim_end_matches('/');
    let folder = if prefix.is_empty() { run.to_owned() } else { format!("{prefix}/{run}") };
    let mut files = json!({"FAILED": [], "PENDING": [], "SUCCEEDED": []});
    for (name, succeeded) in [("SUCCEEDED", true), ("FAILED", false)] {
        let chosen = sink
            .outcomes
            .iter()
            .filter(|result| matches!(result.outcome, Outcome::Succeeded(_)) == succeeded);
        let kind = if succeeded { transformation } else { Transformation::Full };
        let texts =
            chosen.flat_map(|result| records(sink, result, kind)).map(|record| record.to_string());
        for (index, file) in split(texts, lines).into_iter().enumerate() {
            let extension = if lines { "jsonl" } else { "json" };
            let key = format!("{folder}/{name}_{index}.{extension}");
            let size = file.len();
            put((service, caller), store, bucket, &key, &file)?;
            if let Some(list) = files[name].as_array_mut() {
                list.push(json!({"Key": key, "Size": size}));
            }
        }
    }
    let manifest = json!({
        "DestinationBucket": bucket,
        "MapRunArn": sink.map_run_arn,
        "ResultFiles": files,
    });
    let key = format!("{folder}/manifest.json");
    put((service, caller), store, bucket, &key, &manifest.to_string())?;
    Ok(json!({
        "MapRunArn": sink.map_run_arn,
        "ResultWriterDetails": {"Bucket": bucket, "Key": key},
    }))
}

fn failed(cause: impl Into<String>) -> Failure {
    Failure::new(error_name::RESULT_WRITER_FAILED, cause)
}

fn put(
    (service, caller): (&StepFunctions, &Caller),
    store: &Store,
    bucket: &str,
    key: &str,
    text: &str,
) -> Result<(), Failure> {
    for action in NEEDED {
        let allowed = service.authorise(caller, &Need::s3(action, bucket, Some(key)));
        allowed.map_err(|failure| failed(failure.cause.unwrap_or_default()))?;
    }
    let stored = store.put(bucket, key, text.as_bytes(), PutOptions::default());
    stored.map(|_| ()).map_err(|error| failed(error.to_string()))
}

/// Joins records to files of a bounded size.
fn split(texts: impl Iterator<Item = String>, lines: bool) -> Vec<String> {
    let (open, between, close) = if lines { ("", "\n", "\n") } else { ("[", ",", "]") };
    let mut files: Vec<String> = Vec::new();
    for text in texts {
        match files.last_mut() {
            Some(file) if file.len() + text.len() < LARGEST_FILE => {
                file.push_str(between);
                file.push_str(&text);
            }
            _ => files.push(format!("{open}{text}")),
        }
    }
    for file in &mut files {
        file.push_str(close);
    }
    files
}

fn records(sink: &ResultSink, result: &ChildResult, transformation: Transformation) -> Vec<Value> {
    match (&result.outcome, transformation) {
        (Outcome::Succeeded(output), Transformation::Compact) => vec![output.as_ref().clone()],
        (Outcome::Succeeded(output), Transformation::Flatten) => match output.as_ref() {
            Value::Array(items) => items.clone(),
            other => vec![other.clone()],
        },
        _ => vec![full(sink, result)],
    }
}

fn full(sink: &ResultSink, result: &ChildResult) -> Value {
    let mut record = json!({
        "StateMachineArn": sink.execution.state_machine_arn,
        "Input": result.input.to_string(),
        "InputDetails": {"Included": true},
        "Status": result.outcome.status(),
    });
    match &result.outcome {
        Outcome::Succeeded(output) => {
            record["Output"] = output.to_string().into();
            record["OutputDetails"] = json!({"Included": true});
        }
        Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
            record["Error"] = failure.error.clone().into();
            record["Cause"] = failure.cause.clone().into();
        }
    }
    record
}
