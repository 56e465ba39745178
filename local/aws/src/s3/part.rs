//! The parts of multipart uploads: put, copied, listed.

use lake::store::{Part, PartOptions};
use s3s::dto::{
    self, ChecksumAlgorithm, ChecksumType, CopyPartResult, ETag, ListPartsInput, ListPartsOutput,
    StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::{self, version_id};
use super::backend::Backend;
use super::checksum::set_checksums;
use super::condition::ReadCondition;
use super::error::from_store;
use super::listing::page_size;
use super::upload::plan;
use super::{copy, transfer};

pub async fn put(
    backend: &Backend,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let input = request.input;
    let target = (&*input.bucket, &*input.key, &*input.upload_id);
    let (upload, _) = backend.store.upload(target.0, target.1, target.2).map_err(from_store)?;
    let (algorithm, _) = plan(&upload)?;
    let store = &backend.store;
    let headers = &request.headers;
    let received =
        transfer::receive(store, headers, &request.extensions, input.body, Some(algorithm)).await?;
    let options = PartOptions { checksums: received.checksums };
    let number = part_number(input.part_number)?;
    let part = store.put_part(target, number, received.blob, options).map_err(from_store)?;
    let mut output = UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        ..UploadPartOutput::default()
    };
    set_checksums!(output, &part.checksums);
    Ok(S3Response::new(output))
}

pub async fn copy(
    backend: &Backend,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    let target = (&*input.bucket, &*input.key, &*input.upload_id);
    let (upload, _) = backend.store.upload(target.0, target.1, target.2).map_err(from_store)?;
    let (algorithm, _) = plan(&upload)?;
    let (bucket, key, version) = copy::source(&input.copy_source)?;
    let (original, reader) = backend.store.get(bucket, key, version).map_err(from_store)?;
    ReadCondition {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    }
    .check_source(&original)?;
    let range = match &input.copy_source_range {
        None => 0..original.size,
        Some(text) => {
            let range =
                dto::Range::parse(text).ok().and_then(|range| range.check(original.size).ok());
            range.ok_or_else(|| s3_error!(InvalidArgument, "the range {text} cannot be copied"))?
        }
    };
    let body = StreamingBlob::wrap(reader.stream(range));
    let (headers, extensions) = (http::HeaderMap::new(), http::Extensions::new());
    let received =
        transfer::receive(&backend.store, &headers, &extensions, Some(body), Some(algorithm))
            .await?;
    let options = PartOptions { checksums: received.checksums };
    let number = part_number(input.part_number)?;
    let part =
        backend.store.put_part(target, number, received.blob, options).map_err(from_store)?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(attributes::timestamp(part.last_modified)),
        ..CopyPartResult::default()
    };
    set_checksums!(result, &part.checksums);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: version_id(&original, backend.is_versioned(bucket)?),
        ..UploadPartCopyOutput::default()
    }))
}

pub fn list(
    backend: &Backend,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let max_parts = page_size(input.max_parts)?;
    let (upload, mut parts) =
        backend.store.upload(&input.bucket, &input.key, &input.upload_id).map_err(from_store)?;
    let after = input.part_number_marker.unwrap_or_default();
    parts.retain(|part| i64::from(part.number) > i64::from(after));
    let page = usize::try_from(max_parts).unwrap_or_default();
    let truncated = parts.len() > page;
    parts.truncate(page);
    let (algorithm, kind) = plan(&upload)?;
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: Some(ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: Some(ChecksumType::from_static(kind)),
        is_truncated: Some(truncated),
        max_parts: Some(max_parts),
        next_part_number_marker: parts.last().and_then(|part| i32::try_from(part.number).ok()),
        part_number_marker: input.part_number_marker,
        owner: Some(backend.owner()),
        parts: Some(parts.iter().map(listed).collect()),
        ..ListPartsOutput::default()
    }))
}

fn part_number(number: i32) -> S3Result<u32> {
    u32::try_from(number).map_err(|_| {
        s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive")
    })
}

fn listed(part: &Part) -> dto::Part {
    let mut listed = dto::Part {
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(attributes::timestamp(part.last_modified)),
        part_number: i32::try_from(part.number).ok(),
        size: i64::try_from(part.size).ok(),
        ..dto::Part::default()
    };
    set_checksums!(listed, &part.checksums);
    listed
}
