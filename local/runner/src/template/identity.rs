//! The names that resources have before they are made: physical name, `Ref`, attributes.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html>,
//! "Return values" of each type, and SAM's "generated resources".
use std::collections::BTreeMap;

use super::document::{Content, Node, Problem};
use super::kind::Kind;
use super::scope::Scope;

/// How other parts of the template speak of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The physical name, as the service's operations take it.
    pub name: String,
    /// What `Ref` gives.
    pub reference: String,
    /// What `GetAtt` gives.
    pub attributes: Vec<(&'static str, String)>,
}

impl Identity {
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn of_arn(name: String, arn: String) -> Self {
        Self { name, reference: arn.clone(), attributes: vec![("Arn", arn)] }
    }
}

/// The identity of a resource that stands in the template.
pub fn of(scope: &Scope<'_>, logical_id: &str, resource: &Node) -> Result<Identity, Problem> {
    let kind = Kind::of(resource)?;
    let given = |property: &str| match resource
        .get("Properties")
        .and_then(|properties| properties.get(property))
    {
        Some(node) => scope.text(node).map(Some),
        None => Ok(None),
    };
    let account = scope.account;
    let default = || format!("{}-{logical_id}", account.stack_name);
    let name = match kind.name_property() {
        Some(property) => given(property)?,
        None => None,
    };
    Ok(match kind {
        Kind::Bucket => {
            let name = name.unwrap_or_else(|| default().to_lowercase());
            let domain = ("DomainName", format!("{name}.s3.amazonaws.com"));
            let regional =
                ("RegionalDomainName", format!("{name}.s3.{}.amazonaws.com", account.region));
            Identity {
                reference: name.clone(),
                attributes: vec![("Arn", format!("arn:aws:s3:::{name}")), domain, regional],
                name,
            }
        }
        Kind::Function => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("lambda", &format!("function:{name}"));
            Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
        }
        Kind::StateMachine => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("states", &format!("stateMachine:{name}"));
            Identity {
                reference: arn.clone(),
                attributes: vec![("Arn", arn), ("Name", name.clone())],
                name,
            }
        }
        Kind::Queue => {
            let name = name.unwrap_or_else(default);
            let url = format!("{}/{}/{name}", account.endpoint, account.id);
            let attributes = vec![
                ("Arn", account.arn("sqs", &name)),
                ("QueueName", name.clone()),
                ("QueueUrl", url.clone()),
            ];
            Identity { name, reference: url, attributes }
        }
        Kind::Topic => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("sns", &name);
            Identity {
                reference: arn.clone(),
                attributes: vec![("TopicArn", arn), ("TopicName", name.clone())],
                name,
            }
        }
        Kind::LogGroup => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("logs", &format!("log-group:{name}:*"));
            Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
        }
        Kind::Role => {
            let name = name.unwrap_or_else(default);
            let arn = format!("arn:aws:iam::{}:role/{name}", account.id);
            Identity {
                reference: name.clone(),
                attributes: vec![("Arn", arn), ("RoleId", format!("AROA{logical_id}"))],
                name,
            }
        }
        Kind::Alarm => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("cloudwatch", &format!("alarm:{name}"));
            Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
        }
        Kind::Rule => rule(scope, name.unwrap_or_else(default)),
        Kind::Schedule => {
            let name = name.unwrap_or_else(default);
            let arn = account.arn("scheduler", &format!("schedule/default/{name}"));
            Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
        }
        Kind::Database => {
            let in_input = resource
                .get("Properties")
                .and_then(|properties| properties.get("DatabaseInput"))
                .and_then(|input| input.get("Name"));
            let name = in_input
                .map(|node| scope.text(node))
                .transpose()?
                .unwrap_or_else(|| default().to_lowercase());
            Identity { reference: name.clone(), attributes: Vec::new(), name }
        }
        Kind::Subscription => Identity::of_arn(default(), account.arn("sns", &default())),
        Kind::WorkGroup | Kind::Dashboard | Kind::Policy(_) => {
            let name = name.unwrap_or_else(default);
            Identity { reference: name.clone(), attributes: Vec::new(), name }
        }
    })
}

fn rule(scope: &Scope<'_>, name: String) -> Identity {
    let arn = scope.account.arn("events", &format!("rule/{name}"));
    Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
}

/// The identity of a resource that SAM makes: `<Function>Role`, `<StateMachine><Event>`,
/// `<StateMachine><Event>Role`. `None` when no resource makes one of this name.
pub fn generated(
    scope: &Scope<'_>,
    logical_id: &str,
    resources: &BTreeMap<&str, &Node>,
) -> Option<Result<Identity, Problem>> {
    let name = format!("{}-{logical_id}", scope.account.stack_name);
    for (parent, resource) in resources {
        let Some(rest) = logical_id.strip_prefix(parent) else { continue };
        let Ok(Kind::Function | Kind::StateMachine) = Kind::of(resource) else { continue };
        if rest == "Role" {
            let arn = format!("arn:aws:iam::{}:role/{name}", scope.account.id);
            return Some(Ok(Identity {
                reference: name.clone(),
                attributes: vec![("Arn", arn)],
                name,
            }));
        }
        let events = resource.get("Properties").and_then(|properties| properties.get("Events"));
        let Some(Content::Map(events)) = events.map(|node| &node.content) else { continue };
        for event in events {
            match rest.strip_prefix(event.key.as_str()) {
                Some("") => {
                    let is_rule =
                        event.value.get("Type").and_then(Node::as_str) == Some("EventBridgeRule");
                    let arn = scope.account.arn("scheduler", &format!("schedule/default/{name}"));
                    return Some(Ok(if is_rule {
                        rule(scope, name)
                    } else {
                        Identity { reference: name.clone(), attributes: vec![("Arn", arn)], name }
                    }));
                }
                Some("Role") => {
                    let arn = format!("arn:aws:iam::{}:role/{name}", scope.account.id);
                    return Some(Ok(Identity {
                        reference: name.clone(),
                        attributes: vec![("Arn", arn)],
                        name,
                    }));
                }
                _ => {}
            }
        }
    }
    None
}
