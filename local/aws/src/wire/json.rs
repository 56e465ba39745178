//! awsJson1.0, awsJson1.1 and rest-json: answers and errors.

use http::{Response, StatusCode};
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

/// A successful answer; AWS sends an empty body where an operation returns nothing.
pub fn answer(content_type: &str, value: &Value, status: u16) -> Response<Body> {
    let body = if value.is_null() { Vec::new() } else { value.to_string().into_bytes() };
    build(content_type, status, body)
}

/// An error: `__type`, the message in both spellings' proper one, and the error shape's members.
pub fn refuse(content_type: &str, error: &ServiceError, message_member: &str) -> Response<Body> {
    let mut object = serde_json::Map::new();
    object.insert("__type".into(), Value::from(error.code.as_ref()));
    object.extend(error.members.clone());
    object.insert(message_member.into(), Value::from(error.message.as_str()));
    let body = Value::Object(object).to_string().into_bytes();
    let mut response = build(content_type, error.status, body);
    if let Ok(code) = http::HeaderValue::from_str(&error.code) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}

fn build(content_type: &str, status: u16, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = http::HeaderValue::from_str(content_type) {
        response.headers_mut().insert(http::header::CONTENT_TYPE, value);
    }
    response
}
