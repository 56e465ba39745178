//! A source that leads elsewhere, lies about lengths, or answers with another file; keys and URLs
//! that are no names of ours.

use serde_json::json;
use shared::error::NamedError;

use super::{FILE, Reply, Request, fetch, fetch_file, name, plan, state, unit};

/// Where nothing of ours is: link-local, loopback and private addresses, in words and in numbers.
const ELSEWHERE: &[&str] = &[
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "https://example.com/",
    "//example.com/",
    "/other",
];

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    for to in ELSEWHERE {
        for status in [300, 301, 302, 303, 307, 308] {
            let redirect = move |_: &Request| Reply::status(status).header("location", to);
            let (fetched, log) = fetch_file(redirect).await;
            let error = fetched.unwrap_err();
            assert_eq!(error.name().as_str(), "Source.Refused", "{status} {to}");
            assert!(error.to_string().contains(to), "{error}");
            assert_eq!(log.lines(""), [format!("GET {FILE}")], "{status} {to}");
        }
    }
}

#[tokio::test]
async fn a_url_is_judged_as_it_would_be_asked() {
    let (mut state, log) = state(|_| Reply::status(200)).await;
    let base = format!("{}/folder", state.config.source_url);
    state.site = extract::source::Site::new(&base, super::PAUSE);
    let host = base.strip_prefix("http://").unwrap();
    let urls = ELSEWHERE.iter().map(|to| format!("{to}green_tripdata_2024-01.csv"));
    let urls = urls.chain([
        format!("{base}/../other/green_tripdata_2024-01.csv"),
        format!("{base}/%2e%2e/other/green_tripdata_2024-01.csv"),
        format!("{base}/..\\other\\/green_tripdata_2024-01.csv"),
        format!("{base}.example.com/green_tripdata_2024-01.csv"),
        format!("{base}@example.com/green_tripdata_2024-01.csv"),
        format!("http://user:pass@{host}/green_tripdata_2024-01.csv"),
        format!("{base}/x?y=/green_tripdata_2024-01.csv"),
        format!("{base}/x#/green_tripdata_2024-01.csv"),
        "file:///etc/green_tripdata_2024-01.csv".to_owned(),
        "gopher://example.com/green_tripdata_2024-01.csv".to_owned(),
        "green_tripdata_2024-01.csv".to_owned(),
    ]);
    let mut checked = 0;
    for url in urls {
        let mut unit = unit(&state, FILE);
        unit.source = serde_json::from_value(json!({"kind": "http", "url": url})).unwrap();
        let error = fetch::fetch(&state, &unit, None).await.unwrap_err();
        assert_eq!(error.name().as_str(), "Source.Refused", "{url}: {error}");
        checked += 1;
    }
    assert_eq!((checked, log.all().len()), (ELSEWHERE.len() + 11, 0));
}

/// Keys as an event brings them: none is decoded, none is asked for, each is told as it came.
#[tokio::test]
async fn a_key_is_opaque_and_never_leads_anywhere() {
    let (state, log) = state(|_| Reply::status(200)).await;
    let long = format!("{}.csv", "k".repeat(1_011));
    for key in [
        "a+b%2Fc",
        "%E2%98%83",
        "\u{2603}",
        "../green_tripdata_2024-01.csv",
        "x/../green_tripdata_2024-01.csv",
        "/green_tripdata_2024-01.csv",
        "/",
        "\u{0}",
        "green_tripdata_2024-01.csv\u{0}",
        "green_tripdata_2024%2D01.csv",
        "green+tripdata_2024-01.csv",
        "'; DROP TABLE green_trips; --",
        "`green_trips`",
        "\"green_trips\"",
        long.as_str(),
    ] {
        let key = format!("arrivals/{key}");
        let event = json!({"detail-type": "Object Created",
            "detail": {"bucket": {"name": "raw"}, "object": {"key": key}}});
        let today = jiff::civil::date(2024, 3, 10);
        let plan = plan::plan(&state, event, today).await.unwrap();
        assert_eq!((plan.units.len(), plan.ignored.len()), (0, 1), "{key:?}");
        assert_eq!(plan.ignored[0].key, key);
        assert!(plan.ignored[0].reason.contains("expected a name of the TLC's"), "{key:?}");
    }
    assert_eq!(log.all().len(), 0);
}

/// A 206 must be the rest of the very file, even of a server that passes over `If-Match`.
#[tokio::test]
async fn a_part_of_another_file_is_no_rest() {
    let check = async |part: fn() -> Reply, expected: &str| {
        let changed = move |request: &Request| match request.headers.get("range") {
            None => Reply::file(b"a,b\n1,2\n", "\"e\"").cut(5),
            Some(_) => Reply { status: 206, ..part() },
        };
        let (fetched, log) = fetch_file(changed).await;
        let error = fetched.as_ref().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(name((fetched, log)), "Source.Changed");
    };
    check(|| Reply::file(b",9\n", "\"f\""), "now it is \"f\"").await;
    let other = || Reply::file(b",2\n", "\"e\"").header("content-range", "bytes 4-6/8");
    check(other, "asked for bytes from 5, got bytes 4-6/8").await;
    check(|| Reply::file(b",2\n", "\"e\"").header("content-range", "x"), "got x").await;
    check(|| Reply::file(b",2\n and more", "\"e\""), "8 bytes were announced, more came").await;
}

#[tokio::test]
async fn a_length_that_is_missing_or_another_is_found_out() {
    let file = b"a,b\n1,2\n3,4\n";
    let chunked = |_: &Request| {
        let body = b"c\r\na,b\n1,2\n3,4\n\r\n0\r\n\r\n";
        Reply::file(body, "\"e\"").header("transfer-encoding", "chunked")
    };
    let (fetched, _) = fetch_file(chunked).await;
    assert_eq!(fetched.unwrap().bytes, 12);
    let cut = |_: &Request| {
        let body = b"c\r\na,b\n1,2\n";
        let reply = Reply::file(body, "\"e\"").header("transfer-encoding", "chunked");
        reply.cut(body.len())
    };
    assert_eq!(name(fetch_file(cut).await), "Source.Changed", "the whole file came again");
    let endless = |_: &Request| Reply::file(file, "\"e\"").header("connection", "close").cut(12);
    let unsaid = move |request: &Request| Reply { length: false, ..endless(request) };
    assert_eq!(name(fetch_file(unsaid).await), "Source.Unavailable");
    let short = |_: &Request| Reply::file(file, "\"e\"").header("content-length", "8");
    let (state, _) = state(short).await;
    let mut unit = unit(&state, FILE);
    let url = format!("{}{FILE}", state.config.source_url);
    let planned = json!({"kind": "http", "url": url, "etag": "\"e\"", "bytes": 12});
    unit.source = serde_json::from_value(planned).unwrap();
    let error = fetch::fetch(&state, &unit, None).await.unwrap_err();
    assert_eq!(error.name().as_str(), "Source.Changed", "{error}");
}
