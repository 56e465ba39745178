//! awsJson1.0, awsJson1.1 and rest-json: answers and errors.

use http::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Body, ServiceError};

/// Reads a JSON request; an empty body is an empty object.
pub fn parse(bytes: &[u8]) -> Result<Value, ServiceError> {
    if bytes.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ServiceError::new("SerializationException", "expected a JSON object")),
        Err(error) => Err(ServiceError::new("SerializationException", error.to_string())),
    }
}

/// An operation's input as its type. A member that is missing or of the wrong kind is the caller's mistake.
pub fn read<T: DeserializeOwned>(input: Value) -> Result<T, ServiceError> {
    serde_json::from_value(input)
        .map_err(|error| ServiceError::new("ValidationException", error.to_string()))
}

/// A successful answer; AWS sends an empty body where an operation returns nothing.
pub fn answer(content_type: &str, value: &Value, status: u16) -> Response<Body> {
    let body = if value.is_null() { Vec::new() } else { value.to_string().into_bytes() };
    build(content_type, status, body)
}

/// An error: `__type`, the message in the service's spelling, and the error shape's members.
pub fn refuse(content_type: &str, error: &ServiceError, message_member: &str) -> Response<Body> {
    let body = document(error, message_member).to_string().into_bytes();
    let mut response = build(content_type, error.status, body);
    if let Ok(code) = http::HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

pub(super) fn document(error: &ServiceError, message_member: &str) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("__type".into(), Value::from(error.code.as_ref()));
    object.extend(error.members.as_ref().clone());
    object.insert(message_member.into(), Value::from(error.message.as_str()));
    Value::Object(object)
}

pub(super) fn build(content_type: &str, status: u16, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = http::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(http::header::CONTENT_TYPE, value);
    }
    response
}
