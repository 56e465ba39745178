//! Objects: put, get, head, delete.

use std::ops::Range;

use http::{HeaderMap, HeaderValue};
use lake::StoreError;
use lake::store::{Object, PutOptions, WriteCondition};
use s3s::dto::{
    self, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
    DeletedObject, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    PutObjectInput, PutObjectOutput, StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::{self, etag, version_id};
use super::authority;
use super::backend::Backend;
use super::checksum::{self, set_checksums};
use super::condition::{self, ReadCondition};
use super::error::{custom, from_store};
use super::transfer;
use crate::iam::action;

/// Keys one `DeleteObjects` takes.
const MOST_DELETES: usize = 1000;

pub async fn put(
    backend: &Backend,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let input = request.input;
    backend.store.bucket(&input.bucket).map_err(from_store)?;
    let condition = condition::write(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let mut attributes = attributes::from_request(&request.headers, input.metadata)?;
    let store = &backend.store;
    let received =
        transfer::receive(store, &request.headers, &request.extensions, input.body, None).await?;
    attributes.checksums = received.checksums;
    let options = PutOptions { condition, attributes };
    let object =
        store.put_blob(&input.bucket, &input.key, received.blob, options).map_err(from_store)?;
    let mut output = PutObjectOutput {
        e_tag: Some(etag(&object)),
        version_id: version_id(&object, backend.is_versioned(&input.bucket)?),
        checksum_type: checksum::kind(&object.attributes.checksums)
            .map(dto::ChecksumType::from_static),
        ..PutObjectOutput::default()
    };
    set_checksums!(output, &object.attributes.checksums);
    Ok(S3Response::with_headers(output, attributes::encryption(&object)))
}

pub fn get(
    backend: &Backend,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let input = request.input;
    let version = input.version_id.as_deref();
    let (object, reader) =
        backend.store.get(&input.bucket, &input.key, version).map_err(from_store)?;
    ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    }
    .check(&object)?;
    let slice = Slice::of(&object, input.range.as_ref(), input.part_number)?;
    let mut headers = attributes::to_headers(&object);
    replace(&mut headers, "cache-control", input.response_cache_control.as_deref())?;
    replace(&mut headers, "content-disposition", input.response_content_disposition.as_deref())?;
    replace(&mut headers, "content-encoding", input.response_content_encoding.as_deref())?;
    replace(&mut headers, "content-language", input.response_content_language.as_deref())?;
    replace(&mut headers, "content-type", input.response_content_type.as_deref())?;
    if input.response_expires.is_some() {
        headers.remove("expires");
    }
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::wrap(reader.stream(slice.range.clone()))),
        content_length: Some(slice.length()),
        content_range: slice.header(&object),
        e_tag: Some(etag(&object)),
        last_modified: Some(attributes::timestamp(object.last_modified)),
        metadata: attributes::metadata(&object),
        parts_count: slice.parts_count,
        tag_count: i32::try_from(object.attributes.tags.len()).ok().filter(|count| *count > 0),
        version_id: version_id(&object, backend.is_versioned(&input.bucket)?),
        ..GetObjectOutput::default()
    };
    if input.checksum_mode.is_some() && slice.is_whole(&object) {
        output.checksum_type =
            checksum::kind(&object.attributes.checksums).map(dto::ChecksumType::from_static);
        set_checksums!(output, &object.attributes.checksums);
    }
    Ok(S3Response::with_headers(output, headers))
}

pub fn head(
    backend: &Backend,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    let version = input.version_id.as_deref();
    let object = backend.store.head(&input.bucket, &input.key, version).map_err(from_store)?;
    ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    }
    .check(&object)?;
    let slice = Slice::of(&object, input.range.as_ref(), input.part_number)?;
    let mut headers = attributes::to_headers(&object);
    replace(&mut headers, "cache-control", input.response_cache_control.as_deref())?;
    replace(&mut headers, "content-disposition", input.response_content_disposition.as_deref())?;
    replace(&mut headers, "content-encoding", input.response_content_encoding.as_deref())?;
    replace(&mut headers, "content-language", input.response_content_language.as_deref())?;
    replace(&mut headers, "content-type", input.response_content_type.as_deref())?;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(slice.length()),
        content_range: slice.header(&object),
        e_tag: Some(etag(&object)),
        last_modified: Some(attributes::timestamp(object.last_modified)),
        metadata: attributes::metadata(&object),
        parts_count: slice.parts_count,
        version_id: version_id(&object, backend.is_versioned(&input.bucket)?),
        ..HeadObjectOutput::default()
    };
    if input.checksum_mode.is_some() && slice.is_whole(&object) {
        output.checksum_type =
            checksum::kind(&object.attributes.checksums).map(dto::ChecksumType::from_static);
        set_checksums!(output, &object.attributes.checksums);
    }
    Ok(S3Response::with_headers(output, headers))
}

pub fn delete(
    backend: &Backend,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    if input.if_match_last_modified_time.is_some() || input.if_match_size.is_some() {
        return Err(s3_error!(NotImplemented, "deletes are conditional on If-Match alone"));
    }
    let condition = condition::write(input.if_match.as_ref(), None)?;
    let version = input.version_id.as_deref();
    let deleted =
        backend.store.delete(&input.bucket, &input.key, version, &condition).map_err(from_store)?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: deleted.delete_marker.then_some(true),
        version_id: deleted.version_id,
        ..DeleteObjectOutput::default()
    }))
}

pub fn delete_many(
    backend: &Backend,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = request.input;
    backend.store.bucket(&input.bucket).map_err(from_store)?;
    if input.delete.objects.is_empty() || input.delete.objects.len() > MOST_DELETES {
        return Err(s3_error!(MalformedXML, "1 to {MOST_DELETES} keys are deleted at once"));
    }
    let caller = authority::caller(&request.extensions);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for wanted in input.delete.objects {
        let asked = action::Request {
            bucket: &input.bucket,
            key: Some(&wanted.key),
            version: wanted.version_id.as_deref(),
            ..action::Request::default()
        };
        let denied = caller.as_ref().and_then(|caller| {
            asked.needs("DeleteObject").iter().find_map(|need| backend.allow(caller, need).err())
        });
        if let Some(denied) = denied {
            errors.push(dto::Error {
                code: Some(denied.code().as_str().to_owned()),
                key: Some(wanted.key),
                message: denied.message().map(str::to_owned),
                version_id: wanted.version_id,
            });
            continue;
        }
        let condition = match &wanted.e_tag {
            None => WriteCondition::Always,
            Some(etag) => WriteCondition::Matches(etag.value().to_owned()),
        };
        let version = wanted.version_id.as_deref();
        match backend.store.delete(&input.bucket, &wanted.key, version, &condition) {
            Ok(done) => deleted.push(DeletedObject {
                delete_marker: done.delete_marker.then_some(true),
                delete_marker_version_id: done.version_id.filter(|_| done.delete_marker),
                key: Some(wanted.key),
                version_id: wanted.version_id,
            }),
            Err(error) => errors.push(dto::Error {
                code: Some(error.code().to_owned()),
                key: Some(wanted.key),
                message: Some(error.to_string()),
                version_id: wanted.version_id,
            }),
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet && !deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        request_charged: None,
    }))
}

/// The bytes an answer is about.
struct Slice {
    range: Range<u64>,
    partial: bool,
    parts_count: Option<i32>,
}

impl Slice {
    fn of(object: &Object, range: Option<&dto::Range>, part: Option<i32>) -> S3Result<Self> {
        if let Some(number) = part {
            return Self::part(object, number);
        }
        let Some(wanted) = range else {
            return Ok(Self { range: 0..object.size, partial: false, parts_count: None });
        };
        match wanted.check(object.size) {
            Ok(range) if !range.is_empty() => Ok(Self { range, partial: true, parts_count: None }),
            _ => Err(from_store(StoreError::InvalidRange { size: object.size })),
        }
    }

    fn part(object: &Object, number: i32) -> S3Result<Self> {
        let sizes = if object.parts.is_empty() {
            std::slice::from_ref(&object.size)
        } else {
            &object.parts
        };
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let Some(index) = index.filter(|index| *index < sizes.len()) else {
            let message = "The requested partnumber is not satisfiable";
            return Err(custom(
                "InvalidPartNumber",
                http::StatusCode::RANGE_NOT_SATISFIABLE,
                message,
            ));
        };
        let start: u64 = sizes[..index].iter().sum();
        let count =
            (!object.parts.is_empty()).then(|| i32::try_from(sizes.len()).unwrap_or(i32::MAX));
        Ok(Self {
            range: start..start + sizes[index],
            partial: object.size > 0,
            parts_count: count,
        })
    }

    fn length(&self) -> i64 {
        i64::try_from(self.range.end - self.range.start).unwrap_or(i64::MAX)
    }

    fn header(&self, object: &Object) -> Option<String> {
        let Range { start, end } = self.range;
        (self.partial && end > start).then(|| format!("bytes {start}-{}/{}", end - 1, object.size))
    }

    fn is_whole(&self, object: &Object) -> bool {
        self.range == (0..object.size)
    }
}

/// `response-…` parameters replace what is kept with the object.
fn replace(headers: &mut HeaderMap, name: &'static str, value: Option<&str>) -> S3Result<()> {
    if let Some(value) = value {
        let value = HeaderValue::from_str(value)
            .map_err(|error| s3_error!(InvalidArgument, "{name}: {error}"))?;
        headers.insert(name, value);
    }
    Ok(())
}
