//! Whether what `Resource` names is there, and whether it can be waited for as asked.

use asl::{Pattern, Remark, Resource, ResourceKind, StateOutline, nearest};

use super::signature::{self, Integration, Signature};

/// Remarks on the resource, and its signature where it is known.
pub fn remarks(
    state: &StateOutline,
    resource: &Resource,
) -> (Option<&'static Signature>, Vec<Remark>) {
    let at = format!("{}/Resource", state.pointer);
    match &resource.kind {
        ResourceKind::Lambda => (None, Vec::new()),
        ResourceKind::Activity => (None, foreign(&resource.arn, &at).into_iter().collect()),
        ResourceKind::Service { service, action, pattern } => {
            let signature =
                Integration::named(service).and_then(|integration| integration.signature(action));
            let remark = match signature {
                None => unknown(service, action, &at),
                Some(signature) => offered(signature, service, *pattern, &at),
            };
            let token = waits_without_token(state, *pattern);
            (signature, remark.into_iter().chain(token).collect())
        }
    }
}

/// An ARN that names neither a function, nor an activity, nor an integration.
fn foreign(arn: &str, at: &str) -> Option<Remark> {
    let mut parts = arn.split(':');
    let service = parts.nth(2).filter(|_| arn.starts_with("arn:"))?;
    if service == "lambda" || (service == "states" && arn.contains(":activity:")) {
        return None;
    }
    let meant = match service {
        "states" => "arn:aws:states:::service:action".to_owned(),
        other => {
            let actions = Integration::named(other).map(Integration::actions);
            let action = actions.and_then(|mut actions| actions.next()).unwrap_or("action");
            format!("arn:aws:states:::{other}:{action}")
        }
    };
    Some(
        Remark::error("unknown-resource", at, format!("{arn} is nothing that a Task can call"))
            .expected(format!("an integration such as {meant}, a function or an activity"))
            .advice("name the integration here, and what it works on in its arguments"),
    )
}

fn unknown(service: &str, action: &str, at: &str) -> Option<Remark> {
    let found = format!("no integration {service}:{action}");
    let remark = |expected: String| {
        Remark::error("unknown-integration", at, found.clone())
            .expected(expected)
            .advice("correct the resource: service and action are told apart by capitals too")
    };
    if let Some(integration) = Integration::named(service) {
        let expected = match nearest(action, integration.actions()) {
            Some(meant) => format!("{service}:{meant}?"),
            None if service.starts_with("aws-sdk:") => format!("an operation of {service}"),
            None => {
                let known: Vec<_> = integration.actions().collect();
                format!(
                    "{service}:{}, or aws-sdk:{service}:{action}",
                    known.join(&format!(", {service}:"))
                )
            }
        };
        return Some(remark(expected));
    }
    if let Some(sdk) = service.strip_prefix("aws-sdk:") {
        if signature::is_service(sdk) {
            return None;
        }
        return Some(remark(match nearest(sdk, signature::services()) {
            Some(meant) => format!("aws-sdk:{meant}:{action}?"),
            None => "a service of AWS, in small letters, as the SDK for Java calls it".to_owned(),
        }));
    }
    Some(remark(if signature::is_service(service) {
        format!("aws-sdk:{service}:{action}")
    } else {
        "an optimised integration, or aws-sdk:service:action".to_owned()
    }))
}

fn offered(signature: &Signature, service: &str, pattern: Pattern, at: &str) -> Option<Remark> {
    if pattern == Pattern::RequestResponse || signature.patterns.contains(&pattern) {
        return None;
    }
    let offered: Vec<_> = [Pattern::RequestResponse]
        .iter()
        .chain(&signature.patterns)
        .map(|pattern| format!("{service}:{}{}", signature.action, pattern.suffix()))
        .collect();
    Some(
        Remark::error(
            "pattern-not-offered",
            at,
            format!("{service}:{} does not offer {}", signature.action, pattern.suffix()),
        )
        .expected(offered.join(" or "))
        .advice("change the resource's end; what is not waited for is asked for in a loop"),
    )
}

/// Nobody can end a task whose token nobody gets.
fn waits_without_token(state: &StateOutline, pattern: Pattern) -> Option<Remark> {
    let (at, arguments) = state.arguments()?;
    let text = arguments.to_string();
    let hands_token_on = text.contains("Task.Token")
        || text.contains("\"$$\"")
        || text.contains("$states.context ")
        || text.contains("$states.context.Task ");
    (pattern == Pattern::WaitForTaskToken && !hands_token_on).then(|| {
        Remark::warning("token-not-sent", at, "waits for a task token that it does not hand on")
            .expected(if state.is_jsonata() {
                "{% $states.context.Task.Token %} in the arguments"
            } else {
                "\"TaskToken.$\": \"$$.Task.Token\" in the parameters"
            })
            .advice("send the token along, or do not wait for it")
    })
}
