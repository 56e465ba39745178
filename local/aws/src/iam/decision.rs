//! The verdict on one call: an explicit Deny wins, then an Allow of the caller's policies or of the resource's, and
//! nothing else allows.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::caller::Caller;
use super::context::{Context, Unsupported};
use super::policy::Policy;
use super::principal::Named;
use super::statement::Effect;

/// A call as policies see it. The context holds the caller's keys too.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub caller: &'a Caller,
    /// `s3:GetObject`
    pub action: &'a str,
    pub resource: &'a str,
    pub context: &'a Context,
}

/// Why a call is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A statement says Deny.
    Explicit { from: Origin, statement: String },
    /// No statement says Allow.
    Implicit,
    /// A statement that could have decided cannot be decided here.
    Undecided { statement: String, what: Unsupported },
}

/// Whose policy a statement is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Identity,
    Resource,
}

/// Decides. `identity` are the caller's policies, `resource` the policy of what is called.
pub fn decide(
    request: &Request<'_>,
    identity: &[Policy],
    resource: Option<&Policy>,
) -> Result<(), Denial> {
    let policies = identity
        .iter()
        .map(|policy| (Origin::Identity, policy))
        .chain(resource.map(|policy| (Origin::Resource, policy)));
    let (mut allowed, mut undecided) = (false, None);
    for (from, policy) in policies {
        for (place, statement) in policy.statements.iter().enumerate() {
            let cover = match statement.covers(request) {
                Ok(None) => continue,
                Ok(Some(cover)) => cover,
                Err(what) => {
                    let statement_label = statement.label(place);
                    let denial = Denial::Undecided { statement: statement_label, what };
                    if statement.effect == Effect::Deny {
                        return Err(denial);
                    }
                    undecided = Some(denial);
                    continue;
                }
            };
            match statement.effect {
                Effect::Deny => {
                    let statement = statement.label(place);
                    return Err(Denial::Explicit { from, statement });
                }
                // Who is named as one of an account needs a policy of his own, which decides above.
                Effect::Allow => allowed |= cover.named == Named::Yes,
            }
        }
    }
    match (allowed, undecided) {
        (true, _) => Ok(()),
        (false, Some(undecided)) => Err(undecided),
        (false, None) => Err(Denial::Implicit),
    }
}
