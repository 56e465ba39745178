//! `object_store`'s uploads in parts.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::object_store::path::Path;
use datafusion::object_store::{self as os, MultipartUpload, PutPayload, PutResult, UploadPart};
use md5::{Digest, Md5};

use super::{BucketStore, io_error, put_result};
use crate::store::blob::{self, BlobWriter};
use crate::store::object::{Attributes, PutOptions};

/// Parts written side by side to their places in one blob.
#[derive(Debug)]
pub struct PartsUpload {
    target: BucketStore,
    location: Path,
    attributes: Attributes,
    file: PathBuf,
    writer: Option<BlobWriter>,
    size: u64,
    parts: Arc<Mutex<Vec<WrittenPart>>>,
}

#[derive(Debug)]
struct WrittenPart {
    size: u64,
    /// Known once it is written.
    etag: Option<String>,
}

impl PartsUpload {
    pub fn new(
        target: BucketStore,
        location: Path,
        attributes: Attributes,
        writer: BlobWriter,
    ) -> Self {
        Self {
            target,
            location,
            attributes,
            file: writer.temporary_path(),
            writer: Some(writer),
            size: 0,
            parts: Arc::default(),
        }
    }
}

#[async_trait::async_trait]
impl MultipartUpload for PartsUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.size;
        let size = data.content_length() as u64;
        self.size += size;
        let file = self.file.clone();
        let parts = self.parts.clone();
        let index = {
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.push(WrittenPart { size, etag: None });
            parts.len() - 1
        };
        Box::pin(async move {
            let etag = blob::blocking(move || {
                let mut file = OpenOptions::new().write(true).open(file)?;
                file.seek(SeekFrom::Start(offset))?;
                let mut md5 = Md5::new();
                for bytes in data {
                    file.write_all(&bytes)?;
                    md5.update(&bytes);
                }
                Ok(blob::hex(&md5.finalize()))
            })
            .await
            .map_err(io_error)?;
            parts.lock().unwrap_or_else(PoisonError::into_inner)[index].etag = Some(etag);
            Ok(())
        })
    }

    async fn complete(&mut self) -> os::Result<PutResult> {
        let generic = |message: &str| os::Error::Generic { store: "lake", source: message.into() };
        let (sizes, etags) = {
            let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            let sizes: Vec<u64> = parts.iter().map(|part| part.size).collect();
            let etags: Option<Vec<String>> = parts.iter().map(|part| part.etag.clone()).collect();
            (
                sizes,
                etags.ok_or_else(|| generic("an upload was completed before all of its parts"))?,
            )
        };
        let writer = self.writer.take().ok_or_else(|| generic("an upload was completed twice"))?;
        let etag = blob::parts_etag(etags.iter().map(String::as_str));
        let blob = writer.finish_parts(self.size, etag, sizes).map_err(io_error)?;
        let options = PutOptions {
            attributes: std::mem::take(&mut self.attributes),
            ..PutOptions::default()
        };
        let target = &self.target;
        target
            .store
            .put_blob(&target.bucket, &BucketStore::key(&self.location), blob, options)
            .map(|object| put_result(&object))
            .map_err(|error| BucketStore::error(&self.location, error))
    }

    async fn abort(&mut self) -> os::Result<()> {
        self.writer = None;
        Ok(())
    }
}
