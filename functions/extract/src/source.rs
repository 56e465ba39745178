//! The TLC's site: what it has, and what its answers mean.
//!
//! It has no listing. A file that is not out yet answers 403, and so does a client that asks too
//! much; see [`crate::survey`] for how the two are told apart.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MATCH, LAST_MODIFIED, LOCATION,
    RANGE,
};
use reqwest::{Client, Method, Request, Response, StatusCode, Url, redirect};
use shared::error::{ErrorName, NamedError};
use shared::event::Source;

/// To connect, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Between asking and the first byte of the answer, and between two chunks of it.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Tries of one request that fails in passing.
const TRIES: u32 = 4;

/// A request to the source that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error(
        "{place} answers {status}: the source limits us; ask for fewer months at once, or later"
    )]
    Throttled { place: String, status: u16 },
    #[error("{place} does not answer: {reason}")]
    Unavailable { place: String, reason: String },
    #[error("{place} has changed while it was read: {reason}")]
    Changed { place: String, reason: String },
    #[error("{place} is not published, or not any more (HTTP {status})")]
    NotPublished { place: String, status: u16 },
    #[error("{place} is refused: {reason}")]
    Refused { place: String, reason: String },
}

impl NamedError for SourceError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Throttled { .. } => ErrorName::SourceThrottled,
            Self::Unavailable { .. } => ErrorName::SourceUnavailable,
            Self::Changed { .. } => ErrorName::SourceChanged,
            Self::NotPublished { .. } => ErrorName::SourceNotPublished,
            Self::Refused { .. } => ErrorName::SourceRefused,
        }
    }
}

/// What the site says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Published(Source),
    /// 404: there is no such file.
    Missing,
    /// 403: there is no such file, or we ask too much.
    Forbidden,
}

/// How requests reach the site: over the network, or in a simulation within the process.
pub trait Transport: Debug + Send + Sync {
    /// The answer, or why there is none.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>>;
}

impl Transport for Client {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async { self.execute(request).await.map_err(|error| causes(&error)) })
    }
}

/// The only host that is ever asked, and the only folder of it.
#[derive(Clone, Debug)]
pub struct Site {
    transport: Arc<dyn Transport>,
    base: String,
    first_pause: Duration,
}

impl Site {
    /// `base` is the URL that the contracts' paths are below; `first_pause` is before the second
    /// try of a request, and doubled before each later one.
    ///
    /// No redirect is followed: it could lead to a host that is none of ours.
    pub fn new(base: &str, first_pause: Duration) -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent("nyc-taxi-etl")
            .build()
            .expect("TLS and its root certificates are part of the platform");
        Self::over(Arc::new(client), base, first_pause)
    }

    /// The same over any transport.
    pub fn over(transport: Arc<dyn Transport>, base: &str, first_pause: Duration) -> Self {
        Self { transport, base: base.trim_end_matches('/').to_owned(), first_pause }
    }

    pub const fn first_pause(&self) -> Duration {
        self.first_pause
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Does the site have the file? A request that fails in passing is tried again.
    pub async fn head(&self, path: &str) -> Result<Answer, SourceError> {
        let url = self.url(path);
        let mut pause = self.first_pause;
        for _ in 1..TRIES {
            match self.head_once(&url).await {
                Err(SourceError::Throttled { .. } | SourceError::Unavailable { .. }) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
        self.head_once(&url).await
    }

    async fn head_once(&self, url: &str) -> Result<Answer, SourceError> {
        let response = self.send(self.request(Method::HEAD, url)?).await?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Published(described(url, response.headers()))),
            StatusCode::NOT_FOUND => Ok(Answer::Missing),
            StatusCode::FORBIDDEN => Ok(Answer::Forbidden),
            _ => Err(refusal(url, &response)),
        }
    }

    /// A URL is judged as it is asked: without `..`, and with its host's address in digits.
    fn request(&self, method: Method, url: &str) -> Result<Request, SourceError> {
        let refused = |reason| SourceError::Refused { place: url.to_owned(), reason };
        let parse = |url: &str| {
            url.parse::<Url>().map_err(|error| refused(format!("it is no URL: {error}")))
        };
        let (parsed, base) = (parse(url)?, parse(&format!("{}/", self.base))?);
        let plain = parsed.query().is_none() && parsed.fragment().is_none();
        if !plain || !parsed.as_str().starts_with(base.as_str()) {
            return Err(refused(format!("files come from {} alone", self.base)));
        }
        Ok(Request::new(method, parsed))
    }

    async fn send(&self, request: Request) -> Result<Response, SourceError> {
        let place = request.url().to_string();
        let answer = tokio::time::timeout(IDLE_TIMEOUT, self.transport.send(request)).await;
        let answer = answer.unwrap_or_else(|_| {
            Err(format!("no answer within {} seconds", IDLE_TIMEOUT.as_secs()))
        });
        answer.map_err(|reason| SourceError::Unavailable { place, reason })
    }

    /// Asks for the bytes of `url` from `offset` on, of the very file whose strong ETag is given.
    pub async fn get(
        &self,
        url: &str,
        offset: u64,
        etag: Option<&str>,
    ) -> Result<Response, SourceError> {
        let mut request = self.request(Method::GET, url)?;
        if offset > 0 {
            let rest = format!("bytes={offset}-").parse().expect("digits are a header's text");
            request.headers_mut().insert(RANGE, rest);
        }
        if let Some(etag) = etag.and_then(|etag| etag.parse().ok()) {
            request.headers_mut().insert(IF_MATCH, etag);
        }
        let changed = |reason| Err(SourceError::Changed { place: url.to_owned(), reason });
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK if offset == 0 => Ok(response),
            StatusCode::PARTIAL_CONTENT if offset > 0 => {
                match other_bytes(response.headers(), offset, etag) {
                    Some(reason) => changed(reason),
                    None => Ok(response),
                }
            }
            StatusCode::OK
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::RANGE_NOT_SATISFIABLE => {
                changed(format!("HTTP {} to bytes from {offset}", response.status().as_u16()))
            }
            _ => Err(refusal(url, &response)),
        }
    }
}

/// Why the part that came is not the rest of the file: a server may pass over `If-Match`.
fn other_bytes(headers: &HeaderMap, offset: u64, etag: Option<&str>) -> Option<String> {
    let found = text(headers, ETAG);
    if let (Some(found), Some(expected)) = (&found, etag)
        && found != expected
    {
        return Some(format!("its ETag was {expected}, now it is {found}"));
    }
    let range = text(headers, CONTENT_RANGE)?;
    let start = range.strip_prefix("bytes ").and_then(|range| range.split('-').next());
    let differs = start.is_none_or(|start| start.parse() != Ok(offset));
    differs.then(|| format!("asked for bytes from {offset}, got {range}"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// What an answer's headers say of the file.
pub fn described(url: &str, headers: &HeaderMap) -> Source {
    let text = |name| text(headers, name);
    Source::Http {
        url: url.to_owned(),
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED).and_then(|date| http_date(&date)),
        bytes: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    }
}

/// `Fri, 01 Mar 2024 00:00:00 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

fn refusal(url: &str, response: &Response) -> SourceError {
    let (place, status) = (url.to_owned(), response.status().as_u16());
    match status {
        429 | 503 => SourceError::Throttled { place, status },
        500.. => SourceError::Unavailable { place, reason: format!("HTTP {status}") },
        403 | 404 | 410 => SourceError::NotPublished { place, status },
        300..400 => {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let reason = format!("it redirects to {}", to.unwrap_or("nowhere"));
            SourceError::Refused { place, reason }
        }
        _ => SourceError::Refused { place, reason: format!("HTTP {status}") },
    }
}

/// An error with all that has caused it, in one line.
pub fn causes(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_headers_of_an_answer() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, "\"abc-2\"".parse().unwrap());
        headers.insert(LAST_MODIFIED, "Fri, 01 Mar 2024 07:08:09 GMT".parse().unwrap());
        headers.insert(CONTENT_LENGTH, "123".parse().unwrap());
        let expected = Source::Http {
            url: "u".to_owned(),
            etag: Some("\"abc-2\"".to_owned()),
            last_modified: Some("2024-03-01T07:08:09Z".parse().unwrap()),
            bytes: Some(123),
        };
        assert_eq!(described("u", &headers), expected);
        headers.insert(LAST_MODIFIED, "yesterday".parse().unwrap());
        assert_eq!(described("u", &headers).last_modified(), None);
    }
}
