//! Reading request bodies whole: bounded, and unpacked where the SDK packed them.

use std::io::Read;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{Body, ServiceError};

/// The largest body of any service but S3, packed or not. Lambda's synchronous payload (6 MB) in base64 fits.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The whole body, of so many bytes at most. `content-encoding: gzip` (CloudWatch's clients send it) is undone.
///
/// Errors: `RequestEntityTooLargeException`, before anything is read where the headers say so;
/// `RequestTimeoutException` of a body that does not come to its end.
pub async fn read(headers: &HeaderMap, body: Body, largest: usize) -> Result<Bytes, ServiceError> {
    let announced = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > largest as u64) {
        return Err(too_large("body", largest));
    }
    let read = Limited::new(body, largest).collect().await;
    let bytes = read.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return too_large("body", largest);
        }
        ServiceError::new("RequestTimeoutException", error.to_string()).status(408)
    })?;
    let bytes = bytes.to_bytes();
    let packed = headers
        .get(http::header::CONTENT_ENCODING)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !packed {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_ref())
        .take(LARGEST_BODY as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| ServiceError::new("SerializationException", error.to_string()))?;
    if unpacked.len() > LARGEST_BODY {
        return Err(too_large("unpacked body", LARGEST_BODY));
    }
    Ok(unpacked.into())
}

fn too_large(what: &str, most: usize) -> ServiceError {
    let message = format!("the {what} exceeds {most} bytes");
    ServiceError::new("RequestEntityTooLargeException", message).status(413)
}
