//! What is asked of S3: the client's own tests of a store, each by its name.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut, S3CopyIfNotExists};
use object_store::path::Path;
use object_store::signer::Signer as _;
use object_store::{
    Error, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutOptions, PutPayload, TagSet,
    integration,
};
use reqwest::Method;

use crate::loopback::Loopback;
use crate::server::Server;

/// How a client speaks to S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the client does by itself.
    Plain,
    /// `UNSIGNED-PAYLOAD` instead of the body's SHA-256 in the signature.
    UnsignedPayload,
    /// A SHA-256 beside every body and every part.
    Checksums,
    /// The bucket's name before the host instead of in the path.
    VirtualHost,
}

impl Dialect {
    pub const ALL: [Self; 4] =
        [Self::Plain, Self::UnsignedPayload, Self::Checksums, Self::VirtualHost];

    pub fn store(self, server: &Server, bucket: &str) -> AmazonS3 {
        self.builder(server, bucket).build().expect("all that a client needs is given")
    }

    fn builder(self, server: &Server, bucket: &str) -> AmazonS3Builder {
        let builder = AmazonS3Builder::new()
            .with_access_key_id("local")
            .with_secret_access_key("local")
            .with_region("us-east-1")
            .with_bucket_name(bucket)
            .with_endpoint(&server.endpoint)
            .with_allow_http(true)
            .with_http_connector(Loopback)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
        match self {
            Self::Plain => builder,
            Self::UnsignedPayload => builder.with_unsigned_payload(true),
            Self::Checksums => builder.with_checksum_algorithm(Checksum::SHA256),
            Self::VirtualHost => {
                let endpoint = server.endpoint.replace("127.0.0.1", &format!("{bucket}.localhost"));
                builder.with_virtual_hosted_style_request(true).with_endpoint(endpoint)
            }
        }
    }
}

/// Cases that the client's own crate runs against a store, and those of ours.
macro_rules! cases {
    (integration: $($theirs:ident),*; ours: $($ours:ident),* $(,)?) => {
        /// The cases by their names; each has a new bucket.
        pub const NAMES: &[&str] = &[$(stringify!($theirs),)* $(stringify!($ours)),*];

        /// Panics where S3 falls short.
        pub async fn run(name: &str, server: Arc<Server>, store: AmazonS3, bucket: String) {
            match name {
                $(stringify!($theirs) => integration::$theirs(&store).await,)*
                $(stringify!($ours) => $ours(&server, &store, &bucket).await,)*
                other => panic!("there is no case {other}"),
            }
        }
    };
}

cases! {
    integration:
        put_get_delete_list,
        list_with_offset_exclusivity,
        get_opts,
        list_uses_directories_correctly,
        list_with_delimiter,
        rename_and_copy,
        copy_if_not_exists,
        copy_rename_nonexistent_object,
        stream_get,
        multipart_out_of_order,
        put_get_attributes;
    ours:
        multipart,
        multipart_race_condition,
        put_opts,
        list_paginated,
        get_nonexistent_object,
        delete_nonexistent_object,
        nonexistent_bucket,
        signing,
        tagging,
        encryption,
        multipart_of_several_megabytes,
}

async fn multipart(_: &Server, store: &AmazonS3, _: &str) {
    integration::multipart(store, store).await;
}

async fn multipart_race_condition(_: &Server, store: &AmazonS3, _: &str) {
    integration::multipart_race_condition(store, true).await;
}

async fn put_opts(_: &Server, store: &AmazonS3, _: &str) {
    integration::put_opts(store, true).await;
}

async fn list_paginated(_: &Server, store: &AmazonS3, _: &str) {
    integration::list_paginated(store, store).await;
}

async fn get_nonexistent_object(_: &Server, store: &AmazonS3, _: &str) {
    let refused = integration::get_nonexistent_object(store, Some(Path::from("nothing"))).await;
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
}

async fn delete_nonexistent_object(_: &Server, store: &AmazonS3, _: &str) {
    store.delete(&Path::from("nothing")).await.expect("S3 deletes what is not there");
}

async fn nonexistent_bucket(server: &Server, _: &AmazonS3, _: &str) {
    let store = Dialect::Plain.store(server, "nobody-made-this");
    let path = Path::from("nothing");
    let read = store.get(&path).await.err();
    assert!(matches!(read, Some(Error::NotFound { .. })), "{read:?}");
    let written = store.put(&path, PutPayload::from("anything")).await.err();
    assert!(matches!(written, Some(Error::NotFound { .. })), "{written:?}");
}

/// URLs that carry their signature: what was read and written by them is the object.
async fn signing(server: &Server, store: &AmazonS3, _: &str) {
    let path = Path::from("folder/file with a space.txt");
    let minute = Duration::from_secs(60);
    let url = store.signed_url(Method::PUT, &path, minute).await.expect("a URL");
    let put = server.client.put(url).body("hello world").send().await.expect("an answer");
    assert!(put.status().is_success(), "{}", put.status());
    let url = store.signed_url(Method::GET, &path, minute).await.expect("a URL");
    let read = server.client.get(url).send().await.expect("an answer").text().await;
    assert_eq!(read.expect("text"), "hello world");
    let mut late =
        store.signed_url(Method::GET, &path, Duration::from_secs(1)).await.expect("a URL");
    let date = |pair: (String, String)| {
        if pair.0 == "X-Amz-Date" { (pair.0, "20200101T000000Z".to_owned()) } else { pair }
    };
    let pairs: Vec<_> = late.query_pairs().into_owned().map(date).collect();
    late.query_pairs_mut().clear().extend_pairs(pairs);
    let refused = server.client.get(late).send().await.expect("an answer");
    assert_eq!(refused.status(), 403);
}

/// Tags that come with a write, whole or in parts, are the object's.
async fn tagging(server: &Server, store: &AmazonS3, bucket: &str) {
    let tags =
        [("foo.com=bar/s", "bananas/foo.com-_"), ("namespace/key.foo", "value with a space")];
    let mut set = TagSet::default();
    for (key, value) in tags {
        set.push(key, value);
    }
    let whole = PutOptions { tags: set.clone(), ..PutOptions::default() };
    store.put_opts(&Path::from("whole"), "test".into(), whole).await.expect("written");
    let parts = object_store::PutMultipartOptions { tags: set, ..Default::default() };
    let mut upload = store.put_multipart_opts(&Path::from("parts"), parts).await.expect("begun");
    upload.put_part("foo".into()).await.expect("a part");
    upload.complete().await.expect("written");
    for key in ["whole", "parts"] {
        let found = server.get(&format!("{bucket}/{key}?tagging")).await;
        for (name, value) in tags {
            let tag = format!("<Key>{name}</Key><Value>{value}</Value>");
            assert!(found.contains(&tag), "{key}: {tag} in {found}");
        }
    }
}

/// S3 says of every object how it is encrypted: as its writer asked.
async fn encryption(server: &Server, _: &AmazonS3, bucket: &str) {
    let asked = Dialect::Plain.builder(server, bucket).with_sse_kms_encryption("key");
    let store = asked.build().expect("all that a client needs is given");
    let [put, copied, parts] = ["put", "copied", "parts"].map(Path::from);
    store.put(&put, "test".into()).await.expect("written");
    store.copy(&put, &copied).await.expect("copied");
    let mut upload = store.put_multipart(&parts).await.expect("begun");
    upload.put_part("test".into()).await.expect("a part");
    upload.complete().await.expect("written");
    for path in [put, copied, parts] {
        let url = format!("{}/{bucket}/{path}", server.endpoint);
        let answer = server.client.head(url).send().await.expect("an answer");
        let said = &answer.headers()["x-amz-server-side-encryption"];
        assert_eq!(said, "aws:kms", "{path}");
    }
}

async fn multipart_of_several_megabytes(_: &Server, store: &AmazonS3, _: &str) {
    let path = Path::from("test.bin");
    let mut upload = store.put_multipart(&path).await.expect("begun");
    upload.put_part(PutPayload::from(vec![1; 10_000_000])).await.expect("a part");
    upload.put_part(PutPayload::from(vec![2; 5_000_000])).await.expect("a part");
    assert!(upload.complete().await.expect("written").e_tag.is_some());
    let options = GetOptions::new().with_range(Some(9_999_999..10_000_001));
    let read = store.get_opts(&path, options).await.expect("found").bytes().await.expect("bytes");
    assert_eq!(read.as_ref(), [1, 2]);
    assert_eq!(store.head(&path).await.expect("found").size, 15_000_000);
}
