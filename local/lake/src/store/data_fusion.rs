//! A bucket as DataFusion sees it: an `object_store::ObjectStore`.
//!
//! Reads come from the blob's file without a copy in between, writes in parts go to
//! one blob as they arrive: neither holds more than a part in memory.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    self as os, Attribute, CopyMode, CopyOptions, GetOptions, GetResult, GetResultPayload,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutPayload,
    PutResult,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::blob;
use super::listing::ListQuery;
use super::object::{Attributes, Object, PutOptions, WriteCondition};
use super::{Store, StoreError};

mod parts;

use parts::PartsUpload;

/// Keys a page of a listing holds.
const PAGE: usize = 1000;

/// A range up to this many bytes is read in one piece: DataFusion asks for column
/// chunks, and joins pieces by copying them.
const ONE_PIECE: u64 = 8 * 1024 * 1024;

/// Begins the path of a key that is no path to `object_store` (`a//b`, `../x`, `x/`):
/// the key follows in hex. So do keys that begin with this themselves.
const ESCAPE: &str = ".key-";

/// One bucket, to be registered for `s3://bucket`.
#[derive(Clone)]
pub struct BucketStore {
    store: Store,
    bucket: Arc<str>,
}

impl BucketStore {
    pub fn new(store: Store, bucket: &str) -> Self {
        Self { store, bucket: bucket.into() }
    }

    /// How a key is called in `object_store`: by itself wherever that can be.
    pub fn path(key: &str) -> Path {
        match Path::parse(key) {
            Ok(path) if path.as_ref() == key && !key.starts_with(ESCAPE) => path,
            _ => Path::parse(format!("{ESCAPE}{}", blob::hex(key.as_bytes())))
                .expect("letters and digits are a path of one segment"),
        }
    }

    /// The key behind a path.
    pub fn key(path: &Path) -> String {
        let raw = path.as_ref();
        raw.strip_prefix(ESCAPE)
            .and_then(blob::from_hex)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_else(|| raw.to_owned())
    }

    fn error(path: &Path, error: StoreError) -> os::Error {
        let path = path.to_string();
        match error {
            StoreError::NoSuchKey { .. }
            | StoreError::NoSuchVersion { .. }
            | StoreError::NoSuchBucket(_)
            | StoreError::DeleteMarker { .. } => os::Error::NotFound { path, source: error.into() },
            StoreError::PreconditionFailed(_) => {
                os::Error::Precondition { path, source: error.into() }
            }
            _ => os::Error::Generic { store: "lake", source: error.into() },
        }
    }

    fn list_from(
        &self,
        prefix: Option<&Path>,
        after: Option<String>,
    ) -> BoxStream<'static, os::Result<ObjectMeta>> {
        let this = self.clone();
        let prefix = folder(prefix);
        stream::try_unfold(Some(after), move |next| {
            let page = next.map(|after| {
                let query = ListQuery {
                    prefix: &prefix,
                    delimiter: None,
                    after: after.as_deref(),
                    max: PAGE,
                };
                this.store
                    .list(&this.bucket, query)
                    .map_err(|error| Self::error(&Path::ROOT, error))
            });
            async move {
                let Some(listing) = page.transpose()? else { return Ok(None) };
                let metas: Vec<_> = listing.objects.iter().map(|object| Ok(meta(object))).collect();
                Ok::<_, os::Error>(Some((stream::iter(metas), listing.next.map(Some))))
            }
        })
        .try_flatten()
        .boxed()
    }
}

#[async_trait::async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: os::PutOptions,
    ) -> os::Result<PutResult> {
        let condition = match &options.mode {
            PutMode::Overwrite => WriteCondition::Always,
            PutMode::Create => WriteCondition::Absent,
            PutMode::Update(version) => {
                WriteCondition::Matches(version.e_tag.clone().unwrap_or_default())
            }
        };
        let body = stream::iter(payload.into_iter().map(Ok::<_, StoreError>));
        let written = self.store.receive(body).await.and_then(|blob| {
            let attributes = attributes(&options.attributes);
            let options = PutOptions { condition: condition.clone(), attributes };
            self.store.put_blob(&self.bucket, &Self::key(location), blob, options)
        });
        written
            .map(|object| put_result(&object))
            .map_err(|error| refused(location, &condition, error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> os::Result<Box<dyn MultipartUpload>> {
        let writer = self.store.blob().map_err(|error| Self::error(location, error))?;
        let attributes = attributes(&options.attributes);
        Ok(Box::new(PartsUpload::new(self.clone(), location.clone(), attributes, writer)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> os::Result<GetResult> {
        let key = Self::key(location);
        let version = options.version.as_deref();
        let (object, reader) = if options.head {
            (self.store.head(&self.bucket, &key, version), None)
        } else {
            match self.store.get(&self.bucket, &key, version) {
                Ok((object, reader)) => (Ok(object), Some(reader)),
                Err(error) => (Err(error), None),
            }
        };
        let object = object.map_err(|error| Self::error(location, error))?;
        let meta = ObjectMeta { location: location.clone(), ..meta(&object) };
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..object.size,
            Some(range) => range
                .as_range(object.size)
                .map_err(|error| os::Error::Generic { store: "lake", source: error.into() })?,
        };
        let payload = match reader {
            None => stream::empty().boxed(),
            Some(mut reader) if range.end - range.start <= ONE_PIECE => {
                let range = range.clone();
                stream::once(blob::blocking(move || reader.read(range))).map_err(io_error).boxed()
            }
            Some(reader) => reader.stream(range.clone()).map_err(io_error).boxed(),
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload),
            attributes: os_attributes(&object.attributes),
            meta,
            range,
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> os::Result<Vec<Bytes>> {
        let (object, mut reader) = self
            .store
            .get(&self.bucket, &Self::key(location), None)
            .map_err(|error| Self::error(location, error))?;
        if let Some(range) =
            ranges.iter().find(|range| range.start > range.end || range.end > object.size)
        {
            let message = format!("range {range:?} of {location}, which has {} bytes", object.size);
            return Err(os::Error::Generic { store: "lake", source: message.into() });
        }
        self.store.meter.read_ranges(ranges);
        let ranges = ranges.to_vec();
        blob::blocking(move || ranges.into_iter().map(|range| reader.read(range)).collect())
            .await
            .map_err(io_error)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, os::Result<Path>>,
    ) -> BoxStream<'static, os::Result<Path>> {
        let this = self.clone();
        locations
            .map(move |location| {
                let location = location?;
                this.store
                    .delete(&this.bucket, &Self::key(&location), None, &WriteCondition::Always)
                    .map_err(|error| Self::error(&location, error))?;
                Ok(location)
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, os::Result<ObjectMeta>> {
        self.list_from(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, os::Result<ObjectMeta>> {
        self.list_from(prefix, Some(Self::key(offset)))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> os::Result<ListResult> {
        let prefix = folder(prefix);
        let mut result = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let mut after: Option<String> = None;
        loop {
            let query = ListQuery {
                prefix: &prefix,
                delimiter: Some("/"),
                after: after.as_deref(),
                max: PAGE,
            };
            let page = self
                .store
                .list(&self.bucket, query)
                .map_err(|error| Self::error(&Path::ROOT, error))?;
            result.objects.extend(page.objects.iter().map(meta));
            for common in page.prefixes {
                result
                    .common_prefixes
                    .push(Self::path(common.strip_suffix('/').unwrap_or(&common)));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(result),
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> os::Result<()> {
        let condition = match options.mode {
            CopyMode::Overwrite => WriteCondition::Always,
            CopyMode::Create => WriteCondition::Absent,
        };
        let (source, target) = (Self::key(from), Self::key(to));
        self.store
            .copy((&self.bucket, &source, None), (&self.bucket, &target), &condition, None)
            .map(drop)
            .map_err(|error| match error {
                StoreError::PreconditionFailed(_) => refused(to, &condition, error),
                error => Self::error(from, error),
            })
    }
}

/// `object_store` tells a lost race for a new key from one for an old key.
fn refused(location: &Path, condition: &WriteCondition, error: StoreError) -> os::Error {
    let path = location.to_string();
    match (condition, error) {
        (WriteCondition::Absent, error @ StoreError::PreconditionFailed(_)) => {
            os::Error::AlreadyExists { path, source: error.into() }
        }
        (WriteCondition::Matches(_), error @ StoreError::NoSuchKey { .. }) => {
            os::Error::Precondition { path, source: error.into() }
        }
        (_, error) => BucketStore::error(location, error),
    }
}

/// A path names a folder: the keys under it begin with it and a slash.
fn folder(prefix: Option<&Path>) -> String {
    match prefix.map(BucketStore::key) {
        None => String::new(),
        Some(key) if key.is_empty() => key,
        Some(key) => key + "/",
    }
}

fn meta(object: &Object) -> ObjectMeta {
    ObjectMeta {
        location: BucketStore::path(&object.key),
        last_modified: std::time::SystemTime::from(object.last_modified).into(),
        size: object.size,
        e_tag: Some(object.etag.clone()),
        version: version(object),
    }
}

fn version(object: &Object) -> Option<String> {
    Some(object.version_id.clone()).filter(|version| version != "null")
}

fn put_result(object: &Object) -> PutResult {
    PutResult { e_tag: Some(object.etag.clone()), version: version(object) }
}

fn io_error(error: std::io::Error) -> os::Error {
    os::Error::Generic { store: "lake", source: error.into() }
}

/// The standard headers among `object_store`'s attributes, by their names here.
const HEADERS: [(Attribute, &str); 6] = [
    (Attribute::CacheControl, "cache-control"),
    (Attribute::ContentDisposition, "content-disposition"),
    (Attribute::ContentEncoding, "content-encoding"),
    (Attribute::ContentLanguage, "content-language"),
    (Attribute::ContentType, "content-type"),
    (Attribute::StorageClass, "x-amz-storage-class"),
];

fn attributes(given: &os::Attributes) -> Attributes {
    let mut attributes = Attributes::default();
    for (attribute, value) in given {
        if let Attribute::Metadata(name) = attribute {
            attributes.metadata.insert(name.to_string(), value.to_string());
        } else if let Some((_, name)) = HEADERS.iter().find(|(header, _)| header == attribute) {
            attributes.headers.insert((*name).to_owned(), value.to_string());
        }
    }
    attributes
}

fn os_attributes(kept: &Attributes) -> os::Attributes {
    let mut attributes = os::Attributes::new();
    for (attribute, name) in HEADERS {
        if let Some(value) = kept.headers.get(name) {
            attributes.insert(attribute, value.clone().into());
        }
    }
    for (name, value) in &kept.metadata {
        attributes.insert(Attribute::Metadata(name.clone().into()), value.clone().into());
    }
    attributes
}

impl std::fmt::Display for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}", self.bucket)
    }
}

impl std::fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BucketStore({})", self.bucket)
    }
}
