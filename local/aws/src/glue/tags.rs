//! Tags of databases and tables.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Glue, Input, nothing, refuse};
use crate::wire::ServiceError;

type Tags = BTreeMap<String, String>;

impl Glue {
    pub(super) fn tag_resource(&self, mut input: Input) -> Result<Value, ServiceError> {
        let arn = self.resource(&mut input)?;
        let added: Tags = input.required("TagsToAdd")?;
        let changed = self.tags.update(&arn, |tags| {
            tags.extend(added.clone());
            Ok(())
        })?;
        if changed.is_none() {
            self.tags.put(&arn, &added)?;
        }
        Ok(nothing())
    }

    pub(super) fn untag_resource(&self, mut input: Input) -> Result<Value, ServiceError> {
        let arn = self.resource(&mut input)?;
        let removed: Vec<String> = input.required("TagsToRemove")?;
        self.tags.update(&arn, |tags| {
            tags.retain(|key, _| !removed.contains(key));
            Ok(())
        })?;
        Ok(nothing())
    }

    pub(super) fn get_tags(&self, mut input: Input) -> Result<Value, ServiceError> {
        let arn = self.resource(&mut input)?;
        let tags = self.tags.get(&arn)?.unwrap_or_default();
        Ok(json!({"Tags": tags}))
    }

    /// The ARN of something that exists: `…:database/<name>` or `…:table/<database>/<name>`.
    fn resource(&self, input: &mut Input) -> Result<String, ServiceError> {
        let arn: String = input.required("ResourceArn")?;
        let unknown = || {
            ServiceError::new(
                "EntityNotFoundException",
                format!("{arn} is no resource of this catalog."),
            )
        };
        let resource = arn.strip_prefix(&self.settings.arn("glue", "")).ok_or_else(unknown)?;
        match resource.split('/').collect::<Vec<_>>()[..] {
            ["database", name] => drop(self.catalog.database(name).map_err(refuse)?),
            ["table", database, name] => drop(self.catalog.table(database, name).map_err(refuse)?),
            _ => return Err(unknown()),
        }
        Ok(arn)
    }
}
