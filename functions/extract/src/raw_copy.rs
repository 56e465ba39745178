//! The copy in the raw bucket, under a key that names its content.
//!
//! The content is known when the last byte has come. A small file waits for it in memory; a large
//! one is uploaded in parts under a name of its own and then copied by S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, TaggingDirective,
};
use bytes::{Bytes, BytesMut};
use shared::storage::StorageError;
use tokio::task::JoinHandle;

/// Two parts are in memory at once. S3 wants at least 5 MiB, and takes 10,000 parts.
const PART_BYTES: usize = 8 << 20;

/// An upload under way; either finished or aborted.
pub struct Upload {
    s3: Client,
    bucket: String,
    /// Where the parts go; no other upload has this key.
    incoming: String,
    buffer: BytesMut,
    parts: Option<Parts>,
}

struct Parts {
    upload_id: String,
    done: Vec<CompletedPart>,
    /// The part that is on its way while the next is read.
    sending: Option<JoinHandle<Result<CompletedPart, StorageError>>>,
    next_number: i32,
}

impl Upload {
    pub fn new(s3: Client, bucket: &str, incoming: String) -> Self {
        let buffer = BytesMut::new();
        Self { s3, bucket: bucket.to_owned(), incoming, buffer, parts: None }
    }

    pub async fn push(&mut self, mut chunk: Bytes) -> Result<(), StorageError> {
        while !chunk.is_empty() {
            if self.buffer.capacity() == 0 {
                self.buffer.reserve(chunk.len().max(1 << 16));
            }
            let room = PART_BYTES - self.buffer.len();
            self.buffer.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
            if self.buffer.len() == PART_BYTES {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Ends the upload: the object is `key` then. Answers its `ETag`.
    pub async fn finish(mut self, key: &str) -> Result<String, StorageError> {
        if self.parts.is_none() {
            return self.put(key).await;
        }
        match self.join_parts().await {
            Ok(()) => {
                let from = CopySource {
                    bucket: &self.bucket,
                    key: &self.incoming,
                    ..CopySource::default()
                };
                let etag = copy(&self.s3, from, &self.bucket, key).await;
                self.remove_incoming().await;
                etag
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Leaves nothing behind. What cannot be aborted now is by the bucket's lifecycle rule.
    pub async fn abort(mut self) {
        let Some(parts) = self.parts.take() else { return };
        if let Some(sending) = parts.sending {
            sending.abort();
        }
        let request = self.s3.abort_multipart_upload().bucket(&self.bucket).key(&self.incoming);
        if let Err(error) = request.upload_id(parts.upload_id).send().await {
            tracing::warn!(?error, key = self.incoming, "the upload was not aborted");
        }
    }

    async fn put(self, key: &str) -> Result<String, StorageError> {
        let body = self.buffer.freeze().into();
        let put = self.s3.put_object().bucket(&self.bucket).key(key).body(body).send().await;
        let put = put.map_err(|error| StorageError::of(&place(&self.bucket, key), error))?;
        Ok(put.e_tag().unwrap_or_default().to_owned())
    }

    /// Sends the buffer as the next part once the part before it has gone.
    async fn send_part(&mut self) -> Result<(), StorageError> {
        if self.parts.is_none() {
            self.parts = Some(self.begin().await?);
        }
        let parts = self.parts.as_mut().expect("it was begun");
        parts.wait().await?;
        let number = parts.next_number;
        parts.next_number += 1;
        let body = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(PART_BYTES));
        let request = self.s3.upload_part().bucket(&self.bucket).key(&self.incoming);
        let request = request.upload_id(&parts.upload_id).part_number(number);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let place = place(&self.bucket, &self.incoming);
        parts.sending = Some(tokio::spawn(async move {
            let sent = request.body(body.freeze().into()).send().await;
            let sent = sent.map_err(|error| StorageError::of(&place, error))?;
            let part = CompletedPart::builder().part_number(number);
            let part = part.set_e_tag(sent.e_tag().map(str::to_owned));
            let part = part.set_checksum_crc32(sent.checksum_crc32().map(str::to_owned));
            Ok(part.build())
        }));
        Ok(())
    }

    async fn begin(&self) -> Result<Parts, StorageError> {
        let request = self.s3.create_multipart_upload().bucket(&self.bucket).key(&self.incoming);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let place = place(&self.bucket, &self.incoming);
        let begun = request.send().await.map_err(|error| StorageError::of(&place, error))?;
        let upload_id = begun.upload_id().unwrap_or_default().to_owned();
        Ok(Parts { upload_id, done: Vec::new(), sending: None, next_number: 1 })
    }

    async fn join_parts(&mut self) -> Result<(), StorageError> {
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let parts = self.parts.as_mut().expect("there are parts");
        parts.wait().await?;
        let all = std::mem::take(&mut parts.done);
        let all = CompletedMultipartUpload::builder().set_parts(Some(all)).build();
        let request = self.s3.complete_multipart_upload().bucket(&self.bucket).key(&self.incoming);
        let joined = request.upload_id(&parts.upload_id).multipart_upload(all).send().await;
        joined.map_err(|error| StorageError::of(&place(&self.bucket, &self.incoming), error))?;
        Ok(())
    }

    async fn remove_incoming(&self) {
        let request = self.s3.delete_object().bucket(&self.bucket).key(&self.incoming);
        if let Err(error) = request.send().await {
            tracing::warn!(?error, key = self.incoming, "left to the bucket's lifecycle rule");
        }
    }
}

impl Parts {
    async fn wait(&mut self) -> Result<(), StorageError> {
        if let Some(sending) = self.sending.take() {
            self.done.push(sending.await.expect("the part's task does not panic")?);
        }
        Ok(())
    }
}

/// The object to copy, in one version of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CopySource<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub version_id: Option<&'a str>,
    pub etag: Option<&'a str>,
}

/// Copies an object of at most 5 GB within S3, without its tags. Answers the copy's `ETag`.
pub async fn copy(
    s3: &Client,
    from: CopySource<'_>,
    bucket: &str,
    key: &str,
) -> Result<String, StorageError> {
    let version = from.version_id.map(|id| format!("?versionId={}", encode(id)));
    let request = s3
        .copy_object()
        .bucket(bucket)
        .key(key)
        .copy_source(format!("{}/{}{}", from.bucket, encode(from.key), version.unwrap_or_default()))
        .set_copy_source_if_match(from.etag.map(str::to_owned))
        .tagging_directive(TaggingDirective::Replace);
    let copied = request.send().await;
    let copied = copied.map_err(|error| StorageError::of(&place(from.bucket, from.key), error))?;
    let result = copied.copy_object_result();
    Ok(result.and_then(|result| result.e_tag()).unwrap_or_default().to_owned())
}

/// Percent-encodes a key for a header (RFC 3986, section 2.3), slashes apart.
fn encode(key: &str) -> String {
    use std::fmt::Write;
    key.bytes().fold(String::with_capacity(key.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").expect("a String takes everything");
        }
        text
    })
}

fn place(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_once() {
        assert_eq!(encode("arrivals/a+b%2Fc \u{2603}"), "arrivals/a%2Bb%252Fc%20%E2%98%83");
    }
}
