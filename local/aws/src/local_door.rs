//! What AWS has no call for: `/_local/…`, where no bucket's name can begin with an underscore.
//!
//! - `POST /_local/schedules/<name>/fire` (or `/<group>/<name>/fire`): fires a schedule now; its target's answer.
//! - `GET /_local/topics/<name>/messages`: everything a topic was sent.
//! - `GET /_local/functions/usage`: what each function took, all its invocations together.

use std::collections::BTreeMap;

use http::Response;
use http::request::Parts;
use serde_json::{Value, json};

use crate::Services;
use crate::metering::FunctionUse;
use crate::wire::{Body, ServiceError, json, path};

/// Where these paths begin.
pub const PREFIX: &str = "/_local/";

impl Services {
    pub(crate) async fn local_door(&self, request: &Parts) -> Response<Body> {
        match self.local_answer(request).await {
            Ok(answer) => json::answer("application/json", &answer, 200),
            Err(error) => json::refuse("application/json", &error, "message"),
        }
    }

    async fn local_answer(&self, request: &Parts) -> Result<Value, ServiceError> {
        let segments = path::segments(request.uri.path());
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["_local", "schedules", name, "fire"]) => self.scheduler().fire(name).await,
            ("POST", ["_local", "schedules", group, name, "fire"]) => {
                self.scheduler().fire(&format!("{group}/{name}")).await
            }
            ("GET", ["_local", "topics", name, "messages"]) => {
                Ok(json!({"Messages": self.sns().published(name)?}))
            }
            ("GET", ["_local", "functions", "usage"]) => {
                Ok(json!({"Functions": self.functions_in_all()?}))
            }
            (method, _) => Err(ServiceError::unknown_operation(
                "the local door",
                &format!("{method} {}", request.uri.path()),
            )
            .status(404)),
        }
    }

    fn functions_in_all(&self) -> Result<Vec<Value>, ServiceError> {
        let mut all: BTreeMap<String, FunctionUse> = BTreeMap::new();
        for used in self.meters().functions(None)? {
            match all.get_mut(&used.function) {
                Some(known) => known.add(&used),
                None => drop(all.insert(used.function.clone(), used)),
            }
        }
        let shapes = all.into_values().map(|used| {
            json!({
                "FunctionName": used.function,
                "Invocations": used.invocations,
                "Errors": used.errors,
                "ColdStarts": used.cold_starts,
                "PeakMemoryBytes": used.peak,
                "BilledDurationMs": u64::try_from(used.billed.as_millis()).unwrap_or(u64::MAX),
            })
        });
        Ok(shapes.collect())
    }
}
