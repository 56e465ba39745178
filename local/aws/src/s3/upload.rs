//! Multipart uploads.
//!
//! While an upload runs, its attributes' checksums hold the algorithm and the kind of checksum its object will have
//! (`CRC32` → `COMPOSITE`), in the place of the checksum itself.

use crc_fast::{CrcAlgorithm, checksum_combine};
use lake::store::{CompletedPart, Part, PutOptions, Upload};
use s3s::dto::{
    self, AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes::{self, etag, version_id};
use super::backend::Backend;
use super::checksum::{self, Algorithm, set_checksums};
use super::condition;
use super::error::{custom, from_store};
use super::listing::{Names, page_size, prefixes};

const COMPOSITE: &str = "COMPOSITE";
const FULL_OBJECT: &str = "FULL_OBJECT";

pub fn create(
    backend: &Backend,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let mut attributes = attributes::from_request(&request.headers, input.metadata)?;
    let algorithm = input
        .checksum_algorithm
        .as_ref()
        .map(|name| Algorithm::from_name(name.as_str()))
        .transpose()?;
    let (algorithm, kind) =
        match (algorithm, input.checksum_type.as_ref().map(ChecksumType::as_str)) {
            (None, None) => (Algorithm::DEFAULT, FULL_OBJECT),
            (None, Some(_)) => {
                return Err(s3_error!(
                    InvalidRequest,
                    "x-amz-checksum-type needs x-amz-checksum-algorithm"
                ));
            }
            (Some(Algorithm::Crc64Nvme), None) => (Algorithm::Crc64Nvme, FULL_OBJECT),
            (Some(algorithm), None) => (algorithm, COMPOSITE),
            (Some(algorithm), Some(FULL_OBJECT)) if algorithm.is_linear() => {
                (algorithm, FULL_OBJECT)
            }
            (Some(algorithm), Some(COMPOSITE)) if algorithm != Algorithm::Crc64Nvme => {
                (algorithm, COMPOSITE)
            }
            (Some(algorithm), Some(kind)) => {
                let name = algorithm.name();
                return Err(s3_error!(
                    InvalidRequest,
                    "The {kind} checksum type cannot be used with the {name} checksum algorithm."
                ));
            }
        };
    attributes.checksums.insert(algorithm.name().to_owned(), kind.to_owned());
    let upload =
        backend.store.create_upload(&input.bucket, &input.key, attributes).map_err(from_store)?;
    let was_asked = input.checksum_algorithm.is_some();
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload.id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: was_asked.then(|| ChecksumType::from_static(kind)),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub async fn complete(
    backend: &Backend,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let condition = condition::write(input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload is completed with at least one part"));
    }
    let target = (input.bucket.clone(), input.key.clone(), input.upload_id);
    let (upload, uploaded) =
        backend.store.upload(&target.0, &target.1, &target.2).map_err(from_store)?;
    let chosen = choose(&named, &uploaded)?;
    let sizes: u64 = chosen.iter().map(|part| part.size).sum();
    if input.mpu_object_size.is_some_and(|size| u64::try_from(size) != Ok(sizes)) {
        return Err(s3_error!(
            InvalidRequest,
            "the parts have {sizes} bytes, not x-amz-mp-object-size"
        ));
    }
    let (algorithm, kind) = plan(&upload)?;
    let whole = join(algorithm, kind, &chosen)?;
    let given = request.headers.get(algorithm.header()).and_then(|value| value.to_str().ok());
    if given.is_some_and(|given| given != whole) {
        let name = algorithm.name();
        return Err(s3_error!(
            BadDigest,
            "The {name} you specified did not match the calculated checksum."
        ));
    }
    let mut options = PutOptions { condition, ..PutOptions::default() };
    options.attributes.checksums.insert(algorithm.name().to_owned(), whole);
    let parts: Vec<CompletedPart> = chosen
        .iter()
        .map(|part| CompletedPart { number: part.number, etag: part.etag.clone() })
        .collect();
    let store = backend.store.clone();
    let completed = tokio::task::spawn_blocking(move || {
        store.complete_upload((&target.0, &target.1, &target.2), &parts, options)
    });
    let object = completed.await.map_err(s3s::S3Error::internal_error)?.map_err(from_store)?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!(
            "{}/{}/{}",
            backend.settings.endpoint,
            input.bucket,
            Names::Encoded.write(&input.key)
        )),
        version_id: version_id(&object, backend.is_versioned(&input.bucket)?),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&object)),
        checksum_type: Some(ChecksumType::from_static(kind)),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksums!(output, &object.attributes.checksums);
    Ok(S3Response::with_headers(output, attributes::encryption(&object)))
}

pub fn abort(
    backend: &Backend,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    backend.store.abort_upload(&input.bucket, &input.key, &input.upload_id).map_err(from_store)?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

pub fn list(
    backend: &Backend,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let names = Names::of(input.encoding_type.as_ref())?;
    let max_uploads = page_size(input.max_uploads)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut uploads = backend.store.uploads(&input.bucket, &prefix).map_err(from_store)?;
    if let Some(marker) = input.key_marker.as_ref().filter(|marker| !marker.is_empty()) {
        let at = input
            .upload_id_marker
            .as_ref()
            .and_then(|id| uploads.iter().position(|upload| upload.id == *id));
        match at {
            Some(at) => drop(uploads.drain(..=at)),
            None => uploads.retain(|upload| upload.key > *marker),
        }
    }
    let mut common = Vec::new();
    if let Some(delimiter) = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()) {
        uploads.retain(|upload| match upload.key[prefix.len()..].find(delimiter) {
            Some(at) => {
                common.push(upload.key[..prefix.len() + at + delimiter.len()].to_owned());
                false
            }
            None => true,
        });
        common.dedup();
    }
    let page = usize::try_from(max_uploads).unwrap_or_default();
    let truncated = uploads.len() > page;
    uploads.truncate(page);
    let last = uploads.last().filter(|_| truncated);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        common_prefixes: Some(prefixes(&common, names)),
        is_truncated: Some(truncated),
        next_key_marker: last.map(|upload| names.write(&upload.key)),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        uploads: Some(uploads.iter().map(|upload| started(backend, upload, names)).collect()),
        bucket: Some(input.bucket),
        delimiter: input.delimiter,
        encoding_type: input.encoding_type,
        key_marker: input.key_marker,
        max_uploads: Some(max_uploads),
        prefix: Some(names.write(&prefix)),
        upload_id_marker: input.upload_id_marker,
        request_charged: None,
    }))
}

/// The checksum an upload's object will have.
pub fn plan(upload: &Upload) -> S3Result<(Algorithm, &'static str)> {
    match upload.attributes.checksums.iter().next() {
        None => Ok((Algorithm::DEFAULT, FULL_OBJECT)),
        Some((name, kind)) => Ok((
            Algorithm::from_name(name)?,
            if kind == COMPOSITE { COMPOSITE } else { FULL_OBJECT },
        )),
    }
}

/// The uploaded parts that are named, if they are what the client says they are.
fn choose<'a>(named: &[dto::CompletedPart], uploaded: &'a [Part]) -> S3Result<Vec<&'a Part>> {
    if !named.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
    }
    named
        .iter()
        .map(|wanted| {
            let checksums = checksum::to_map(dto::Checksum {
                checksum_crc32: wanted.checksum_crc32.clone(),
                checksum_crc32c: wanted.checksum_crc32c.clone(),
                checksum_crc64nvme: wanted.checksum_crc64nvme.clone(),
                checksum_sha1: wanted.checksum_sha1.clone(),
                checksum_sha256: wanted.checksum_sha256.clone(),
                checksum_type: None,
            });
            let is_meant = |part: &&Part| {
                wanted.part_number.is_some_and(|number| i64::from(number) == i64::from(part.number))
                    && wanted.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag)
                    && checksums.iter().all(|(name, digest)| part.checksums.get(name) == Some(digest))
            };
            uploaded.iter().find(is_meant).ok_or_else(|| {
                s3_error!(
                    InvalidPart,
                    "One or more of the specified parts could not be found. The part may not have been uploaded, or \
                     the specified entity tag may not match the part's entity tag."
                )
            })
        })
        .collect()
}

/// The checksum of the whole object, from those of its parts.
fn join(algorithm: Algorithm, kind: &str, parts: &[&Part]) -> S3Result<String> {
    let digest = |part: &Part| {
        let text = part.checksums.get(algorithm.name());
        checksum::bytes(text.ok_or_else(|| {
            let code = "InvalidRequest";
            custom(
                code,
                http::StatusCode::BAD_REQUEST,
                "a part has no checksum of the upload's algorithm",
            )
        })?)
    };
    if kind == COMPOSITE {
        let mut digests = Vec::new();
        for part in parts {
            digests.extend(digest(part)?);
        }
        return Ok(format!("{}-{}", algorithm.of(&digests), parts.len()));
    }
    let crc = match algorithm {
        Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
        Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
        Algorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
        Algorithm::Sha1 | Algorithm::Sha256 => {
            return Err(s3_error!(
                InvalidRequest,
                "a SHA of a whole cannot be told from its parts"
            ));
        }
    };
    let mut whole: Option<u64> = None;
    let mut width = 0;
    for part in parts {
        let bytes = digest(part)?;
        width = bytes.len();
        let value = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        whole = Some(whole.map_or(value, |before| checksum_combine(crc, before, value, part.size)));
    }
    let bytes = whole.unwrap_or_default().to_be_bytes();
    Ok(checksum::base64(&bytes[bytes.len() - width..]))
}

fn started(backend: &Backend, upload: &Upload, names: Names) -> dto::MultipartUpload {
    dto::MultipartUpload {
        initiated: Some(attributes::timestamp(upload.initiated_at)),
        key: Some(names.write(&upload.key)),
        owner: Some(backend.owner()),
        upload_id: Some(upload.id.clone()),
        ..dto::MultipartUpload::default()
    }
}
