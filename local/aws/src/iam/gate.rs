//! The gate every call of a role or a service passes.

use std::sync::Arc;

use super::caller::Caller;
use super::context::Context;
use super::decision::{Denial, Request, decide};
use super::denial::Refusal;
use super::need::Need;
use super::policy::{Attached, Policy};
use super::record::Call;
use super::resource::Owner;
use crate::services::Services;
use crate::wire::ServiceError;

impl Services {
    /// Lets a call pass, or says why not.
    pub fn authorise(&self, caller: &Caller, need: &Need) -> Result<(), Refusal> {
        if *caller == Caller::Root {
            return Ok(());
        }
        let context = caller.context(self.settings()).and(&need.context);
        let verdict = match self.verdict(caller, need, &context) {
            Ok(verdict) => verdict,
            // Who cannot be judged is not let in.
            Err(error) => return Err(Refusal::unreadable(need, error)),
        };
        let Some(verdict) = verdict else { return Ok(()) };
        let call = || Call {
            principal: caller.principal().to_owned(),
            action: need.action.to_string(),
            resource: need.resource.clone(),
            context,
            source_arn: match caller {
                Caller::Service(service) => service.source_arn.clone(),
                Caller::Root | Caller::Role(_) => None,
            },
        };
        self.iam().record.note(call, verdict.is_err());
        verdict.map_err(|denial| {
            let refusal = Refusal::new(caller.arn(&self.settings().account_id), need, denial);
            tracing::debug!(refusal = refusal.message(), "denied");
            refusal
        })
    }

    /// All of a call's needs.
    pub fn authorise_all(&self, caller: &Caller, needs: &[Need]) -> Result<(), Refusal> {
        needs.iter().try_for_each(|need| self.authorise(caller, need))
    }

    /// Asks for what a service does quietly on somebody's behalf: where it is denied, the work goes on without it.
    pub fn authorise_quietly(&self, caller: &Caller, need: &Need) -> bool {
        match self.authorise(caller, need) {
            Ok(()) => true,
            Err(refusal) => {
                tracing::warn!(refusal = refusal.message(), "done without");
                false
            }
        }
    }

    /// Whether a service may take on a role, for the sake of a source.
    pub fn assume(&self, service: &str, source_arn: &str, role_arn: &str) -> Result<(), Refusal> {
        let caller = Caller::service(service, Some(source_arn));
        self.authorise(&caller, &Need::new("sts:AssumeRole", role_arn))
    }

    /// `None` where nothing is enforced.
    fn verdict(
        &self,
        caller: &Caller,
        need: &Need,
        context: &Context,
    ) -> Result<Option<Result<(), Denial>>, ServiceError> {
        let identity = match caller {
            Caller::Root => return Ok(None),
            Caller::Role(session) => match self.iam().governing(&session.role_arn)? {
                None => return Ok(None),
                Some(identity) => identity,
            },
            Caller::Service(_) => Arc::default(),
        };
        let resource = self.policy_of(&need.resource)?;
        let is_service = matches!(caller, Caller::Service(_));
        // A role that nobody created is whatever somebody says it is; so is a resource without a policy where any
        // role is accepted.
        let is_open = match Owner::of(&need.resource) {
            Some(Owner::Role(_)) => true,
            _ => self.settings().any_role,
        };
        if is_service && resource.is_none() && is_open {
            return Ok(None);
        }
        let request = Request { caller, action: &need.action, resource: &need.resource, context };
        let policy = resource.as_deref().and_then(|policies| policies.first());
        Ok(Some(decide(&request, &identity, policy)))
    }

    /// The policy of a resource.
    fn policy_of(&self, arn: &str) -> Result<Option<Arc<Vec<Policy>>>, ServiceError> {
        let Some(owner) = Owner::of(arn) else { return Ok(None) };
        let text = match &owner {
            Owner::Role(name) => return self.iam().trust(name),
            Owner::Bucket(name) => match self.lake().store.bucket_document(name, "policy") {
                Ok(text) => text,
                // What is not there has no policy; the call itself says that it is not there.
                Err(lake::StoreError::NoSuchBucket(_)) => None,
                Err(error) => return Err(ServiceError::internal(error)),
            },
            Owner::Queue(name) => self.sqs().policy(name)?,
            Owner::Topic(topic) => self.sns().policy(topic)?,
            Owner::Function(name) => self.lambda().policy(name)?,
        };
        text.filter(|text| !text.is_empty())
            .map(|text| self.iam().resource_policy(&owner, &text, Attached::Resource))
            .transpose()
    }
}
