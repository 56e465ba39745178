//! Copies of objects.

use http::HeaderMap;
use lake::store::{Attributes, Object, WriteCondition};
use s3s::dto::{self, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::{self, etag, version_id};
use super::backend::Backend;
use super::checksum::{self, set_checksums};
use super::condition::ReadCondition;
use super::error::from_store;

/// Says whether the copy keeps the source's metadata and headers, or has those of the request.
const METADATA_DIRECTIVE: &str = "x-amz-metadata-directive";

/// The same of its tags.
const TAGGING_DIRECTIVE: &str = "x-amz-tagging-directive";

pub fn copy(
    backend: &Backend,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = request.input;
    let (bucket, key, version) = source(&input.copy_source)?;
    let original = backend.store.head(bucket, key, version).map_err(from_store)?;
    ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    }
    .check_source(&original)?;
    let attributes = copied(&request.headers, input.metadata, &original)?;
    let is_itself = version.is_none() && (bucket, key) == (&*input.bucket, &*input.key);
    let is_changed =
        attributes != original.attributes || is_replaced(&request.headers, METADATA_DIRECTIVE);
    if is_itself && !is_changed {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    // The version whose conditions were checked, whatever has been written since.
    let version = Some(original.version_id.as_str());
    let target = (&*input.bucket, &*input.key);
    let object = backend
        .store
        .copy((bucket, key, version), target, &WriteCondition::Always, Some(attributes))
        .map_err(from_store)?;
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&object)),
        last_modified: Some(attributes::timestamp(object.last_modified)),
        checksum_type: checksum::kind(&object.attributes.checksums)
            .map(dto::ChecksumType::from_static),
        ..CopyObjectResult::default()
    };
    set_checksums!(result, &object.attributes.checksums);
    let output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: version_id(&original, backend.is_versioned(bucket)?),
        version_id: version_id(&object, backend.is_versioned(&input.bucket)?),
        ..CopyObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, attributes::encryption(&object)))
}

/// Bucket, key and version of a copy's source.
pub fn source(source: &CopySource) -> S3Result<(&str, &str, Option<&str>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => Ok((bucket, key, version_id.as_deref())),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(s3_error!(NotImplemented, "copies from access points are not implemented"))
        }
    }
}

/// The source's attributes, but for those that the directives replace, and for storage class, encryption and
/// redirect, which are always the request's where it names them.
fn copied(
    headers: &HeaderMap,
    metadata: Option<dto::Metadata>,
    original: &Object,
) -> S3Result<Attributes> {
    let given = attributes::from_request(headers, metadata)?;
    let mut copied = original.attributes.clone();
    if is_replaced(headers, METADATA_DIRECTIVE) {
        copied.headers = given.headers;
        copied.metadata = given.metadata;
    } else {
        let own = given.headers.into_iter().filter(|(name, _)| name.starts_with("x-amz-"));
        copied.headers.extend(own);
    }
    if is_replaced(headers, TAGGING_DIRECTIVE) {
        copied.tags = given.tags;
    }
    Ok(copied)
}

fn is_replaced(headers: &HeaderMap, directive: &str) -> bool {
    headers.get(directive).is_some_and(|value| value == "REPLACE")
}
