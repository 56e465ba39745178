//! The HTTP client against a site on loopback that limits, redirects, breaks off and changes.
#![allow(clippy::unwrap_used, clippy::format_push_string)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use extract::source::{Answer, Site, SourceError};
use extract::survey::{Survey, Wanted};
use extract::{Config, ExtractError, State, fetch, plan};
use serde_json::json;
use shared::dataset::{Dataset, DatasetName};
use shared::error::NamedError;
use shared::event::{FileFormat, Manifest, Unit};

mod hostile;
mod server;
mod slow;

use server::{Log, Reply, Request, serve};

const FILE: &str = "/trip-data/green_tripdata_2024-01.csv";
const LOOKUP: &str = "/misc/taxi_zone_lookup.csv";
const PAUSE: Duration = Duration::from_millis(1);

/// State whose site and S3 are one server; buckets are first path segments.
async fn state(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (State, Log) {
    let (base, log) = serve(answer).await;
    let credentials = aws_sdk_s3::config::Credentials::new("a", "b", None, None, "test");
    let glue = aws_sdk_glue::Config::builder()
        .behavior_version(aws_sdk_glue::config::BehaviorVersion::latest())
        .region(aws_sdk_glue::config::Region::new("us-east-1"))
        .credentials_provider(credentials.clone())
        .endpoint_url(&base)
        .build();
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(&base)
        .force_path_style(true)
        .build();
    let config = Config {
        database: "taxi".to_owned(),
        raw_bucket: "raw".to_owned(),
        lake_bucket: "lake".to_owned(),
        source_url: base.clone(),
        source_formats: vec![FileFormat::Parquet, FileFormat::Csv],
        datasets: vec!["green".parse().unwrap()],
        lookback_months: 3,
    };
    let site = Site::new(&base, PAUSE);
    let clock = jiff::Timestamp::now;
    let glue = aws_sdk_glue::Client::from_conf(glue);
    (State { s3: aws_sdk_s3::Client::from_conf(s3), glue, site, clock, config }, log)
}

/// An S3 that takes everything and holds nothing.
fn empty_s3(request: &Request) -> Reply {
    let (method, target) = (request.method.as_str(), request.target.as_str());
    match method {
        "GET" if target.contains("list-type=2") => {
            Reply::xml("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        }
        "POST" if target.ends_with("?uploads") => Reply::xml(
            "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>",
        ),
        "POST" => Reply::xml(
            "<CompleteMultipartUploadResult><ETag>\"m-2\"</ETag></CompleteMultipartUploadResult>",
        ),
        "PUT" if request.headers.contains_key("x-amz-copy-source") => {
            Reply::xml("<CopyObjectResult><ETag>\"copied\"</ETag></CopyObjectResult>")
        }
        "PUT" => Reply::status(200).header("etag", "\"put\""),
        "DELETE" => Reply::status(204),
        _ => Reply::status(404),
    }
}

fn is_s3(request: &Request) -> bool {
    request.target.starts_with("/raw/") || request.target.starts_with("/lake")
}

fn unit(state: &State, path: &str) -> Unit {
    let url = format!("{}{path}", state.config.source_url);
    serde_json::from_value(json!({
        "dataset": "green", "month": "2024-01", "reason": "new",
        "source": {"kind": "http", "url": url},
    }))
    .unwrap()
}

pub async fn fetch_file(
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Result<Manifest, ExtractError>, Log) {
    let answer = move |request: &Request| {
        if is_s3(request) { empty_s3(request) } else { answer(request) }
    };
    let (state, log) = state(answer).await;
    let unit = unit(&state, FILE);
    (fetch::fetch(&state, &unit, None).await, log)
}

#[tokio::test]
async fn answers_of_the_site() {
    for (status, expected) in [
        (200, "Published"),
        (403, "Forbidden"),
        (404, "Missing"),
        (301, "Source.Refused"),
        (400, "Source.Refused"),
        (429, "Source.Throttled"),
        (503, "Source.Throttled"),
        (500, "Source.Unavailable"),
    ] {
        let (state, log) =
            state(move |_| Reply::status(status).header("location", "http://169.254.169.254/"))
                .await;
        let found = match state.site.head("x").await {
            Ok(Answer::Published(_)) => "Published",
            Ok(Answer::Forbidden) => "Forbidden",
            Ok(Answer::Missing) => "Missing",
            Err(error) => error.name().as_str(),
        };
        assert_eq!(found, expected, "{status}");
        let tries = if matches!(status, 429 | 500..) { 4 } else { 1 };
        assert_eq!(log.all().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn no_other_host_is_ever_asked() {
    let (state, log) = state(|_| Reply::status(200)).await;
    for url in
        ["http://169.254.169.254/latest/meta-data", "http://localhost/x", "file:///etc/passwd"]
    {
        let mut unit = unit(&state, FILE);
        unit.source = serde_json::from_value(
            json!({"kind": "http", "url": format!("{url}/green_tripdata_2024-01.csv")}),
        )
        .unwrap();
        let error = fetch::fetch(&state, &unit, None).await.unwrap_err();
        assert_eq!(error.name().as_str(), "Source.Refused", "{url}: {error}");
    }
    let mut unit = unit(&state, "/trip-data/green_tripdata_2024-02.csv");
    let error = fetch::fetch(&state, &unit, None).await.unwrap_err();
    assert_eq!(error.name().as_str(), "Source.Refused", "another month: {error}");
    unit.source = serde_json::from_value(
        json!({"kind": "s3", "bucket": "other", "key": "arrivals/green_tripdata_2024-01.csv"}),
    )
    .unwrap();
    let error = fetch::fetch(&state, &unit, None).await.unwrap_err();
    assert_eq!(error.name().as_str(), "Source.Refused", "another bucket: {error}");
    assert!(log.all().is_empty());
}

#[tokio::test]
async fn a_small_file_is_one_put() {
    let (fetched, log) = fetch_file(|_| Reply::file(b"a,b\n1,2\n", "\"e\"")).await;
    let manifest = fetched.unwrap();
    let folder = format!("raw/green/month=2024-01/{}/", &manifest.fingerprint[..16]);
    assert_eq!(manifest.location.to_string(), format!("s3://raw/{folder}"));
    assert_eq!(manifest.key, format!("{folder}green_tripdata_2024-01.csv"));
    assert_eq!((manifest.bytes, manifest.lines, manifest.unchanged), (8, Some(1), false));
    assert_eq!(manifest.etag, "\"put\"");
    assert_eq!(manifest.source.unwrap().etag(), Some("\"e\""));
    assert_eq!(
        log.lines("/raw/"),
        [format!("PUT /raw/{}?x-id=PutObject", manifest.key.replace('=', "%3D"))]
    );
}

#[tokio::test]
async fn a_large_file_goes_in_parts() {
    let file = Arc::new(b"0123456789abcde\n".repeat((20 << 20) / 16));
    let (fetched, log) = fetch_file(move |_| Reply::file(&file, "\"e\"")).await;
    let manifest = fetched.unwrap();
    assert_eq!((manifest.bytes, manifest.lines), (20 << 20, Some((20 << 20) / 16 - 1)));
    assert_eq!(manifest.etag, "\"copied\"");
    let requests = log.all();
    let of = |what: &str| requests.iter().filter(|r| r.target.contains(what)).collect::<Vec<_>>();
    let sizes: Vec<_> = of("partNumber=").iter().map(|part| part.body.len()).collect();
    assert_eq!(sizes, [8 << 20, 8 << 20, 4 << 20]);
    let last = log.lines("/raw/");
    assert!(last[last.len() - 1].starts_with("DELETE /raw/incoming/"), "{last:?}");
}

#[tokio::test]
async fn a_broken_download_is_taken_up_where_it_broke() {
    let rest = |request: &Request| {
        let range = request.headers.get("range").map(String::as_str);
        match range {
            None => Reply::file(b"a,b\n1,2\n3,4\n", "\"e\"").cut(5),
            Some("bytes=5-") => Reply { status: 206, ..Reply::file(b",2\n3,4\n", "\"e\"").cut(2) },
            Some("bytes=7-") => Reply { status: 206, ..Reply::file(b"\n3,4\n", "\"e\"") },
            other => panic!("{other:?}"),
        }
    };
    let (fetched, log) = fetch_file(rest).await;
    let manifest = fetched.unwrap();
    assert_eq!((manifest.bytes, manifest.lines), (12, Some(2)));
    let asked = log.all();
    let asked: Vec<_> = asked.iter().filter(|request| request.target == FILE).collect();
    assert_eq!(asked.len(), 3);
    assert!(asked[1..].iter().all(|request| request.headers["if-match"] == "\"e\""));
}

#[tokio::test]
async fn a_file_that_cannot_be_whole_is_an_error() {
    let changed = |request: &Request| match request.headers.get("range") {
        None => Reply::file(b"a,b\n1,2\n", "\"e\"").cut(5),
        Some(_) => Reply::status(412),
    };
    assert_eq!(name(fetch_file(changed).await), "Source.Changed");
    let ignores_ranges = |_: &Request| Reply::file(b"a,b\n1,2\n", "\"e\"").cut(5);
    assert_eq!(name(fetch_file(ignores_ranges).await), "Source.Changed");
    let without_etag =
        |_: &Request| Reply { headers: vec![], ..Reply::file(b"a,b\n1,2\n", "").cut(5) };
    assert_eq!(name(fetch_file(without_etag).await), "Source.Unavailable");
    assert_eq!(name(fetch_file(|_| Reply::file(b"", "\"e\"")).await), "Data.Empty");
    assert_eq!(name(fetch_file(|_| Reply::file(b"PAR1", "\"e\"")).await), "Schema.Unreadable");
    let large = |_: &Request| Reply::status(200).header("content-length", "5000000001");
    assert_eq!(name(fetch_file(large).await), "Source.Refused");
    let gone = |request: &Request| match request.target.as_str() {
        LOOKUP => Reply::file(b"x", "\"l\""),
        _ => Reply::status(403),
    };
    assert_eq!(name(fetch_file(gone).await), "Source.NotPublished");
    assert_eq!(name(fetch_file(|_| Reply::status(403)).await), "Source.Throttled");
}

/// The name of the error with which a file was refused, before any copy of it was made.
fn name((fetched, log): (Result<Manifest, ExtractError>, Log)) -> &'static str {
    assert!(log.lines("/raw/raw").is_empty(), "a bad file is copied: {:?}", log.lines("/raw/"));
    fetched.unwrap_err().name().as_str()
}

#[tokio::test]
async fn an_upload_that_fails_is_aborted() {
    let file = Arc::new([b"a,b\n".as_slice(), &vec![b'x'; 9 << 20]].concat());
    let broken = move |request: &Request| match request.headers.get("range") {
        None => Reply::file(&file, "\"e\"").cut((9 << 20) - 1),
        Some(_) => Reply::status(412),
    };
    let (fetched, log) = fetch_file(broken).await;
    assert_eq!(fetched.unwrap_err().name().as_str(), "Source.Changed");
    let last = log.lines("/raw/").pop().unwrap();
    assert!(last.starts_with("DELETE /raw/incoming/") && last.contains("uploadId=u1"), "{last}");
}

/// What a survey finds of green 2024-01 to 2024-04, of which `published` answer 200; `limited`
/// requests are refused before.
async fn survey(
    published: &'static [&'static str],
    limited: usize,
    live: &[&str],
) -> Result<Vec<bool>, SourceError> {
    let asked = AtomicUsize::new(0);
    let (state, _) = state(move |request| {
        if asked.fetch_add(1, Ordering::SeqCst) < limited {
            return Reply::status(403);
        }
        let there = published.iter().any(|name| request.target.contains(name));
        if there { Reply::file(b"x", "\"e\"") } else { Reply::status(403) }
    })
    .await;
    let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
    let wanted =
        |month: &str| Wanted { dataset: "green".parse().unwrap(), month: month.parse().unwrap() };
    let live: BTreeSet<_> = live.iter().map(|month| wanted(month)).collect();
    let survey = Survey {
        site: &state.site,
        contracts: &contracts,
        formats: &[FileFormat::Parquet],
        live: &live,
        certain: plan::certain_path(&contracts),
    };
    let months = ["2024-01", "2024-02", "2024-03", "2024-04"].map(wanted);
    let found = survey.run(months.into_iter().collect()).await?;
    Ok(found.values().map(Option::is_some).collect())
}

#[tokio::test]
async fn a_403_is_not_published_only_while_others_are_served() {
    let check = async |published, limited, live: &[&str], expected: Result<&[bool], &str>| {
        let found = survey(published, limited, live).await;
        let found = found.as_deref().map_err(|error| error.name().as_str());
        assert_eq!(found, expected, "{published:?} {limited} {live:?}");
    };
    check(&["2024-01", "2024-02"], 0, &[], Ok(&[true, true, false, false])).await;
    check(&["2024-01", "2024-03"], 0, &[], Ok(&[true, false, true, false])).await;
    check(&["zone_lookup"], 0, &[], Ok(&[false; 4])).await;
    // The limit passes: nothing is taken for unpublished.
    check(&["2024", "zone_lookup"], 5, &[], Ok(&[true; 4])).await;
    check(&["2024", "zone_lookup"], 2, &[], Ok(&[true; 4])).await;
    check(&["2024", "zone_lookup"], 1000, &[], Err("Source.Throttled")).await;
    // It was there once, and is not any more, as long as one may ask.
    check(&["2024-01"], 0, &["2024-02"], Ok(&[true, false, false, false])).await;
}

#[tokio::test]
async fn a_plan_is_made_of_any_input() {
    let (state, _) = state(|request| match request.target.as_str() {
        FILE | LOOKUP => Reply::file(b"x", "\"e\""),
        _ if is_s3(request) => empty_s3(request),
        _ => Reply::status(403),
    })
    .await;
    let today = jiff::civil::date(2024, 3, 10);
    let plan = async |input| plan::plan(&state, input, today).await;
    let scheduled = plan(json!({"trigger": "schedule"})).await.unwrap();
    let units: Vec<_> =
        scheduled.units.iter().map(|unit| format!("{} {}", unit.dataset, unit.month)).collect();
    assert_eq!(units, ["green 2024-01", "zones current"]);
    assert_eq!(scheduled.datasets.len(), 2);
    assert_eq!(scheduled.not_published.len(), 3);
    let none = plan(json!({"dataset": "green", "months": ["2023-01"]})).await.unwrap();
    assert_eq!((none.units.len(), none.not_published.len()), (0, 1));
    let arrival = json!({"detail-type": "Object Created", "detail": {
        "bucket": {"name": "raw"}, "object": {"key": "arrivals/green_tripdata_2024-01.csv"}}});
    let gone = plan(arrival).await.unwrap();
    assert_eq!(gone.ignored[0].reason, "it is not there any more");
    for input in [json!(null), json!({}), json!([1]), json!({"dataset": "red"})] {
        let error = plan(input.clone()).await.unwrap_err();
        assert_eq!(error.name().as_str(), "Input.Invalid", "{input}");
    }
}
