//! Streams in and out, and the store as DataFusion sees it.

use bytes::Bytes;
use datafusion::object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, path::Path};
use futures::{StreamExt, TryStreamExt, stream};

use super::*;

#[tokio::test]
async fn streams_come_back_as_they_went_in() {
    let lake = lake();
    let pieces: Vec<Bytes> = (0..100_u8).map(|i| Bytes::from(vec![i; 7919])).collect();
    let body = pieces.concat();
    let source = stream::iter(pieces.into_iter().map(Ok::<_, StoreError>));
    let blob = lake.store.receive(source).await.unwrap();
    lake.store.put_blob("bucket", "k", blob, PutOptions::default()).unwrap();
    for range in [0..body.len(), 0..1, 300_000..700_000, 5..5] {
        let (_, reader) = lake.store.get("bucket", "k", None).unwrap();
        let parts: Vec<Bytes> =
            reader.stream(range.start as u64..range.end as u64).try_collect().await.unwrap();
        assert!(parts.iter().all(|part| part.len() <= 256 * 1024));
        assert_eq!(parts.concat(), body[range]);
    }
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(StoreError::InvalidPartOrder)]);
    assert_eq!(code(lake.store.receive(broken).await), "InvalidPartOrder");
}

#[tokio::test]
async fn data_fusion_reads_and_writes() {
    let lake = lake();
    let bucket = BucketStore::new(lake.store.clone(), "bucket");
    let path = Path::from("month=2024-01/part 1.parquet");
    let mut upload = bucket.put_multipart(&path).await.unwrap();
    let written: Vec<_> =
        (0..4_u8).map(|i| upload.put_part(PutPayload::from(vec![i; 6_000_000]))).collect();
    // Parts may be written in any order.
    for part in written.into_iter().rev() {
        part.await.unwrap();
    }
    assert_eq!(code(lake.store.head("bucket", path.as_ref(), None)), "NoSuchKey");
    upload.complete().await.unwrap();
    let object = lake.store.head("bucket", path.as_ref(), None).unwrap();
    assert_eq!((object.size, object.parts.len()), (24_000_000, 4));
    assert!(object.etag.ends_with("-4"));
    let ranges = bucket
        .get_ranges(&path, &[0..2, 5_999_999..6_000_001, 23_999_999..24_000_000])
        .await
        .unwrap();
    assert_eq!(ranges, [&[0, 0][..], &[0, 1], &[3]]);
    assert!(bucket.get_ranges(&path, std::slice::from_ref(&(0..24_000_001))).await.is_err());
    let whole = bucket.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(whole.len(), 24_000_000);

    let create = PutMode::Create;
    let error = bucket.put_opts(&path, "x".into(), create.into()).await.unwrap_err();
    assert!(matches!(error, datafusion::object_store::Error::AlreadyExists { .. }), "{error:?}");
    let mut aborted = bucket.put_multipart(&Path::from("aborted")).await.unwrap();
    aborted.put_part("x".into()).await.unwrap();
    aborted.abort().await.unwrap();
    assert_eq!(code(lake.store.head("bucket", "aborted", None)), "NoSuchKey");
}

#[tokio::test]
async fn every_key_has_a_path() {
    let lake = lake();
    let bucket = BucketStore::new(lake.store.clone(), "bucket");
    let mut paths = Vec::new();
    for key in ODD_KEYS {
        let path = BucketStore::path(key);
        assert_eq!(BucketStore::key(&path), key);
        bucket.put(&path, key.to_owned().into()).await.unwrap();
        assert_eq!(read(&lake.store, key), key);
        assert_eq!(bucket.get(&path).await.unwrap().bytes().await.unwrap(), key);
        paths.push(path);
    }
    let listed: Vec<Path> =
        bucket.list(None).map_ok(|meta| meta.location).try_collect().await.unwrap();
    assert_eq!(listed.len(), paths.len());
    assert!(paths.iter().all(|path| listed.contains(path)));
    let under_a: Vec<Path> = bucket
        .list(Some(&Path::from("a")))
        .map_ok(|meta| meta.location)
        .try_collect()
        .await
        .unwrap();
    let keys: Vec<String> = under_a.iter().map(BucketStore::key).collect();
    assert_eq!(keys, ["a/", "a/../../x", "a//b", "a/b"]);
    let deleted = bucket.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
    assert_eq!(deleted.count().await, ODD_KEYS.len());
    assert_eq!(bucket.list(None).count().await, 0);
}
