//! What knocks at the port and should not, or stops in the middle: raw bytes on a socket, as no client library sends them.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Account;

/// Longer than any answer takes here.
const LIMIT: Duration = Duration::from_secs(20);

struct Port(String);

impl Port {
    fn of(account: &Account) -> Self {
        Self(account.services.settings().endpoint.trim_start_matches("http://").to_owned())
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.0).await.unwrap()
    }

    /// What the server answers to these bytes, the head and the body. The connection stays open behind them.
    async fn send(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        // A server that refuses what it has not read may close the connection under the rest.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let read = async {
            let mut piece = [0; 4096];
            loop {
                match stream.read(&mut piece).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => answer.extend_from_slice(&piece[..read]),
                }
            }
        };
        assert!(tokio::time::timeout(LIMIT, read).await.is_ok(), "no end of the answer: {request}");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request with a path as it is, and its connection closed behind it.
    async fn ask(&self, method: &str, target: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        self.send(&format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.0
        ))
        .await
    }

    async fn is_well(&self) {
        let answer = self.ask("GET", "/", "", "").await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
}

fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_default();
    code.parse().unwrap_or_else(|_| panic!("no answer of HTTP: {answer:?}"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn code(answer: &str) -> &str {
    let text = body(answer);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or(text, |(code, _)| code)
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_at_every_door() {
    let account = Account::open().await;
    let port = Port::of(&account);
    let doors = [
        ("GET", "/", ""),
        ("GET", "/bucket/key", ""),
        ("PUT", "/bucket/key", ""),
        ("GET", "/_local/functions/usage", ""),
        ("POST", "/_local/schedules/nightly/fire", ""),
        ("GET", "/2015-03-31/functions", ""),
        ("POST", "/", "X-Amz-Target: AWSStepFunctions.ListStateMachines\r\n"),
        ("OPTIONS", "/bucket/key", "Access-Control-Request-Method: PUT\r\n"),
    ];
    for (method, target, more) in doors {
        for (host, headers) in [
            ("example.com", ""),
            ("rebound.example.com:4566", "Origin: http://rebound.example.com:4566\r\n"),
            (port.0.as_str(), "Origin: https://example.com\r\n"),
            (port.0.as_str(), "Origin: null\r\n"),
            (port.0.as_str(), "Host: example.com\r\n"),
            (port.0.as_str(), "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"),
        ] {
            let answer = port
                .send(&format!(
                    "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}{more}\r\n"
                ))
                .await;
            assert_eq!(status(&answer), 403, "{method} {target} {host} {headers}");
            assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
        }
    }
    let whole = "GET http://example.com/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&port.send(whole).await), 403);
    port.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_told_that_it_may_read() {
    let account = Account::open().await;
    let port = Port::of(&account);
    port.ask("PUT", "/pages", "", "").await;
    let rules = "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
    let put = port.ask("PUT", "/pages?cors", "", rules).await;
    assert_eq!(status(&put), 200, "{put}");
    port.ask("PUT", "/pages/k", "", "x").await;
    let origin = format!("Origin: http://{}\r\n", port.0);
    for method in ["GET", "OPTIONS"] {
        let headers = format!("{origin}Access-Control-Request-Method: GET\r\n");
        let answer = port.ask(method, "/pages/k", &headers, "").await;
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{method}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_bytes_and_no_paths() {
    let account = Account::open().await;
    let port = Port::of(&account);
    assert_eq!(status(&port.ask("PUT", "/bucket", "", "").await), 200);
    let longest = "k".repeat(1024);
    let keys = [
        ("../x", "../x"),
        ("%2e%2e/x", "../x"),
        ("..%2Fx", "../x"),
        ("../../../../etc/passwd", "../../../../etc/passwd"),
        (".", "."),
        ("..", ".."),
        ("a/./b", "a/./b"),
        ("a/../b", "a/../b"),
        ("//x", "//x"),
        ("/etc/passwd", "/etc/passwd"),
        ("a//b", "a//b"),
        ("a%5Cb", "a\\b"),
        ("..%5C..%5Cx", "..\\..\\x"),
        ("a%00b", "a\0b"),
        ("%252e%252e", "%2e%2e"),
        ("C:%5Cx", "C:\\x"),
        ("'%3B%20DROP%20TABLE%20objects", "'; DROP TABLE objects"),
        ("%60x%60", "`x`"),
        ("%0D%0Ax", "\r\nx"),
        ("%E2%98%83", "☃"),
        (longest.as_str(), longest.as_str()),
    ];
    for (number, (target, key)) in keys.into_iter().enumerate() {
        let (target, text) = (format!("/bucket/{target}"), format!("body {number}"));
        let put = port.ask("PUT", &target, "", &text).await;
        assert_eq!(status(&put), 200, "{target}: {put}");
        let store = &account.services.lake().store;
        assert_eq!(store.read("bucket", key).unwrap(), text, "{target}");
        assert_eq!(body(&port.ask("GET", &target, "", "").await), text, "{target}");
        let prefix =
            format!("/bucket?list-type=2&encoding-type=url&max-keys=1&prefix={}", &target[8..]);
        let listed = port.ask("GET", &prefix, "", "").await;
        assert_eq!((status(&listed), listed.matches("<Key>").count()), (200, 1), "{listed}");
        assert_eq!(status(&port.ask("DELETE", &target, "", "").await), 204, "{target}");
        assert!(store.read("bucket", key).is_err(), "{target}");
    }
    for (target, refusal) in [
        (format!("/bucket/{longest}k"), "KeyTooLongError"),
        ("/bucket/%FF%FE".to_owned(), "InvalidURI"),
        ("/../x".to_owned(), "InvalidBucketName"),
        ("/%2e%2e/x".to_owned(), "InvalidBucketName"),
        ("/..%2F..%2Fx".to_owned(), "InvalidBucketName"),
        ("//bucket/x".to_owned(), "InvalidBucketName"),
        ("/a%00b/x".to_owned(), "InvalidBucketName"),
        ("/a%5Cb/x".to_owned(), "InvalidBucketName"),
        ("/BUCKET/x".to_owned(), "InvalidBucketName"),
        ("/10.0.0.1/x".to_owned(), "InvalidBucketName"),
        (format!("/{}/x", "b".repeat(64)), "InvalidBucketName"),
        ("/objects/tmp".to_owned(), "NoSuchBucket"),
    ] {
        let answer = port.ask("PUT", &target, "", "x").await;
        assert_eq!(code(&answer), refusal, "{target}: {answer}");
    }
    let copied = port.ask("PUT", "/bucket/k", "x-amz-copy-source: /../local.db\r\n", "").await;
    assert!((400..500).contains(&status(&copied)), "{copied}");
    port.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused() {
    let account = Account::open().await;
    let port = Port::of(&account);
    port.ask("PUT", "/bucket", "", "").await;
    let announced = |target: &str, length: u64, more: &str| {
        format!(
            "PUT {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    };
    let huge = 5 * 1024 * 1024 * 1024 + 1;
    let framed = format!(
        "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: {huge}\r\n"
    );
    for request in [announced("/bucket/k", huge, ""), announced("/bucket/k", 100, &framed)] {
        let answer = port.send(&request).await;
        assert_eq!((status(&answer), code(&answer)), (400, "EntityTooLarge"), "{answer}");
    }
    let endless = "PUT /bucket/k HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let answer = port.send(endless).await;
    assert_eq!((status(&answer), code(&answer)), (411, "MissingContentLength"), "{answer}");
    let metadata = |bytes: usize| format!("x-amz-meta-a: {}\r\n", "v".repeat(bytes - 1));
    let answer = port.ask("PUT", "/bucket/k", &metadata(2048), "x").await;
    assert_eq!(status(&answer), 200, "{answer}");
    let answer = port.ask("PUT", "/bucket/k", &metadata(2049), "x").await;
    assert_eq!((status(&answer), code(&answer)), (400, "MetadataTooLarge"), "{answer}");
    let many = "x-amz-meta-a: 1\r\n".repeat(300);
    assert_eq!(status(&port.ask("GET", "/bucket", &many, "").await), 431);
    let wide = format!("x-amz-meta-a: {}\r\n", "v".repeat(100 * 1024));
    assert_eq!(status(&port.ask("GET", "/bucket", &wide, "").await), 431);
    let long = format!("/bucket/{}", "k".repeat(100 * 1024));
    assert!((400..500).contains(&status(&port.ask("GET", &long, "", "").await)));
    let lambda = "X-Amz-Target: AWSGlue.GetTables\r\n";
    let answer = port.send(&announced("/", 17 * 1024 * 1024, lambda).replace("PUT", "POST")).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(answer.contains("RequestEntityTooLargeException"), "{answer}");
    let metrics = "POST /service/GraniteServiceVersion20100801/operation/PutMetricData HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nSmithy-Protocol: rpc-v2-cbor\r\nContent-Length: 1048577\r\n\r\n";
    assert_eq!(status(&port.send(metrics).await), 413);
    port.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_held_to_their_services_limits() {
    let account = Account::open().await;
    let mebibyte = 1024 * 1024;
    let url =
        account.call("sqs", "CreateQueue", json!({"QueueName": "q"})).await["QueueUrl"].clone();
    let most = json!({"QueueUrl": url, "MessageBody": "m".repeat(mebibyte)});
    account.call("sqs", "SendMessage", most).await;
    let more = json!({"QueueUrl": url, "MessageBody": "m".repeat(mebibyte + 1)});
    assert_eq!(account.refused("sqs", "SendMessage", more).await, "InvalidParameterValue");
    let half = "m".repeat(mebibyte / 2 + 1);
    let entries = json!([{"Id": "a", "MessageBody": half}, {"Id": "b", "MessageBody": half}]);
    let batch = json!({"QueueUrl": url, "Entries": entries});
    assert_eq!(account.refused("sqs", "SendMessageBatch", batch).await, "BatchRequestTooLong");
    let topic = account.call("sns", "CreateTopic", json!({"Name": "t"})).await["TopicArn"].clone();
    let note = json!({"TopicArn": topic, "Message": "m".repeat(256 * 1024 + 1)});
    assert_eq!(account.refused("sns", "Publish", note).await, "InvalidParameter");
    let detail = json!({"text": half}).to_string();
    let entry = json!({"Source": "s", "DetailType": "d", "Detail": detail});
    let events = json!({"Entries": [entry, entry]});
    assert_eq!(account.refused("events", "PutEvents", events).await, "ValidationException");
    account.call("logs", "CreateLogGroup", json!({"logGroupName": "g"})).await;
    let stream = json!({"logGroupName": "g", "logStreamName": "s"});
    account.call("logs", "CreateLogStream", stream).await;
    let event = json!({"timestamp": 1, "message": half});
    let events = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": [event, event]});
    assert_eq!(account.refused("logs", "PutLogEvents", events).await, "InvalidParameterException");
    let query = json!({"QueryString": format!("SELECT '{}'", "q".repeat(256 * 1024))});
    assert_eq!(
        account.refused("athena", "StartQueryExecution", query).await,
        "InvalidRequestException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_and_broken_documents_are_refused() {
    let account = Account::open().await;
    let port = Port::of(&account);
    port.ask("PUT", "/bucket", "", "").await;
    let glue = "X-Amz-Target: AWSGlue.GetTables\r\n";
    for text in
        ["[".repeat(100_000), "{\"a\":".repeat(100_000), "{\"a\":".to_owned(), "\u{0}".to_owned()]
    {
        let answer = port.ask("POST", "/", glue, &text).await;
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(answer.contains("SerializationException"), "{answer}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let parts = format!("Action=Publish&{}=1", "a.".repeat(1_000_000));
    assert_eq!(status(&port.ask("POST", "/", form, &parts).await), 400);
    let cbor = "Smithy-Protocol: rpc-v2-cbor\r\n";
    let path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    for bytes in ["\u{1}".repeat(10), "zzzz".to_owned(), "a".repeat(100_000)] {
        assert_eq!(status(&port.ask("POST", path, cbor, &bytes).await), 400);
    }
    for xml in [
        "<a>".repeat(100_000),
        "<Delete>".to_owned(),
        "<!DOCTYPE a [<!ENTITY b \"c\">]><Delete>&b;</Delete>".to_owned(),
    ] {
        let answer = port.ask("POST", "/bucket?delete", "", &xml).await;
        assert_eq!(status(&answer), 400, "{answer}");
    }
    port.is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_stops_nobody_else() {
    let account = Account::open().await;
    let port = Port::of(&account);
    port.ask("PUT", "/bucket", "", "").await;
    let starts = [
        "",
        "P",
        "GET /bucket",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        "PUT /bucket/half HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AWSGlue.GetTables\r\nContent-Length: 1000\r\n\r\n{",
    ];
    let mut held = Vec::new();
    for start in starts.iter().cycle().take(120) {
        let mut stream = port.connect().await;
        stream.write_all(start.as_bytes()).await.unwrap();
        held.push(stream);
    }
    for (number, garbage) in
        ["\0\0\0\0", "\u{16}\u{3}\u{1}\u{2}\0", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n"]
            .iter()
            .enumerate()
    {
        let mut stream = port.connect().await;
        stream.write_all(garbage.as_bytes()).await.unwrap();
        let _ = stream.shutdown().await;
        port.is_well().await;
        let target = format!("/bucket/{number}");
        assert_eq!(status(&port.ask("PUT", &target, "", "whole").await), 200);
    }
    drop(held);
    port.is_well().await;
    let half = port.ask("GET", "/bucket/half", "", "").await;
    assert_eq!(code(&half), "NoSuchKey", "a half-sent object is none");
}
