//! Listings of objects and versions.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lake::store::{ListQuery, Listing, Object};
use s3s::dto::{
    self, CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, ObjectVersion, Owner,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::{self, etag};
use super::backend::Backend;
use super::checksum;
use super::error::from_store;

/// A page has at most so many keys and prefixes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
const LARGEST_PAGE: i32 = 1000;

pub fn objects_v2(
    backend: &Backend,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref())?;
    let max_keys = page_size(input.max_keys)?;
    let position = input.continuation_token.as_deref().map(from_token).transpose()?;
    let listing = list(
        backend,
        &input.bucket,
        input.prefix.as_deref(),
        input.delimiter.as_deref(),
        position.as_deref().or(input.start_after.as_deref()),
        max_keys,
    )?;
    let count = listing.objects.len() + listing.prefixes.len();
    let owner = (input.fetch_owner == Some(true)).then(|| backend.owner());
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(names.write(&input.prefix.unwrap_or_default())),
        max_keys: Some(max_keys),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(listing.next.is_some()),
        next_continuation_token: listing
            .next
            .as_deref()
            .map(|next| BASE64_URL_SAFE_NO_PAD.encode(next)),
        contents: Some(
            listing.objects.iter().map(|object| entry(object, names, owner.clone())).collect(),
        ),
        common_prefixes: Some(prefixes(&listing.prefixes, names)),
        delimiter: input.delimiter.map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(|after| names.write(&after)),
        request_charged: None,
    }))
}

pub fn objects(
    backend: &Backend,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref())?;
    let max_keys = page_size(input.max_keys)?;
    let listing = list(
        backend,
        &input.bucket,
        input.prefix.as_deref(),
        input.delimiter.as_deref(),
        input.marker.as_deref(),
        max_keys,
    )?;
    let owner = Some(backend.owner());
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(names.write(&input.prefix.unwrap_or_default())),
        marker: Some(names.write(&input.marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        is_truncated: Some(listing.next.is_some()),
        // Without a delimiter the last key is the marker, and S3 does not repeat it.
        next_marker: listing
            .next
            .filter(|_| input.delimiter.is_some())
            .map(|next| names.write(&next)),
        contents: Some(
            listing.objects.iter().map(|object| entry(object, names, owner.clone())).collect(),
        ),
        common_prefixes: Some(prefixes(&listing.prefixes, names)),
        delimiter: input.delimiter.map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub fn versions(
    backend: &Backend,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref())?;
    let max_keys = page_size(input.max_keys)?;
    let version = input.version_id_marker.as_deref().filter(|version| !version.is_empty());
    let after = input.key_marker.as_deref().filter(|key| !key.is_empty());
    if version.is_some() && after.is_none() {
        return Err(s3_error!(
            InvalidArgument,
            "A version-id marker cannot be specified without a key marker."
        ));
    }
    let query = ListQuery {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()),
        after,
        max: usize::try_from(max_keys).unwrap_or_default(),
    };
    let listing = backend.store.list_versions(&input.bucket, query, version).map_err(from_store)?;
    let (markers, versions): (Vec<&Object>, Vec<&Object>) =
        listing.versions.iter().partition(|version| version.delete_marker);
    let owner = backend.owner();
    let (next_key, next_version) =
        listing.next.map_or((None, None), |next| (Some(names.write(&next.key)), next.version_id));
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: Some(prefixes(&listing.prefixes, names)),
        delete_markers: Some(
            markers.into_iter().map(|marker| delete_marker(marker, names, &owner)).collect(),
        ),
        is_truncated: Some(next_key.is_some()),
        next_key_marker: next_key,
        next_version_id_marker: next_version,
        delimiter: input.delimiter.map(|delimiter| names.write(&delimiter)),
        encoding_type: input.encoding_type,
        key_marker: Some(names.write(&input.key_marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        name: Some(input.bucket),
        prefix: Some(names.write(&input.prefix.unwrap_or_default())),
        version_id_marker: input.version_id_marker,
        versions: Some(
            versions.into_iter().map(|version| object_version(version, names, &owner)).collect(),
        ),
        request_charged: None,
    }))
}

fn list(
    backend: &Backend,
    bucket: &str,
    prefix: Option<&str>,
    delimiter: Option<&str>,
    after: Option<&str>,
    max_keys: i32,
) -> S3Result<Listing> {
    let query = ListQuery {
        prefix: prefix.unwrap_or_default(),
        delimiter: delimiter.filter(|delimiter| !delimiter.is_empty()),
        after: after.filter(|after| !after.is_empty()),
        max: usize::try_from(max_keys).unwrap_or_default(),
    };
    backend.store.list(bucket, query).map_err(from_store)
}

/// How names are written: XML cannot hold every character, so clients may ask for them in percent encoding.
#[derive(Clone, Copy)]
pub enum Names {
    Plain,
    Encoded,
}

impl Names {
    pub fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some("url") => Ok(Self::Encoded),
            Some(_) => {
                Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub fn write(self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Encoded => {
                let mut text = String::new();
                for byte in name.bytes() {
                    if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
                        text.push(char::from(byte));
                    } else {
                        text.push('%');
                        text.push_str(&checksum::hex(&[byte]).to_uppercase());
                    }
                }
                text
            }
        }
    }
}

pub fn page_size(asked: Option<i32>) -> S3Result<i32> {
    match asked {
        Some(size) if size < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647"
        )),
        asked => Ok(asked.unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE)),
    }
}

pub fn prefixes(prefixes: &[String], names: Names) -> Vec<CommonPrefix> {
    prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(names.write(prefix)) }).collect()
}

fn from_token(token: &str) -> S3Result<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

fn storage_class(object: &Object) -> String {
    let class = object.attributes.headers.get("x-amz-storage-class");
    class.cloned().unwrap_or_else(|| "STANDARD".to_owned())
}

fn algorithms(object: &Object) -> Option<Vec<dto::ChecksumAlgorithm>> {
    let names = object.attributes.checksums.keys();
    let algorithms: Vec<_> = names.map(|name| dto::ChecksumAlgorithm::from(name.clone())).collect();
    (!algorithms.is_empty()).then_some(algorithms)
}

fn entry(object: &Object, names: Names, owner: Option<Owner>) -> dto::Object {
    dto::Object {
        checksum_algorithm: algorithms(object),
        checksum_type: checksum::kind(&object.attributes.checksums)
            .map(dto::ChecksumType::from_static),
        e_tag: Some(etag(object)),
        key: Some(names.write(&object.key)),
        last_modified: Some(attributes::timestamp(attributes::seconds(object.last_modified))),
        owner,
        size: i64::try_from(object.size).ok(),
        storage_class: Some(storage_class(object).into()),
        ..dto::Object::default()
    }
}

fn object_version(object: &Object, names: Names, owner: &Owner) -> ObjectVersion {
    ObjectVersion {
        checksum_algorithm: algorithms(object),
        checksum_type: checksum::kind(&object.attributes.checksums)
            .map(dto::ChecksumType::from_static),
        e_tag: Some(etag(object)),
        is_latest: Some(object.latest),
        key: Some(names.write(&object.key)),
        last_modified: Some(attributes::timestamp(attributes::seconds(object.last_modified))),
        owner: Some(owner.clone()),
        size: i64::try_from(object.size).ok(),
        storage_class: Some(storage_class(object).into()),
        version_id: Some(object.version_id.clone()),
        ..ObjectVersion::default()
    }
}

fn delete_marker(object: &Object, names: Names, owner: &Owner) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(object.latest),
        key: Some(names.write(&object.key)),
        last_modified: Some(attributes::timestamp(attributes::seconds(object.last_modified))),
        owner: Some(owner.clone()),
        version_id: Some(object.version_id.clone()),
    }
}
