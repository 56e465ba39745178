//! Who but roles may invoke a function: its resource policy, statement by statement.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>

use serde_json::{Value, json};

use super::Lambda;
use crate::iam::policy::{Attached, Policy};
use crate::wire::ServiceError;

fn missing(member: &str) -> ServiceError {
    ServiceError::new("InvalidParameterValueException", format!("{member} is required"))
}

fn no_policy(arn: &str) -> ServiceError {
    let message = format!("No policy is associated with the given resource: {arn}");
    ServiceError::new("ResourceNotFoundException", message).status(404).with("Type", "User")
}

impl Lambda {
    /// A function's policy as text; `None` if it has none.
    pub fn policy(&self, function: &str) -> Result<Option<String>, ServiceError> {
        let statements = self.permissions.get(function)?.unwrap_or_default();
        Ok((!statements.is_empty()).then(|| document(&statements)))
    }

    pub(super) fn add_permission(&self, input: &Value) -> Result<Value, ServiceError> {
        let function = self.named(input)?;
        let text = |member: &str| input[member].as_str().filter(|text| !text.is_empty());
        let sid = text("StatementId").ok_or_else(|| missing("StatementId"))?;
        let action = text("Action").ok_or_else(|| missing("Action"))?;
        let principal = text("Principal").ok_or_else(|| missing("Principal"))?;
        let principal = match principal {
            "*" => json!("*"),
            service if service.ends_with(".amazonaws.com") => json!({"Service": service}),
            other => json!({"AWS": other}),
        };
        let mut statement = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal,
            "Action": action,
            "Resource": function.arn,
        });
        if let Some(arn) = text("SourceArn") {
            statement["Condition"]["ArnLike"]["AWS:SourceArn"] = arn.into();
        }
        if let Some(account) = text("SourceAccount") {
            statement["Condition"]["StringEquals"]["AWS:SourceAccount"] = account.into();
        }
        let mut statements = self.permissions.get(&function.name)?.unwrap_or_default();
        if statements.iter().any(|known| known["Sid"] == sid) {
            return Err(ServiceError::new(
                "ResourceConflictException",
                format!("The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the existing statement."),
            )
            .status(409)
            .with("Type", "User"));
        }
        let shown = statement.to_string();
        statements.push(statement);
        Policy::parse("", &document(&statements), Attached::Resource).map_err(|error| {
            ServiceError::new("InvalidParameterValueException", error.to_string())
        })?;
        self.permissions.put(&function.name, &statements)?;
        Ok(json!({"Statement": shown}))
    }

    pub(super) fn remove_permission(&self, input: &Value) -> Result<Value, ServiceError> {
        let function = self.named(input)?;
        let sid = input["StatementId"].as_str().ok_or_else(|| missing("StatementId"))?;
        let mut statements = self.permissions.get(&function.name)?.unwrap_or_default();
        let before = statements.len();
        statements.retain(|known| known["Sid"] != sid);
        if statements.len() == before {
            let message = format!("Statement {sid} is not found in resource policy.");
            return Err(ServiceError::new("ResourceNotFoundException", message)
                .status(404)
                .with("Type", "User"));
        }
        self.permissions.put(&function.name, &statements)?;
        Ok(Value::Null)
    }

    pub(super) fn get_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let function = self.named(input)?;
        let policy = self.policy(&function.name)?.ok_or_else(|| no_policy(&function.arn))?;
        Ok(json!({"Policy": policy, "RevisionId": function.revision}))
    }
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()
}
