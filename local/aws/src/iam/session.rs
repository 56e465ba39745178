//! Credentials that this endpoint gives out, and whose they are. Secrets and signatures mean nothing here: the access
//! key alone tells who calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use uuid::Uuid;

use super::caller::{Caller, Session};
use super::{Iam, denial};
use crate::wire::{ServiceError, target};

/// Every key given out begins so. One that is not known any more is refused, not taken for root.
const PREFIX: &str = "ASIALOCAL";

/// Base 32, of which access keys are made.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The sessions of this process, by access key.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Iam {
    /// New credentials of a role; the access key.
    pub fn issue(&self, session: Session) -> String {
        let random = Uuid::new_v4().as_u128();
        let digit =
            |place: u32| char::from(DIGITS[(random >> (place * 5)) as usize % DIGITS.len()]);
        let key: String = PREFIX.chars().chain((0..11).map(digit)).collect();
        let mut sessions = self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(key.clone(), Arc::new(session));
        key
    }

    /// Forgets credentials, as of a function's process that has ended.
    pub fn revoke(&self, key: &str) {
        self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Who a request comes from.
    ///
    /// Errors: `InvalidClientTokenId` of a key that was given out and is not known any more.
    pub fn caller(&self, request: &Parts) -> Result<Caller, ServiceError> {
        let Some(key) = target::access_key(request).filter(|key| key.starts_with(PREFIX)) else {
            return Ok(Caller::Root);
        };
        let sessions = self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sessions.get(&key).cloned();
        known.map(Caller::Role).ok_or_else(denial::unknown_key)
    }
}
