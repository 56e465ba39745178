//! What is known of an object, from headers and to headers.

use std::collections::{BTreeMap, HashMap};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use lake::store::{Attributes, Object};
use s3s::dto::{ETag, Timestamp};
use s3s::{S3Result, s3_error};

use super::tagging;

/// Headers that are kept with an object and come back with it.
const KEPT: [&str; 11] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Headers whose meaning is not imitated: better refused than forgotten.
const REFUSED: [&str; 5] = [
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-write-offset-bytes",
];

/// Bytes of all names and values of an object's metadata.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const LARGEST_METADATA: usize = 2 * 1024;

/// S3's own content type of objects that came without one.
const UNKNOWN_TYPE: &str = "binary/octet-stream";

/// What the headers of a write say of its object. Checksums are the transfer's.
pub fn from_request(
    headers: &HeaderMap,
    metadata: Option<HashMap<String, String>>,
) -> S3Result<Attributes> {
    if let Some(name) = REFUSED.iter().find(|name| headers.contains_key(**name)) {
        return Err(s3_error!(NotImplemented, "the header {name} is not implemented"));
    }
    let mut kept = BTreeMap::new();
    for name in KEPT {
        if let Some(value) = headers.get(name).filter(|value| !value.is_empty()) {
            let value = std::str::from_utf8(value.as_bytes())
                .map_err(|error| s3_error!(InvalidArgument, "the header {name}: {error}"))?;
            kept.insert(name.to_owned(), value.to_owned());
        }
    }
    let metadata = metadata.unwrap_or_default();
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > LARGEST_METADATA {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size"
        ));
    }
    let tags = headers.get("x-amz-tagging").map(tagging::from_header).transpose()?;
    Ok(Attributes {
        headers: kept,
        metadata: metadata.into_iter().collect(),
        checksums: BTreeMap::new(),
        tags: tags.unwrap_or_default(),
    })
}

/// The headers kept with an object, and those every object of S3 has.
pub fn to_headers(object: &Object) -> HeaderMap {
    let mut headers = encryption(object);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(UNKNOWN_TYPE));
    for (name, value) in &object.attributes.headers {
        // The standard storage class is the one that is not said.
        if name == "x-amz-storage-class" && value == "STANDARD" {
            continue;
        }
        if let (Ok(name), Ok(value)) =
            (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// How an object is said to be encrypted; S3 encrypts all of them.
pub fn encryption(object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-server-side-encryption", HeaderValue::from_static("AES256"));
    for (name, value) in &object.attributes.headers {
        if name.starts_with("x-amz-server-side-encryption")
            && let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// The headers of an answer without the object itself.
pub fn validators(object: &Object) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", object.etag)) {
        headers.insert(header::ETAG, value);
    }
    let modified = object.last_modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&modified) {
        headers.insert(header::LAST_MODIFIED, value);
    }
    headers
}

pub fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

/// Not said of buckets that never had versioning.
pub fn version_id(object: &Object, versioned: bool) -> Option<String> {
    versioned.then(|| object.version_id.clone())
}

pub fn timestamp(time: jiff::Timestamp) -> Timestamp {
    std::time::SystemTime::from(time).into()
}

/// HTTP's times are whole seconds.
pub fn seconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// Metadata as s3s hands it out again.
pub fn metadata(object: &Object) -> Option<HashMap<String, String>> {
    let metadata = &object.attributes.metadata;
    (!metadata.is_empty())
        .then(|| metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}
