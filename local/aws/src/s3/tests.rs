//! S3 as its clients call it: requests in, responses out, no socket.

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use lake::Lake;

use super::*;
use crate::metering::Meters;

mod bodies;
mod uploads;

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

struct Client {
    lake: Lake,
    s3: S3,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Client {
    /// A service with the bucket `bucket`.
    fn new() -> Self {
        let lake = Lake::temporary().unwrap();
        lake.store.create_bucket("bucket", "us-east-1").unwrap();
        let s3 = S3::new(
            lake.store.clone(),
            Arc::new(Settings::default()),
            Arc::new(Meters::open(lake.database()).unwrap()),
            Link::default(),
        );
        Self { lake, s3 }
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        headers: Headers<'_>,
        body: impl Into<Bytes>,
    ) -> Answer {
        let body = body.into();
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:4566");
        }
        request = request.header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            self.s3.call(Ok(Caller::Root), request.body(Body::from(body)).unwrap()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    async fn put(&self, target: &str, headers: Headers<'_>, body: &str) -> Answer {
        self.send(Method::PUT, target, headers, body.to_owned()).await
    }

    async fn get(&self, target: &str, headers: Headers<'_>) -> Answer {
        self.send(Method::GET, target, headers, "").await
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The text of the first element of this name.
    fn element(&self, name: &str) -> &str {
        let Some((_, rest)) = self.body.split_once(&format!("<{name}>")) else { return "" };
        rest.split_once("</").map(|(text, _)| text).unwrap_or_default()
    }

    fn elements(&self, name: &str) -> Vec<&str> {
        let start = format!("<{name}>");
        let parts = self.body.split(&start).skip(1);
        parts.filter_map(|part| Some(part.split_once("</")?.0)).collect()
    }
}

#[tokio::test]
async fn any_signature_is_accepted() {
    let client = Client::new();
    let signed = "AWS4-HMAC-SHA256 Credential=any/20260101/moon-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    assert_eq!(client.put("/bucket/k", &[("authorization", signed)], "hello").await.status, 200);
    let signature = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fs3%2Faws4_request&X-Amz-SignedHeaders=host";
    let now = lake::clock::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    for (query, status) in [
        (String::new(), 200),
        (
            format!(
                "?{signature}&X-Amz-Date={now}&X-Amz-Expires=60&X-Amz-Signature=0&x-id=GetObject"
            ),
            200,
        ),
        (
            format!("?{signature}&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60&X-Amz-Signature=0"),
            403,
        ),
        (format!("?{signature}&X-Amz-Date=yesterday&X-Amz-Expires=60&X-Amz-Signature=0"), 400),
        ("?AWSAccessKeyId=a&Signature=x&Expires=4102444800".to_owned(), 200),
        ("?AWSAccessKeyId=a&Signature=x&Expires=1".to_owned(), 403),
    ] {
        assert_eq!(client.get(&format!("/bucket/k{query}"), &[]).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn keys_are_decoded_once() {
    let client = Client::new();
    for (path, key) in [
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("a%20b", "a b"),
        ("a%252Fb", "a%2Fb"),
        ("a%2Fb", "a/b"),
        ("../x", "../x"),
        ("/lead//x/", "/lead//x/"),
        ("%E2%98%83", "☃"),
    ] {
        assert_eq!(client.put(&format!("/bucket/{path}"), &[], key).await.status, 200, "{path}");
        assert_eq!(client.lake.store.read("bucket", key).unwrap(), key, "{path}");
        assert_eq!(client.get(&format!("/bucket/{path}"), &[]).await.body, key);
    }
    let long = "k".repeat(1025);
    let refused = client.put(&format!("/bucket/{long}"), &[], "").await;
    assert_eq!((refused.status, refused.element("Code")), (400, "KeyTooLongError"));
    let listed = client.get("/bucket?list-type=2&encoding-type=url&prefix=a%20", &[]).await;
    assert_eq!((listed.element("Key"), listed.element("Prefix")), ("a%20b", "a%20"));
    let listed = client.get("/bucket?list-type=2&max-keys=2", &[]).await;
    let token = listed.element("NextContinuationToken");
    assert_eq!(
        (listed.elements("Key"), listed.element("KeyCount")),
        (vec!["../x", "/lead//x/"], "2")
    );
    let next = client.get(&format!("/bucket?list-type=2&continuation-token={token}"), &[]).await;
    assert_eq!(next.elements("Key"), ["a b", "a%2Fb", "a+b", "a/b", "☃"]);
    let wrong = client.get("/bucket?list-type=2&continuation-token=%21", &[]).await;
    assert_eq!((wrong.status, wrong.element("Code")), (400, "InvalidArgument"));
}

#[tokio::test]
async fn buckets_may_stand_before_the_host() {
    let client = Client::new();
    client.put("/bucket/a/b", &[], "hello").await;
    for host in ["bucket.localhost:4566", "bucket.s3.localhost", "bucket.127.0.0.1:80"] {
        assert_eq!(client.get("/a/b", &[("host", host)]).await.body, "hello", "{host}");
        assert_eq!(client.get("/?list-type=2", &[("host", host)]).await.element("Key"), "a/b");
    }
    for host in ["localhost:4566", "s3.localhost", "127.0.0.1", "example.com"] {
        assert_eq!(client.get("/bucket/a/b", &[("host", host)]).await.body, "hello", "{host}");
    }
}

#[tokio::test]
async fn copies_keep_or_replace() {
    let client = Client::new();
    let given = [("content-type", "a/b"), ("x-amz-meta-a", "1"), ("x-amz-tagging", "t=1")];
    client.put("/bucket/k", &given, "hello").await;
    let source = ("x-amz-copy-source", "/bucket/k");
    let new = [("content-type", "c/d"), ("x-amz-meta-a", "2"), ("x-amz-tagging", "t=2")];
    let cases: [(Headers<'_>, [&str; 3]); 4] = [
        (&[], ["a/b", "1", "1"]),
        (&[("x-amz-metadata-directive", "REPLACE")], ["c/d", "2", "1"]),
        (&[("x-amz-tagging-directive", "REPLACE")], ["a/b", "1", "2"]),
        (&[("x-amz-metadata-directive", "COPY")], ["a/b", "1", "1"]),
    ];
    for (directives, expected) in cases {
        let headers: Vec<_> = directives.iter().copied().chain(new).chain([source]).collect();
        assert_eq!(client.put("/bucket/copy", &headers, "").await.status, 200);
        let copy = client.get("/bucket/copy", &[]).await;
        let tags = client.get("/bucket/copy?tagging", &[]).await;
        let found =
            [copy.header("content-type"), copy.header("x-amz-meta-a"), tags.element("Value")];
        assert_eq!((found, &*copy.body), (expected, "hello"), "{directives:?}");
    }
    let onto_itself = client.put("/bucket/k", &[source], "").await;
    assert_eq!((onto_itself.status, onto_itself.element("Code")), (400, "InvalidRequest"));
    let colder = [source, ("x-amz-storage-class", "STANDARD_IA")];
    assert_eq!(client.put("/bucket/k", &colder, "").await.status, 200);
    assert_eq!(client.get("/bucket/k", &[]).await.header("x-amz-storage-class"), "STANDARD_IA");
    assert_eq!(
        client.put("/bucket/x", &[("x-amz-copy-source", "/bucket/nothing")], "").await.status,
        404
    );
}

#[tokio::test]
async fn reads_are_conditional() {
    let client = Client::new();
    client.put("/bucket/k", &[], "hello").await;
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let (past, future) = ("Wed, 01 Jan 2020 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    let cases: [(Headers<'_>, u16); 13] = [
        (&[("if-match", etag)], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", "\"x\"")], 412),
        (&[("if-none-match", etag)], 304),
        (&[("if-none-match", "*")], 304),
        (&[("if-none-match", "\"x\"")], 200),
        (&[("if-modified-since", past)], 200),
        (&[("if-modified-since", future)], 304),
        (&[("if-unmodified-since", past)], 412),
        (&[("if-unmodified-since", future)], 200),
        // An ETag outweighs a time.
        (&[("if-match", etag), ("if-unmodified-since", past)], 200),
        (&[("if-none-match", "\"x\""), ("if-modified-since", future)], 200),
        (&[("if-none-match", etag), ("if-match", "\"x\"")], 412),
    ];
    for (headers, status) in cases {
        for method in [Method::GET, Method::HEAD] {
            let answer = client.send(method.clone(), "/bucket/k", headers, "").await;
            assert_eq!(answer.status, status, "{method} {headers:?}");
            if status == 304 {
                assert_eq!((answer.header("etag"), answer.body.as_str()), (etag, ""));
                assert!(!answer.header("last-modified").is_empty());
            }
        }
    }
    client.lake.store.put("bucket", "copied", b"", lake::store::PutOptions::default()).unwrap();
    let copy = [("x-amz-copy-source", "/bucket/k"), ("x-amz-copy-source-if-none-match", etag)];
    assert_eq!(client.put("/bucket/copied", &copy, "").await.status, 412);
}

#[tokio::test]
async fn writes_are_conditional() {
    let client = Client::new();
    let put = async |headers: Headers<'_>| {
        let answer = client.put("/bucket/k", headers, "hello").await;
        (answer.status, answer.element("Code").to_owned())
    };
    let code = |code: &str| code.to_owned();
    assert_eq!(put(&[("if-match", "\"x\"")]).await, (404, code("NoSuchKey")));
    assert_eq!(put(&[("if-none-match", "*")]).await, (200, code("")));
    assert_eq!(put(&[("if-none-match", "*")]).await, (412, code("PreconditionFailed")));
    assert_eq!(put(&[("if-match", "\"x\"")]).await, (412, code("PreconditionFailed")));
    assert_eq!(put(&[("if-match", "\"5d41402abc4b2a76b9719d911017c592\"")]).await, (200, code("")));
    assert_eq!(put(&[("if-none-match", "\"x\"")]).await, (501, code("NotImplemented")));
}

#[tokio::test]
async fn ranges_are_parts_of_the_object() {
    let client = Client::new();
    client.put("/bucket/k", &[], "0123456789").await;
    client.put("/bucket/empty", &[], "").await;
    for (key, range, status, body, content_range) in [
        ("k", "bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("k", "bytes=8-", 206, "89", "bytes 8-9/10"),
        ("k", "bytes=-2", 206, "89", "bytes 8-9/10"),
        ("k", "bytes=-99", 206, "0123456789", "bytes 0-9/10"),
        ("k", "bytes=5-99", 206, "56789", "bytes 5-9/10"),
        ("k", "bytes=10-", 416, "", "bytes */10"),
        ("k", "bytes=-0", 416, "", "bytes */10"),
        ("empty", "bytes=0-", 416, "", "bytes */0"),
        ("empty", "bytes=-1", 416, "", "bytes */0"),
    ] {
        let answer = client.get(&format!("/bucket/{key}"), &[("range", range)]).await;
        assert_eq!(
            (answer.status, answer.header("content-range")),
            (status, content_range),
            "{key} {range}"
        );
        if status == 206 {
            assert_eq!(answer.body, body);
            assert_eq!(answer.header("content-length"), body.len().to_string());
        }
    }
}

#[tokio::test]
async fn attributes_come_back() {
    let client = Client::new();
    let given = [
        ("content-type", "text/csv; charset=utf-8"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment"),
        ("content-encoding", "gzip"),
        ("content-language", "en"),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("x-amz-storage-class", "STANDARD_IA"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-meta-origin", "tlc"),
    ];
    let tagged: Vec<_> = given.into_iter().chain([("x-amz-tagging", "a=b&c=d%20e")]).collect();
    assert_eq!(client.put("/bucket/k", &tagged, "hello").await.status, 200);
    for method in [Method::GET, Method::HEAD] {
        let answer = client.send(method, "/bucket/k", &[], "").await;
        for (name, value) in given {
            assert_eq!(answer.header(name), value, "{name}");
        }
        assert_eq!(answer.header("content-length"), "5");
        assert_eq!(answer.header("accept-ranges"), "bytes");
    }
    assert_eq!(client.get("/bucket/k", &[]).await.header("x-amz-tagging-count"), "2");
    assert_eq!(client.get("/bucket/k?tagging", &[]).await.elements("Value"), ["b", "d e"]);
    let replaced = client.get("/bucket/k?response-content-type=x%2Fy", &[]).await;
    assert_eq!(replaced.header("content-type"), "x/y");
    client.put("/bucket/plain", &[], "hello").await;
    let plain = client.get("/bucket/plain", &[]).await;
    assert_eq!(plain.header("content-type"), "binary/octet-stream");
    assert_eq!(plain.header("x-amz-server-side-encryption"), "AES256");
    for (name, value) in [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
    ] {
        let refused = client.put("/bucket/k", &[(name, value)], "x").await;
        assert_eq!((refused.status, refused.element("Code")), (501, "NotImplemented"), "{name}");
    }
}

#[tokio::test]
async fn what_is_not_here_says_so() {
    let client = Client::new();
    for (method, target, status, code) in [
        (Method::GET, "/nowhere/k", 404, "NoSuchBucket"),
        (Method::GET, "/bucket/nothing", 404, "NoSuchKey"),
        (Method::GET, "/bucket/k?versionId=nothing", 404, "NoSuchVersion"),
        (Method::PUT, "/Bad_Name", 400, "InvalidBucketName"),
        (Method::GET, "/bucket?policy", 404, "NoSuchBucketPolicy"),
        (Method::GET, "/bucket?lifecycle", 404, "NoSuchLifecycleConfiguration"),
        (Method::GET, "/bucket?tagging", 404, "NoSuchTagSet"),
        (Method::GET, "/bucket?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
        (Method::GET, "/bucket?replication", 501, "NotImplemented"),
        (Method::GET, "/bucket/k?acl", 501, "NotImplemented"),
        (Method::GET, "/bucket/k?torrent", 501, "NotImplemented"),
    ] {
        let answer = client.send(method, target, &[], "").await;
        assert_eq!((answer.status, answer.element("Code")), (status, code), "{target}");
    }
    let named = client.get("/bucket?replication", &[]).await;
    assert!(named.element("Message").contains("GetBucketReplication"), "{}", named.body);
    let head = client.send(Method::HEAD, "/bucket/nothing", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (404, ""));
}

#[tokio::test]
async fn settings_come_back_as_they_were_put() {
    let client = Client::new();
    let lifecycle = "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>tmp/</Prefix></Filter>\
                     <Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
    assert_eq!(client.put("/bucket?lifecycle", &[], lifecycle).await.status, 200);
    let kept = client.get("/bucket?lifecycle", &[]).await;
    assert_eq!(
        (kept.element("ID"), kept.element("Prefix"), kept.element("Days")),
        ("r", "tmp/", "3")
    );
    assert_eq!(client.send(Method::DELETE, "/bucket?lifecycle", &[], "").await.status, 204);
    assert_eq!(client.get("/bucket?lifecycle", &[]).await.status, 404);

    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    assert_eq!(client.put("/bucket?policy", &[], policy).await.status, 204);
    assert_eq!(client.get("/bucket?policy", &[]).await.body, policy);
    let wrong = client.put("/bucket?policy", &[], "[]").await;
    assert_eq!((wrong.status, wrong.element("Code")), (400, "MalformedPolicy"));

    let events =
        "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
    assert_eq!(client.put("/bucket?notification", &[], events).await.status, 200);
    assert!(client.lake.store.bucket("bucket").unwrap().event_bridge);
    assert!(
        client.get("/bucket?notification", &[]).await.body.contains("EventBridgeConfiguration")
    );
    let topic = "<NotificationConfiguration><TopicConfiguration><Topic>arn:aws:sns:us-east-1:1:t</Topic>\
                 <Event>s3:ObjectCreated:*</Event></TopicConfiguration></NotificationConfiguration>";
    assert_eq!(client.put("/bucket?notification", &[], topic).await.status, 501);

    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(client.put("/bucket?versioning", &[], enabled).await.status, 200);
    assert_eq!(client.get("/bucket?versioning", &[]).await.element("Status"), "Enabled");
    let version = client.put("/bucket/k", &[], "1").await.header("x-amz-version-id").to_owned();
    let deleted = client.send(Method::DELETE, "/bucket/k", &[], "").await;
    assert_eq!((deleted.status, deleted.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(client.get("/bucket/k", &[]).await.header("x-amz-delete-marker"), "true");
    assert_eq!(client.get(&format!("/bucket/k?versionId={version}"), &[]).await.body, "1");
    let versions = client.get("/bucket?versions", &[]).await;
    assert_eq!((versions.elements("VersionId").len(), versions.elements("IsLatest").len()), (2, 2));
}
