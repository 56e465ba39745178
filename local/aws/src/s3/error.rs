//! Errors of the store in S3's words.

use http::{HeaderMap, HeaderValue, StatusCode};
use lake::StoreError;
use s3s::{S3Error, S3ErrorCode};

/// The one place where an error of the store becomes an error of S3.
pub fn from_store(error: StoreError) -> S3Error {
    let code =
        S3ErrorCode::from_bytes(error.code().as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut answer = S3Error::with_message(code, message(&error));
    let mut headers = HeaderMap::new();
    match &error {
        StoreError::DeleteMarker { version_id, .. } => {
            headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
            if let Ok(version) = HeaderValue::from_str(version_id) {
                headers.insert("x-amz-version-id", version);
            }
        }
        StoreError::InvalidRange { size } => {
            if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
                headers.insert(http::header::CONTENT_RANGE, range);
            }
        }
        StoreError::Io(_) | StoreError::Database(_) => tracing::error!(?error, "the store failed"),
        _ => {}
    }
    if !headers.is_empty() {
        answer.set_headers(headers);
    }
    answer
}

/// S3's own words where clients are known to read them.
fn message(error: &StoreError) -> String {
    match error {
        StoreError::NoSuchKey { .. } | StoreError::DeleteMarker { latest: true, .. } => {
            "The specified key does not exist.".to_owned()
        }
        StoreError::NoSuchBucket(_) => "The specified bucket does not exist".to_owned(),
        StoreError::PreconditionFailed(_) => {
            "At least one of the pre-conditions you specified did not hold".to_owned()
        }
        StoreError::InvalidRange { .. } => "The requested range is not satisfiable".to_owned(),
        other => other.to_string(),
    }
}

/// An error whose code s3s has no name for.
pub fn custom(
    code: &'static str,
    status: StatusCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes())
        .unwrap_or_else(|| S3ErrorCode::Custom(code.into()));
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}
