//! A file on its way: chunk by chunk, taken up again where it broke off.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Version;
use reqwest::header::TRANSFER_ENCODING;
use shared::event::Source;
use shared::storage::StorageError;

use crate::ExtractError;
use crate::source::{IDLE_TIMEOUT, Site, SourceError, causes, described};

/// How often a broken download is taken up again.
const RESUMES: u32 = 5;
/// `CopyObject` copies up to 5 GB (S3 API reference); no file of the TLC comes near it.
pub const MOST_BYTES: u64 = 5_000_000_000;

/// Where the bytes come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub site: &'a Site,
    pub s3: &'a Client,
}

/// A file that is being read.
pub struct Download<'a> {
    origin: Origin<'a>,
    /// As the answer described it: what is read is this and no other version.
    source: Source,
    body: Body,
    received: u64,
    resumes_left: u32,
}

enum Body {
    Http(reqwest::Response),
    S3(ByteStream),
}

impl Body {
    /// Whether the end of the bytes is told from the end of the connection
    /// (RFC 9112, section 6.3).
    fn says_its_end(&self) -> bool {
        match self {
            Self::Http(response) => {
                response.headers().contains_key(TRANSFER_ENCODING)
                    || response.version() > Version::HTTP_11
            }
            Self::S3(_) => true,
        }
    }
}

impl<'a> Download<'a> {
    /// Asks for the file. An HTTP file may have changed since it was planned: what is there now
    /// is loaded, and [`Download::source`] says so. An object is read in the version that arrived.
    pub async fn open(origin: Origin<'a>, planned: &Source) -> Result<Self, ExtractError> {
        let (body, source) = open(origin, planned, 0).await?;
        let download = Self { origin, source, body, received: 0, resumes_left: RESUMES };
        if download.source.bytes().is_some_and(|bytes| bytes > MOST_BYTES) {
            return Err(download.too_large());
        }
        download.check_length(planned)?;
        Ok(download)
    }

    /// One content has one length, and an answer says it, or else where it ends: without either,
    /// a connection that is cut looks like the end of a file.
    fn check_length(&self, planned: &Source) -> Result<(), SourceError> {
        let same = planned.etag().is_some() && planned.etag() == self.source.etag();
        match (planned.bytes().filter(|_| same), self.source.bytes()) {
            (Some(planned), Some(bytes)) if planned != bytes => {
                let reason = format!("{planned} bytes were announced, now {bytes} under one ETag");
                Err(SourceError::Changed { place: self.place(), reason })
            }
            (_, None) if !self.body.says_its_end() => {
                let reason = "it says neither its length nor where it ends".to_owned();
                Err(SourceError::Unavailable { place: self.place(), reason })
            }
            _ => Ok(()),
        }
    }

    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The next bytes, or none at the file's end. Fewer bytes than announced are an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ExtractError> {
        loop {
            let reason = match self.next().await {
                Ok(Some(chunk)) => {
                    self.received += chunk.len() as u64;
                    if self.received > MOST_BYTES {
                        return Err(self.too_large());
                    }
                    return Ok(Some(chunk));
                }
                Ok(None) => match self.source.bytes() {
                    Some(bytes) if self.received < bytes => {
                        format!("it broke off after {} of {bytes} bytes", self.received)
                    }
                    Some(bytes) if self.received > bytes => {
                        let reason = format!("{bytes} bytes were announced, more came");
                        return Err(SourceError::Changed { place: self.place(), reason }.into());
                    }
                    _ => return Ok(None),
                },
                Err(reason) => reason,
            };
            self.resume(reason).await?;
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        let next = async {
            match &mut self.body {
                Body::Http(response) => response.chunk().await.map_err(|error| causes(&error)),
                Body::S3(stream) => {
                    stream.try_next().await.map_err(|error| DisplayErrorContext(error).to_string())
                }
            }
        };
        tokio::time::timeout(IDLE_TIMEOUT, next)
            .await
            .unwrap_or_else(|_| Err(format!("no byte for {} seconds", IDLE_TIMEOUT.as_secs())))
    }

    /// Asks for the rest of the same version, which takes an ETag to name it.
    async fn resume(&mut self, reason: String) -> Result<(), ExtractError> {
        let strong = self.source.etag().is_some_and(|etag| !etag.starts_with("W/"));
        if self.resumes_left == 0 || !strong {
            return Err(SourceError::Unavailable { place: self.place(), reason }.into());
        }
        tracing::warn!(reason, received = self.received, "taking the download up again");
        self.resumes_left -= 1;
        match open(self.origin, &self.source, self.received).await {
            Ok((body, _)) => self.body = body,
            // The next chunk fails at once, and this is counted as one more break.
            Err(error) if error.passes() => tracing::warn!(%error, "not yet"),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn place(&self) -> String {
        place(&self.source)
    }

    fn too_large(&self) -> ExtractError {
        let reason = format!("it has more than {MOST_BYTES} bytes");
        SourceError::Refused { place: self.place(), reason }.into()
    }
}

async fn open(
    origin: Origin<'_>,
    source: &Source,
    offset: u64,
) -> Result<(Body, Source), ExtractError> {
    match source {
        Source::Http { url, etag, .. } => {
            let etag = etag.as_deref().filter(|_| offset > 0);
            let response = origin.site.get(url, offset, etag).await?;
            let source = described(url, response.headers());
            Ok((Body::Http(response), source))
        }
        Source::S3 { bucket, key, version_id, etag, .. } => {
            let range = (offset > 0).then(|| format!("bytes={offset}-"));
            let request = origin.s3.get_object().bucket(bucket).key(key);
            let request = request.set_version_id(version_id.clone()).set_if_match(etag.clone());
            let object = request.set_range(range).send().await;
            let object = object.map_err(|error| StorageError::of(&place(source), error))?;
            let described = Source::S3 {
                bucket: bucket.clone(),
                key: key.clone(),
                version_id: object.version_id().map(str::to_owned).or_else(|| version_id.clone()),
                etag: object.e_tag().map(str::to_owned),
                last_modified: object.last_modified().and_then(timestamp),
                bytes: object.content_length().and_then(|length| length.try_into().ok()),
            };
            Ok((Body::S3(object.body), described))
        }
    }
}

/// The SDK's date as ours.
pub fn timestamp(date: &aws_sdk_s3::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::from_second(date.secs()).ok()
}

/// A source's URL, for people.
pub fn place(source: &Source) -> String {
    match source {
        Source::Http { url, .. } => url.clone(),
        Source::S3 { bucket, key, .. } => format!("s3://{bucket}/{key}"),
    }
}
