//! Scheduler's rest-json: paths to actions.

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use serde_json::{Map, Value};

use super::Scheduler;
use crate::iam::Caller;
use crate::wire::{Body, ServiceError, json, path};

const JSON: &str = "application/json";

impl Scheduler {
    /// Answers one request of the REST API.
    pub fn rest(&self, caller: &Caller, request: &Parts, body: &Bytes) -> Response<Body> {
        let answered = route(request).and_then(|(action, mut input)| {
            if let Value::Object(members) = json::parse(body)? {
                input.extend(members);
            }
            let input = Value::Object(input);
            self.link.require()?.permit(caller, "scheduler", action, &input)?;
            self.operation(action, input)
        });
        match answered {
            Ok(output) => json::answer(JSON, &output, 200),
            Err(error) => json::refuse(JSON, &error, "Message"),
        }
    }
}

fn route(request: &Parts) -> Result<(&'static str, Map<String, Value>), ServiceError> {
    let segments = path::segments(request.uri.path());
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let mut input: Map<String, Value> = path::query(request.uri.query())
        .into_iter()
        // `groupName` in a query is `GroupName` in the API's shapes.
        .map(|(name, value)| (format!("{}{}", name[..1].to_ascii_uppercase(), &name[1..]), value))
        .collect();
    let action = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["schedules"]) => "ListSchedules",
        ("GET", ["schedule-groups"]) => "ListScheduleGroups",
        (method, [kind, name]) => {
            input.insert("Name".into(), (*name).into());
            match (method, *kind) {
                ("POST", "schedules") => "CreateSchedule",
                ("GET", "schedules") => "GetSchedule",
                ("PUT", "schedules") => "UpdateSchedule",
                ("DELETE", "schedules") => "DeleteSchedule",
                ("POST", "schedule-groups") => "CreateScheduleGroup",
                ("GET", "schedule-groups") => "GetScheduleGroup",
                ("DELETE", "schedule-groups") => "DeleteScheduleGroup",
                _ => return Err(unknown(request)),
            }
        }
        _ => return Err(unknown(request)),
    };
    Ok((action, input))
}

fn unknown(request: &Parts) -> ServiceError {
    let what = format!("{} {}", request.method, request.uri.path());
    ServiceError::unknown_operation("Scheduler", &what).status(404)
}
