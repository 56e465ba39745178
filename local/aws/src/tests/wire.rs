//! The wire as clients use it: protocols, errors, doors.

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::Account;
use crate::wire::{Body, cbor};

async fn send(
    account: &Account,
    request: http::request::Builder,
    body: Vec<u8>,
) -> (http::response::Parts, Vec<u8>) {
    let request = request.header("host", "127.0.0.1").body(Body::from(body)).unwrap();
    let (parts, body) = account.services.call(request).await.into_parts();
    (parts, body.collect().await.unwrap().to_bytes().to_vec())
}

fn signed(service: &str) -> http::request::Builder {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    Request::builder().method(Method::POST).uri("/").header("authorization", scope)
}

#[tokio::test(flavor = "multi_thread")]
async fn json_services_answer_and_refuse() {
    let account = Account::open().await;
    let target = |target: &str| Request::post("/").header("x-amz-target", target);
    let (parts, body) =
        send(&account, target("AWSStepFunctions.ListStateMachines"), b"{}".to_vec()).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert!(parts.headers.contains_key("x-amzn-requestid"));
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"stateMachines": []}));
    for (name, code) in [
        ("AWSStepFunctions.NoSuchThing", "UnknownOperationException"),
        ("NoSuchService.Do", "UnknownOperationException"),
        ("AWSStepFunctions.DescribeExecution", "ValidationException"),
    ] {
        let (parts, body) = send(&account, target(name), b"{}".to_vec()).await;
        assert_eq!(parts.status, StatusCode::BAD_REQUEST);
        assert_eq!(parts.headers["x-amzn-errortype"], code);
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["__type"], code);
    }
    let (parts, _) =
        send(&account, target("AmazonSQS.GetQueueUrl"), b"{\"QueueName\":\"x\"}".to_vec()).await;
    assert_eq!(
        parts.headers["x-amzn-query-error"],
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn query_services_speak_xml() {
    let account = Account::open().await;
    let form = b"Action=CreateTopic&Version=2010-03-31&Name=news".to_vec();
    let (parts, body) = send(&account, signed("sns"), form).await;
    assert_eq!(parts.status, StatusCode::OK);
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains(
            "<CreateTopicResult><TopicArn>arn:aws:sns:us-east-1:123456789012:news</TopicArn>"
        ),
        "{body}"
    );
    let form = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
    let (_, body) = send(&account, signed("sts"), form).await;
    assert!(String::from_utf8(body).unwrap().contains("<Account>123456789012</Account>"));
    let (parts, body) = send(&account, signed("sns"), b"Action=Fly&Version=1".to_vec()).await;
    assert_eq!(parts.status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8(body).unwrap().contains("<Code>InvalidAction</Code>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_come_and_go_as_cbor() {
    let account = Account::open().await;
    let operation = |action: &str| {
        Request::post(format!("/service/GraniteServiceVersion20100801/operation/{action}"))
            .header("smithy-protocol", "rpc-v2-cbor")
    };
    let datum = |value: f64| {
        json!({
            "MetricName": "RecordsProcessed",
            "Dimensions": [{"Name": "Dataset", "Value": "green"}],
            "Timestamp": 1_700_000_000,
            "Value": value,
            "Unit": "Count",
        })
    };
    let put = json!({"Namespace": "ETL/StepFunctions", "MetricData": [datum(1.0), datum(4.5)]});
    let packed = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&cbor::encode(&put)).unwrap();
        encoder.finish().unwrap()
    };
    let request = operation("PutMetricData").header("content-encoding", "gzip");
    let (parts, _) = send(&account, request, packed).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert_eq!(parts.headers["smithy-protocol"], "rpc-v2-cbor");
    let get = json!({
        "Namespace": "ETL/StepFunctions",
        "MetricName": "RecordsProcessed",
        "Dimensions": [{"Name": "Dataset", "Value": "green"}],
        "StartTime": 1_699_999_000,
        "EndTime": 1_700_001_000,
        "Period": 60,
        "Statistics": ["Sum", "Maximum"],
    });
    let (_, body) = send(&account, operation("GetMetricStatistics"), cbor::encode(&get)).await;
    let answer = cbor::decode(&body).unwrap();
    assert_eq!(answer["Datapoints"][0]["Sum"], 5.5);
    assert_eq!(answer["Datapoints"][0]["Maximum"], 4.5);
    let listed = account.call("monitoring", "ListMetrics", json!({})).await;
    assert_eq!(listed["Metrics"][0]["Dimensions"][0]["Value"], "green");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_are_kept_out() {
    let account = Account::open().await;
    for (header, value) in [("host", "example.com"), ("origin", "https://example.com")] {
        let mut request = Request::get("/_local/functions/usage").header("host", "127.0.0.1");
        request.headers_mut().unwrap().insert(header, value.parse().unwrap());
        let answer = account.services.call(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{header}: {value}");
    }
    let request = Request::get("/_local/functions/usage");
    let (parts, body) = send(&account, request, Vec::new()).await;
    assert_eq!((parts.status, body), (StatusCode::OK, b"{\"Functions\":[]}".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_managed_by_paths() {
    let account = Account::open().await;
    let (parts, body) =
        send(&account, Request::get("/2015-03-31/functions/none"), Vec::new()).await;
    assert_eq!(parts.status, StatusCode::NOT_FOUND);
    assert_eq!(parts.headers["x-amzn-errortype"], "ResourceNotFoundException");
    assert!(String::from_utf8(body).unwrap().contains("\"Message\":\"Function not found: "));
    let folder = tempfile::tempdir().unwrap();
    let create = json!({
        "FunctionName": "f",
        "Role": "arn:aws:iam::123456789012:role/test",
        "Code": {"S3Bucket": "hot-reload", "S3Key": super::function::script(folder.path())},
    });
    let body = create.to_string().into_bytes();
    let (parts, _) = send(&account, Request::post("/2015-03-31/functions"), body).await;
    assert_eq!(parts.status, StatusCode::CREATED);
    let invoke =
        Request::post("/2015-03-31/functions/f/invocations").header("x-amz-log-type", "Tail");
    let (parts, body) = send(&account, invoke, b"{\"n\":1}".to_vec()).await;
    assert_eq!(parts.status, StatusCode::OK);
    assert!(parts.headers.contains_key("x-amz-log-result"));
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["event"]["n"], 1);
    let dry = Request::post("/2015-03-31/functions/f/invocations")
        .header("x-amz-invocation-type", "DryRun");
    assert_eq!(send(&account, dry, Vec::new()).await.0.status, StatusCode::NO_CONTENT);
}
