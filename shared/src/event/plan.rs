//! What starts an execution, and the plan made of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unit;
use crate::dataset::DatasetName;
use crate::month::Month;

/// The input of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum PlanInput {
    /// `{"trigger": "schedule"}`: whatever is new or has changed at the source.
    Schedule { force: bool },
    /// An `EventBridge` event "Object Created".
    Arrival(Arrival),
    /// `{"dataset": …, "months": […]}`, `{"dataset": …, "from": …, "to": …}` or `{"loads": […]}`.
    Manual { loads: Vec<Selection>, force: bool },
}

/// The object that has arrived. The key is as S3 has it: `EventBridge` does not encode it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
    pub etag: Option<String>,
    pub bytes: Option<u64>,
    /// When the event happened.
    pub time: Option<Timestamp>,
}

/// Months of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub dataset: Choice,
    pub months: Months,
}

/// One data set, or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    One(DatasetName),
}

/// Which months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Months {
    /// Those the source has and the ledger has not: nothing was said.
    Any,
    List(Vec<Month>),
    /// Both included.
    Range {
        from: Month,
        to: Month,
    },
}

/// All that is wrong with an input, at once.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected {{\"trigger\":\"schedule\"}}, an \"Object Created\" event, or {{\"dataset\":…,\"months\":[…]}}; found: {}", .problems.join("; "))]
pub struct InputError {
    pub problems: Vec<String>,
}

impl TryFrom<Value> for PlanInput {
    type Error = InputError;

    fn try_from(input: Value) -> Result<Self, InputError> {
        let mut problems = Vec::new();
        let parsed = if input.get("detail-type").is_some() {
            parse_arrival(&input, &mut problems).map(Self::Arrival)
        } else {
            parse_request(&input, &mut problems)
        };
        match parsed {
            Some(parsed) if problems.is_empty() => Ok(parsed),
            _ => Err(InputError { problems }),
        }
    }
}

fn parse_request(input: &Value, problems: &mut Vec<String>) -> Option<PlanInput> {
    let force = match input.get("force") {
        None => false,
        Some(Value::Bool(force)) => *force,
        Some(other) => {
            problems.push(format!("/force: expected true or false, found {other}"));
            false
        }
    };
    match (input.get("trigger"), input.get("loads")) {
        (Some(Value::String(trigger)), None) if trigger == "schedule" => {
            Some(PlanInput::Schedule { force })
        }
        (Some(trigger), _) => {
            problems.push(format!("/trigger: expected \"schedule\", found {trigger}"));
            None
        }
        (None, Some(Value::Array(loads))) if !loads.is_empty() => {
            let parse = |(index, load)| parse_selection(load, &format!("/loads/{index}"), problems);
            let loads = loads.iter().enumerate().map(parse).collect::<Vec<_>>();
            Some(PlanInput::Manual { loads: loads.into_iter().flatten().collect(), force })
        }
        (None, Some(other)) => {
            problems.push(format!("/loads: expected a list of selections, found {other}"));
            None
        }
        (None, None) if input.get("dataset").is_some() => {
            let load = parse_selection(input, "", problems)?;
            Some(PlanInput::Manual { loads: vec![load], force })
        }
        (None, None) => {
            problems.push("neither /trigger, /dataset nor /loads".to_owned());
            None
        }
    }
}

fn parse_selection(load: &Value, place: &str, problems: &mut Vec<String>) -> Option<Selection> {
    let dataset = match load.get("dataset").and_then(Value::as_str) {
        Some("all") => Some(Choice::All),
        Some(name) => match name.parse() {
            Ok(name) => Some(Choice::One(name)),
            Err(error) => {
                problems.push(format!("{place}/dataset: {error}"));
                None
            }
        },
        None => {
            problems.push(format!("{place}/dataset: expected a name or \"all\""));
            None
        }
    };
    let mut month = |value: &Value, place: String| {
        let month = value.as_str().and_then(|text| text.parse().ok());
        if month.is_none() {
            problems.push(format!("{place}: expected a month such as \"2024-01\", found {value}"));
        }
        month
    };
    let months = match (load.get("months"), load.get("from"), load.get("to")) {
        (None, None, None) => Some(Months::Any),
        (Some(Value::Array(list)), None, None) => list
            .iter()
            .enumerate()
            .map(|(index, value)| month(value, format!("{place}/months/{index}")))
            .collect::<Option<_>>()
            .map(Months::List),
        (None, Some(from), Some(to)) => {
            let (from, to) =
                (month(from, format!("{place}/from")), month(to, format!("{place}/to")));
            match (from?, to?) {
                (from, to) if from <= to => Some(Months::Range { from, to }),
                (from, to) => {
                    problems.push(format!("{place}/from: {from} is after {to}"));
                    None
                }
            }
        }
        _ => {
            problems.push(format!("{place}: expected either months, a list, or both from and to"));
            None
        }
    };
    Some(Selection { dataset: dataset?, months: months? })
}

fn parse_arrival(event: &Value, problems: &mut Vec<String>) -> Option<Arrival> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if event["detail-type"] != "Object Created" {
        problems.push(format!("/detail-type: {}", event["detail-type"]));
    }
    let mut required = |pointer: &str| {
        let found = text(pointer);
        if found.is_none() {
            problems.push(format!("{pointer}: expected text"));
        }
        found
    };
    let (bucket, key) = (required("/detail/bucket/name"), required("/detail/object/key"));
    Some(Arrival {
        bucket: bucket?,
        key: key?,
        version_id: text("/detail/object/version-id"),
        etag: text("/detail/object/etag"),
        bytes: event.pointer("/detail/object/size").and_then(Value::as_u64),
        time: text("/time").and_then(|time| time.parse().ok()),
    })
}

impl From<PlanInput> for Value {
    fn from(input: PlanInput) -> Self {
        match input {
            PlanInput::Schedule { force } => {
                serde_json::json!({"trigger": "schedule", "force": force})
            }
            PlanInput::Arrival(arrival) => serde_json::json!({
                "detail-type": "Object Created",
                "time": arrival.time,
                "detail": {"bucket": {"name": arrival.bucket}, "object": {
                    "key": arrival.key, "version-id": arrival.version_id,
                    "etag": arrival.etag, "size": arrival.bytes,
                }},
            }),
            PlanInput::Manual { loads, force } => {
                let loads: Vec<_> = loads.into_iter().map(Value::from).collect();
                serde_json::json!({"loads": loads, "force": force})
            }
        }
    }
}

impl From<Selection> for Value {
    fn from(selection: Selection) -> Self {
        let dataset = match selection.dataset {
            Choice::All => "all".to_owned(),
            Choice::One(name) => name.to_string(),
        };
        match selection.months {
            Months::Any => serde_json::json!({"dataset": dataset}),
            Months::List(months) => serde_json::json!({"dataset": dataset, "months": months}),
            Months::Range { from, to } => {
                serde_json::json!({"dataset": dataset, "from": from, "to": to})
            }
        }
    }
}

/// What to do, and what not and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub units: Vec<Unit>,
    pub unchanged: Vec<Unchanged>,
    pub not_published: Vec<NotPublished>,
    /// The data sets of the units: those whose tables must be there.
    pub datasets: Vec<DatasetName>,
    /// Data sets whose newest commit readers do not see: whoever committed it died before it was published.
    #[serde(default)]
    pub unpublished: Vec<DatasetName>,
    /// One of those tables is missing, or may be.
    #[serde(default)]
    pub first_run: bool,
    pub ignored: Vec<Ignored>,
}

/// A month whose file is the ledger's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchanged {
    pub dataset: DatasetName,
    pub month: Month,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub run: String,
}

/// A month that the source does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotPublished {
    pub dataset: DatasetName,
    pub month: Month,
}

/// An object that is not ours to load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    pub key: String,
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(input: &Value, expected: Result<&str, &str>) {
        let found = PlanInput::try_from(input.clone());
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(format!("{found:?}"), expected, "{input}");
                assert_eq!(PlanInput::try_from(Value::from(found.clone())), Ok(found), "{input}");
            }
            (Err(found), Err(expected)) => {
                assert_eq!(found.problems.join("; "), expected, "{input}");
            }
            (found, _) => panic!("{input}: {found:?}"),
        }
    }

    #[test]
    fn reads_the_three_triggers() {
        check(&json!({"trigger": "schedule"}), Ok("Schedule { force: false }"));
        check(
            &json!({"dataset": "green", "months": ["2024-01"], "force": true}),
            Ok(
                "Manual { loads: [Selection { dataset: One(green), months: List([Calendar { year: 2024, month: 1 }]) }], force: true }",
            ),
        );
        check(
            &json!({"dataset": "all"}),
            Ok("Manual { loads: [Selection { dataset: All, months: Any }], force: false }"),
        );
        check(
            &json!({"version": "0", "detail-type": "Object Created", "time": "2024-03-01T00:00:00Z",
                   "detail": {"bucket": {"name": "raw"}, "object": {"key": "arrivals/a+b.csv", "size": 3, "etag": "e"}}}),
            Ok(
                "Arrival(Arrival { bucket: \"raw\", key: \"arrivals/a+b.csv\", version_id: None, etag: Some(\"e\"), bytes: Some(3), time: Some(2024-03-01T00:00:00Z) })",
            ),
        );
    }

    #[test]
    fn says_all_that_is_wrong() {
        check(&json!({}), Err("neither /trigger, /dataset nor /loads"));
        check(&json!({"trigger": "cron"}), Err("/trigger: expected \"schedule\", found \"cron\""));
        check(
            &json!({"loads": [{"dataset": "red"}, {"dataset": "green", "from": "2024-02", "to": "2024-01"}]}),
            Err(
                "/loads/0/dataset: expected yellow, green, fhv, fhvhv or zones, found \"red\"; /loads/1/from: 2024-02 is after 2024-01",
            ),
        );
        check(
            &json!({"dataset": "green", "months": ["2024-1"], "from": "2024-01"}),
            Err(": expected either months, a list, or both from and to"),
        );
        check(
            &json!({"detail-type": "Object Deleted", "detail": {"bucket": {"name": "raw"}, "object": {}}}),
            Err("/detail-type: \"Object Deleted\"; /detail/object/key: expected text"),
        );
    }
}
