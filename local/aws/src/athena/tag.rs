//! Tags of workgroups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Athena;
use super::refusal::{invalid, missing, page, read, text};
use crate::wire::ServiceError;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

/// The workgroup of an ARN: the only resource here that has tags.
fn work_group_of(arn: &str) -> Result<&str, ServiceError> {
    match arn.rsplit(':').next().and_then(|resource| resource.split_once('/')) {
        Some(("workgroup", name)) => Ok(name),
        _ => Err(invalid(format!("{arn} is not the ARN of a workgroup"))),
    }
}

fn not_found(arn: &str) -> ServiceError {
    missing(arn, format!("Resource {arn} was not found."))
}

impl Athena {
    fn change_tags(
        &self,
        arn: &str,
        change: impl FnOnce(&mut Vec<Tag>),
    ) -> Result<Value, ServiceError> {
        let changed = self.workgroups.update(work_group_of(arn)?, |group| {
            change(&mut group.tags);
            Ok(())
        })?;
        changed.map(|()| json!({})).ok_or_else(|| not_found(arn))
    }

    pub(super) fn tag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let new: Vec<Tag> = read(input["Tags"].clone())?;
        self.change_tags(text(input, "ResourceARN")?, |tags| {
            tags.retain(|tag| new.iter().all(|new| new.key != tag.key));
            tags.extend(new);
        })
    }

    pub(super) fn untag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let keys: Vec<String> = read(input["TagKeys"].clone())?;
        self.change_tags(text(input, "ResourceARN")?, |tags| {
            tags.retain(|tag| !keys.contains(&tag.key));
        })
    }

    pub(super) fn list_tags_for_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "ResourceARN")?;
        let tags = self.workgroups.get(work_group_of(arn)?)?.map(|group| group.tags);
        let (tags, next) = page(tags.ok_or_else(|| not_found(arn))?, input, 75, 1000)?;
        Ok(json!({"Tags": tags, "NextToken": next}))
    }
}
