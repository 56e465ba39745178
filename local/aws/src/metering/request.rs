//! Who sent a request, on whose behalf, and what kind of request it is to the bill.

use http::request::Parts;
use http::{HeaderMap, Method};

use super::{Counted, LIST, READ, WRITE};
use crate::iam::Caller;
use crate::xray::TraceHeader;

/// Who sends requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// A Lambda function, by its credentials.
    Function,
    /// Athena, which reads and writes its caller's buckets.
    Athena,
    /// Step Functions itself: what a Distributed Map reads and writes.
    StepFunctions,
    /// Everybody else: people, deployments, tests.
    Client,
}

impl Sender {
    pub const ALL: [Self; 4] = [Self::Function, Self::Athena, Self::StepFunctions, Self::Client];

    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "functions",
            Self::Athena => "athena",
            Self::StepFunctions => "step functions",
            Self::Client => "clients",
        }
    }

    pub(super) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|sender| sender.name() == name).unwrap_or(Self::Client)
    }

    pub fn of(caller: &Caller) -> Self {
        match caller {
            Caller::Role(session) if session.function_arn.is_some() => Self::Function,
            Caller::Root | Caller::Role(_) | Caller::Service(_) => Self::Client,
        }
    }
}

/// The trace a request belongs to; empty without one.
fn cause(headers: &HeaderMap) -> String {
    let header = headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
    header.and_then(TraceHeader::parse).map(|header| header.root).unwrap_or_default()
}

/// A request as it is counted.
pub(crate) fn of_request(
    sender: Sender,
    headers: &HeaderMap,
    service: &str,
    kind: &str,
) -> Counted {
    Counted { service: service.to_owned(), kind: kind.to_owned(), sender, cause: cause(headers) }
}

/// How S3 bills a request whose path begins with its bucket; `None` for what is free.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html>
pub(crate) fn kind_of_s3(request: &Parts) -> Option<&'static str> {
    let path = request.uri.path().trim_start_matches('/');
    let query = request.uri.query().unwrap_or_default();
    let has = |name: &str| {
        query.split('&').any(|pair| pair.split_once('=').map_or(pair, |(key, _)| key) == name)
    };
    let key = path.split_once('/').map_or("", |(_, key)| key);
    match request.method {
        Method::GET if key.is_empty() => {
            let settings = SETTINGS.iter().any(|name| has(name));
            Some(if settings { READ } else { LIST })
        }
        Method::GET if has("uploadId") => Some(LIST),
        Method::GET | Method::HEAD | Method::OPTIONS => Some(READ),
        Method::DELETE => None,
        Method::POST if has("delete") => None,
        _ => Some(WRITE),
    }
}

/// What GET on a bucket may ask for, other than a listing.
const SETTINGS: [&str; 13] = [
    "acl",
    "cors",
    "encryption",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "tagging",
    "versioning",
    "website",
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderValue, Request};

    use super::*;
    use crate::iam::caller::Session;

    fn parts(method: &str, target: &str) -> Parts {
        Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn s3_requests_have_their_kind() {
        for (method, target, expected) in [
            ("GET", "/", Some(LIST)),
            ("GET", "/bucket", Some(LIST)),
            ("GET", "/bucket/?list-type=2&prefix=a", Some(LIST)),
            ("GET", "/bucket?versions", Some(LIST)),
            ("GET", "/bucket?location", Some(READ)),
            ("GET", "/bucket/key?versionId=1", Some(READ)),
            ("GET", "/bucket/key?uploadId=1", Some(LIST)),
            ("HEAD", "/bucket/key", Some(READ)),
            ("PUT", "/bucket/key", Some(WRITE)),
            ("PUT", "/bucket/key?partNumber=1&uploadId=1", Some(WRITE)),
            ("POST", "/bucket/key?uploads", Some(WRITE)),
            ("POST", "/bucket?delete", None),
            ("DELETE", "/bucket/key", None),
        ] {
            assert_eq!(kind_of_s3(&parts(method, target)), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_request_is_known_by_its_credentials_and_its_trace() {
        let mut headers = HeaderMap::new();
        let anybody = of_request(Sender::of(&Caller::Root), &headers, "s3", READ);
        assert_eq!((anybody.sender, anybody.cause.as_str()), (Sender::Client, ""));
        let trace = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
        headers.insert("x-amzn-trace-id", HeaderValue::from_static(trace));
        let function = Caller::Role(Arc::new(Session {
            role_arn: "arn:aws:iam::123456789012:role/load".to_owned(),
            name: "load".to_owned(),
            function_arn: Some("arn:aws:lambda:us-east-1:123456789012:function:load".to_owned()),
        }));
        let function = of_request(Sender::of(&function), &headers, "s3", READ);
        assert_eq!(function.sender, Sender::Function);
        assert_eq!(function.cause, "1-67891233-abcdef012345678912345678");
    }
}
