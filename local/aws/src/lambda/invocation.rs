//! Invoke: from the caller's payload to the function's answer.

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Lambda;
use super::function::Function;
use super::instance::Event;
use super::runtime_api::LARGEST_RESPONSE;
use crate::wire::ServiceError;
use crate::xray::TraceHeader;

/// The largest payload of an asynchronous invocation, bytes (1 MB since 2025).
const LARGEST_ASYNCHRONOUS: usize = 1024 * 1024;

/// The answer to a synchronous invocation: HTTP 200 whatever the function said.
#[derive(Clone, Debug)]
pub struct Answer {
    pub request_id: String,
    pub payload: Bytes,
    /// `X-Amz-Function-Error`
    pub function_error: Option<&'static str>,
    /// The last 4 KB of the log.
    pub tail: String,
}

/// An invocation as it reaches the service.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub function: Function,
    pub payload: Bytes,
    /// `X-Amzn-Trace-Id`; made up when the caller has none.
    pub trace_id: Option<String>,
}

impl Lambda {
    /// Resolves the function and checks the payload; refuses as Invoke does.
    pub fn prepare(
        &self,
        input: &Value,
        payload: Bytes,
        trace_id: Option<String>,
    ) -> Result<Invocation, ServiceError> {
        let function = self.named(input)?;
        if payload.len() > LARGEST_RESPONSE {
            return Err(ServiceError::new(
                "RequestTooLargeException",
                format!(
                    "{} byte payload is too large for the RequestResponse invocation type (limit {LARGEST_RESPONSE} bytes)",
                    payload.len()
                ),
            )
            .status(413));
        }
        if !payload.is_empty()
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload)
        {
            return Err(ServiceError::new(
                "InvalidRequestContentException",
                format!("Could not parse request body into json: {error}"),
            )
            .with("Type", "User"));
        }
        let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
        Ok(Invocation { function, payload, trace_id })
    }

    /// A synchronous invocation. As on AWS the function runs on when the caller goes away.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Answer, ServiceError> {
        let pool = self.pool.clone();
        let request_id = Uuid::new_v4().to_string();
        let running = tokio::spawn(async move {
            let caller = invocation.trace_id.as_deref().and_then(TraceHeader::parse);
            let caller = caller.unwrap_or_else(|| TraceHeader::new(invocation.function.traced));
            let event = Event {
                function: &invocation.function,
                request_id: &request_id,
                payload: invocation.payload,
                trace: &caller.child(),
                caller: caller.parent.as_deref(),
            };
            pool.invoke(&event).await
        });
        running.await.map_err(ServiceError::internal)?
    }

    /// Invocation by JSON, for Step Functions and other services: `{"FunctionName", "Payload", "InvocationType"}`.
    /// `trace_id` is the caller's trace header.
    pub async fn invoke_json(
        &self,
        input: &Value,
        trace_id: Option<String>,
    ) -> Result<(u16, Option<Answer>), ServiceError> {
        let payload = match &input["Payload"] {
            Value::Null => Bytes::new(),
            payload => payload.to_string().into(),
        };
        let invocation = self.prepare(input, payload, trace_id)?;
        self.start(invocation, input["InvocationType"].as_str()).await
    }

    /// Dispatches on the invocation type: 200 with an answer, 202 or 204 without.
    pub async fn start(
        &self,
        invocation: Invocation,
        kind: Option<&str>,
    ) -> Result<(u16, Option<Answer>), ServiceError> {
        match kind {
            None | Some("RequestResponse") => Ok((200, Some(self.invoke(invocation).await?))),
            Some("DryRun") => Ok((204, None)),
            Some("Event") if invocation.payload.len() > LARGEST_ASYNCHRONOUS => {
                Err(ServiceError::new(
                    "RequestTooLargeException",
                    format!(
                        "{} byte payload is too large for the Event invocation type (limit {LARGEST_ASYNCHRONOUS} bytes)",
                        invocation.payload.len()
                    ),
                )
                .status(413))
            }
            Some("Event") => {
                self.queue(invocation);
                Ok((202, None))
            }
            Some(other) => Err(ServiceError::new(
                "ValidationException",
                format!("1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"),
            )),
        }
    }
}

/// The error document of an answer, or what stands in for one.
pub fn error_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.payload).unwrap_or_else(|_| json!({}))
}
