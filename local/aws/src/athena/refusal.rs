//! How Athena refuses a request: its exceptions and its words.

use lake::sql::SyntaxError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::ServiceError;

/// `InvalidRequestException` with the code Athena gives most of them.
pub(super) fn invalid(message: impl Into<String>) -> ServiceError {
    invalid_as("INVALID_INPUT", message)
}

fn invalid_as(code: &str, message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidRequestException", message).with("AthenaErrorCode", code)
}

/// A statement that is refused before it runs.
pub(super) fn syntax(error: &SyntaxError) -> ServiceError {
    invalid_as(error.code, &error.message)
}

/// `ResourceNotFoundException`, which names what is missing.
pub(super) fn missing(resource: &str, message: impl Into<String>) -> ServiceError {
    ServiceError::new("ResourceNotFoundException", message).with("ResourceName", resource)
}

/// Too many queries wait already.
pub(super) fn too_many() -> ServiceError {
    ServiceError::new(
        "TooManyRequestsException",
        "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number \
         of concurrent queries submitted by this account. Contact customer support to request a concurrent query \
         limit increase.",
    )
    .with("Reason", "CONCURRENT_QUERY_LIMIT_EXCEEDED")
}

/// The validation of an API model, in AWS's words.
pub(super) fn constraint(value: &str, member: &str, constraint: &str) -> ServiceError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

/// A request as its type.
pub(super) fn read<T: DeserializeOwned>(input: Value) -> Result<T, ServiceError> {
    serde_json::from_value(input)
        .map_err(|error| invalid(format!("1 validation error detected: {error}")))
}

/// A text member that must be there.
pub(super) fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member].as_str().ok_or_else(|| {
        let mut name = member.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// A page size within the operation's limits; `None` where it is not asked for.
pub(super) fn page_size(input: &Value, least: u64, most: u64) -> Result<Option<u64>, ServiceError> {
    let asked = &input["MaxResults"];
    if asked.is_null() {
        return Ok(None);
    }
    match asked.as_u64() {
        Some(size) if size > most => {
            Err(invalid(format!("MaxResults is more than maximum allowed length {most}.")))
        }
        Some(size) if size >= least => Ok(Some(size)),
        _ => Err(constraint(
            &asked.to_string(),
            "maxResults",
            &format!("Member must have value greater than or equal to {least}"),
        )),
    }
}

/// One page of `items` after an opaque token, which is a place in the list.
pub(super) fn page<T>(
    items: Vec<T>,
    input: &Value,
    least: u64,
    most: u64,
) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let size = page_size(input, least, most)?;
    let largest = usize::try_from(most).unwrap_or(usize::MAX);
    crate::wire::page(items, size, largest, input["NextToken"].as_str())
        .map_err(|_| invalid("Invalid pagination token"))
}
