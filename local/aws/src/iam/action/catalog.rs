//! Actions of Glue: each is allowed on everything from the catalog down to what it is on.

use serde_json::Value;

use super::text;
use crate::iam::Need;
use crate::services::Services;

/// A Glue action, on each resource from the catalog down.
/// <https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html>
pub fn glue(
    services: &Services,
    operation: &str,
    database: Option<&str>,
    table: Option<&str>,
    input: &Value,
) -> Vec<Need> {
    let arn = |resource: &str| services.settings().arn("glue", resource);
    let lower = |name: &str| name.to_lowercase();
    let database = database
        .or_else(|| text(input, "Name"))
        .or_else(|| input.pointer("/DatabaseInput/Name").and_then(Value::as_str));
    let mut resources = vec![arn("catalog")];
    match (database.map(lower), table.map(lower)) {
        (None, _) if operation == "GetDatabases" => resources.push(arn("database/*")),
        (None, _) => {}
        (Some(database), table) => {
            resources.push(arn(&format!("database/{database}")));
            match (operation, table) {
                ("GetTables" | "DeleteDatabase", _) => {
                    resources.push(arn(&format!("table/{database}/*")));
                }
                ("BatchDeleteTable", _) => {
                    let names = input["TablesToDelete"].as_array().into_iter().flatten();
                    resources.extend(names.filter_map(|name| {
                        Some(arn(&format!("table/{database}/{}", name.as_str()?.to_lowercase())))
                    }));
                }
                (_, Some(table)) => resources.push(arn(&format!("table/{database}/{table}"))),
                (_, None) => {}
            }
            if operation == "DeleteDatabase" {
                resources.push(arn(&format!("userDefinedFunction/{database}/*")));
            }
        }
    }
    let need = |resource| Need::new(format!("glue:{operation}"), resource);
    resources.into_iter().map(need).collect()
}
