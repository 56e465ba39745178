//! X-Ray's rest-json: a path an operation.

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};

use crate::Services;
use crate::iam::Caller;
use crate::wire::{Body, ServiceError, json};

const JSON: &str = "application/json";

impl Services {
    /// Answers one request of X-Ray's REST API.
    pub(crate) async fn xray_rest(
        &self,
        caller: &Caller,
        request: &Parts,
        body: &Bytes,
    ) -> Response<Body> {
        let answered = match (action(request), json::parse(body)) {
            (Ok(action), Ok(input)) => self.dispatch_as(caller, "xray", action, input).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        match answered {
            Ok(output) => json::answer(JSON, &output, 200),
            Err(error) => json::refuse(JSON, &error, "Message"),
        }
    }
}

fn action(request: &Parts) -> Result<&'static str, ServiceError> {
    match (&request.method, request.uri.path()) {
        (&Method::POST, "/TraceSegments") => Ok("PutTraceSegments"),
        (&Method::POST, "/Traces") => Ok("BatchGetTraces"),
        (&Method::POST, "/TraceSummaries") => Ok("GetTraceSummaries"),
        (method, path) => {
            Err(ServiceError::unknown_operation("X-Ray", &format!("{method} {path}")).status(404))
        }
    }
}
