//! Which service and action a request means. AWS gives every service its own host name; one port has to read
//! the protocol's other marks: `X-Amz-Target`, the rpc-v2 path, the service in the signature's credential scope,
//! and the paths of the REST services. What carries none of them is S3.

use http::request::Parts;

use super::body::LARGEST_BODY;

/// A request of CloudWatch's, packed or not.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
const LARGEST_METRICS: usize = 1024 * 1024;

/// Where a request goes and in which protocol it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// awsJson1.0 / 1.1: `X-Amz-Target: <prefix>.<action>`.
    Json {
        prefix: String,
        action: String,
    },
    /// smithy rpc-v2-cbor: `/service/<name>/operation/<action>`.
    Cbor {
        service: String,
        action: String,
    },
    /// awsQuery: form-encoded `Action=…`, XML answers. The service is the signature's.
    Query {
        service: String,
    },
    /// rest-json, read by the service itself.
    Lambda,
    Scheduler,
    XRay,
    S3,
}

impl Target {
    pub fn of(request: &Parts) -> Target {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(target) = header("x-amz-target") {
            let (prefix, action) = target.split_once('.').unwrap_or(("", target));
            return Target::Json { prefix: prefix.to_owned(), action: action.to_owned() };
        }
        let path = request.uri.path();
        if header("smithy-protocol") == Some("rpc-v2-cbor")
            && let Some((service, action)) =
                path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"))
        {
            return Target::Cbor { service: service.to_owned(), action: action.to_owned() };
        }
        let signed_for = signing_service(request);
        match signed_for.as_deref() {
            Some("s3" | "s3express") => return Target::S3,
            Some("lambda") => return Target::Lambda,
            Some("scheduler") => return Target::Scheduler,
            Some("xray") => return Target::XRay,
            Some(service) => {
                return Target::Query { service: service.to_owned() };
            }
            None => {}
        }
        if is_lambda_path(path) {
            Target::Lambda
        } else if path == "/"
            && header("content-type")
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        {
            Target::Query { service: String::new() }
        } else {
            Target::S3
        }
    }
}

impl Target {
    /// Bytes a request's body may have, as it is sent.
    pub fn largest_body(&self) -> usize {
        match self {
            Target::Cbor { .. } => LARGEST_METRICS,
            Target::Json { .. }
            | Target::Query { .. }
            | Target::Lambda
            | Target::Scheduler
            | Target::XRay
            | Target::S3 => LARGEST_BODY,
        }
    }
}

/// Lambda's paths begin with an API date, which no bucket name of ours would.
fn is_lambda_path(path: &str) -> bool {
    ["/2015-03-31/functions", "/2015-03-31/event-source-mappings"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// The service in `Credential=<key>/<date>/<region>/<service>/aws4_request`, from the header or a presigned query.
pub fn signing_service(request: &Parts) -> Option<String> {
    // An access key may itself hold slashes, so the scope is read from its end.
    credential(request)?.rsplit('/').nth(1).map(str::to_owned)
}

/// The access key a request is signed with, in either signature version.
pub fn access_key(request: &Parts) -> Option<String> {
    if let Some(credential) = credential(request) {
        return credential.rsplitn(5, '/').nth(4).map(str::to_owned);
    }
    let older = authorization(request).and_then(|text| text.strip_prefix("AWS "));
    if let Some((key, _)) = older.and_then(|text| text.split_once(':')) {
        return Some(key.to_owned());
    }
    let mut pairs = request.uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("AWSAccessKeyId=")).map(str::to_owned)
}

fn authorization(request: &Parts) -> Option<&str> {
    request.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}

fn credential(request: &Parts) -> Option<String> {
    let header = authorization(request).and_then(|text| text.split_once("Credential="));
    if let Some((_, rest)) = header {
        return Some(rest.split(',').next()?.trim().to_owned());
    }
    let mut pairs = request.uri.query()?.split('&');
    let value = pairs.find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
    Some(value.replace("%2F", "/").replace("%2f", "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn target(request: http::request::Builder) -> Target {
        Target::of(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn requests_find_their_service() {
        let scope = |service: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
            )
        };
        let cases = [
            (
                Request::post("/").header("x-amz-target", "AWSGlue.GetTables"),
                Target::Json { prefix: "AWSGlue".into(), action: "GetTables".into() },
            ),
            (
                Request::post("/service/GraniteServiceVersion20100801/operation/PutMetricData")
                    .header("smithy-protocol", "rpc-v2-cbor"),
                Target::Cbor {
                    service: "GraniteServiceVersion20100801".into(),
                    action: "PutMetricData".into(),
                },
            ),
            (
                Request::post("/").header("authorization", scope("sns")),
                Target::Query { service: "sns".into() },
            ),
            (Request::get("/b/k").header("authorization", scope("s3")), Target::S3),
            (Request::get("/b/k"), Target::S3),
            (
                Request::get(
                    "/b/k?X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
                ),
                Target::S3,
            ),
            (
                Request::get("/schedules/x").header("authorization", scope("scheduler")),
                Target::Scheduler,
            ),
            (Request::get("/2015-03-31/functions/"), Target::Lambda),
        ];
        for (request, expected) in cases {
            assert_eq!(target(request), expected);
        }
    }
}
