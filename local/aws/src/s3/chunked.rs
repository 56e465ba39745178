//! The SDKs' framing of bodies, `aws-chunked`: sizes before the pieces, checksums behind the last one.
//!
//! ```text
//! <hex size>[;chunk-signature=…]\r\n <bytes> \r\n … 0[;…]\r\n [<name>:<value>\r\n …] \r\n
//! ```
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, s3_error};

use super::error::custom;
use crate::wire::Body;

/// A line of the framing: sizes, signatures, checksums.
const LONGEST_LINE: usize = 4096;

/// Headers that come behind the body; all there once the body has been read.
#[derive(Clone, Debug, Default)]
pub struct Trailers(Arc<Mutex<HeaderMap>>);

impl Trailers {
    pub fn get(&self, name: &str) -> Option<String> {
        let headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(headers.get(name)?.to_str().ok()?.to_owned())
    }

    fn insert(&self, line: &str) -> Result<(), S3Error> {
        let malformed = || {
            let message = format!("a trailer is <name>:<value>, found {line:?}");
            custom("MalformedTrailerError", http::StatusCode::BAD_REQUEST, message)
        };
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        let name: HeaderName = name.trim().parse().map_err(|_| malformed())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| malformed())?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, value);
        Ok(())
    }
}

/// The bytes inside the framing, `length` in all. Errors of the stream are [`S3Error`]s.
pub fn decode(body: Body, length: u64, trailers: Trailers) -> Body {
    let decoder = Decoder {
        body: body.into(),
        buffer: BytesMut::new(),
        state: State::Size,
        missing: length,
        trailers,
    };
    let pieces = stream::try_unfold(decoder, |mut decoder| async move {
        let piece = decoder.next().await?;
        Ok::<_, S3Error>(piece.map(|piece| (piece, decoder)))
    });
    StreamingBlob::wrap(pieces).into()
}

struct Decoder {
    body: StreamingBlob,
    buffer: BytesMut,
    state: State,
    /// Bytes of the object that have yet to come.
    missing: u64,
    trailers: Trailers,
}

enum State {
    Size,
    /// In a piece, so many bytes before its end.
    Data(u64),
    DataEnd,
    Trailers,
    Done,
}

impl Decoder {
    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            match self.state {
                State::Size => {
                    let line = self.line().await?;
                    let size = line.split(';').next().unwrap_or_default().trim();
                    let size = u64::from_str_radix(size, 16).map_err(|_| {
                        s3_error!(IncompleteBody, "a chunk's size is hex, found {line:?}")
                    })?;
                    if size > self.missing {
                        return Err(s3_error!(
                            IncompleteBody,
                            "the body is longer than x-amz-decoded-content-length"
                        ));
                    }
                    self.state = if size == 0 { State::Trailers } else { State::Data(size) };
                }
                State::Data(size) => {
                    if self.buffer.is_empty() && !self.fill().await? {
                        return Err(s3_error!(IncompleteBody));
                    }
                    let available = usize::try_from(size)
                        .map_or(self.buffer.len(), |size| size.min(self.buffer.len()));
                    let piece = self.buffer.split_to(available).freeze();
                    let rest = size - piece.len() as u64;
                    self.missing -= piece.len() as u64;
                    self.state = if rest == 0 { State::DataEnd } else { State::Data(rest) };
                    return Ok(Some(piece));
                }
                State::DataEnd => {
                    if !self.line().await?.is_empty() {
                        return Err(s3_error!(IncompleteBody, "a chunk is longer than its size"));
                    }
                    self.state = State::Size;
                }
                State::Trailers => {
                    // The empty line at the end may be missing where there are no trailers.
                    let line = if self.buffer.is_empty() && !self.fill().await? {
                        String::new()
                    } else {
                        self.line().await?
                    };
                    if !line.is_empty() {
                        self.trailers.insert(&line)?;
                    } else if self.missing > 0 {
                        return Err(s3_error!(IncompleteBody));
                    } else {
                        self.state = State::Done;
                    }
                }
                State::Done => return Ok(None),
            }
        }
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<String, S3Error> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > LONGEST_LINE || !self.fill().await? {
                return Err(s3_error!(IncompleteBody, "the body's framing is broken"));
            }
        }
    }

    /// Reads on; false at the end.
    async fn fill(&mut self) -> Result<bool, S3Error> {
        match self.body.next().await {
            None => Ok(false),
            Some(Ok(bytes)) => {
                if self.buffer.is_empty() {
                    // Takes the piece over where nobody else holds it.
                    self.buffer = BytesMut::from(bytes);
                } else {
                    self.buffer.extend_from_slice(&bytes);
                }
                Ok(true)
            }
            Some(Err(error)) => Err(s3_error!(IncompleteBody, "{error}")),
        }
    }
}
