//! The ARNs of Step Functions.

use crate::wire::ServiceError;

/// A state machine, one of its versions, or an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineArn {
    /// Without qualifier.
    pub machine: String,
    /// A version's number or an alias' name.
    pub qualifier: Option<String>,
}

impl MachineArn {
    pub fn parse(text: &str) -> Result<Self, ServiceError> {
        let resource = resource(text)?;
        let Some(rest) = resource.strip_prefix("stateMachine:") else {
            let kind = resource.split(':').next().unwrap_or_default();
            return Err(invalid(&format!("Resource type not valid in this context: {kind}")));
        };
        Ok(match rest.split_once(':') {
            None => MachineArn { machine: text.to_owned(), qualifier: None },
            Some((_, qualifier)) => MachineArn {
                machine: text[..text.len() - qualifier.len() - 1].to_owned(),
                qualifier: Some(qualifier.to_owned()),
            },
        })
    }

    /// As it was written.
    pub fn text(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.machine),
            None => self.machine.clone(),
        }
    }
}

/// Checks that `text` is an ARN of this service with a resource of one of `kinds`.
pub fn check<'a>(text: &'a str, kinds: &[&str]) -> Result<&'a str, ServiceError> {
    let resource = resource(text)?;
    let kind = resource.split(':').next().unwrap_or_default();
    if kinds.contains(&kind) {
        Ok(text)
    } else {
        Err(invalid(&format!("Resource type not valid in this context: {kind}")))
    }
}

fn resource(text: &str) -> Result<&str, ServiceError> {
    let mut parts = text.splitn(6, ':');
    let prefix = (parts.next(), parts.next(), parts.next());
    let is_ours = matches!(prefix, (Some("arn"), Some(_), Some("states")));
    match parts.nth(2) {
        Some(resource) if is_ours && resource.contains(':') => Ok(resource),
        _ => Err(invalid(&format!("Invalid ARN prefix: {text}"))),
    }
}

fn invalid(detail: &str) -> ServiceError {
    ServiceError::new("InvalidArn", format!("Invalid Arn: '{detail}'"))
}

/// Names of machines, executions and activities.
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
pub fn check_name(name: &str) -> Result<(), ServiceError> {
    let forbidden = |character: char| {
        character.is_control()
            || character.is_whitespace()
            || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(character)
    };
    if (1..=80).contains(&name.chars().count()) && !name.contains(forbidden) {
        return Ok(());
    }
    Err(ServiceError::new("InvalidName", format!("Invalid Name: '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_are_told_from_names() {
        let plain = "arn:aws:states:us-east-1:123456789012:stateMachine:etl";
        let parsed = MachineArn::parse(plain).unwrap();
        assert_eq!((parsed.machine.as_str(), parsed.qualifier.as_deref()), (plain, None));
        let parsed = MachineArn::parse(&format!("{plain}:3")).unwrap();
        assert_eq!((parsed.machine.as_str(), parsed.qualifier.as_deref()), (plain, Some("3")));
        for wrong in ["etl", "arn:aws:s3:::bucket", "arn:aws:states:us-east-1:1:execution:etl:x"] {
            assert_eq!(MachineArn::parse(wrong).unwrap_err().code, "InvalidArn", "{wrong}");
        }
    }
}
