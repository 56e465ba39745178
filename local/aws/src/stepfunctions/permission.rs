//! What Step Functions does with a machine's role beside its tasks: taking it on, delivering logs, sending traces.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>

use asl::ExecutionContext;
use serde_json::Value;

use super::StepFunctions;
use crate::iam::{Caller, Need};
use crate::wire::ServiceError;

/// Actions of log delivery, which know no resources: a delivery is made, changed, and taken away.
pub(super) const CREATE: [&str; 6] = [
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:PutResourcePolicy",
    "logs:ListLogDeliveries",
    "logs:GetLogDelivery",
    "logs:CreateLogDelivery",
];
pub(super) const UPDATE: [&str; 3] =
    ["logs:ListLogDeliveries", "logs:GetLogDelivery", "logs:UpdateLogDelivery"];
pub(super) const DELETE: [&str; 1] = ["logs:DeleteLogDelivery"];

/// Traces begin with a question about sampling, and end with what was sampled.
pub(super) const TRACES_BEGIN: [&str; 2] = ["xray:GetSamplingRules", "xray:GetSamplingTargets"];
pub(super) const TRACES_END: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];

const SESSION: &str = "states";

impl StepFunctions {
    pub(super) fn check_trust(&self, machine: &str, role: &str) -> Result<(), ServiceError> {
        let Some(services) = self.link.services() else { return Ok(()) };
        services.assume("states.amazonaws.com", machine, role).map_err(|_| {
            ServiceError::new(
                "AccessDeniedException",
                "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
            )
        })
    }

    /// The role must be allowed to see to the delivery of logs, where there are any.
    pub(super) fn check_logging(
        &self,
        role: &str,
        logging: Option<&Value>,
        actions: &[&'static str],
    ) -> Result<(), ServiceError> {
        let is_on = |logging: &Value| {
            logging["destinations"].as_array().is_some_and(|destinations| !destinations.is_empty())
                && logging["level"] != "OFF"
        };
        if !logging.is_some_and(is_on) {
            return Ok(());
        }
        let caller = Caller::role(role, SESSION);
        for action in actions {
            self.authorise(&caller, &Need::new(*action, "*")).map_err(|_| {
                ServiceError::new(
                    "AccessDeniedException",
                    "The state machine IAM Role is not authorized to access the Log Destination",
                )
            })?;
        }
        Ok(())
    }

    /// Traces of an execution, if its machine has them on. Without permission there are none.
    pub(super) fn trace(&self, context: &ExecutionContext, actions: &[&'static str]) {
        let is_on = self.is_traced(context);
        let Some(services) = self.link.services().filter(|_| is_on) else { return };
        let caller = Caller::role(&context.role_arn, SESSION);
        for action in actions {
            services.authorise_quietly(&caller, &Need::new(*action, "*"));
        }
    }
}
