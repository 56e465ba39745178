//! Grants that no rehearsal can use.

/// A grant by the end of its policy's name or its statement's, and its action (in any case). All rows with
/// their reasons: a grant that can be rehearsed has no place here.
pub struct Excuse {
    place: &'static str,
    action: &'static str,
    pub reason: &'static str,
}

pub const EXCUSED: &[Excuse] = &[
    Excuse {
        place: "StartExecutionPolicy",
        action: "states:startexecution",
        reason: "SAM names the alias that is started, and Step Functions asks for the machine",
    },
    Excuse {
        place: "Delivery",
        action: "s3:putobject",
        reason: "no access logs are written locally",
    },
];

/// The excuse of an action in a policy's statement.
pub fn excuse(policy: &str, statement: &str, action: &str) -> Option<&'static Excuse> {
    EXCUSED.iter().find(|excuse| {
        let is_here = policy.ends_with(excuse.place) || statement.ends_with(excuse.place);
        is_here && action.eq_ignore_ascii_case(excuse.action)
    })
}
