//! S3: bytes over HTTP, on the lake's store.
//!
//! `s3s` speaks the protocol (routes, XML, headers); [`backend`] lists the operations there are, and the other files
//! are the operations. What is not listed answers `NotImplemented` with its name.
//!
//! Any signature is accepted, and none: nobody but this machine can ask. What a role's credentials may do is up to its
//! policies ([`authority`]). Which bytes were sent is checked all the same, by every checksum the client gives.

#![expect(
    clippy::needless_pass_by_value,
    reason = "s3s hands requests over, whether they are used up or not"
)]

use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};
use lake::Store;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode};
use uuid::Uuid;

use crate::Settings;
use crate::iam::Caller;
use crate::metering::{Meters, Sender, kind_of_s3, of_request};
use crate::services::Link;
use crate::wire::{Body, ServiceError};

mod admission;
mod attributes;
mod authority;
mod backend;
mod bucket;
mod checksum;
mod chunked;
mod condition;
mod copy;
mod document;
mod error;
mod listing;
mod object;
mod part;
mod tagging;
#[cfg(test)]
mod tests;
mod transfer;
mod upload;

use backend::Backend;

/// The S3 service. Cheap to clone.
#[derive(Clone)]
pub struct S3 {
    service: S3Service,
    meters: Arc<Meters>,
}

impl S3 {
    pub fn new(store: Store, settings: Arc<Settings>, meters: Arc<Meters>, link: Link) -> Self {
        Self { service: S3ServiceBuilder::new(Backend { store, settings, link }).build(), meters }
    }

    /// Answers one request, with the bucket in the path (`/bucket/key`) or before the host (`bucket.localhost`).
    /// Objects' bytes stream through, both ways. A caller that cannot be told is refused.
    pub async fn call(
        &self,
        caller: Result<Caller, ServiceError>,
        mut request: Request<Body>,
    ) -> Response<Body> {
        let is_head = request.method() == http::Method::HEAD;
        let admitted = caller
            .map_err(|error| S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, error.message))
            .and_then(|caller| {
                let sender = Sender::of(&caller);
                request.extensions_mut().insert(caller);
                Ok((sender, admission::admit(request)?))
            });
        let admitted = match admitted {
            Ok((sender, admitted)) => self.counted(sender, admitted).await,
            Err(error) => {
                error.to_http_response().map_err(|error| s3s::HttpError::new(Box::new(error)))
            }
        };
        let mut response = admitted.unwrap_or_else(|error| {
            tracing::error!(?error, "an answer of S3 could not be written");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        });
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().simple().to_string()) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        // Errors are XML to s3s, but these answers have no body.
        if is_head || response.status() == StatusCode::NOT_MODIFIED {
            *response.body_mut() = Body::empty();
        }
        response
    }

    /// Everything is billed but what fails by S3's own fault.
    async fn counted(
        &self,
        sender: Sender,
        request: Request<Body>,
    ) -> Result<Response<Body>, s3s::HttpError> {
        let (parts, body) = request.into_parts();
        let counted = kind_of_s3(&parts).map(|kind| of_request(sender, &parts.headers, "s3", kind));
        let answered = self.service.call(Request::from_parts(parts, body)).await;
        let failed = answered.as_ref().map_or(true, |response| response.status().is_server_error());
        if let Some(counted) = counted.filter(|_| !failed) {
            self.meters.count(counted, 1);
        }
        answered
    }
}
