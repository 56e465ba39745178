//! Where a query's results go: the client's word against the workgroup's.

use lake::{S3Url, StoreError};
use serde_json::{Map, Value};

use super::Athena;
use super::permission::called;
use super::refusal::invalid;
use super::workgroup::WorkGroup;
use crate::iam::{Caller, Need};
use crate::wire::ServiceError;

/// Buckets of this prefix Athena makes itself.
/// Source: the managed policy AmazonAthenaFullAccess, which lets it.
const OWN_BUCKETS: &str = "aws-athena-query-results-";

/// Where results go, and what else was said of them.
#[derive(Debug)]
pub(super) struct ResultLocation {
    pub folder: S3Url,
    /// Encryption, expected owner and ACL.
    pub configuration: Map<String, Value>,
    /// The workgroup's, if Athena manages the results.
    pub managed: Option<Value>,
}

/// A folder of S3.
pub(super) fn parse(location: &str) -> Result<S3Url, ServiceError> {
    let url: Option<S3Url> = location.strip_prefix("s3://").and_then(|_| location.parse().ok());
    url.map(|url| url.folder()).ok_or_else(|| {
        invalid(format!("outputLocation is not a valid S3 path. Provided {location}"))
    })
}

/// What a client and a workgroup together say: an enforcing workgroup is heard alone, otherwise it fills the gaps.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html>
fn settled(group: &WorkGroup, client: Option<Map<String, Value>>) -> Map<String, Value> {
    let ours = group.configuration["ResultConfiguration"].as_object().cloned().unwrap_or_default();
    if group.enforces() {
        return ours;
    }
    let mut settled = client.unwrap_or_default();
    settled.retain(|_, value| !value.is_null());
    // An output location of the client's does not go to the workgroup's expected owner.
    let take_all = !settled.contains_key("OutputLocation");
    for (name, value) in ours {
        if take_all || name == "EncryptionConfiguration" {
            settled.entry(name).or_insert(value);
        }
    }
    settled
}

impl Athena {
    /// Settles a new query's location and sees to it that its bucket exists and its caller can find it.
    pub(super) fn result_location(
        &self,
        caller: &Caller,
        group: &WorkGroup,
        client: Option<Map<String, Value>>,
    ) -> Result<ResultLocation, ServiceError> {
        if let Some(managed) = group.managed_results() {
            let bucket = format!(
                "aws-athena-managed-results-{}-{}",
                self.settings.region, self.settings.account_id
            );
            self.make_bucket(&bucket)?;
            return Ok(ResultLocation {
                folder: S3Url::new(bucket, format!("{}/", group.name)),
                configuration: Map::new(),
                managed: Some(managed.clone()),
            });
        }
        let mut configuration = settled(group, client);
        let location = configuration.shift_remove("OutputLocation");
        let location = location.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty());
        let folder = parse(location.ok_or_else(|| {
            invalid(
                "No output location provided. An output location is required either through the Workgroup result \
                 configuration setting or as an API input.",
            )
        })?)?;
        if !self.can_find(caller, &folder) {
            return Err(invalid(format!(
                "Unable to verify/create output bucket {}",
                folder.bucket()
            )));
        }
        if folder.bucket().starts_with(OWN_BUCKETS) {
            self.make_bucket(folder.bucket())?;
        } else if self.executions.lake.store.bucket(folder.bucket()).is_err() {
            return Err(invalid(format!(
                "Unable to verify/create output bucket {}",
                folder.bucket()
            )));
        }
        Ok(ResultLocation { folder, configuration, managed: None })
    }

    fn can_find(&self, caller: &Caller, folder: &S3Url) -> bool {
        let needs = [
            Need::s3("s3:GetBucketLocation", folder.bucket(), None),
            Need::s3("s3:ListBucket", folder.bucket(), None).with("s3:prefix", folder.key()),
        ];
        let needs = needs.map(called);
        self.link.services().is_none_or(|services| services.authorise_all(caller, &needs).is_ok())
    }

    fn make_bucket(&self, name: &str) -> Result<(), ServiceError> {
        match self.executions.lake.store.create_bucket(name, &self.settings.region) {
            Ok(_) | Err(StoreError::BucketAlreadyOwnedByYou(_)) => Ok(()),
            Err(error) => {
                Err(invalid(format!("Unable to verify/create output bucket {name}: {error}")))
            }
        }
    }
}
