//! Task: the one state type that does work, by way of the host.

use super::attempt::Attempt;
use crate::definition::{ExecutionType, Fields};
use crate::failure::Trouble;
use crate::quantity::Quantity;
use crate::resource::{Pattern, Resource, ResourceKind};
use crate::template::Template;
use crate::test_state::Trial;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Task {
    resource: Resource,
    timeout: Option<Quantity>,
    heartbeat: Option<Quantity>,
    credentials: Option<Template>,
}

impl Task {
    pub fn parse(fields: &Fields) -> Option<Self> {
        fields.require(&["Resource"]);
        let resource = fields.text("Resource").map(Resource::parse);
        if let Some(resource) = &resource {
            refuse_in_express(fields, resource);
        }
        let timeout = fields.quantity("TimeoutSeconds", "TimeoutSecondsPath");
        let heartbeat = fields.quantity("HeartbeatSeconds", "HeartbeatSecondsPath");
        if let (Some(Quantity::Fixed(timeout)), Some(Quantity::Fixed(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            fields.wrong("HeartbeatSeconds", "HeartbeatSeconds must be less than TimeoutSeconds");
        }
        for (name, quantity) in [("TimeoutSeconds", &timeout), ("HeartbeatSeconds", &heartbeat)] {
            if matches!(quantity, Some(Quantity::Fixed(seconds)) if *seconds < 1.0) {
                fields.wrong(name, "Expected an integer of at least 1");
            }
        }
        if let Some(credentials) = fields.object("Credentials")
            && !credentials.has("RoleArn")
            && !credentials.has("RoleArn.$")
        {
            let message = "The field 'RoleArn' is required but was missing";
            fields.problems.schema(&credentials.at, message);
        }
        Some(Self {
            resource: resource?,
            timeout,
            heartbeat,
            credentials: fields.template("Credentials"),
        })
    }

    pub async fn run(&self, visit: &mut Visit<'_>, variables: &Variables) -> Result<Exit, Trouble> {
        if self.resource.has_token() {
            visit.context.token = Some(visit.run.host.task_token());
        }
        let attempt = self.evaluate(visit, variables)?;
        visit.track.open_state(visit.state.kind.state_type());
        let result = match visit.run.trial.and_then(Trial::mocked) {
            Some(mocked) => mocked?,
            None => attempt.run(visit, &self.resource).await?,
        };
        let exit = visit.exit(result, variables)?;
        visit.track.close();
        Ok(exit)
    }

    fn evaluate(&self, visit: &Visit, variables: &Variables) -> Result<Attempt, Trouble> {
        let input = visit.effective_input(variables)?;
        let scope = visit.scope(&input, variables);
        let seconds = |quantity: &Option<Quantity>| match quantity {
            Some(quantity) => quantity.evaluate(&scope).map(|seconds| Some(whole(seconds))),
            None => Ok(None),
        };
        let timeout_seconds = seconds(&self.timeout)?;
        let heartbeat_seconds = seconds(&self.heartbeat)?;
        let role_arn = match &self.credentials {
            Some(template) => {
                let credentials = template.evaluate(&scope)?;
                credentials["RoleArn"].as_str().map(str::to_owned)
            }
            None => None,
        };
        Ok(Attempt {
            parameters: visit.parameters(&input, variables)?,
            timeout_seconds,
            heartbeat_seconds,
            role_arn,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fractions of a second are dropped, negatives end at once"
)]
fn whole(seconds: f64) -> u64 {
    seconds.max(0.0) as u64
}

/// What EXPRESS state machines do not support.
fn refuse_in_express(fields: &Fields, resource: &Resource) {
    if fields.scheme.execution_type != ExecutionType::Express {
        return;
    }
    let refused = match &resource.kind {
        ResourceKind::Lambda => return,
        ResourceKind::Activity => "Activity ARN".to_owned(),
        ResourceKind::Service { pattern, .. } => match pattern {
            Pattern::RequestResponse => return,
            Pattern::Sync | Pattern::Sync2 => "'.sync' service integration".to_owned(),
            // The space at the end is AWS's.
            Pattern::WaitForTaskToken => "'.waitForTaskToken' service integration ".to_owned(),
        },
    };
    fields.wrong("Resource", format!("Express state machine does not support {refused}"));
}
