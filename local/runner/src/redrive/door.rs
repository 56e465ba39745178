//! Ways to SQS and Step Functions: within this process, or over the network with the caller's own credentials.
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use thiserror::Error;

use crate::cloud::{CallError, Cloud};

/// Where requests go.
pub enum Door<'a> {
    Here(&'a Cloud),
    Remote(Remote),
}

/// An account on the network: AWS, or an endpoint that answers as AWS does.
pub struct Remote {
    client: reqwest::Client,
    credentials: SharedCredentialsProvider,
    region: String,
    /// Instead of AWS's own.
    endpoint: Option<String>,
}

#[derive(Debug, Error)]
pub enum DoorError {
    #[error(transparent)]
    Local(#[from] CallError),
    #[error("{service} {action} was refused: {code}: {message}")]
    Refused { service: String, action: String, code: String, message: String },
    #[error("{place} cannot be reached: {reason}")]
    Unreachable { place: String, reason: String },
    #[error(
        "no credentials: {0}; give them by the environment, a profile, or `aws configure export-credentials --format env`"
    )]
    Credentials(String),
    #[error("no region: give --region, or set AWS_REGION")]
    Region,
    #[error("a request could not be signed: {0}")]
    Signing(String),
}

impl DoorError {
    /// AWS's error code, where AWS answered.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Local(error) => Some(error.code()),
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl Door<'_> {
    /// One operation of a service that speaks AWS's JSON.
    pub async fn call(
        &self,
        service: &str,
        action: &str,
        input: Value,
    ) -> Result<Value, DoorError> {
        match self {
            Self::Here(cloud) => Ok(cloud.call(service, action, input).await?),
            Self::Remote(remote) => remote.call(service, action, &input).await,
        }
    }
}

impl Remote {
    /// Credentials and region come from where AWS's tools look for them.
    pub async fn open(region: Option<String>, endpoint: Option<String>) -> Result<Self, DoorError> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let known = config.region().map(ToString::to_string);
        let credentials = config.credentials_provider();
        Ok(Self {
            client: reqwest::Client::new(),
            credentials: credentials
                .ok_or_else(|| DoorError::Credentials("none are configured".to_owned()))?,
            region: region.or(known).ok_or(DoorError::Region)?,
            endpoint: endpoint.or_else(|| config.endpoint_url().map(str::to_owned)),
        })
    }

    #[cfg(test)]
    pub fn test(endpoint: &str) -> Self {
        let credentials =
            aws_credential_types::Credentials::new("local", "local", None, None, "test");
        Self {
            client: reqwest::Client::new(),
            credentials: SharedCredentialsProvider::new(credentials),
            region: "us-east-1".to_owned(),
            endpoint: Some(endpoint.to_owned()),
        }
    }

    async fn call(&self, service: &str, action: &str, input: &Value) -> Result<Value, DoorError> {
        let place = match &self.endpoint {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => format!("https://{service}.{}.{}/", self.region, suffix(&self.region)),
        };
        let unreachable = |error: reqwest::Error| DoorError::Unreachable {
            place: place.clone(),
            reason: error.to_string(),
        };
        let request = self.signed(service, action, &place, input.to_string()).await?;
        let response = self.client.execute(request).await.map_err(unreachable)?;
        let succeeded = response.status().is_success();
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if succeeded {
            return Ok(answer);
        }
        let code = answer["__type"].as_str().unwrap_or(status.as_str());
        let message = answer["message"].as_str().or(answer["Message"].as_str());
        Err(DoorError::Refused {
            service: service.to_owned(),
            action: action.to_owned(),
            code: code.rsplit('#').next().unwrap_or(code).to_owned(),
            message: message.unwrap_or_default().to_owned(),
        })
    }

    async fn signed(
        &self,
        service: &str,
        action: &str,
        place: &str,
        body: String,
    ) -> Result<reqwest::Request, DoorError> {
        let credentials = self.credentials.provide_credentials().await;
        let credentials = credentials.map_err(|error| DoorError::Credentials(error.to_string()))?;
        let identity = credentials.into();
        let signing = |error: String| DoorError::Signing(error);
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| signing(error.to_string()))?
            .into();
        let target = format!("{}.{action}", prefix(service));
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &*target)];
        let signable = SignableRequest::new(
            "POST",
            place,
            headers.into_iter(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let signable = signable.map_err(|error| signing(error.to_string()))?;
        let instructions =
            sign(signable, &parameters).map_err(|error| signing(error.to_string()))?;
        let mut request = http::Request::post(place);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let mut request = request.body(body).map_err(|error| signing(error.to_string()))?;
        instructions.into_parts().0.apply_to_request_http1x(&mut request);
        request.try_into().map_err(|error: reqwest::Error| signing(error.to_string()))
    }
}

/// The prefix of `X-Amz-Target`.
fn prefix(service: &str) -> &'static str {
    match service {
        "sqs" => "AmazonSQS",
        _ => "AWSStepFunctions",
    }
}

/// The domain of a region's partition.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}
