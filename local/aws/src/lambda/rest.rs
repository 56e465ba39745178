//! Lambda's rest-json: paths to actions, and Invoke's bytes.

use base64::Engine as _;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use serde_json::{Map, Value};

use super::Lambda;
use crate::iam::Caller;
use crate::wire::{Body, ServiceError, json, path};

const JSON: &str = "application/json";

impl Lambda {
    /// Answers one request of the REST API.
    pub async fn rest(&self, caller: &Caller, request: &Parts, body: Bytes) -> Response<Body> {
        let answered = match route(request) {
            Some(("Invoke", input)) => self.rest_invoke(caller, request, &input, body).await,
            Some((action, input)) => self.rest_operation(caller, action, input, &body),
            None => Err(ServiceError::unknown_operation(
                "Lambda",
                &format!("{} {}", request.method, request.uri.path()),
            )
            .status(404)),
        };
        answered.unwrap_or_else(|error| json::refuse(JSON, &error, "Message"))
    }

    fn rest_operation(
        &self,
        caller: &Caller,
        action: &'static str,
        mut input: Map<String, Value>,
        body: &Bytes,
    ) -> Result<Response<Body>, ServiceError> {
        if let Value::Object(members) = json::parse(body)? {
            input.extend(members);
        }
        let input = Value::Object(input);
        self.link.require()?.permit(caller, "lambda", action, &input)?;
        let output = self.operation(action, input)?;
        let status = match action {
            "CreateFunction" | "AddPermission" => 201,
            "DeleteFunction" | "DeleteFunctionConcurrency" | "RemovePermission" => 204,
            _ => 200,
        };
        Ok(json::answer(JSON, &output, status))
    }

    async fn rest_invoke(
        &self,
        caller: &Caller,
        request: &Parts,
        input: &Map<String, Value>,
        payload: Bytes,
    ) -> Result<Response<Body>, ServiceError> {
        let input = Value::Object(input.clone());
        self.link.require()?.permit(caller, "lambda", "Invoke", &input)?;
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let trace_id = header("x-amzn-trace-id").map(str::to_owned);
        let invocation = self.prepare(&input, payload, trace_id)?;
        let kind = header("x-amz-invocation-type");
        let (status, answer) = self.start(invocation, kind).await?;
        let mut response = json::answer(JSON, &Value::Null, status);
        let headers = response.headers_mut();
        headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
        let Some(answer) = answer else {
            return Ok(response);
        };
        if let Some(error) = answer.function_error {
            headers.insert("x-amz-function-error", HeaderValue::from_static(error));
        }
        if header("x-amz-log-type") == Some("Tail") {
            let tail = base64::engine::general_purpose::STANDARD.encode(&answer.tail);
            if let Ok(tail) = HeaderValue::from_str(&tail) {
                headers.insert("x-amz-log-result", tail);
            }
        }
        *response.body_mut() = Body::from(answer.payload);
        Ok(response)
    }
}

fn route(request: &Parts) -> Option<(&'static str, Map<String, Value>)> {
    let segments = path::segments(request.uri.path());
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = &request.method;
    let mut input = path::query(request.uri.query());
    let action = match segments.as_slice() {
        ["2015-03-31", "functions"] if method == Method::POST => "CreateFunction",
        ["2015-03-31", "functions"] if method == Method::GET => "ListFunctions",
        ["2017-03-31", "tags", resource] if method == Method::GET => {
            input.insert("Resource".into(), (*resource).into());
            "ListTags"
        }
        [_, "functions", name, rest @ ..] => {
            input.insert("FunctionName".into(), (*name).into());
            if let ["policy", sid] = rest {
                input.insert("StatementId".into(), (*sid).into());
            }
            function_action(method, rest)?
        }
        _ => return None,
    };
    Some((action, input))
}

fn function_action(method: &Method, rest: &[&str]) -> Option<&'static str> {
    Some(match (method.as_str(), rest) {
        ("GET", []) => "GetFunction",
        ("DELETE", []) => "DeleteFunction",
        ("POST", ["invocations"]) => "Invoke",
        ("POST", ["policy"]) => "AddPermission",
        ("GET", ["policy"]) => "GetPolicy",
        ("DELETE", ["policy", _]) => "RemovePermission",
        ("GET", ["configuration"]) => "GetFunctionConfiguration",
        ("PUT", ["configuration"]) => "UpdateFunctionConfiguration",
        ("PUT", ["code"]) => "UpdateFunctionCode",
        ("PUT", ["concurrency"]) => "PutFunctionConcurrency",
        ("GET", ["concurrency"]) => "GetFunctionConcurrency",
        ("DELETE", ["concurrency"]) => "DeleteFunctionConcurrency",
        ("PUT", ["event-invoke-config"]) => "PutFunctionEventInvokeConfig",
        _ => return None,
    })
}
