//! Data catalogs: there is the one, `AwsDataCatalog`, and connectors to others are not run here.

use serde_json::{Value, json};

use super::Athena;
use super::refusal::{invalid, text};
use crate::wire::ServiceError;

const NAME: &str = "AwsDataCatalog";

/// Accepts the one catalog's name, in any case.
pub(super) fn check(name: &str) -> Result<(), ServiceError> {
    if name.eq_ignore_ascii_case(NAME) {
        Ok(())
    } else {
        Err(invalid(format!("DataCatalog {name} was not found")))
    }
}

impl Athena {
    pub(super) fn get_data_catalog(&self, input: &Value) -> Result<Value, ServiceError> {
        check(text(input, "Name")?)?;
        Ok(json!({"DataCatalog": {
            "Name": NAME,
            "Description": "The AWS Glue Data Catalog of this account",
            "Type": "GLUE",
            "Parameters": {"catalog-id": self.settings.account_id},
            "Status": "CREATE_COMPLETE",
        }}))
    }

    #[expect(clippy::unused_self, reason = "an operation like the others")]
    pub(super) fn list_data_catalogs(&self) -> Value {
        json!({"DataCatalogsSummary": [
            {"CatalogName": NAME, "Type": "GLUE", "Status": "CREATE_COMPLETE"},
        ]})
    }

    #[expect(clippy::unused_self, reason = "an operation like the others")]
    pub(super) fn create_data_catalog(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "Name")?;
        if name.eq_ignore_ascii_case(NAME) {
            return Err(invalid(format!("DataCatalog {name} already exists")));
        }
        let kind = text(input, "Type")?;
        Err(invalid(format!(
            "a data catalog of type {kind} cannot be queried here: only {NAME} has data"
        )))
    }
}
