//! What was called, by whom and on what, while somebody wants to know.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::context::Context;

/// One kind of call. The context holds all that a policy can ask for, so that it can be decided again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Call {
    /// A role's ARN, or a service.
    pub principal: String,
    /// `s3:GetObject`
    pub action: String,
    pub resource: String,
    pub context: Context,
    /// `aws:SourceArn` of a service.
    pub source_arn: Option<String>,
}

impl Call {
    /// Whoever made it, in a session of no further meaning.
    pub fn caller(&self) -> Caller {
        if self.principal.starts_with("arn:") {
            Caller::role(&self.principal, "recorded")
        } else {
            Caller::service(&self.principal, self.source_arn.as_deref())
        }
    }
}

/// How often a call was made, and how often it was denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub made: u64,
    pub denied: u64,
}

/// Off until it is started: an account that serves for days would never forget.
#[derive(Default)]
pub struct Record(Mutex<Option<BTreeMap<Call, Tally>>>);

impl Record {
    pub fn start(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(BTreeMap::new());
    }

    pub fn note(&self, call: impl FnOnce() -> Call, denied: bool) {
        if let Some(calls) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let tally = calls.entry(call()).or_default();
            tally.made += 1;
            tally.denied += u64::from(denied);
        }
    }

    /// Everything since the start, in order.
    pub fn calls(&self) -> Vec<(Call, Tally)> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().flatten().map(|(call, tally)| (call.clone(), *tally)).collect()
    }
}
