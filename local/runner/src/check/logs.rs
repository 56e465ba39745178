//! The log of a state machine: where it may be written, and by whom.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html>.
use super::machine::Machine;
use super::role::{Grants, list};
use super::{Finding, Subject};
use crate::template::Kind;

/// Log groups of this prefix share one entry of the account's resource policy, which has room for
/// 5,120 characters.
const PREFIX: &str = "/aws/vendedlogs/states/";

/// What Step Functions does as the role when it sets the delivery up.
const DELIVERY: [&str; 8] = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
];

pub fn findings(subject: &Subject) -> Vec<Finding> {
    let logged = subject.machines.iter().filter(|machine| {
        let logging = &machine.deployed.properties["Logging"];
        logging.is_object() && logging["Level"] != "OFF"
    });
    logged
        .flat_map(|machine| group(subject, machine).into_iter().chain(delivery(subject, machine)))
        .collect()
}

fn group(subject: &Subject, machine: &Machine) -> Vec<Finding> {
    let destinations = list(&machine.deployed.properties["Logging"]["Destinations"]);
    let arns = destinations.filter_map(|to| to["CloudWatchLogsLogGroup"]["LogGroupArn"].as_str());
    let groups = arns.filter_map(|arn| {
        subject.stack.resources.iter().find(|resource| {
            resource.kind == Kind::LogGroup
                && resource.identity.attribute("Arn").as_deref() == Some(arn)
        })
    });
    groups
        .filter(|group| !group.identity.name.starts_with(PREFIX))
        .map(|group| {
            let path = ["Resources", &group.logical_id, "Properties", "LogGroupName"];
            let found = format!("the state machine's log group is {}", group.identity.name);
            Finding::warning("log-group-name", &subject.template.file, found)
                .at(subject.template.place(path))
                .expected(format!("a name that begins with {PREFIX}"))
                .advice("rename it: other names fill the account's log resource policy up")
        })
        .collect()
}

fn delivery(subject: &Subject, machine: &Machine) -> Option<Finding> {
    let grants = Grants::of(subject, machine)?;
    let missing: Vec<&str> =
        DELIVERY.into_iter().filter(|action| !grants.allow_everywhere(action)).collect();
    (!missing.is_empty()).then(|| {
        let found = format!("{} may not deliver logs: no {}", grants.logical_id, missing.join(", "));
        Finding::error("log-delivery", &subject.template.file, found)
            .at(grants.place(subject, machine))
            .expected(format!("these actions on Resource \"*\": {}", DELIVERY.join(", ")))
            .advice("allow them, or CreateStateMachine answers that the role may not access the log destination")
    })
}
