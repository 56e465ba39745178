//! Takes dead letters back: what each says to start again is started, and then the letter is deleted.
//!
//! Nothing is lost and nothing is started twice, wherever it stops: a letter is deleted after its execution has been
//! started, and the execution is named by the letter, so that Step Functions starts it once.
mod door;

use serde_json::{Value, json};
use thiserror::Error;

pub use door::{Door, DoorError, Remote};

/// Letters a request receives at most: SQS gives no more.
const LETTERS_A_REQUEST: u32 = 10;

/// Seconds that a letter stays ours: long enough to start an execution.
const OURS_SECONDS: u32 = 60;

/// Where letters lie and what is started again.
#[derive(Clone, Debug)]
pub struct Place {
    pub queue_url: String,
    /// The state machine's ARN, or an alias of it.
    pub machine_arn: String,
}

/// A dead letter dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redriven {
    /// `green 2024-01`, or `a run`.
    pub what: String,
    /// Why it had been given up.
    pub error: String,
    /// The new execution; `None` where an earlier redrive had started it.
    pub execution: Option<String>,
}

/// A letter that stays where it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the letter {message_id} stays in the queue: {reason}")]
pub struct Left {
    pub message_id: String,
    pub reason: String,
}

/// What became of the letters.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub redriven: Vec<Redriven>,
    pub left: Vec<Left>,
}

/// Takes back every letter that the queue has.
pub async fn take_back(door: &Door<'_>, place: &Place) -> Result<Report, DoorError> {
    let mut report = Report::default();
    loop {
        let asked = json!({
            "QueueUrl": place.queue_url,
            "MaxNumberOfMessages": LETTERS_A_REQUEST,
            "VisibilityTimeout": OURS_SECONDS,
            "WaitTimeSeconds": 1,
        });
        let answer = door.call("sqs", "ReceiveMessage", asked).await?;
        let letters = answer["Messages"].as_array().cloned().unwrap_or_default();
        if letters.is_empty() {
            return Ok(report);
        }
        for letter in &letters {
            match redrive(door, place, letter).await? {
                Ok(redriven) => report.redriven.push(redriven),
                Err(left) => report.left.push(left),
            }
        }
    }
}

async fn redrive(
    door: &Door<'_>,
    place: &Place,
    letter: &Value,
) -> Result<Result<Redriven, Left>, DoorError> {
    let text = |name: &str| letter[name].as_str().unwrap_or_default();
    let left = |reason: String| Left { message_id: text("MessageId").to_owned(), reason };
    let Ok(body) = serde_json::from_str::<Value>(text("Body")) else {
        return Ok(Err(left("expected JSON".to_owned())));
    };
    let Some(input) = input(&body) else {
        return Ok(Err(left("it has no start_again, so no load of ours wrote it".to_owned())));
    };
    let start = json!({
        "stateMachineArn": place.machine_arn,
        "name": format!("redrive-{}", text("MessageId")),
        "input": input.to_string(),
    });
    let execution = match door.call("states", "StartExecution", start).await {
        Ok(started) => started["executionArn"].as_str().map(str::to_owned),
        Err(error) if error.code() == Some("ExecutionAlreadyExists") => None,
        Err(error) => return Err(error),
    };
    let gone = json!({"QueueUrl": place.queue_url, "ReceiptHandle": text("ReceiptHandle")});
    door.call("sqs", "DeleteMessage", gone).await?;
    let part = |name: &str| body[name].as_str();
    Ok(Ok(Redriven {
        what: match (part("dataset"), part("month")) {
            (Some(dataset), Some(month)) => format!("{dataset} {month}"),
            _ => "a run".to_owned(),
        },
        error: part("error").unwrap_or("no error").to_owned(),
        execution,
    }))
}

/// The input that loads again what the letter tells of: its own, or the arrival of its object.
fn input(letter: &Value) -> Option<Value> {
    let again = letter.get("start_again")?;
    if let Some(input) = again.get("input") {
        return Some(input.clone());
    }
    let (bucket, key) = (again["object"]["bucket"].as_str()?, again["object"]["key"].as_str()?);
    let detail = json!({"bucket": {"name": bucket}, "object": {"key": key}});
    Some(json!({"detail-type": "Object Created", "detail": detail}))
}

#[cfg(test)]
mod tests;
