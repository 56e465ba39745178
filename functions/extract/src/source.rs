//! The TLC's site: what it has, and what its answers mean.
//!
//! It has no listing. A file that is not out yet answers 403, and so does a client that asks too
//! much; see [`crate::survey`] for how the two are told apart.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, LAST_MODIFIED, LOCATION};
use reqwest::{Client, Response, StatusCode, redirect};
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

/// The only host that is ever asked, and the only folder of it.
#[derive(Clone, Debug)]
pub struct Site {
    client: Client,
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
        Self { client, base: base.trim_end_matches('/').to_owned(), first_pause }
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
        let request = self.client.head(url).timeout(IDLE_TIMEOUT);
        let response = request.send().await.map_err(|error| unavailable(url, &error))?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Published(described(url, response.headers()))),
            StatusCode::NOT_FOUND => Ok(Answer::Missing),
            StatusCode::FORBIDDEN => Ok(Answer::Forbidden),
            _ => Err(refusal(url, &response)),
        }
    }

    /// Asks for the bytes of `url` from `offset` on, of the very file whose strong ETag is given.
    pub async fn get(
        &self,
        url: &str,
        offset: u64,
        etag: Option<&str>,
    ) -> Result<Response, SourceError> {
        if !url.starts_with(&format!("{}/", self.base)) {
            let reason = format!("files come from {} alone", self.base);
            return Err(SourceError::Refused { place: url.to_owned(), reason });
        }
        let mut request = self.client.get(url);
        if offset > 0 {
            request = request.header("range", format!("bytes={offset}-"));
        }
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        let response = tokio::time::timeout(IDLE_TIMEOUT, request.send())
            .await
            .map_err(|_| SourceError::Unavailable {
                place: url.to_owned(),
                reason: format!("no answer within {} seconds", IDLE_TIMEOUT.as_secs()),
            })?
            .map_err(|error| unavailable(url, &error))?;
        match response.status() {
            StatusCode::OK if offset == 0 => Ok(response),
            StatusCode::PARTIAL_CONTENT if offset > 0 => Ok(response),
            StatusCode::OK
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::RANGE_NOT_SATISFIABLE => {
                let reason = format!("HTTP {} to bytes from {offset}", response.status().as_u16());
                Err(SourceError::Changed { place: url.to_owned(), reason })
            }
            _ => Err(refusal(url, &response)),
        }
    }
}

/// What an answer's headers say of the file.
pub fn described(url: &str, headers: &HeaderMap) -> Source {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
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

pub fn unavailable(url: &str, error: &reqwest::Error) -> SourceError {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    SourceError::Unavailable { place: url.to_owned(), reason }
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
