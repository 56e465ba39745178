//! Workgroups: where results go, what a query may cost, and whether clients may say otherwise.
//!
//! `primary` always exists.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::query::seconds;
use super::refusal::{constraint, invalid, page, read, text};
use super::tag::Tag;
use super::{Athena, engine_version, now};
use crate::wire::ServiceError;

pub(super) const PRIMARY: &str = "primary";

/// Bytes. Source: <https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html>
const LEAST_CUTOFF: u64 = 10_000_000;

const LONGEST_NAME: usize = 128;

/// A workgroup. `configuration` is the API's WorkGroupConfiguration, with its defaults filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkGroup {
    pub name: String,
    pub enabled: bool,
    pub description: Option<String>,
    pub configuration: Value,
    /// Milliseconds since 1970.
    pub created: i64,
    pub tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateWorkGroup {
    name: String,
    #[serde(default)]
    configuration: Map<String, Value>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateWorkGroup {
    work_group: String,
    description: Option<String>,
    #[serde(default)]
    configuration_updates: Map<String, Value>,
    state: Option<String>,
}

impl WorkGroup {
    /// The one every account has: clients choose where results go.
    pub(super) fn primary() -> Self {
        let configuration = json!({
            "EnforceWorkGroupConfiguration": false,
            "PublishCloudWatchMetricsEnabled": false,
        });
        WorkGroup {
            name: PRIMARY.to_owned(),
            enabled: true,
            description: None,
            configuration: with_defaults(configuration.as_object().cloned().unwrap_or_default()),
            created: now(),
            tags: Vec::new(),
        }
    }

    /// Whether clients' own settings are passed over.
    pub fn enforces(&self) -> bool {
        self.configuration["EnforceWorkGroupConfiguration"] == true
    }

    /// Bytes a query may read.
    pub fn scan_limit(&self) -> Option<u64> {
        self.configuration["BytesScannedCutoffPerQuery"].as_u64()
    }

    /// ManagedQueryResultsConfiguration, if results are managed.
    pub fn managed_results(&self) -> Option<&Value> {
        let managed = &self.configuration["ManagedQueryResultsConfiguration"];
        (managed["Enabled"] == true).then_some(managed)
    }

    pub(super) fn selected_engine(&self) -> Result<&str, ServiceError> {
        engine_version::selected(&self.configuration)
    }

    fn state(&self) -> &'static str {
        if self.enabled { "ENABLED" } else { "DISABLED" }
    }

    /// Members of WorkGroup and WorkGroupSummary alike.
    fn summary(&self) -> Result<Value, ServiceError> {
        let mut summary = json!({
            "Name": self.name,
            "State": self.state(),
            "Description": self.description.as_deref().unwrap_or_default(),
            "CreationTime": seconds(self.created),
        });
        summary["EngineVersion"] = engine_version::shape(self.selected_engine()?);
        Ok(summary)
    }

    fn shape(&self) -> Result<Value, ServiceError> {
        let mut configuration = self.configuration.clone();
        configuration["EngineVersion"] = engine_version::shape(self.selected_engine()?);
        Ok(json!({
            "Name": self.name,
            "State": self.state(),
            "Configuration": configuration,
            "Description": self.description.as_deref().unwrap_or_default(),
            "CreationTime": seconds(self.created),
        }))
    }
}

/// What AWS sets of a new workgroup that says nothing of it.
fn with_defaults(given: Map<String, Value>) -> Value {
    let mut configuration = json!({
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": true,
        "PublishCloudWatchMetricsEnabled": true,
        "RequesterPaysEnabled": false,
        "EnableMinimumEncryptionConfiguration": false,
    });
    for (name, value) in given {
        configuration[name] = value;
    }
    configuration
}

fn check(configuration: &Value) -> Result<(), ServiceError> {
    engine_version::selected(configuration)?;
    let cutoff = &configuration["BytesScannedCutoffPerQuery"];
    if !cutoff.is_null() && cutoff.as_u64().is_none_or(|bytes| bytes < LEAST_CUTOFF) {
        return Err(constraint(
            &cutoff.to_string(),
            "configuration.bytesScannedCutoffPerQuery",
            &format!("Member must have value greater than or equal to {LEAST_CUTOFF}"),
        ));
    }
    if let Some(location) = configuration["ResultConfiguration"]["OutputLocation"].as_str() {
        super::result_location::parse(location)?;
    }
    Ok(())
}

/// Applies an API's `…Updates`: `Remove<Name>: true` takes a member away, `<Name>Updates` changes inside it.
fn update(configuration: &mut Value, updates: Map<String, Value>) {
    for (name, value) in updates {
        if let Some(removed) = name.strip_prefix("Remove") {
            if value == true
                && let Some(members) = configuration.as_object_mut()
            {
                members.shift_remove(removed);
            }
        } else if let (Some(inner), Value::Object(updates)) = (name.strip_suffix("Updates"), &value)
        {
            if !configuration[inner].is_object() {
                configuration[inner] = json!({});
            }
            update(&mut configuration[inner], updates.clone());
        } else {
            configuration[name] = value;
        }
    }
}

fn check_name(name: &str) -> Result<(), ServiceError> {
    let valid = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if valid {
        return Ok(());
    }
    let pattern = "Member must satisfy regular expression pattern: [a-zA-Z0-9._-]{1,128}";
    Err(constraint(name, "workGroup", pattern))
}

impl Athena {
    /// The workgroup of this name; `InvalidRequestException` if there is none.
    pub(super) fn work_group(&self, name: &str) -> Result<WorkGroup, ServiceError> {
        check_name(name)?;
        self.workgroups.get(name)?.ok_or_else(|| invalid("WorkGroup is not found."))
    }

    /// The workgroup a request's `WorkGroup` means.
    pub(super) fn work_group_of(&self, input: &Value) -> Result<WorkGroup, ServiceError> {
        self.work_group(input["WorkGroup"].as_str().unwrap_or(PRIMARY))
    }

    pub(super) fn create_work_group(&self, input: Value) -> Result<Value, ServiceError> {
        let create: CreateWorkGroup = read(input)?;
        check_name(&create.name)?;
        let configuration = with_defaults(create.configuration);
        check(&configuration)?;
        let group = WorkGroup {
            name: create.name,
            enabled: true,
            description: create.description,
            configuration,
            created: now(),
            tags: create.tags,
        };
        if !self.workgroups.insert(&group.name, &group)? {
            return Err(invalid("WorkGroup is already created"));
        }
        Ok(json!({}))
    }

    pub(super) fn get_work_group(&self, input: &Value) -> Result<Value, ServiceError> {
        Ok(json!({"WorkGroup": self.work_group(text(input, "WorkGroup")?)?.shape()?}))
    }

    pub(super) fn list_work_groups(&self, input: &Value) -> Result<Value, ServiceError> {
        let (groups, next) = page(self.workgroups.values()?, input, 1, 50)?;
        let groups: Vec<Value> = groups.iter().map(WorkGroup::summary).collect::<Result<_, _>>()?;
        Ok(json!({"WorkGroups": groups, "NextToken": next}))
    }

    pub(super) fn update_work_group(&self, input: Value) -> Result<Value, ServiceError> {
        let change: UpdateWorkGroup = read(input)?;
        check_name(&change.work_group)?;
        let updated = self.workgroups.update(&change.work_group, |group| {
            match change.state.as_deref() {
                None => {}
                Some("ENABLED") => group.enabled = true,
                Some("DISABLED") => group.enabled = false,
                Some(other) => {
                    let enumeration = "Member must satisfy enum value set: [ENABLED, DISABLED]";
                    return Err(constraint(other, "state", enumeration));
                }
            }
            if let Some(description) = change.description {
                group.description = Some(description);
            }
            update(&mut group.configuration, change.configuration_updates);
            check(&group.configuration)
        })?;
        updated.map(|()| json!({})).ok_or_else(|| invalid("WorkGroup is not found."))
    }

    pub(super) fn delete_work_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = self.work_group(text(input, "WorkGroup")?)?;
        let name = group.name.as_str();
        if name == PRIMARY {
            return Err(invalid("The primary workgroup cannot be deleted."));
        }
        let prepared = self.prepared.list(&format!("{name}/"))?;
        let named = self.named.list("")?.into_iter().filter(|(_, query)| query.work_group == name);
        let named: Vec<String> = named.map(|(id, _)| id).collect();
        let empty =
            prepared.is_empty() && named.is_empty() && self.executions.queries.is_empty(name)?;
        if !empty && input["RecursiveDeleteOption"] != true {
            return Err(invalid(format!("WorkGroup {name} is not empty")));
        }
        for (key, _) in prepared {
            self.prepared.delete(&key)?;
        }
        for id in named {
            self.named.delete(&id)?;
        }
        self.executions.queries.delete_of(name)?;
        self.workgroups.delete(name)?;
        Ok(json!({}))
    }
}
