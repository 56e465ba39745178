//! Multipart uploads over the wire.

use super::*;

const SIX_MIB: usize = 6 * 1024 * 1024;

/// Uploads 6 MiB of `a` and `end`; answers with the parts' ETags.
async fn upload(client: &Client, headers: &[(&str, &str)]) -> (String, Vec<String>) {
    let started = client.send(Method::POST, "/bucket/k?uploads", headers, "").await;
    assert_eq!(started.status, 200, "{}", started.body);
    let id = started.element("UploadId").to_owned();
    let mut etags = Vec::new();
    for (number, body) in [(1, "a".repeat(SIX_MIB)), (2, "end".to_owned())] {
        let target = format!("/bucket/k?partNumber={number}&uploadId={id}");
        let part = client.put(&target, &[], &body).await;
        assert_eq!(part.status, 200, "{}", part.body);
        etags.push(part.header("etag").to_owned());
    }
    (id, etags)
}

fn completion(etags: &[String]) -> String {
    let parts: Vec<String> = etags
        .iter()
        .enumerate()
        .map(|(at, etag)| {
            format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", at + 1)
        })
        .collect();
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat())
}

/// The checksums are those of the whole bytes put at once, and of the parts' digests.
#[tokio::test]
async fn checksums_of_parts_are_joined() {
    let client = Client::new();
    let whole = "a".repeat(SIX_MIB) + "end";
    let kinds: [(&str, &str, &str); 6] = [
        ("", "", "FULL_OBJECT"),
        ("CRC64NVME", "", "FULL_OBJECT"),
        ("CRC32", "FULL_OBJECT", "FULL_OBJECT"),
        ("CRC32C", "FULL_OBJECT", "FULL_OBJECT"),
        ("CRC32", "", "COMPOSITE"),
        ("SHA256", "COMPOSITE", "COMPOSITE"),
    ];
    for (algorithm, kind, expected) in kinds {
        let headers = [("x-amz-checksum-algorithm", algorithm), ("x-amz-checksum-type", kind)];
        let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let (id, etags) = upload(&client, &headers).await;
        let target = format!("/bucket/k?uploadId={id}");
        let done = client.send(Method::POST, &target, &[], completion(&etags)).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert!(done.element("ETag").ends_with("-2\""), "{}", done.body);
        let algorithm = if algorithm.is_empty() { "CRC64NVME" } else { algorithm };
        let name = format!("x-amz-checksum-{}", algorithm.to_lowercase());
        let head =
            client.send(Method::HEAD, "/bucket/k", &[("x-amz-checksum-mode", "ENABLED")], "").await;
        assert_eq!(head.header("x-amz-checksum-type"), expected, "{algorithm} {kind}");
        let kept = head.header(&name);
        if expected == "FULL_OBJECT" {
            let put = client.put("/bucket/whole", &[("x-amz-trailer", &name)], &whole).await;
            assert_eq!(kept, put.header(&name), "{algorithm}");
        } else {
            assert!(kept.ends_with("-2"), "{kept}");
        }
    }
    let refused = [("x-amz-checksum-algorithm", "SHA256"), ("x-amz-checksum-type", "FULL_OBJECT")];
    let refused = client.send(Method::POST, "/bucket/k?uploads", &refused, "").await;
    assert_eq!((refused.status, refused.element("Code")), (400, "InvalidRequest"));
}

#[tokio::test]
async fn uploads_end_once() {
    let client = Client::new();
    let (id, etags) = upload(&client, &[("x-amz-meta-a", "b")]).await;
    let target = format!("/bucket/k?uploadId={id}");
    let listed = client.get(&format!("{target}&max-parts=1"), &[]).await;
    assert_eq!((listed.elements("PartNumber"), listed.element("IsTruncated")), (vec!["1"], "true"));
    let listed = client.get(&format!("{target}&part-number-marker=1"), &[]).await;
    assert_eq!(
        (listed.elements("PartNumber"), listed.element("IsTruncated")),
        (vec!["2"], "false")
    );
    assert_eq!(client.get("/bucket?uploads", &[]).await.elements("UploadId"), [&id]);
    let swapped: Vec<String> = etags.iter().rev().cloned().collect();
    for (body, code) in [
        (completion(&swapped), "InvalidPart"),
        (completion(&[]), "MalformedXML"),
        ("nonsense".to_owned(), "MalformedXML"),
    ] {
        let answer = client.send(Method::POST, &target, &[], body.clone()).await;
        assert_eq!((answer.status, answer.element("Code")), (400, code), "{body}");
    }
    let wrong = [("x-amz-mp-object-size", "5")];
    assert_eq!(client.send(Method::POST, &target, &wrong, completion(&etags)).await.status, 400);
    client.put("/bucket/k", &[], "first").await;
    let absent = [("if-none-match", "*")];
    assert_eq!(client.send(Method::POST, &target, &absent, completion(&etags)).await.status, 412);
    assert_eq!(client.send(Method::POST, &target, &[], completion(&etags)).await.status, 200);
    assert_eq!(client.send(Method::POST, &target, &[], completion(&etags)).await.status, 404);
    let part = client.get("/bucket/k?partNumber=2", &[]).await;
    assert_eq!((part.status, &*part.body, part.header("x-amz-mp-parts-count")), (206, "end", "2"));
    assert_eq!(part.header("x-amz-meta-a"), "b");
    assert_eq!(client.get("/bucket/k?partNumber=3", &[]).await.status, 416);

    let (id, _) = upload(&client, &[]).await;
    let target = format!("/bucket/k?uploadId={id}");
    assert_eq!(client.send(Method::DELETE, &target, &[], "").await.status, 204);
    assert_eq!(client.send(Method::DELETE, &target, &[], "").await.status, 404);
}

#[tokio::test]
async fn parts_are_copied() {
    let client = Client::new();
    let body: String =
        (0..SIX_MIB).map(|i| char::from(b'a' + u8::try_from(i % 26).unwrap())).collect();
    client.put("/bucket/a%20source", &[], &body).await;
    let started = client.send(Method::POST, "/bucket/k?uploads", &[], "").await;
    let id = started.element("UploadId");
    let mut etags = Vec::new();
    for (number, range) in [(1, "bytes=0-5999999"), (2, "bytes=100-109")] {
        let headers =
            [("x-amz-copy-source", "bucket/a%20source"), ("x-amz-copy-source-range", range)];
        let copied =
            client.put(&format!("/bucket/k?partNumber={number}&uploadId={id}"), &headers, "").await;
        assert_eq!(copied.status, 200, "{}", copied.body);
        etags.push(copied.element("ETag").to_owned());
    }
    let headers = [
        ("x-amz-copy-source", "bucket/a%20source"),
        ("x-amz-copy-source-range", "bytes=9000000-9000001"),
    ];
    let refused = client.put(&format!("/bucket/k?partNumber=3&uploadId={id}"), &headers, "").await;
    assert_eq!((refused.status, refused.element("Code")), (400, "InvalidArgument"));
    let done = client
        .send(Method::POST, &format!("/bucket/k?uploadId={id}"), &[], completion(&etags))
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        client.get("/bucket/k", &[]).await.body,
        body[..6_000_000].to_owned() + &body[100..110]
    );
}
