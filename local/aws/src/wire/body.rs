//! Reading request bodies whole: bounded, and unpacked where the SDK packed them.

use std::io::Read;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt, Limited};

use super::{Body, ServiceError};

/// The largest body of any service but S3, packed or not. Lambda's synchronous payload (6 MB) in base64 fits.
pub const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The whole body. `content-encoding: gzip` (CloudWatch's clients send it) is undone.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ServiceError> {
    let bytes = Limited::new(body, LARGEST_BODY)
        .collect()
        .await
        .map_err(|error| {
            ServiceError::new("RequestEntityTooLargeException", error.to_string()).status(413)
        })?
        .to_bytes();
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
        return Err(ServiceError::new(
            "RequestEntityTooLargeException",
            format!("the unpacked body exceeds {LARGEST_BODY} bytes"),
        )
        .status(413));
    }
    Ok(unpacked.into())
}
