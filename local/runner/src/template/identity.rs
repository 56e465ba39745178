//! The names that resources have before they are made: physical name, `Ref`, attributes.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html>,
//! "Return values" of each type, and SAM's "generated resources".
use std::collections::BTreeMap;

use super::document::{Content, Node, Problem};
use super::kind::Kind;
use super::scope::{Account, Scope};

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
}

/// The identity of a resource that stands in the template.
pub fn of(scope: &Scope<'_>, logical_id: &str, resource: &Node) -> Result<Identity, Problem> {
    let kind = Kind::of(resource)?;
    let properties = resource.get("Properties");
    let given = match kind {
        Kind::Database => properties
            .and_then(|node| node.get("DatabaseInput"))
            .and_then(|input| input.get("Name")),
        _ => kind.name_property().and_then(|property| properties?.get(property)),
    };
    let name = if let Some(node) = given {
        scope.text(node)?
    } else {
        let name = format!("{}-{logical_id}", scope.account.stack_name);
        // Neither takes capitals.
        if matches!(kind, Kind::Bucket | Kind::Database) { name.to_lowercase() } else { name }
    };
    Ok(named(scope.account, kind, logical_id, name))
}

/// What a resource of this name is called elsewhere.
fn named(account: &Account, kind: Kind, logical_id: &str, name: String) -> Identity {
    let by_name = |name: String, arn: String| Identity {
        reference: name.clone(),
        attributes: vec![("Arn", arn)],
        name,
    };
    match kind {
        Kind::Bucket => {
            let attributes = vec![
                ("Arn", format!("arn:aws:s3:::{name}")),
                ("DomainName", format!("{name}.s3.amazonaws.com")),
                ("RegionalDomainName", format!("{name}.s3.{}.amazonaws.com", account.region)),
            ];
            Identity { reference: name.clone(), attributes, name }
        }
        Kind::Function => by_name(name.clone(), account.arn("lambda", &format!("function:{name}"))),
        Kind::StateMachine => {
            let arn = account.arn("states", &format!("stateMachine:{name}"));
            Identity {
                reference: arn.clone(),
                attributes: vec![("Arn", arn), ("Name", name.clone())],
                name,
            }
        }
        Kind::Queue => {
            let url = format!("{}/{}/{name}", account.endpoint, account.id);
            let attributes = vec![
                ("Arn", account.arn("sqs", &name)),
                ("QueueName", name.clone()),
                ("QueueUrl", url.clone()),
            ];
            Identity { name, reference: url, attributes }
        }
        Kind::Topic => {
            let arn = account.arn("sns", &name);
            Identity {
                reference: arn.clone(),
                attributes: vec![("TopicArn", arn), ("TopicName", name.clone())],
                name,
            }
        }
        Kind::LogGroup => {
            by_name(name.clone(), account.arn("logs", &format!("log-group:{name}:*")))
        }
        Kind::Role => {
            let arn = format!("arn:aws:iam::{}:role/{name}", account.id);
            Identity {
                reference: name.clone(),
                attributes: vec![("Arn", arn), ("RoleId", format!("AROA{logical_id}"))],
                name,
            }
        }
        Kind::Alarm => by_name(name.clone(), account.arn("cloudwatch", &format!("alarm:{name}"))),
        Kind::Rule => by_name(name.clone(), account.arn("events", &format!("rule/{name}"))),
        Kind::Schedule => {
            by_name(name.clone(), account.arn("scheduler", &format!("schedule/default/{name}")))
        }
        Kind::Subscription => {
            let arn = account.arn("sns", &name);
            Identity { reference: arn.clone(), attributes: vec![("Arn", arn)], name }
        }
        Kind::WorkGroup | Kind::Database | Kind::Dashboard | Kind::Policy(_) => {
            Identity { reference: name.clone(), attributes: Vec::new(), name }
        }
    }
}

/// The identity of a resource that SAM makes: `<Function>Role`, `<StateMachine><Event>`,
/// `<StateMachine><Event>Role`, `<StateMachine>Alias<Name>`. `None` when no resource makes
/// one of this name.
pub fn generated(
    scope: &Scope<'_>,
    logical_id: &str,
    resources: &BTreeMap<&str, &Node>,
) -> Option<Identity> {
    let made = |kind| {
        let name = format!("{}-{logical_id}", scope.account.stack_name);
        Some(named(scope.account, kind, logical_id, name))
    };
    for (parent, resource) in resources {
        let Some(rest) = logical_id.strip_prefix(parent) else { continue };
        let Ok(Kind::Function | Kind::StateMachine) = Kind::of(resource) else { continue };
        if rest == "Role" {
            return made(Kind::Role);
        }
        let properties = resource.get("Properties");
        let alias = properties.and_then(|properties| properties.get("AutoPublishAlias"));
        if let Some(name) = rest.strip_prefix("Alias")
            && alias.and_then(Node::as_str) == Some(name)
        {
            let machine = of(scope, parent, resource).ok()?;
            let arn = format!("{}:{name}", machine.reference);
            return Some(Identity {
                name: name.to_owned(),
                reference: arn.clone(),
                attributes: vec![("Arn", arn)],
            });
        }
        let events = properties.and_then(|properties| properties.get("Events"));
        let Some(Content::Map(events)) = events.map(|node| &node.content) else { continue };
        for event in events {
            let is_rule = event.value.get("Type").and_then(Node::as_str) == Some("EventBridgeRule");
            match rest.strip_prefix(event.key.as_str()) {
                Some("") => return made(if is_rule { Kind::Rule } else { Kind::Schedule }),
                Some("Role") => return made(Kind::Role),
                _ => {}
            }
        }
    }
    None
}
