//! The local account: all services on one data directory, answering on one loopback port.
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use aws::lake::{Lake, LakeError};
use aws::wire::{Body, ServiceError};
use aws::{Front, Services, Settings};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::template::Account;

/// A running account. When it is dropped its port closes and its functions end.
pub struct Cloud {
    services: Services,
    /// None answers within this process alone.
    server: Option<JoinHandle<io::Result<()>>>,
}

/// Who the account is and where it answers.
#[derive(Clone, Debug)]
pub struct Address {
    /// 0 takes a free port.
    pub port: u16,
    pub region: String,
    pub account_id: String,
    /// Whether roles are accepted that nobody created, and not held to policies they were not given.
    pub any_role: bool,
    /// Mocked services, in the file format of Step Functions Local.
    pub mock_config: Option<PathBuf>,
}

impl Default for Address {
    fn default() -> Self {
        Self {
            port: 0,
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            any_role: false,
            mock_config: None,
        }
    }
}

#[derive(Debug, Error)]
pub enum CloudError {
    #[error("the data directory {path} cannot be opened")]
    Lake { path: PathBuf, source: LakeError },
    #[error("port {port} of 127.0.0.1 cannot be used; choose another with --port")]
    Port { port: u16, source: io::Error },
    #[error("the services cannot start: {0}")]
    Services(ServiceError),
}

/// An operation that the account refused.
#[derive(Debug, Error)]
#[error("{service} {action}: {error}")]
pub struct CallError {
    pub service: String,
    pub action: String,
    pub error: ServiceError,
}

impl CallError {
    pub fn code(&self) -> &str {
        &self.error.code
    }
}

impl Cloud {
    /// Opens a data directory and answers on its port; `front` sees every request first.
    pub async fn open(
        data_dir: &Path,
        address: &Address,
        front: impl FnOnce(Services) -> Option<Front>,
    ) -> Result<Self, CloudError> {
        let lake = Lake::open(data_dir)
            .map_err(|source| CloudError::Lake { path: data_dir.to_owned(), source })?;
        Self::on(lake, address, front).await
    }

    /// An account that leaves nothing behind.
    pub async fn temporary() -> Result<Self, CloudError> {
        let path = std::env::temp_dir();
        let lake = Lake::temporary().map_err(|source| CloudError::Lake { path, source })?;
        Self::on(lake, &Address::default(), |_| None).await
    }

    async fn on(
        lake: Lake,
        address: &Address,
        front: impl FnOnce(Services) -> Option<Front>,
    ) -> Result<Self, CloudError> {
        let unusable = |source| CloudError::Port { port: address.port, source };
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, address.port)).await.map_err(unusable)?;
        let local = listener.local_addr().map_err(unusable)?;
        let settings = Settings {
            account_id: address.account_id.clone(),
            region: address.region.clone(),
            endpoint: format!("http://{local}"),
            any_role: address.any_role,
            mock_config: address.mock_config.clone(),
        };
        let services = Services::open(lake, settings).map_err(CloudError::Services)?;
        let server = tokio::spawn(services.clone().serve(listener, front(services.clone())));
        Ok(Self { services, server: Some(server) })
    }

    /// An account whose services stand already, and answer within this process alone.
    pub fn within(services: Services) -> Self {
        Self { services, server: None }
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    /// `http://127.0.0.1:PORT`
    pub fn endpoint(&self) -> &str {
        &self.services.settings().endpoint
    }

    /// As the template needs to know it.
    pub fn account(&self, stack_name: &str) -> Account {
        let settings = self.services.settings();
        Account {
            id: settings.account_id.clone(),
            region: settings.region.clone(),
            endpoint: settings.endpoint.clone(),
            stack_name: stack_name.to_owned(),
        }
    }

    /// One operation of a service, by the name AWS signs requests for.
    pub async fn call(
        &self,
        service: &str,
        action: &str,
        input: Value,
    ) -> Result<Value, CallError> {
        call(&self.services, service, action, input).await
    }

    /// One S3 request; the path is `/bucket?…` or `/bucket/key`.
    pub async fn s3(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<(), CallError> {
        let failed = |code: String, message: String| CallError {
            service: "s3".to_owned(),
            action: format!("{method} {path}"),
            error: ServiceError::new(code, message),
        };
        let host = self.endpoint().trim_start_matches("http://");
        let body: Bytes = body.into();
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(http::header::HOST, host)
            .header(http::header::CONTENT_LENGTH, body.len())
            .body(Body::from(body))
            .map_err(|error| failed("InvalidURI".to_owned(), error.to_string()))?;
        let response = self.services.call(request).await;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_FOUND && method == Method::DELETE {
            return Ok(());
        }
        let text = response
            .into_body()
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let code = text
            .split("<Code>")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .unwrap_or(status.as_str());
        Err(failed(code.to_owned(), text.clone()))
    }
}

/// One operation of a service, in process.
pub async fn call(
    services: &Services,
    service: &str,
    action: &str,
    input: Value,
) -> Result<Value, CallError> {
    let failed =
        |error| CallError { service: service.to_owned(), action: action.to_owned(), error };
    services.dispatch(service, action, input).await.map_err(failed)
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
