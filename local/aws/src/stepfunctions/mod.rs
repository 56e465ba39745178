//! Step Functions: state machines, their executions and histories, around the language of `asl`.
//!
//! Path of an execution: `StartExecution` (`execution`) writes its row (`record`) and launches it (`run`); `asl`
//! interprets the definition and asks its host (`host`) for everything outside: tasks go to `integration`, events to
//! the append-only `history`. Executions of a process that has ended are found by its `owner` lock and shown ABORTED.

mod activity;
mod alias;
mod arn;
mod callback;
mod definition;
mod execution;
mod history;
mod host;
mod integration;
mod item_reader;
mod machine;
mod map_run;
mod mock_config;
mod mock_result;
mod permission;
mod record;
mod redrive;
mod result_writer;
pub mod review;
mod run;
mod tag;
mod test_state;
mod trace;
mod version;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::{Definition, Failure, error_name};
use lake::{Database, Lake};
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::eventbridge::Notices;
use crate::iam::{Caller, Need};
use crate::metering::Meters;
use crate::owner::Owner;
use crate::services::Link;
use crate::wire::ServiceError;
use crate::xray::XRay;

pub use mock_config::MockConfig;
pub use review::review;

use activity::Activities;
use alias::Alias;
use callback::Callbacks;
use history::Histories;
use machine::{Machine, Revision};
use map_run::MapRun;
use mock_config::MockedCase;
use record::Executions;
use run::Running;
use version::Version;

/// The Step Functions service.
pub struct StepFunctions {
    settings: Arc<Settings>,
    lake: Lake,
    link: Link,
    notices: Notices,
    meters: Arc<Meters>,
    xray: Arc<XRay>,
    machines: Collection<Machine>,
    revisions: Collection<Revision>,
    versions: Collection<Version>,
    aliases: Collection<Alias>,
    map_runs: Collection<MapRun>,
    executions: Executions,
    histories: Histories,
    callbacks: Callbacks,
    activities: Activities,
    owner: Owner,
    state: Mutex<State>,
}

/// What lives in this process alone.
#[derive(Default)]
struct State {
    /// By execution ARN.
    running: HashMap<String, Running>,
    /// Parsed definitions, by revision.
    definitions: HashMap<String, Arc<Definition>>,
    /// By execution ARN.
    redrives: HashMap<String, redrive::Token>,
    /// By execution ARN.
    mocked: HashMap<String, Arc<MockedCase>>,
}

impl StepFunctions {
    pub fn open(
        lake: &Lake,
        settings: Arc<Settings>,
        link: Link,
        notices: Notices,
        meters: Arc<Meters>,
        xray: Arc<XRay>,
    ) -> Result<Arc<Self>, ServiceError> {
        let database: &Arc<Database> = lake.database();
        let service = Arc::new(StepFunctions {
            machines: Collection::open(database, "states/machine")?,
            revisions: Collection::open(database, "states/revision")?,
            versions: Collection::open(database, "states/version")?,
            aliases: Collection::open(database, "states/alias")?,
            map_runs: Collection::open(database, "states/map-run")?,
            executions: Executions::open(database)?,
            histories: Histories::open(database)?,
            callbacks: Callbacks::default(),
            activities: Activities::open(database)?,
            owner: Owner::claim(database, "owners")?,
            state: Mutex::default(),
            lake: lake.clone(),
            settings,
            link,
            notices,
            meters,
            xray,
        });
        service.abandon_orphans()?;
        Self::attend(Arc::downgrade(&service));
        Ok(service)
    }

    pub async fn operation(
        self: &Arc<Self>,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        match action {
            "StartSyncExecution" => self.start_sync_execution(input).await,
            "TestState" => self.test_state(input).await,
            "GetActivityTask" => self.get_activity_task(&input).await,
            "CreateStateMachine" => self.create_state_machine(input),
            "UpdateStateMachine" => self.update_state_machine(input),
            "DescribeStateMachine" => self.describe_state_machine(&input),
            "DescribeStateMachineForExecution" => self.describe_state_machine_for_execution(&input),
            "ListStateMachines" => self.list_state_machines(&input),
            "DeleteStateMachine" => self.delete_state_machine(&input),
            "ValidateStateMachineDefinition" => Self::validate_state_machine_definition(&input),
            "PublishStateMachineVersion" => self.publish_state_machine_version(&input),
            "ListStateMachineVersions" => self.list_state_machine_versions(&input),
            "DeleteStateMachineVersion" => self.delete_state_machine_version(&input),
            "CreateStateMachineAlias" => self.create_state_machine_alias(input),
            "UpdateStateMachineAlias" => self.update_state_machine_alias(input),
            "DescribeStateMachineAlias" => self.describe_state_machine_alias(&input),
            "ListStateMachineAliases" => self.list_state_machine_aliases(&input),
            "DeleteStateMachineAlias" => self.delete_state_machine_alias(&input),
            "StartExecution" => self.start_execution(input),
            "StopExecution" => self.stop_execution(&input),
            "DescribeExecution" => self.describe_execution(&input),
            "ListExecutions" => self.list_executions(&input),
            "RedriveExecution" => self.redrive_execution(input),
            "GetExecutionHistory" => self.get_execution_history(&input),
            "ListMapRuns" => self.list_map_runs(&input),
            "DescribeMapRun" => self.describe_map_run(&input),
            "UpdateMapRun" => self.update_map_run(&input),
            "SendTaskSuccess" => self.send_task_success(&input),
            "SendTaskFailure" => self.send_task_failure(&input),
            "SendTaskHeartbeat" => self.send_task_heartbeat(&input),
            "CreateActivity" => self.create_activity(&input),
            "DescribeActivity" => self.describe_activity(&input),
            "ListActivities" => self.list_activities(&input),
            "DeleteActivity" => self.delete_activity(&input),
            "TagResource" => self.tag_resource(&input),
            "UntagResource" => self.untag_resource(&input),
            "ListTagsForResource" => self.list_tags_for_resource(&input),
            _ => Err(ServiceError::unknown_operation("Step Functions", action)),
        }
    }

    /// Whether a role may do what Step Functions is to do for it.
    fn authorise(&self, caller: &Caller, need: &Need) -> Result<(), Failure> {
        let allowed =
            self.link.services().map_or(Ok(()), |services| services.authorise(caller, need));
        allowed.map_err(|refusal| Failure::new(error_name::PERMISSIONS, refusal.message()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Epoch seconds, as awsJson has timestamps.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// A text member that must be there.
fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member].as_str().ok_or_else(|| {
        ServiceError::new(
            "ValidationException",
            format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"),
        )
    })
}
