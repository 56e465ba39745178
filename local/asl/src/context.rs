//! The context object: `$$` in `JSONPath`, `$states.context` in `JSONata`.

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::execution::ExecutionContext;

/// The item an iteration works on.
#[derive(Debug, Clone)]
pub(crate) struct MapItem {
    pub index: usize,
    pub value: Arc<Value>,
}

impl MapItem {
    fn to_json(&self) -> Value {
        json!({"Item": {"Index": self.index, "Value": self.value.as_ref()}})
    }
}

/// What a state knows of its surroundings, turned into JSON when asked for.
#[derive(Debug, Clone)]
pub(crate) struct StateContext {
    pub execution: Arc<ExecutionContext>,
    pub name: Arc<str>,
    pub entered: Timestamp,
    pub retry_count: Option<u32>,
    pub token: Option<String>,
    pub item: Option<MapItem>,
    /// What `TestState` was given in place of all this.
    pub given: Option<Arc<Value>>,
}

impl StateContext {
    fn to_json(&self) -> Value {
        if let Some(given) = &self.given {
            let mut given = given.as_ref().clone();
            if let (Some(item), Some(members)) = (&self.item, given.as_object_mut()) {
                members.insert("Map".into(), item.to_json());
            }
            return given;
        }
        let execution = &self.execution;
        let mut context = Map::new();
        context.insert(
            "Execution".into(),
            json!({
                "Id": execution.execution_arn,
                "Input": execution.input.as_ref(),
                "StartTime": iso(execution.start_time),
                "Name": execution.execution_name,
                // A state may be tested without one.
                "RoleArn": (!execution.role_arn.is_empty()).then_some(&execution.role_arn),
            }),
        );
        if !execution.synchronous {
            context["Execution"]["RedriveCount"] = json!(execution.redrive_count);
        }
        if let Some(time) = execution.redrive_time {
            context["Execution"]["RedriveTime"] = json!(iso(time));
        }
        context.insert(
            "StateMachine".into(),
            json!({"Id": execution.state_machine_arn, "Name": execution.state_machine_name}),
        );
        let mut state = Map::new();
        state.insert("Name".into(), json!(self.name.as_ref()));
        state.insert("EnteredTime".into(), json!(iso(self.entered)));
        if let Some(count) = self.retry_count {
            state.insert("RetryCount".into(), json!(count));
        }
        context.insert("State".into(), Value::Object(state));
        if let Some(token) = &self.token {
            context.insert("Task".into(), json!({"Token": token}));
        }
        if let Some(item) = &self.item {
            context.insert("Map".into(), item.to_json());
        }
        Value::Object(context)
    }
}

/// A state's context with its JSON made at most once.
pub(crate) struct Context<'a> {
    state: &'a StateContext,
    json: OnceCell<Value>,
}

impl<'a> Context<'a> {
    pub fn of(state: &'a StateContext) -> Self {
        Self { state, json: OnceCell::new() }
    }

    pub fn json(&self) -> &Value {
        self.json.get_or_init(|| self.state.to_json())
    }

    /// The commonest of all context paths, without the rest of the object.
    pub fn item_value(&self) -> Option<&'a Value> {
        self.state.item.as_ref().map(|item| item.value.as_ref())
    }
}

/// `2024-11-13T15:21:53.123Z`, as AWS writes times in the context object.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
