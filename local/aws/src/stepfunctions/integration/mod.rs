//! Tasks to services: what `Resource` names, called through the same operations as everything else.
//!
//! Optimised integrations (`arn:aws:states:::sqs:sendMessage`) and the generic ones (`aws-sdk:sqs:sendMessage`) differ
//! as they do on AWS: in the names of errors, in the shape of timestamps, and in what is waited for.

mod athena;
mod lambda;
mod nested;
mod optimised;
mod s3;
mod sdk;
mod shape;

use std::sync::Arc;

use asl::{Failure, Pattern, ResourceKind, TaskCall, TaskFailure, TaskStage, error_name};
use serde_json::Value;
use uuid::Uuid;

use super::StepFunctions;
use crate::Services;
use crate::iam::{Caller, Need};
use crate::stand_in::Call;
use crate::wire::ServiceError;

/// One attempt of a Task.
pub(super) async fn run(
    service: &Arc<StepFunctions>,
    caller: &Caller,
    call: TaskCall,
) -> Result<Value, TaskFailure> {
    let services = service
        .link
        .require()
        .map_err(|error| TaskFailure::from(Failure::new(error_name::RUNTIME, error.to_string())))?;
    let caller = match &call.role_arn {
        None => caller.clone(),
        // `Credentials`: the machine's role takes on another.
        Some(role) => {
            service.authorise(caller, &Need::new("sts:AssumeRole", role.as_str()))?;
            Caller::role(role, Uuid::new_v4().simple().to_string())
        }
    };
    let task = Task { service, services, caller, call: &call };
    match &call.resource.kind {
        ResourceKind::Lambda => Ok(lambda::function(&task).await?),
        ResourceKind::Activity => service.activity_task(&call).await,
        ResourceKind::Service { service, action, pattern } => {
            task.integration(service, action, *pattern).await
        }
    }
}

/// A task on its way, with all that integrations need.
struct Task<'a> {
    service: &'a Arc<StepFunctions>,
    services: Services,
    /// Whose policies the task's calls are held to.
    caller: Caller,
    call: &'a TaskCall,
}

impl Task<'_> {
    async fn integration(
        &self,
        service: &str,
        action: &str,
        pattern: Pattern,
    ) -> Result<Value, TaskFailure> {
        match pattern {
            Pattern::RequestResponse => Ok(self.request(service, action).await?),
            Pattern::WaitForTaskToken => self.wait_for_token(service, action).await,
            Pattern::Sync | Pattern::Sync2 => match (service, action, pattern) {
                ("athena", "startQueryExecution", Pattern::Sync) => athena::query(self).await,
                ("states", "startExecution", _) => nested::execution(self, pattern).await,
                _ => Err(self.not_offered().into()),
            },
        }
    }

    /// One request and its response.
    async fn request(&self, service: &str, action: &str) -> Result<Value, Failure> {
        match service.strip_prefix("aws-sdk:") {
            Some(sdk) => sdk::request(self, sdk, action).await,
            None if (service, action) == ("lambda", "invoke") => lambda::invoke(self).await,
            None => optimised::request(self, service, action).await,
        }
    }

    /// One operation of a service, over the network between.
    async fn dispatch(
        &self,
        service: &'static str,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let call = Call { service, action, input: &input.clone() };
        let (services, caller) = (self.services.clone(), self.caller.clone());
        let operation = action.to_owned();
        let work = async move { services.dispatch_as(&caller, service, &operation, input).await };
        self.services.over_network(call, work).await
    }

    /// The request carries the token; whoever gets it ends the task.
    async fn wait_for_token(&self, service: &str, action: &str) -> Result<Value, TaskFailure> {
        let Some(token) = &self.call.token else {
            return Err(self.not_offered().into());
        };
        // Before the request: its receiver may be quicker than its response.
        let waiting = self.service.callbacks.expect(token, self.call.signals.clone());
        let response = self
            .request(service, action)
            .await
            .map_err(|failure| TaskFailure { failure, stage: TaskStage::Submit })?;
        self.call.signals.submitted(response);
        Ok(waiting.verdict().await?)
    }

    /// The trace header of this call.
    fn trace(&self) -> Option<String> {
        Some(self.service.trace_header(&self.call.execution))
    }

    fn not_offered(&self) -> Failure {
        Failure::new(
            error_name::RUNTIME,
            format!("the resource {} is not offered here", self.call.resource.arn),
        )
    }
}
