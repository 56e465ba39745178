//! What happens to a request before it is read as S3's: the signature comes off, and the SDKs' own framing of the
//! body with it.

use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HOST};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri};
use s3s::{S3Result, s3_error};

use super::chunked::{self, Trailers};
use crate::wire::Body;
use crate::wire::path::decode;

/// Query parameters of a presigned URL, of both signature versions.
const SIGNATURE: [&str; 10] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "Expires",
];

/// Host names that clients put a bucket's name before.
const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

/// Makes of any request an unsigned one with a plain body, whose path begins with its bucket. The values a client sends behind its body are in the
/// request's extensions, as [`Trailers`].
///
/// Errors: a presigned URL that has expired, a framing that is not what its headers say.
pub fn admit(request: Request<Body>) -> S3Result<Request<Body>> {
    let (mut parts, mut body) = request.into_parts();
    parts.headers.remove(AUTHORIZATION);
    if let Some(query) = parts.uri.query().filter(|query| query.contains("Signature=")) {
        refuse_expired(query, lake::clock::now())?;
        parts.uri = unsigned(&parts.uri, query)?;
    }
    if let Some(bucket) = bucket_of_host(&parts.headers) {
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        parts.uri = format!("/{bucket}{target}")
            .parse()
            .map_err(|error| s3_error!(InvalidURI, "{error}"))?;
    }
    let is_framed = parts
        .headers
        .get("x-amz-content-sha256")
        .is_some_and(|value| value.as_bytes().starts_with(b"STREAMING-"));
    if is_framed {
        let length = decoded_length(&parts.headers)?;
        let trailers = Trailers::default();
        parts.extensions.insert(trailers.clone());
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        strip_framing(&mut parts.headers)?;
        body = chunked::decode(body, length, trailers);
    }
    Ok(Request::from_parts(parts, body))
}

/// `bucket` of `bucket.localhost:4566` and `bucket.s3.localhost`.
fn bucket_of_host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let name = host.split(':').next()?;
    let before = HOSTS.iter().find_map(|suffix| name.strip_suffix(suffix)?.strip_suffix('.'))?;
    let bucket = before.strip_suffix(".s3").unwrap_or(before);
    (bucket != "s3").then(|| bucket.to_owned())
}

/// Of a URL signed in version 4 the time it was signed and how many seconds it is good for; of version 2 the second
/// it ends.
fn refuse_expired(query: &str, now: jiff::Timestamp) -> S3Result<()> {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| decode(value, true))
    };
    let end = match (parameter("X-Amz-Date"), parameter("X-Amz-Expires"), parameter("Expires")) {
        (Some(date), Some(seconds), _) => {
            let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date)
                .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC))
                .map_err(|error| {
                    s3_error!(AuthorizationQueryParametersError, "X-Amz-Date: {error}")
                })?;
            let seconds = seconds.parse::<i64>().map_err(|error| {
                s3_error!(AuthorizationQueryParametersError, "X-Amz-Expires: {error}")
            })?;
            date.timestamp().as_second().saturating_add(seconds)
        }
        (_, _, Some(end)) => end
            .parse()
            .map_err(|error| s3_error!(AuthorizationQueryParametersError, "Expires: {error}"))?,
        _ => return Ok(()),
    };
    if now.as_second() > end {
        return Err(s3_error!(AccessDenied, "Request has expired"));
    }
    Ok(())
}

fn unsigned(uri: &Uri, query: &str) -> S3Result<Uri> {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !SIGNATURE.contains(&pair.split_once('=').map_or(*pair, |(name, _)| name)))
        .collect();
    let path = uri.path();
    let target =
        if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    target.parse().map_err(|error| s3_error!(InvalidURI, "{error}"))
}

fn decoded_length(headers: &HeaderMap) -> S3Result<u64> {
    headers
        .get("x-amz-decoded-content-length")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .ok_or_else(|| s3_error!(MissingContentLength, "x-amz-decoded-content-length is missing"))
}

/// `aws-chunked` says how the body came, not what the object is.
fn strip_framing(headers: &mut HeaderMap) -> S3Result<()> {
    let Some(encodings) = headers.remove(CONTENT_ENCODING) else { return Ok(()) };
    let text = encodings
        .to_str()
        .map_err(|error| s3_error!(InvalidArgument, "content-encoding: {error}"))?;
    let kept: Vec<&str> =
        text.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    if !kept.is_empty() {
        let kept = HeaderValue::from_str(&kept.join(","))
            .map_err(|error| s3_error!(InvalidArgument, "content-encoding: {error}"))?;
        headers.insert(CONTENT_ENCODING, kept);
    }
    Ok(())
}
