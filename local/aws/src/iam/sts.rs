//! STS: sessions of roles, and who one is.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::caller::{Caller, Session};
use super::{Iam, unique_id};
use crate::wire::ServiceError;

impl Iam {
    pub fn sts(&self, caller: &Caller, action: &str, input: &Value) -> Result<Value, ServiceError> {
        match action {
            "GetCallerIdentity" => Ok(self.caller_identity(caller)),
            "AssumeRole" => self.assume_role(input),
            _ => Err(ServiceError::unknown_operation("STS", action)),
        }
    }

    fn caller_identity(&self, caller: &Caller) -> Value {
        let account = &self.settings.account_id;
        let user_id = match caller {
            Caller::Root | Caller::Service(_) => account.clone(),
            Caller::Role(session) => {
                format!("{}:{}", self.role_id(&session.role_arn), session.name)
            }
        };
        json!({"Arn": caller.arn(account), "UserId": user_id, "Account": account})
    }

    fn role_id(&self, role_arn: &str) -> String {
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        let known = self.roles.get(name).ok().flatten();
        known.map_or_else(|| "AROALOCAL00000000000".to_owned(), |role| role.id)
    }

    fn assume_role(&self, input: &Value) -> Result<Value, ServiceError> {
        let text = |member: &str| input[member].as_str().unwrap_or_default();
        let (role_arn, name) = (text("RoleArn"), text("RoleSessionName"));
        if role_arn.is_empty() || name.is_empty() {
            return Err(ServiceError::new(
                "ValidationError",
                "RoleArn and RoleSessionName are required",
            ));
        }
        let session =
            Session { role_arn: role_arn.to_owned(), name: name.to_owned(), function_arn: None };
        let expires = lake::clock::now() + SignedDuration::from_hours(1);
        let arn = session.arn();
        Ok(json!({
            "Credentials": {
                "AccessKeyId": self.issue(session),
                "SecretAccessKey": "local",
                "SessionToken": unique_id("FwoG"),
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            },
            "AssumedRoleUser": {
                "AssumedRoleId": format!("{}:{name}", self.role_id(role_arn)),
                "Arn": arn,
            },
        }))
    }
}
