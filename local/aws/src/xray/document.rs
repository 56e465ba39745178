//! Documents of a trace put together as X-Ray shows them: subsegments in what they belong to.

use serde_json::{Value, json};

/// A trace as `BatchGetTraces` has it.
pub fn trace(id: &str, documents: Vec<Value>) -> Value {
    let duration = duration(&documents);
    let segments = nested(documents)
        .into_iter()
        .map(|document| json!({"Id": document["id"], "Document": document.to_string()}));
    json!({"Id": id, "Duration": duration, "Segments": segments.collect::<Vec<_>>()})
}

/// A trace as `GetTraceSummaries` has it.
pub fn summary(id: &str, documents: &[Value]) -> Value {
    let duration = duration(documents);
    let has = |member: &str| documents.iter().any(|document| document[member] == true);
    json!({
        "Id": id,
        "Duration": duration,
        "ResponseTime": duration,
        "HasError": has("error"),
        "HasFault": has("fault"),
    })
}

/// Seconds from the first start to the last end.
fn duration(documents: &[Value]) -> f64 {
    let times = |member: &'static str| {
        documents.iter().filter_map(move |document| document[member].as_f64())
    };
    let (start, end) = (times("start_time").reduce(f64::min), times("end_time").reduce(f64::max));
    start.zip(end).map_or(0.0, |(start, end)| end - start)
}

/// The segments, each with its subsegments; a subsegment whose parent has not come stands for itself.
fn nested(documents: Vec<Value>) -> Vec<Value> {
    let known: Vec<String> = documents
        .iter()
        .filter_map(|document| document["id"].as_str().map(str::to_owned))
        .collect();
    let (inner, outer): (Vec<Value>, Vec<Value>) = documents.into_iter().partition(|document| {
        document["type"] == "subsegment"
            && document["parent_id"]
                .as_str()
                .is_some_and(|parent| known.iter().any(|id| id == parent))
    });
    outer.into_iter().map(|document| with_subsegments(document, &inner)).collect()
}

fn with_subsegments(mut document: Value, all: &[Value]) -> Value {
    let own = all.iter().filter(|other| other["parent_id"] == document["id"]);
    let own: Vec<Value> = own.map(|other| with_subsegments(other.clone(), all)).collect();
    if !own.is_empty() {
        document["subsegments"] = own.into();
    }
    document
}
