//! The SDK's way to the services without a socket, through the gate.

use std::fmt;
use std::sync::Arc;

use aws::wire::Body;
use aws::{Link, Services};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::header::{HOST, HeaderValue};
use http::{Request, Response};

use super::fault::{CallSite, Caller, Fault};
use super::functions::Crash;
use super::gate::{Gate, Verdict};
use super::observer::Observer;

/// One function's connection to the services.
#[derive(Clone)]
pub struct Connector {
    pub link: Link,
    pub gate: Arc<Gate>,
    pub observer: Arc<Observer>,
    pub function: String,
    /// Sent with every request, as the SDK does in Lambda.
    pub trace_id: String,
    pub crash: Crash,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.function)
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.send(request).await })
    }
}

impl Connector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| broken(error.to_string()))?;
        let site = self.site(&request);
        match self.gate.call(&site) {
            Verdict::Pass => self.carry_out(request).await,
            Verdict::Fail(fault) => self.fail(fault, &site, request).await,
        }
    }

    async fn fail(
        &self,
        fault: Fault,
        site: &CallSite,
        request: Request<SdkBody>,
    ) -> Result<HttpResponse, ConnectorError> {
        match fault {
            Fault::Refused | Fault::Outage => answer(busy(&site.service)),
            Fault::AnswerLost => {
                self.carry_out(request).await?;
                Err(broken("connection reset by peer".to_owned()))
            }
            Fault::Delayed(pause) => {
                tokio::time::sleep(pause).await;
                self.carry_out(request).await
            }
            Fault::CrashBefore => self.crash.now().await,
            Fault::CrashAfter | Fault::Zombie | Fault::Litter => {
                self.carry_out(request).await?;
                self.crash.now().await
            }
            Fault::KillBefore => self.gate.kill().await,
            Fault::KillAfter => {
                self.carry_out(request).await?;
                self.gate.kill().await
            }
        }
    }

    async fn carry_out(&self, request: Request<SdkBody>) -> Result<HttpResponse, ConnectorError> {
        let services = self.services()?;
        let mut request = request.map(Body::http_body_unsync);
        if let Some(host) = request.uri().authority().and_then(|host| host.as_str().parse().ok()) {
            request.headers_mut().entry(HOST).or_insert(host);
        }
        if let Ok(trace_id) = HeaderValue::from_str(&self.trace_id) {
            request.headers_mut().insert("x-amzn-trace-id", trace_id);
        }
        let response = services.call(request).await;
        self.observer.look(&services).await;
        answer(response)
    }

    fn services(&self) -> Result<Services, ConnectorError> {
        self.link.services().ok_or_else(|| broken("the services have gone".to_owned()))
    }

    fn site(&self, request: &Request<SdkBody>) -> CallSite {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let path = request.uri().path();
        let (service, action) = if let Some(target) = header("x-amz-target") {
            let (prefix, action) = target.split_once('.').unwrap_or(("", target));
            (
                prefix.trim_start_matches("Amazon").trim_start_matches("AWS").to_lowercase(),
                action.to_owned(),
            )
        } else if let Some(operation) = path.strip_prefix("/service/") {
            ("cloudwatch".to_owned(), operation.rsplit('/').next().unwrap_or_default().to_owned())
        } else {
            let query = request.uri().query().filter(|query| !query.starts_with("x-id"));
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            ("s3".to_owned(), format!("{} {path}{query}", request.method()))
        };
        CallSite { caller: Caller::Function, from: self.function.clone(), service, action }
    }
}

fn answer(response: Response<Body>) -> Result<HttpResponse, ConnectorError> {
    HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
        .map_err(|error| broken(error.to_string()))
}

/// What a service says when it is asked too much.
fn busy(service: &str) -> Response<Body> {
    let (status, body) = match service {
        "s3" => (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>".to_owned()),
        _ => (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
    if service == "cloudwatch" {
        // Not CBOR: the client takes it for a broken answer, and the metric is lost.
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

fn broken(reason: String) -> ConnectorError {
    ConnectorError::io(reason.into())
}
