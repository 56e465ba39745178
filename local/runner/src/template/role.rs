//! Roles and what they may do: those of the template, and those that SAM makes for functions, state machines and
//! their events.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>
use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::scope::{Account, plain};

/// SAM's policy templates, as far as they are about services of this side: copied from SAM's own
/// `policy_templates.json`, with `Fn::Sub` and `Ref` written as `${…}`.
const TEMPLATES: &str = include_str!("policy_templates.json");

/// A role with its policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub logical_id: String,
    pub name: String,
    pub arn: String,
    /// Who may take it on.
    pub trust: Value,
    /// ARNs of managed policies.
    pub managed: Vec<String>,
    /// Documents by name.
    pub policies: Vec<(String, Value)>,
}

impl Role {
    fn made(logical_id: &str, identity: &Identity, service: &str) -> Self {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": [service]},
                "Action": ["sts:AssumeRole"],
            }],
        });
        Role {
            logical_id: logical_id.to_owned(),
            name: identity.name.clone(),
            arn: identity.attribute("Arn").unwrap_or_default(),
            trust,
            managed: Vec::new(),
            policies: Vec::new(),
        }
    }

    /// An `AWS::IAM::Role`.
    pub(super) fn of(
        logical_id: &str,
        identity: &Identity,
        properties: &Value,
    ) -> Result<Self, String> {
        if let Some(boundary) = properties.get("PermissionsBoundary") {
            return Err(format!("PermissionsBoundary {boundary} is not evaluated locally"));
        }
        let mut role = Role::made(logical_id, identity, "");
        role.trust = properties.get("AssumeRolePolicyDocument").cloned().unwrap_or_default();
        let managed = properties.get("ManagedPolicyArns").and_then(Value::as_array);
        role.managed = managed.into_iter().flatten().map(plain).collect();
        for policy in properties.get("Policies").and_then(Value::as_array).into_iter().flatten() {
            let name = policy.get("PolicyName").map(plain).unwrap_or_default();
            role.policies.push((name, policy.get("PolicyDocument").cloned().unwrap_or_default()));
        }
        Ok(role)
    }

    /// What SAM makes for a function without a `Role`. SAM looks at the template before its conditions are worked out:
    /// `has_vpc` is whether `VpcConfig` is written there at all.
    pub(super) fn of_function(
        logical_id: &str,
        identity: &Identity,
        properties: &Value,
        has_vpc: bool,
        account: &Account,
    ) -> Result<Self, String> {
        let mut role = Role::made(logical_id, identity, "lambda.amazonaws.com");
        if let Some(trust) = properties.get("AssumeRolePolicyDocument") {
            role.trust = trust.clone();
        }
        role.managed.push(managed("service-role/AWSLambdaBasicExecutionRole"));
        let traced = properties.get("Tracing").map(plain);
        if traced.is_some_and(|mode| mode != "Disabled") {
            role.managed.push(managed("AWSXrayWriteOnlyAccess"));
        }
        if has_vpc {
            role.managed.push(managed("service-role/AWSLambdaVPCAccessExecutionRole"));
        }
        if let Some(letters) = properties.get("DeadLetterQueue") {
            let is_topic = letters.get("Type").is_some_and(|kind| kind == "SNS");
            let action = if is_topic { "sns:Publish" } else { "sqs:SendMessage" };
            let target = letters.get("TargetArn").cloned().unwrap_or_default();
            role.policies.push(("DeadLetterQueuePolicy".to_owned(), allow(action, target)));
        }
        role.add(properties, account)?;
        Ok(role)
    }

    /// What SAM makes for a state machine without a `Role`.
    pub(super) fn of_machine(
        logical_id: &str,
        identity: &Identity,
        properties: &Value,
        account: &Account,
    ) -> Result<Self, String> {
        let mut role = Role::made(logical_id, identity, "states.amazonaws.com");
        role.add(properties, account)?;
        if properties.pointer("/Tracing/Enabled") == Some(&Value::Bool(true)) {
            role.managed.push(managed("AWSXrayWriteOnlyAccess"));
        }
        Ok(role)
    }

    /// What SAM makes for an event that starts a state machine: the right to start it, and for a schedule to send its
    /// dead letters. (EventBridge sends a rule's itself, by the queue's policy.) `named` begins its policies' names.
    pub(super) fn of_event(
        logical_id: &str,
        identity: &Identity,
        (service, named): (&str, &str),
        machine_arn: &str,
        dead_letters: Option<&Value>,
    ) -> Self {
        let mut role = Role::made(logical_id, identity, service);
        let start = allow("states:StartExecution", machine_arn.into());
        role.policies.push((format!("{named}StartExecutionPolicy"), start));
        if let Some(queue) = dead_letters {
            let send = allow("sqs:SendMessage", queue.clone());
            role.policies.push((format!("{named}SQSPolicy"), send));
        }
        role
    }

    /// SAM's `Policies`: managed ones by name or ARN, documents, templates.
    fn add(&mut self, properties: &Value, account: &Account) -> Result<(), String> {
        let policies = match properties.get("Policies") {
            None => return Ok(()),
            Some(Value::Array(policies)) => policies.clone(),
            Some(one) => vec![one.clone()],
        };
        for (place, policy) in policies.iter().enumerate() {
            let name = format!("{}Policy{place}", self.logical_id);
            match policy {
                Value::String(text) if text.starts_with("arn:") => self.managed.push(text.clone()),
                Value::String(text) => match aws::iam::managed::arn(text) {
                    Some(arn) => self.managed.push(arn),
                    None => return Err(format!("the managed policy {text} is not known locally")),
                },
                Value::Object(members) if members.contains_key("Statement") => {
                    self.policies.push((name, policy.clone()));
                }
                Value::Object(members) if members.len() == 1 => {
                    let (template, parameters) = members.iter().next().expect("there is one");
                    self.policies.push((name, expanded(template, parameters, account)?));
                }
                other => return Err(format!("Policies: expected a policy, found {other}")),
            }
        }
        Ok(())
    }
}

fn managed(path: &str) -> String {
    format!("arn:aws:iam::aws:policy/{path}")
}

fn allow(action: &str, resource: Value) -> Value {
    json!({"Statement": [{"Action": action, "Effect": "Allow", "Resource": resource}]})
}

/// A policy template with its parameters put in.
fn expanded(template: &str, parameters: &Value, account: &Account) -> Result<Value, String> {
    let templates: Map<String, Value> =
        serde_json::from_str(TEMPLATES).expect("the templates are JSON");
    let found = templates.get(template).ok_or_else(|| {
        let known: Vec<&str> = templates.keys().map(String::as_str).collect();
        format!(
            "the policy template {template} is not known locally; known are {}",
            known.join(", ")
        )
    })?;
    let declared: Vec<&str> =
        found["Parameters"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let empty = Map::new();
    let given = parameters.as_object().unwrap_or(&empty);
    for name in &declared {
        if !given.contains_key(*name) {
            return Err(format!("{template} needs the parameter {name}"));
        }
    }
    if let Some(name) = given.keys().find(|name| !declared.contains(&name.as_str())) {
        return Err(format!("{template} has no parameter {name}"));
    }
    let mut values: Vec<(String, String)> =
        given.iter().map(|(name, value)| (format!("${{{name}}}"), plain(value))).collect();
    values.extend([
        ("${AWS::Partition}".to_owned(), "aws".to_owned()),
        ("${AWS::Region}".to_owned(), account.region.clone()),
        ("${AWS::AccountId}".to_owned(), account.id.clone()),
    ]);
    Ok(json!({"Version": "2012-10-17", "Statement": filled(&found["Statement"], &values)}))
}

fn filled(value: &Value, values: &[(String, String)]) -> Value {
    match value {
        Value::String(text) => {
            let put = |text: String, (name, value): &(String, String)| text.replace(name, value);
            Value::String(values.iter().fold(text.clone(), put))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, values)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
