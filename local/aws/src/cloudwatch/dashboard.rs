//! Dashboards: kept as they were put.

use serde_json::{Value, json};

use super::{CloudWatch, missing};
use crate::wire::{ServiceError, page, read};

impl CloudWatch {
    fn dashboard_arn(&self, name: &str) -> String {
        format!("arn:aws:cloudwatch::{}:dashboard/{name}", self.settings.account_id)
    }

    pub(super) fn put_dashboard(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["DashboardName"].as_str().ok_or_else(|| missing("DashboardName"))?;
        let body = input["DashboardBody"].as_str().ok_or_else(|| missing("DashboardBody"))?;
        if let Err(error) = serde_json::from_str::<Value>(body) {
            return Err(ServiceError::new(
                "InvalidParameterInput",
                format!("The field DashboardBody must be a valid JSON object: {error}"),
            ));
        }
        let dashboard = json!({"body": body, "modified": lake::clock::now().as_second()});
        self.dashboards.put(name, &dashboard)?;
        Ok(json!({"DashboardValidationMessages": []}))
    }

    pub(super) fn get_dashboard(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["DashboardName"].as_str().ok_or_else(|| missing("DashboardName"))?;
        let dashboard = self.dashboards.get(name)?.ok_or_else(|| {
            ServiceError::new("ResourceNotFound", format!("Dashboard {name} does not exist"))
                .status(404)
        })?;
        Ok(json!({
            "DashboardArn": self.dashboard_arn(name),
            "DashboardName": name,
            "DashboardBody": dashboard["body"],
        }))
    }

    pub(super) fn list_dashboards(&self, input: &Value) -> Result<Value, ServiceError> {
        let prefix = input["DashboardNamePrefix"].as_str().unwrap_or_default();
        let dashboards = self.dashboards.list(prefix)?;
        let (dashboards, next) = page(dashboards, None, 1000, input["NextToken"].as_str())?;
        let entries: Vec<Value> = dashboards
            .iter()
            .map(|(name, dashboard)| {
                json!({
                    "DashboardName": name,
                    "DashboardArn": self.dashboard_arn(name),
                    "LastModified": dashboard["modified"],
                    "Size": dashboard["body"].as_str().map_or(0, str::len),
                })
            })
            .collect();
        Ok(json!({"DashboardEntries": entries, "NextToken": next}))
    }

    pub(super) fn delete_dashboards(&self, input: &Value) -> Result<Value, ServiceError> {
        let names: Vec<String> = read(input["DashboardNames"].clone())?;
        for name in names {
            self.dashboards.delete(&name)?;
        }
        Ok(json!({}))
    }
}
