//! What a simulation puts in the place of the world outside of these services: functions that run within this
//! process, and a network between Step Functions and the services that fails on demand.
//!
//! Without them functions are processes and every call arrives, as anywhere else.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use crate::lambda::{Ending, Function};
use crate::wire::ServiceError;
use crate::{Services, athena};

/// The parts of the world that are not the usual ones.
#[derive(Clone, Default)]
pub struct StandIns {
    pub functions: Option<Arc<dyn Functions>>,
    pub network: Option<Arc<dyn Network>>,
    /// Draws the jitter of retries.
    pub random: Option<fn() -> u64>,
    pub athena: athena::Limits,
}

/// Runs functions within this process.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Handles one event. The future is dropped when the function's time is up.
    async fn handle(&self, event: FunctionEvent) -> Ending;
}

/// An event on its way to a function.
#[derive(Clone, Debug)]
pub struct FunctionEvent {
    pub function: Function,
    pub request_id: String,
    pub payload: Bytes,
    /// The header that says which trace the invocation belongs to, for the requests it sends.
    pub trace_id: String,
}

/// What lies between Step Functions and the service that a Task calls.
#[async_trait]
pub trait Network: Send + Sync {
    /// Decides what becomes of a call; a delay is waited for here.
    async fn pass(&self, call: &Call<'_>) -> Passage;

    /// After a call that passed as [`Passage::Last`].
    async fn end(&self);
}

/// A call of a Task.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The name that AWS signs requests for: `athena`, `lambda`, …
    pub service: &'a str,
    pub action: &'a str,
    pub input: &'a Value,
}

/// How far a call gets.
#[derive(Clone, Debug)]
pub enum Passage {
    Arrives,
    /// It is not carried out.
    Refused(ServiceError),
    /// It is carried out, and its caller hears nothing.
    AnswerLost,
    /// Its caller gives up at once, while it is being carried out.
    Abandoned,
    /// It is carried out, and everything ends with it.
    Last,
}

impl Services {
    /// Carries out a call of a Task, as far as the network lets it.
    pub(crate) async fn over_network<T: Send + 'static>(
        &self,
        call: Call<'_>,
        work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let Some(network) = &self.0.stand_ins.network else {
            return work.await;
        };
        match network.pass(&call).await {
            Passage::Arrives => work.await,
            Passage::Refused(error) => Err(error),
            Passage::AnswerLost => {
                let _ = work.await;
                Err(lost())
            }
            Passage::Abandoned => {
                tokio::spawn(work);
                Err(lost())
            }
            Passage::Last => {
                let _ = work.await;
                network.end().await;
                Err(lost())
            }
        }
    }
}

/// What the SDK within Step Functions says when a connection breaks.
fn lost() -> ServiceError {
    ServiceError::new("SdkClientException", "Unable to execute HTTP request: Read timed out")
        .status(0)
}
