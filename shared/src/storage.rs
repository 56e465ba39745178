//! Reading small objects from S3, with its failures by name.

use std::error::Error;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;

use crate::error::{ErrorName, NamedError};

/// S3 did not do as asked, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("{place}: S3 did not answer: {reason}")]
    Unavailable { place: String, reason: String },
    #[error("{place}: S3 refuses this function ({reason}): look at its policy and bucket names")]
    Refused { place: String, reason: String },
    #[error("{place} is not there any more, or has changed: {reason}")]
    Gone { place: String, reason: String },
}

impl StorageError {
    /// Classes an SDK error by its answer; `place` says which object.
    #[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
    pub fn of<E>(place: &str, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.code().map(str::to_owned);
        let (place, reason) = (place.to_owned(), sdk_reason(&error));
        match (status, code.as_deref()) {
            (Some(403), _) | (_, Some("NoSuchBucket")) => Self::Refused { place, reason },
            (Some(404 | 412 | 416), _) => Self::Gone { place, reason },
            _ => Self::Unavailable { place, reason },
        }
    }
}

impl NamedError for StorageError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Unavailable { .. } => ErrorName::StorageUnavailable,
            Self::Refused { .. } => ErrorName::ConfigInvalid,
            Self::Gone { .. } => ErrorName::SourceChanged,
        }
    }
}

/// Why a call has failed, in one line: what the service answered, or why it did not answer.
pub fn sdk_reason<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let Some(response) = error.raw_response() {
        let code = error.code().unwrap_or("no error code");
        let message = error.message().unwrap_or("no message");
        return format!("{code}, {message} (HTTP {})", response.status().as_u16());
    }
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let causes = causes.map(|cause| format!(": {cause}"));
    std::iter::once(error.to_string()).chain(causes).collect()
}

/// A whole object, or none when there is none.
pub async fn read_object(
    s3: &Client,
    bucket: &str,
    key: &str,
) -> Result<Option<Vec<u8>>, StorageError> {
    let place = format!("s3://{bucket}/{key}");
    let object = match s3.get_object().bucket(bucket).key(key).send().await {
        Ok(object) => object,
        Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
            return Ok(None);
        }
        Err(error) => return Err(StorageError::of(&place, error)),
    };
    collect(object.body, place).await.map(Some)
}

/// The bytes `range` (as HTTP writes it: `bytes=0-9`, `bytes=-9`) of the object whose `ETag` is
/// `etag`; any other content is [`StorageError::Gone`].
pub async fn read_range(
    s3: &Client,
    bucket: &str,
    key: &str,
    etag: &str,
    range: String,
) -> Result<Vec<u8>, StorageError> {
    let place = format!("s3://{bucket}/{key}");
    let request = s3.get_object().bucket(bucket).key(key).range(range).if_match(etag);
    let object = request.send().await.map_err(|error| StorageError::of(&place, error))?;
    collect(object.body, place).await
}

async fn collect(
    body: aws_sdk_s3::primitives::ByteStream,
    place: String,
) -> Result<Vec<u8>, StorageError> {
    match body.collect().await {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => Err(StorageError::Unavailable { place, reason: error.to_string() }),
    }
}
