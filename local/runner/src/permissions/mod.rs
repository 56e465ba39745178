//! Permissions proven by execution: the pipeline is rehearsed with its rare paths, every call is recorded with the role
//! that made it, and the template's own policies are held to the record. A denied call is a grant that is missing; a
//! grant that no call used is one too many.
//!
//! This is a check against the template's policies, and no word of AWS: organisations, boundaries and AWS's own changes
//! are not in it.
mod excused;
pub mod mutation;
mod policies;
mod rehearsal;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws::iam::policy_set::{Grant, PolicySet};
use aws::iam::record::{Call, Tally};
use serde::Serialize;

use crate::template::Stack;

use excused::excuse;
pub use policies::policies;
pub use rehearsal::rehearse;

/// What a rehearsal has shown of a template's policies.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub denied: Vec<Denied>,
    /// Grants that no call used.
    pub unused: Vec<String>,
    /// Grants that the rehearsal cannot use, and why.
    pub excused: Vec<(String, &'static str)>,
    /// Calls in all, and of different kind.
    pub calls: u64,
    pub kinds: usize,
    pub roles: usize,
    pub statements: usize,
    pub grants: usize,
}

/// A call that no statement allows, or one denies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Denied {
    pub principal: String,
    pub action: String,
    pub resource: String,
    pub times: u64,
}

impl Report {
    /// Holds a record to the policies it was made under.
    pub fn of(stack: &Stack, calls: &[(Call, Tally)]) -> anyhow::Result<Self> {
        let set = policies(stack)?;
        let mut unused: BTreeSet<Grant> = set.grants().into_iter().collect();
        let grants = unused.len();
        for (call, _) in calls.iter().filter(|(_, tally)| tally.made > tally.denied) {
            for grant in set.used(call)? {
                unused.remove(&grant);
            }
        }
        let (mut kept, mut excused) = (Vec::new(), Vec::new());
        for grant in unused {
            match excuse(&grant.policy, &grant.statement, &grant.action) {
                Some(excuse) => excused.push((grant.to_string(), excuse.reason)),
                None => kept.push(grant.to_string()),
            }
        }
        Ok(Report {
            denied: denied(calls.iter().map(|(call, tally)| (call, tally.denied))),
            unused: kept,
            excused,
            calls: calls.iter().map(|(_, tally)| tally.made).sum(),
            kinds: calls.len(),
            roles: set.roles(),
            statements: set.statements(),
            grants,
        })
    }

    pub fn is_clean(&self) -> bool {
        self.denied.is_empty() && self.unused.is_empty()
    }
}

/// The recorded calls that these policies would deny.
pub fn replay(set: &PolicySet, calls: &[(Call, Tally)]) -> Vec<Denied> {
    let decided = calls
        .iter()
        .map(|(call, tally)| (call, if set.decide(call).is_ok() { 0 } else { tally.made }));
    denied(decided)
}

/// Calls that differ in nothing but their context are one.
fn denied<'c>(calls: impl Iterator<Item = (&'c Call, u64)>) -> Vec<Denied> {
    let mut found = BTreeMap::<(&str, &str, &str), u64>::new();
    for (call, times) in calls.filter(|(_, times)| *times > 0) {
        *found.entry((&call.principal, &call.action, &call.resource)).or_default() += times;
    }
    let denied = found.into_iter().map(|((principal, action, resource), times)| Denied {
        principal: principal.to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
        times,
    });
    denied.collect()
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denied { principal, action, resource, times } = self;
        write!(f, "denied {times} times: {action} on {resource} to {principal}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for denied in &self.denied {
            writeln!(f, "template.yaml: error: {denied}")?;
        }
        for grant in &self.unused {
            writeln!(f, "template.yaml: error: never used: {grant}")?;
        }
        for (grant, reason) in &self.excused {
            writeln!(f, "not rehearsed: {grant} ({reason})")?;
        }
        write!(
            f,
            "checked against the template's policies: {} calls of {} kinds, {} roles, {} statements, {} grants; {} denied, {} never used",
            self.calls,
            self.kinds,
            self.roles,
            self.statements,
            self.grants,
            self.denied.len(),
            self.unused.len(),
        )
    }
}
