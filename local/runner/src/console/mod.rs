//! The console: pages at `/` of the endpoint that show executions, their states and their
//! histories. It asks the public operations of Step Functions and knows nothing else.
mod page;

use std::sync::Arc;

use aws::wire::{Body, door};
use aws::{Front, Services};
use futures::FutureExt as _;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use maud::Markup;

use crate::cloud::{CallError, call};
use crate::graph;
use crate::run::executions::StepFunctions;

/// Below this are the console's pages; no bucket can have such a name.
const ROOT: &str = "/_console";

/// Answers what a browser asks for, and passes on what a client does.
pub fn front(services: Services) -> Front {
    Arc::new(move |request: Request<Body>| {
        let services = services.clone();
        async move {
            let path = request.uri().path().to_owned();
            let ours = path.starts_with(ROOT) || (path == "/" && wants_page(request.headers()));
            if request.method() != Method::GET
                || !ours
                || door::check(request.uri(), request.headers()).is_err()
            {
                return Err(request);
            }
            Ok(answer(&services, &path).await)
        }
        .boxed()
    })
}

/// `GET /` is ListBuckets to S3's clients: those sign and do not ask for HTML.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    !headers.contains_key(header::AUTHORIZATION)
        && accept.is_some_and(|accept| accept.contains("text/html"))
}

async fn answer(services: &Services, path: &str) -> Response<Body> {
    let made = match path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix("/execution/")) {
        Some(arn) => execution(services, &unescaped(arn)).await,
        None => overview(services).await,
    };
    let (status, markup) = match made {
        Ok(markup) => (StatusCode::OK, markup),
        Err(error) if error.code() == "ExecutionDoesNotExist" || error.code() == "InvalidArn" => {
            (StatusCode::NOT_FOUND, page::problem(&error.to_string()))
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, page::problem(&error.to_string())),
    };
    let mut response = Response::new(Body::from(markup.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    response
}

async fn overview(services: &Services) -> Result<Markup, CallError> {
    let machines = call(services, "states", "ListStateMachines", serde_json::json!({})).await?;
    let step_functions = StepFunctions(services);
    let mut listed = Vec::new();
    for machine in machines["stateMachines"].as_array().into_iter().flatten() {
        let arn = machine["stateMachineArn"].as_str().unwrap_or_default();
        let mut executions = Vec::new();
        for arn in step_functions.of_machine(arn).await?.iter().take(page::LISTED) {
            executions.push(step_functions.describe(arn).await?);
        }
        listed.push((machine["name"].as_str().unwrap_or_default().to_owned(), executions));
    }
    Ok(page::overview(&listed))
}

async fn execution(services: &Services, arn: &str) -> Result<Markup, CallError> {
    let step_functions = StepFunctions(services);
    let execution = step_functions.describe(arn).await?;
    let history = step_functions.history(arn).await?;
    let mut children = Vec::new();
    for child in step_functions.children(arn).await? {
        let described = step_functions.describe(&child).await?;
        let state = step_functions.state(&child).await?;
        children.push((described, state));
    }
    let definition = step_functions.definition(arn).await?;
    let picture = graph::svg(&definition, Some(&step_functions.visits(arn).await?));
    Ok(page::execution(&execution, &history, &children, &picture))
}

/// `%3A` and the like undone.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_clients_are_told_apart() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
            });
            pairs.collect::<HeaderMap>()
        };
        assert!(wants_page(&headers(&[("accept", "text/html,application/xhtml+xml")])));
        assert!(!wants_page(&headers(&[("accept", "*/*")])));
        assert!(!wants_page(&headers(&[
            ("accept", "text/html"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=local")
        ])));
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescaped("arn%3Aaws%3Astates:a%2Fb%"), "arn:aws:states:a/b%");
    }
}
