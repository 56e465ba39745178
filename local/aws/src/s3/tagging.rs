//! Tags of objects and buckets.

use std::collections::BTreeMap;

use http::HeaderValue;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput,
    GetObjectTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput, Tag, TagSet,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use super::backend::Backend;
use super::error::{custom, from_store};
use crate::wire::path::decode;

/// An object has at most so many tags.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
const MOST_TAGS: usize = 10;

pub fn get(
    backend: &Backend,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let object = backend
        .store
        .head(&input.bucket, &input.key, input.version_id.as_deref())
        .map_err(from_store)?;
    let versioned = backend.is_versioned(&input.bucket)?;
    Ok(S3Response::new(GetObjectTaggingOutput {
        version_id: attributes::version_id(&object, versioned),
        tag_set: to_set(&object.attributes.tags),
    }))
}

pub fn put(
    backend: &Backend,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let tags = from_set(input.tagging.tag_set)?;
    let object = backend
        .store
        .set_tags(&input.bucket, &input.key, input.version_id.as_deref(), tags)
        .map_err(from_store)?;
    let versioned = backend.is_versioned(&input.bucket)?;
    Ok(S3Response::new(PutObjectTaggingOutput {
        version_id: attributes::version_id(&object, versioned),
    }))
}

pub fn delete(
    backend: &Backend,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let object = backend
        .store
        .set_tags(&input.bucket, &input.key, input.version_id.as_deref(), BTreeMap::new())
        .map_err(from_store)?;
    let versioned = backend.is_versioned(&input.bucket)?;
    Ok(S3Response::new(DeleteObjectTaggingOutput {
        version_id: attributes::version_id(&object, versioned),
    }))
}

/// `x-amz-tagging: a=b&c=d`, encoded as a query.
pub fn from_header(header: &HeaderValue) -> S3Result<BTreeMap<String, String>> {
    let text =
        header.to_str().map_err(|error| s3_error!(InvalidArgument, "x-amz-tagging: {error}"))?;
    let mut tags = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        insert(&mut tags, decode(key, true), decode(value, true))?;
    }
    Ok(tags)
}

fn from_set(set: TagSet) -> S3Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for tag in set {
        insert(&mut tags, tag.key.unwrap_or_default(), tag.value.unwrap_or_default())?;
    }
    Ok(tags)
}

fn insert(tags: &mut BTreeMap<String, String>, key: String, value: String) -> S3Result<()> {
    if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
        return Err(s3_error!(
            InvalidTag,
            "a tag's key has 1 to 128 characters and its value up to 256"
        ));
    }
    if tags.insert(key.clone(), value).is_some() {
        return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key: {key}"));
    }
    if tags.len() > MOST_TAGS {
        let message = format!("Object tags cannot be greater than {MOST_TAGS}");
        return Err(custom("BadRequest", http::StatusCode::BAD_REQUEST, message));
    }
    Ok(())
}

fn to_set(tags: &BTreeMap<String, String>) -> TagSet {
    tags.iter()
        .map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) })
        .collect()
}
