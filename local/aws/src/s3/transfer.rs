//! Bytes from a client into the store, and whether they are what the client meant.

use futures::TryStreamExt;
use http::header::TRANSFER_ENCODING;
use http::{Extensions, HeaderMap};
use lake::Store;
use lake::store::Blob;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, s3_error};

use super::checksum::{self, Algorithm, Checksums};
use super::chunked::Trailers;
use super::error::custom;

/// Bytes of an object that is put whole, and of a part.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LARGEST_UPLOAD: u64 = 5 * 1024 * 1024 * 1024;

/// Bytes that have arrived and been checked, not yet an object.
pub struct Received {
    pub blob: Blob,
    /// Of the algorithms the client used; of S3's own if it used none.
    pub checksums: Checksums,
}

/// Writes a request's body to a blob and checks it against everything its headers and trailers say of it.
///
/// Errors: `EntityTooLarge` and `MissingContentLength` before a byte is read; `BadDigest`,
/// `XAmzContentSHA256Mismatch`, `IncompleteBody`.
pub async fn receive(
    store: &Store,
    headers: &HeaderMap,
    extensions: &Extensions,
    body: Option<StreamingBlob>,
    wanted: Option<Algorithm>,
) -> S3Result<Received> {
    let expected = Expected::of(headers)?;
    match expected.length {
        Some(length) if length > LARGEST_UPLOAD => return Err(s3_error!(EntityTooLarge)),
        None if headers.contains_key(TRANSFER_ENCODING) => {
            return Err(s3_error!(MissingContentLength));
        }
        _ => {}
    }
    let mut algorithms = expected.algorithms.clone();
    algorithms.extend(wanted);
    if algorithms.is_empty() {
        algorithms.push(Algorithm::DEFAULT);
    }
    let signed = expected.payload.is_some().then_some(Algorithm::Sha256);
    let mut hasher = checksum::hasher(algorithms.iter().copied().chain(signed));
    let body = body.unwrap_or_else(|| StreamingBlob::from(crate::wire::Body::empty()));
    let body = body.map_err(|error| match error.downcast::<S3Error>() {
        Ok(refused) => Failure::Refused(*refused),
        Err(error) => Failure::Refused(s3_error!(IncompleteBody, "{error}")),
    });
    let received = store.receive(body.inspect_ok(|bytes| hasher.update(bytes))).await;
    let blob = received.map_err(|failure| match failure {
        Failure::Refused(error) => error,
        Failure::Disk(error) => S3Error::internal_error(error),
    })?;
    let mut checksums = checksum::to_map(hasher.finalize());
    expected.check(&blob, &checksums, extensions.get())?;
    checksums.retain(|name, _| algorithms.iter().any(|algorithm| algorithm.name() == name));
    Ok(Received { blob, checksums })
}

enum Failure {
    Disk(std::io::Error),
    Refused(S3Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// What the headers say of the body.
struct Expected {
    length: Option<u64>,
    /// An ETag.
    md5: Option<String>,
    /// SHA-256 in hex, which the signature covers.
    payload: Option<String>,
    /// Checksums in headers.
    given: Vec<(Algorithm, String)>,
    /// Those, and the ones announced to come behind the body.
    algorithms: Vec<Algorithm>,
}

impl Expected {
    fn of(headers: &HeaderMap) -> S3Result<Self> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let given: Vec<(Algorithm, String)> = Algorithm::ALL
            .into_iter()
            .filter_map(|algorithm| Some((algorithm, header(algorithm.header())?.to_owned())))
            .collect();
        let announced = header("x-amz-trailer")
            .unwrap_or_default()
            .split(',')
            .filter_map(Algorithm::from_header);
        let algorithms = given.iter().map(|(algorithm, _)| *algorithm).chain(announced).collect();
        let payload = header("x-amz-content-sha256").filter(|value| {
            value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        Ok(Self {
            length: header("content-length").and_then(|length| length.parse().ok()),
            md5: header("content-md5").map(checksum::md5).transpose()?,
            payload: payload.map(str::to_lowercase),
            given,
            algorithms,
        })
    }

    fn check(
        &self,
        blob: &Blob,
        computed: &Checksums,
        trailers: Option<&Trailers>,
    ) -> S3Result<()> {
        if self.length.is_some_and(|length| length != blob.size()) {
            return Err(s3_error!(IncompleteBody));
        }
        if self.md5.as_ref().is_some_and(|md5| md5 != blob.etag()) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        if let Some(payload) = &self.payload {
            let computed =
                computed.get(Algorithm::Sha256.name()).map(String::as_str).unwrap_or_default();
            if checksum::hex(&checksum::bytes(computed)?) != *payload {
                let message =
                    "The provided 'x-amz-content-sha256' header does not match what was computed.";
                return Err(custom(
                    "XAmzContentSHA256Mismatch",
                    http::StatusCode::BAD_REQUEST,
                    message,
                ));
            }
        }
        let announced = self
            .algorithms
            .iter()
            .filter_map(|algorithm| Some((*algorithm, trailers?.get(algorithm.header())?)));
        for (algorithm, expected) in self.given.iter().cloned().chain(announced) {
            if computed.get(algorithm.name()) != Some(&expected) {
                let name = algorithm.name();
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }
}
