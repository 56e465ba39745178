//! Athena workgroups, and statements that choose where they write.
use super::{Finding, Subject};
use crate::template::{Body, Kind};

/// What a CTAS says that writes to a place of its own.
const OWN_PLACE: &str = "external_location";

/// An enforcing workgroup refuses a CTAS with a location of its own. A new workgroup enforces
/// unless it is told not to.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html>.
pub fn findings(subject: &Subject) -> Vec<Finding> {
    let in_machine = subject
        .machines
        .iter()
        .any(|machine| machine.deployed.definition.to_lowercase().contains(OWN_PLACE));
    if !in_machine && !subject.code.mentions(OWN_PLACE) {
        return Vec::new();
    }
    let groups = subject.stack.resources.iter().filter(|resource| resource.kind == Kind::WorkGroup);
    let enforcing = groups.filter(|group| match &group.body {
        Body::Properties(properties) => {
            properties["WorkGroupConfiguration"]["EnforceWorkGroupConfiguration"] != false
        }
        Body::Function(_) | Body::StateMachine(_) | Body::Role(_) => false,
    });
    enforcing
        .map(|group| {
            let path = [
                "Resources",
                &group.logical_id,
                "Properties",
                "WorkGroupConfiguration",
                "EnforceWorkGroupConfiguration",
            ];
            let found = format!(
                "{} enforces its result location, and a CTAS here has an {OWN_PLACE}",
                group.logical_id
            );
            Finding::error("workgroup-enforces", &subject.template.file, found)
                .at(subject.template.place(path))
                .expected("EnforceWorkGroupConfiguration: false")
                .advice("set it: Athena refuses such a CTAS in an enforcing workgroup")
        })
        .collect()
}
