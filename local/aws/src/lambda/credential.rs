//! What a function's process calls AWS with: an access key of a session of the function's role, for as long as the
//! process lives.

use super::function::Function;
use crate::iam::Caller;
use crate::iam::caller::Session;
use crate::services::Link;

pub struct Credential {
    /// Empty after all services have gone.
    pub access_key: String,
    link: Link,
}

impl Credential {
    pub fn of(function: &Function, link: &Link) -> Self {
        let issued = link.services().map(|services| services.iam().issue(session(function)));
        Credential { access_key: issued.unwrap_or_default(), link: link.clone() }
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        if let Some(services) = self.link.services() {
            services.iam().revoke(&self.access_key);
        }
    }
}

/// Lambda names the session after the function.
fn session(function: &Function) -> Session {
    Session {
        role_arn: function.role.clone(),
        name: function.name.clone(),
        function_arn: Some(function.arn.clone()),
    }
}

/// The function itself, as others act for it.
pub fn caller(function: &Function) -> Caller {
    Caller::Role(session(function).into())
}
