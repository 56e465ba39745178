//! Bodies in the SDKs' framing, and checksums in every place they may stand.

use super::*;

/// Of `hello`, computed with other programs.
const CRC32: &str = "NhCmhg==";
const SHA256: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const MD5: &str = "XUFAKrxLKna5cZ2REBfFkg==";
const SHA256_HEX: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[tokio::test]
async fn checksums_are_checked_and_kept() {
    let client = Client::new();
    let wrong_md5 = "1B2M2Y8AsgTpgAmY7PhCfg==";
    let cases: [(Headers<'_>, u16, &str); 11] = [
        (&[], 200, ""),
        (&[("x-amz-checksum-crc32", CRC32)], 200, ""),
        (&[("x-amz-checksum-sha256", SHA256), ("x-amz-sdk-checksum-algorithm", "SHA256")], 200, ""),
        (&[("x-amz-checksum-crc32", "AAAAAA==")], 400, "BadDigest"),
        (&[("x-amz-checksum-sha256", CRC32)], 400, "BadDigest"),
        (&[("content-md5", MD5)], 200, ""),
        (&[("content-md5", wrong_md5)], 400, "BadDigest"),
        (&[("content-md5", "x")], 400, "InvalidDigest"),
        (&[("x-amz-content-sha256", SHA256_HEX)], 200, ""),
        (&[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], 200, ""),
        (&[("x-amz-content-sha256", &"0".repeat(64))], 400, "XAmzContentSHA256Mismatch"),
    ];
    for (headers, status, code) in cases {
        let answer = client.put("/bucket/k", headers, "hello").await;
        assert_eq!((answer.status, answer.element("Code")), (status, code), "{headers:?}");
    }
    client.put("/bucket/k", &[("x-amz-checksum-crc32", CRC32)], "hello").await;
    let quiet = client.get("/bucket/k", &[]).await;
    assert_eq!(quiet.header("x-amz-checksum-crc32"), "");
    let mode = ("x-amz-checksum-mode", "ENABLED");
    let asked = client.get("/bucket/k", &[mode]).await;
    assert_eq!(asked.header("x-amz-checksum-crc32"), CRC32);
    assert_eq!(asked.header("x-amz-checksum-type"), "FULL_OBJECT");
    let part = client.get("/bucket/k", &[mode, ("range", "bytes=0-1")]).await;
    assert_eq!(part.header("x-amz-checksum-crc32"), "", "of a part there is none");
    let other = client.put("/bucket/other", &[], "hello").await;
    assert!(!other.header("x-amz-checksum-crc64nvme").is_empty(), "S3 computes its own");
}

#[tokio::test]
async fn framed_bodies_are_unpacked() {
    let client = Client::new();
    let signed = "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n";
    let in_pieces = "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let cases = [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", signed, 5, 200, ""),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", in_pieces, 5, 200, ""),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhello\r\n0\r\n", 5, 200, ""),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0\r\n\r\n", 0, 200, ""),
        (
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            5,
            400,
            "BadDigest",
        ),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", in_pieces, 6, 400, "IncompleteBody"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", in_pieces, 4, 400, "IncompleteBody"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhel", 5, 400, "IncompleteBody"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "5\r\nhello", 5, 400, "IncompleteBody"),
        (
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "5\r\nhelloworld\r\n0\r\n\r\n",
            5,
            400,
            "IncompleteBody",
        ),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "hello", 5, 400, "IncompleteBody"),
        (
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
            5,
            400,
            "MalformedTrailerError",
        ),
    ];
    for (kind, body, length, status, code) in cases {
        client
            .lake
            .store
            .put("bucket", "k", b"before", lake::store::PutOptions::default())
            .unwrap();
        let headers = [
            ("x-amz-content-sha256", kind),
            ("x-amz-decoded-content-length", &*length.to_string()),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "gzip,aws-chunked"),
        ];
        let answer = client.put("/bucket/k", &headers, body).await;
        assert_eq!((answer.status, answer.element("Code")), (status, code), "{body:?}");
        let kept = client.get("/bucket/k", &[("x-amz-checksum-mode", "ENABLED")]).await;
        match status {
            200 => assert_eq!(
                (&*kept.body, kept.header("content-encoding")),
                (&"hello"[..length], "gzip")
            ),
            _ => assert_eq!(kept.body, "before", "{body:?}"),
        }
        if body == in_pieces && status == 200 {
            assert_eq!(kept.header("x-amz-checksum-crc32"), CRC32);
        }
    }
}

/// The framing is cut anywhere: bytes come as the network gives them.
#[tokio::test]
async fn framing_may_be_cut_anywhere() {
    let client = Client::new();
    let framed =
        "a;chunk-signature=0\r\n0123456789\r\n6\r\nabcdef\r\n0\r\nx-amz-checksum-crc32:xxx\r\n\r\n";
    for size in 1..framed.len() {
        let pieces: Vec<Result<Bytes, std::io::Error>> =
            framed.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let body: Body = s3s::dto::StreamingBlob::wrap(futures::stream::iter(pieces)).into();
        let trailers = chunked::Trailers::default();
        let decoded =
            chunked::decode(body, 16, trailers.clone()).collect().await.unwrap().to_bytes();
        assert_eq!(decoded, "0123456789abcdef", "pieces of {size}");
        assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), Some("xxx"));
    }
    drop(client);
}
