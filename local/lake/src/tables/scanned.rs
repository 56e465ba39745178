//! What a query has read, counted where it reads, and held against its limit.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    self as os, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use futures::stream::BoxStream;
use url::Url;

use crate::sql::Failure;
use crate::store::{BucketStore, Meter, Store};

/// Bytes read by one query. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanned {
    meter: Meter,
    limit: Option<u64>,
}

impl Scanned {
    pub fn new(meter: Meter, limit: Option<u64>) -> Self {
        Self { meter, limit }
    }

    pub fn bytes(&self) -> u64 {
        self.meter.scanned()
    }

    /// Counts bytes; an error once the workgroup's limit is passed.
    pub fn add(&self, bytes: u64) -> Result<(), Failure> {
        let total = self.meter.scan(bytes);
        match self.limit {
            Some(limit) if total > limit => Err(Failure::new(
                "EXCEEDED_SCAN_LIMIT",
                format!("Bytes scanned limit was exceeded: {limit} bytes"),
            )),
            _ => Ok(()),
        }
    }
}

/// Gives DataFusion the bucket behind each `s3://` URL.
#[derive(Clone)]
pub(crate) struct QueryStores {
    pub store: Store,
    pub scanned: Scanned,
}

impl fmt::Debug for QueryStores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QueryStores")
    }
}

impl ObjectStoreRegistry for QueryStores {
    fn register_store(&self, _: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        Some(store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let bucket = url.host_str().unwrap_or_default();
        Ok(Arc::new(CountedStore {
            inner: BucketStore::new(self.store.clone(), bucket),
            scanned: self.scanned.clone(),
        }))
    }
}

/// A bucket whose reads are counted.
struct CountedStore {
    inner: BucketStore,
    scanned: Scanned,
}

impl CountedStore {
    fn count(&self, bytes: u64) -> os::Result<()> {
        self.scanned
            .add(bytes)
            .map_err(|failure| os::Error::Generic { store: "lake", source: Box::new(failure) })
    }
}

impl fmt::Debug for CountedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CountedStore")
    }
}

impl fmt::Display for CountedStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("counted bucket")
    }
}

#[async_trait]
impl ObjectStore for CountedStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> os::Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> os::Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> os::Result<GetResult> {
        let head = options.head;
        let result = self.inner.get_opts(path, options).await?;
        if !head {
            self.count(result.range.end - result.range.start)?;
        }
        Ok(result)
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> os::Result<Vec<Bytes>> {
        self.count(ranges.iter().map(|range| range.end - range.start).sum())?;
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, os::Result<Path>>,
    ) -> BoxStream<'static, os::Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, os::Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> os::Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> os::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
