//! Tags of state machines and activities.

use serde_json::{Value, json};

use super::StepFunctions;
use super::text;
use crate::wire::{ServiceError, read};

fn not_found(arn: &str) -> ServiceError {
    ServiceError::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
        .with("resourceName", arn)
}

impl StepFunctions {
    fn change_tags(
        &self,
        arn: &str,
        change: impl FnOnce(&mut Vec<Value>),
    ) -> Result<Value, ServiceError> {
        let changed = if arn.contains(":activity:") {
            self.activities.update_tags(arn, change)?
        } else {
            self.machines.update(arn, |machine| {
                change(&mut machine.tags);
                Ok(())
            })?
        };
        changed.map(|()| json!({})).ok_or_else(|| not_found(arn))
    }

    pub(super) fn tag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let new: Vec<Value> = read(input["tags"].clone())?;
        self.change_tags(text(input, "resourceArn")?, |tags| {
            tags.retain(|tag| new.iter().all(|new| new["key"] != tag["key"]));
            tags.extend(new);
        })
    }

    pub(super) fn untag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let keys: Vec<Value> = read(input["tagKeys"].clone())?;
        self.change_tags(text(input, "resourceArn")?, |tags| {
            tags.retain(|tag| !keys.contains(&tag["key"]));
        })
    }

    pub(super) fn list_tags_for_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "resourceArn")?;
        let tags = if arn.contains(":activity:") {
            self.activities.tags(arn)?
        } else {
            self.machines.get(arn)?.map(|machine| machine.tags)
        };
        Ok(json!({"tags": tags.ok_or_else(|| not_found(arn))?}))
    }
}
