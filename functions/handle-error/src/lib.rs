//! What becomes of an error that a Catch of the state machine has caught: once more, or aside,
//! with all that a person needs to start the month again.
//!
//! It stands behind every `Catch` and before the dead-letter queue. It must never fail itself,
//! whatever it is given, and never know how to load anything.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::hash::{BuildHasher, Hasher, RandomState};

use aws_sdk_cloudwatch::Client;
use serde_json::Value;
use shared::config::Environment;
use shared::error::{ErrorName, NamedError};
use shared::event::{Decision, HandleErrorOutput};
use shared::lambda::SdkConfig;
use shared::metrics::{self, Metric};

pub mod failure;
pub mod letter;
pub mod redaction;
pub mod verdict;

use failure::Failure;

/// The environment of this function.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the stack, a dimension of the metric.
    pub stage: String,
    /// How often a month is tried as a whole, the first time included.
    pub max_attempts: u32,
}

impl Config {
    pub fn read(env: &mut Environment) -> Self {
        Self {
            stage: env.optional("STAGE").unwrap_or_else(|| "none".to_owned()),
            max_attempts: env.or("MAX_ATTEMPTS", 3),
        }
    }
}

#[derive(Clone, Debug)]
pub struct State {
    pub cloudwatch: Client,
    /// A number from 0 to 1, another one each time.
    pub jitter: fn() -> f64,
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        Self { cloudwatch: Client::new(sdk), jitter, config }
    }
}

/// This function has no errors: what it cannot read, it reports as it stands.
#[derive(Debug, thiserror::Error)]
pub enum Never {}

impl NamedError for Never {
    fn name(&self) -> ErrorName {
        match *self {}
    }
}

/// Takes a [`shared::event::HandleErrorInput`], and anything else as well as it can.
pub async fn handle(state: &State, event: Value) -> Result<HandleErrorOutput, Never> {
    let failure = Failure::read(&event);
    let output = decide(&failure, state.config.max_attempts, (state.jitter)());
    tracing::warn!(
        state = failure.state,
        error = output.error,
        class = ?output.class,
        decision = ?output.decision,
        attempt = failure.attempt,
        "handled an error",
    );
    if output.decision != Decision::Retry {
        let dataset = failure.dataset().unwrap_or_else(|| "none".to_owned());
        let dimensions = [("Stage", state.config.stage.as_str()), ("Dataset", dataset.as_str())];
        metrics::record(&state.cloudwatch, &[&dimensions], &[Metric::LoadsFailed(1)]).await;
    }
    Ok(output)
}

/// The whole decision; `jitter` is any number from 0 to 1.
pub fn decide(failure: &Failure, max_attempts: u32, jitter: f64) -> HandleErrorOutput {
    let verdict = verdict::judge(&failure.error, &failure.cause);
    let decision =
        verdict::decide(verdict.class, failure.unit.is_some() && failure.attempt < max_attempts);
    HandleErrorOutput {
        decision,
        class: verdict.class,
        wait_seconds: verdict::wait_seconds(failure.attempt, jitter),
        attempt: failure.attempt + 1,
        error: verdict.error.clone(),
        cause: letter::cause(failure, &verdict),
        dead_letter: letter::dead_letter(failure, &verdict),
        subject: letter::subject(failure, &verdict),
        message: letter::message(failure, &verdict),
    }
}

/// A number from 0 to 1 out of the standard library's randomly keyed hasher.
fn jitter() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).expect("32 bits are left")) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decide_event(event: &Value) -> HandleErrorOutput {
        decide(&Failure::read(event), 3, 0.5)
    }

    fn month(error: &str, cause: &str, attempt: u32) -> Value {
        json!({
            "execution": "arn:aws:states:us-east-1:123456789012:execution:nyctaxi-dev-etl/Months:c1",
            "run_execution": "arn:aws:states:us-east-1:123456789012:execution:nyctaxi-dev-etl:e1",
            "state": "Validate",
            "unit": {"dataset": "green", "month": "2024-01", "reason": "new",
                     "source": {"kind": "http", "url": "https://tlc/trip-data/green_tripdata_2024-01.parquet"}},
            "attempt": attempt, "error": error, "cause": cause,
        })
    }

    #[test]
    fn a_passing_error_is_tried_again_within_the_bound() {
        let output = decide_event(&month("Storage.Unavailable", "{}", 1));
        assert_eq!((output.decision, output.attempt), (Decision::Retry, 2));
        assert!((5..=10).contains(&output.wait_seconds), "{}", output.wait_seconds);
        assert_eq!(decide_event(&month("Storage.Unavailable", "{}", 2)).decision, Decision::Retry);
        assert_eq!(decide_event(&month("Storage.Unavailable", "{}", 3)).decision, Decision::Fail);
        assert_eq!(decide_event(&month("Storage.Unavailable", "{}", 9)).decision, Decision::Fail);
    }

    #[test]
    fn a_missing_column_sets_the_file_aside_and_says_which() {
        let cause = r#"{"errorType":"Schema.MissingColumn","errorMessage":"{\"message\":\"no column total_amount\",\"file\":\"green_tripdata_2024-01.parquet\",\"column\":\"total_amount\"}"}"#;
        let output = decide_event(&month("Schema.MissingColumn", cause, 1));
        assert_eq!(output.decision, Decision::Quarantine);
        assert_eq!(
            serde_json::from_str::<Value>(&output.cause).unwrap(),
            json!({"dataset": "green", "month": "2024-01", "file": "green_tripdata_2024-01.parquet",
                   "column": "total_amount", "error": "Schema.MissingColumn",
                   "cause": "no column total_amount"})
        );
        assert_eq!(
            output.subject,
            "NYC taxi ETL: green 2024-01 is set aside: Schema.MissingColumn"
        );
        let again = &output.dead_letter["start_again"]["input"];
        assert_eq!(again, &json!({"dataset": "green", "months": ["2024-01"]}));
    }

    #[test]
    fn an_error_of_the_run_is_never_tried_again() {
        let output = decide_event(&json!({
            "execution": "arn:aws:states:us-east-1:123456789012:execution:nyctaxi-dev-etl:e1",
            "state": "Plan", "error": "Source.Throttled", "cause": "",
            "input": {"trigger": "schedule"},
        }));
        assert_eq!(output.decision, Decision::Fail);
        assert_eq!(output.dead_letter["start_again"]["input"], json!({"trigger": "schedule"}));
    }

    #[test]
    fn odd_input_ends_in_the_queue() {
        for event in [
            json!(null),
            json!("text"),
            json!([1, 2]),
            json!({}),
            json!({"error": 3, "cause": {"a": 1}, "unit": "green", "attempt": -1}),
            json!({"error": "", "cause": "\u{0}\u{1F695}".repeat(20_000)}),
        ] {
            let output = decide_event(&event);
            assert_eq!(output.decision, Decision::Fail, "{event}");
            assert!(output.cause.len() <= 32_768, "{}", output.cause.len());
            assert!(output.subject.is_ascii() && output.subject.len() <= 100, "{}", output.subject);
            assert!(!output.message.is_empty());
        }
    }

    /// Step Functions cuts a Cause at 32,768 characters, wherever that is.
    #[test]
    fn a_cause_of_32_kb_is_cut_and_told() {
        let message = json!({"message": format!("no column {}", "ü".repeat(20_000)), "file": "f"});
        let whole =
            json!({"errorType": "Schema.MissingColumn", "errorMessage": message.to_string()});
        let whole = whole.to_string();
        let cut: String = whole.chars().take(32_768).collect();
        let broken: String = whole.chars().take(9_000).collect();
        for cause in [whole, cut, broken, "\"".repeat(32_768), "\\".repeat(32_768)] {
            let output = decide_event(&month("Schema.MissingColumn", &cause, 1));
            assert_eq!(output.decision, Decision::Quarantine);
            assert!(output.cause.len() <= 32_768, "{}", output.cause.len());
            // Together they are a state's payload, and each is a message of its own.
            let bytes = serde_json::to_string(&output).unwrap().len();
            assert!(bytes < 65_536, "{bytes}");
            let said: Value = serde_json::from_str(&output.cause).unwrap();
            assert!(
                ["f", "green_tripdata_2024-01.parquet"].map(Value::from).contains(&said["file"])
            );
        }
    }

    /// Whatever a person, a log or a queue gets to see of an error.
    #[test]
    fn no_secret_of_a_cause_is_passed_on() {
        const SECRET: &str = "hunter2XYZ";
        let key_id = "AKIAIOSFODNN7EXAMPLE";
        let texts = [
            format!("password={SECRET}"),
            format!(r#"{{"message": "m", "token": "{SECRET}"}}"#),
            format!("Authorization: Bearer {SECRET}"),
            format!("https://h/x?X-Amz-Signature={SECRET}&X-Amz-Credential={key_id}%2F2024"),
            format!("https://user:{SECRET}@example.com/x refused"),
            format!("aws_secret_access_key = {SECRET}\n{key_id} is unknown"),
            format!("{} secret: '{SECRET}'", "x ".repeat(2_000)),
        ];
        for text in &texts {
            let message = json!({"message": text, "file": text, "column": text}).to_string();
            let causes = [
                text.clone(),
                json!({"errorType": "E", "errorMessage": message}).to_string(),
                json!({"errorType": "E", "errorMessage": text}).to_string(),
                json!({"QueryExecution": {"QueryExecutionId": "q",
                    "Status": {"State": "FAILED", "StateChangeReason": text}}})
                .to_string(),
            ];
            let mut events: Vec<_> = causes.iter().map(|cause| month("E", cause, 1)).collect();
            events.push(month(text, "", 1));
            events.push(json!({"error": "E", "cause": {"a": text}, "unit": text, "state": text}));
            events.push(json!({"state": "Plan", "error": "E", "cause": "c",
                "input": {"dataset": "green", "more": text}}));
            for event in events {
                let output = serde_json::to_string(&decide_event(&event)).unwrap();
                assert!(!output.contains(SECRET), "{event}\n{output}");
                assert!(!output.contains(key_id), "{event}\n{output}");
            }
        }
    }
}
