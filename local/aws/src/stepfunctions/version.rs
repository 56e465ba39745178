//! Published versions of state machines: numbered revisions that never change.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::MachineArn;
use super::machine::no_machine;
use super::{StepFunctions, seconds, text};
use crate::wire::{ServiceError, page};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    pub arn: String,
    pub number: u64,
    pub revision: String,
    pub description: Option<String>,
    pub created: i64,
}

impl StepFunctions {
    /// The revision of a version or of the first route of an alias.
    pub(super) fn qualified_revision(
        &self,
        arn: &MachineArn,
    ) -> Result<Option<String>, ServiceError> {
        if let Some(version) = self.versions.get(&arn.text())? {
            return Ok(Some(version.revision));
        }
        let Some(alias) = self.aliases.get(&arn.text())? else {
            return Ok(None);
        };
        let version = self.versions.get(&alias.route())?;
        Ok(version.map(|version| version.revision))
    }

    /// Publishes the current revision. Publishing it again answers the same version.
    pub(super) fn publish(
        &self,
        machine_arn: &str,
        description: Option<String>,
        expected_revision: Option<&str>,
    ) -> Result<Version, ServiceError> {
        let versions = self.versions.list(&format!("{machine_arn}:"))?;
        let version = self.machines.update(machine_arn, |machine| {
            if expected_revision.is_some_and(|expected| expected != machine.revision) {
                return Err(ServiceError::new(
                    "ConflictException",
                    "Failed to publish the State Machine version: the revision is not the current one",
                ));
            }
            let published = versions.into_iter().map(|(_, version)| version);
            if let Some(same) =
                published.into_iter().find(|version| version.revision == machine.revision)
            {
                return Ok(same);
            }
            machine.last_version += 1;
            Ok(Version {
                arn: format!("{machine_arn}:{}", machine.last_version),
                number: machine.last_version,
                revision: machine.revision.clone(),
                description,
                created: lake::clock::now().as_millisecond(),
            })
        })?;
        let version = version.ok_or_else(|| no_machine(machine_arn))?;
        self.versions.insert(&version.arn, &version)?;
        Ok(version)
    }

    pub(super) fn publish_state_machine_version(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let arn = MachineArn::parse(text(input, "stateMachineArn")?)?;
        let description = input["description"].as_str().map(str::to_owned);
        let version = self.publish(&arn.machine, description, input["revisionId"].as_str())?;
        Ok(json!({
            "stateMachineVersionArn": version.arn,
            "creationDate": seconds(version.created),
        }))
    }

    /// Newest first.
    pub(super) fn list_state_machine_versions(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = MachineArn::parse(text(input, "stateMachineArn")?)?;
        let mut versions = self.versions.list(&format!("{}:", arn.machine))?;
        versions.sort_by_key(|(_, version)| std::cmp::Reverse(version.number));
        let size = input["maxResults"].as_u64();
        let (versions, next) = page(versions, size, 1000, input["nextToken"].as_str())?;
        let versions: Vec<Value> = versions
            .into_iter()
            .map(|(arn, version)| {
                json!({"stateMachineVersionArn": arn, "creationDate": seconds(version.created)})
            })
            .collect();
        let mut answer = json!({"stateMachineVersions": versions});
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn delete_state_machine_version(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let arn = MachineArn::parse(text(input, "stateMachineVersionArn")?)?;
        let aliases = self.aliases.list(&format!("{}:", arn.machine))?;
        if let Some((alias, _)) = aliases.iter().find(|(_, alias)| alias.routes_to(&arn.text())) {
            return Err(ServiceError::new(
                "ConflictException",
                format!(
                    "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{alias}]"
                ),
            ));
        }
        self.versions.delete(&arn.text())?;
        Ok(json!({}))
    }
}
