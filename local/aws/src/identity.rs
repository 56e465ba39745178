//! STS and IAM, as far as clients ask who they are. Every caller is the account's root, every role may be taken.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::Settings;
use crate::wire::ServiceError;

pub fn sts(settings: &Settings, action: &str, input: &Value) -> Result<Value, ServiceError> {
    let account = &settings.account_id;
    match action {
        "GetCallerIdentity" => Ok(json!({
            "Arn": format!("arn:aws:iam::{account}:root"),
            "UserId": account,
            "Account": account,
        })),
        "AssumeRole" => {
            let text = |member: &str| input[member].as_str().unwrap_or_default();
            let role = text("RoleArn").rsplit('/').next().unwrap_or_default();
            let session = text("RoleSessionName");
            if role.is_empty() || session.is_empty() {
                return Err(ServiceError::new(
                    "ValidationError",
                    "RoleArn and RoleSessionName are required",
                ));
            }
            let expires = lake::clock::now() + SignedDuration::from_hours(1);
            Ok(json!({
                "Credentials": {
                    "AccessKeyId": "ASIALOCAL00000000000",
                    "SecretAccessKey": "local",
                    "SessionToken": "local",
                    "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                },
                "AssumedRoleUser": {
                    "AssumedRoleId": format!("AROALOCAL00000000000:{session}"),
                    "Arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
                },
            }))
        }
        _ => Err(ServiceError::unknown_operation("STS", action)),
    }
}

/// IAM knows no policies here: a role exists as soon as it is named.
pub fn iam(settings: &Settings, action: &str, input: &Value) -> Result<Value, ServiceError> {
    match action {
        "GetRole" => {
            let name = input["RoleName"].as_str().unwrap_or_default();
            Ok(json!({"Role": {
                "Path": "/",
                "RoleName": name,
                "RoleId": "AROALOCAL00000000000",
                "Arn": format!("arn:aws:iam::{}:role/{name}", settings.account_id),
                "CreateDate": "1970-01-01T00:00:00Z",
            }}))
        }
        _ => Err(ServiceError::unknown_operation("IAM", action)),
    }
}
