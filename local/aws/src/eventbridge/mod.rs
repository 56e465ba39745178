//! EventBridge: events of this account's services and of clients, and the rules that send them on.
//!
//! Own implementation: `winterbaume-eventbridge` keeps rules in memory and never fires them.

mod delivery;
mod event;
mod notice;
mod pattern;
mod rule;
mod transformer;
mod wildcard;

use std::sync::Arc;

use lake::Lake;
use lake::store::ObjectEvent;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::Settings;
use crate::collection::Collection;
use crate::services::Link;
use crate::wire::ServiceError;

pub use delivery::{Delivery, Sender};
pub use notice::{Notice, Notices};
pub use pattern::Pattern;
pub use rule::Rule;

/// The EventBridge service.
pub struct EventBridge {
    settings: Arc<Settings>,
    link: Link,
    rules: Collection<Rule>,
    /// Custom buses by name; `default` is always there.
    buses: Collection<Value>,
}

/// Where the bus gets its events from.
pub struct Sources {
    pub notices: UnboundedReceiver<Notice>,
    pub objects: UnboundedReceiver<ObjectEvent>,
}

impl EventBridge {
    pub fn open(lake: &Lake, settings: Arc<Settings>, link: Link) -> Result<Self, ServiceError> {
        Ok(EventBridge {
            settings,
            link,
            rules: Collection::open(lake.database(), "events/rule")?,
            buses: Collection::open(lake.database(), "events/bus")?,
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "PutEvents" => self.put_events(&input),
            "TestEventPattern" => test_event_pattern(&input),
            "PutRule" => self.put_rule(input),
            "DescribeRule" => self.describe_rule(&input),
            "ListRules" => self.list_rules(&input),
            "EnableRule" => self.set_enabled(&input, true),
            "DisableRule" => self.set_enabled(&input, false),
            "DeleteRule" => self.delete_rule(&input),
            "PutTargets" => self.put_targets(&input),
            "RemoveTargets" => self.remove_targets(&input),
            "ListTargetsByRule" => self.list_targets_by_rule(&input),
            "ListRuleNamesByTarget" => self.list_rule_names_by_target(&input),
            "CreateEventBus" => self.create_event_bus(&input),
            "DescribeEventBus" => self.describe_event_bus(&input),
            "ListEventBuses" => self.list_event_buses(),
            "DeleteEventBus" => self.delete_event_bus(&input),
            _ => Err(ServiceError::unknown_operation("EventBridge", action)),
        }
    }

    fn bus_arn(&self, bus: &str) -> String {
        self.settings.arn("events", &format!("event-bus/{bus}"))
    }

    fn require_bus(&self, bus: &str) -> Result<(), ServiceError> {
        if bus == "default" || self.buses.get(bus)?.is_some() {
            return Ok(());
        }
        Err(ServiceError::new(
            "ResourceNotFoundException",
            format!("Event bus {bus} does not exist."),
        ))
    }

    fn create_event_bus(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().unwrap_or_default();
        if name.is_empty() || name.contains('/') || name == "default" {
            return Err(ServiceError::new(
                "ValidationException",
                "Name is not valid for an event bus",
            ));
        }
        if !self.buses.insert(name, &json!({}))? {
            return Err(ServiceError::new(
                "ResourceAlreadyExistsException",
                format!("Event bus {name} already exists."),
            ));
        }
        Ok(json!({"EventBusArn": self.bus_arn(name)}))
    }

    fn describe_event_bus(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().unwrap_or("default");
        self.require_bus(name)?;
        Ok(json!({"Name": name, "Arn": self.bus_arn(name)}))
    }

    fn list_event_buses(&self) -> Result<Value, ServiceError> {
        let custom = self.buses.list("")?;
        let names =
            std::iter::once("default".to_owned()).chain(custom.into_iter().map(|(name, _)| name));
        let buses: Vec<Value> =
            names.map(|name| json!({"Arn": self.bus_arn(&name), "Name": name})).collect();
        Ok(json!({"EventBuses": buses}))
    }

    fn delete_event_bus(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().unwrap_or_default();
        if name == "default" {
            return Err(ServiceError::new(
                "ValidationException",
                "Cannot delete event bus default.",
            ));
        }
        self.buses.delete(name)?;
        Ok(Value::Null)
    }

    /// Sends on what the account's services say. Ends with the services.
    pub async fn listen(link: Link, mut sources: Sources) {
        loop {
            let notice = tokio::select! {
                notice = sources.notices.recv() => notice,
                object = sources.objects.recv() => object.map(|object| Notice::of_object(&object)),
            };
            let (Some(notice), Some(services)) = (notice, link.services()) else {
                return;
            };
            if let Err(error) = services.eventbridge().publish(&notice) {
                tracing::error!(%error, "an event could not be sent on");
            }
        }
    }
}

fn test_event_pattern(input: &Value) -> Result<Value, ServiceError> {
    let text = |member: &str| input[member].as_str().unwrap_or_default();
    let pattern = Pattern::parse(text("EventPattern")).map_err(|reason| {
        ServiceError::new(
            "InvalidEventPatternException",
            format!("Event pattern is not valid. Reason: {reason}"),
        )
    })?;
    let event: Value = serde_json::from_str(text("Event")).map_err(|error| {
        ServiceError::new("ValidationException", format!("Parameter Event is not valid: {error}"))
    })?;
    Ok(json!({"Result": pattern.matches(&event)}))
}
