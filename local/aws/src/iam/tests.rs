//! The evaluation, by a table of cases (`cases.jsonl`): one call a line, with the policies it meets.

use serde_json::{Value, json};

use super::caller::Caller;
use super::context::Context;
use super::decision::{Denial, Request, decide};
use super::policy::{Attached, Policy};
use crate::Settings;

const CASES: &str = include_str!("cases.jsonl");

const ROLE: &str = "arn:aws:iam::123456789012:role/loader";

fn caller(case: &Value) -> Caller {
    match case["caller"]["service"].as_str() {
        Some(service) => Caller::service(service, case["caller"]["source_arn"].as_str()),
        None => Caller::role(ROLE, "run"),
    }
}

fn policy(case: &Value, member: &str, attached: Attached) -> Option<Policy> {
    let statements = case.get(member)?;
    let version = case["version"].as_str().unwrap_or("2012-10-17");
    let document = json!({"Version": version, "Statement": statements});
    Some(Policy::of(member, &document, attached).unwrap_or_else(|error| panic!("{case}: {error}")))
}

fn context(case: &Value, caller: &Caller) -> Context {
    let mut context = caller.context(&Settings::default());
    for (key, values) in case["context"].as_object().into_iter().flatten() {
        let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
        for value in values {
            context = context.with(key, value.as_str().unwrap());
        }
    }
    context
}

fn verdict(case: &Value) -> &'static str {
    let caller = caller(case);
    let context = context(case, &caller);
    let identity = policy(case, "identity", Attached::Identity);
    let resource = policy(case, "policy", Attached::Resource);
    let request = Request {
        caller: &caller,
        action: case["action"].as_str().unwrap(),
        resource: case["resource"].as_str().unwrap(),
        context: &context,
    };
    match decide(&request, identity.as_slice(), resource.as_ref()) {
        Ok(()) => "allow",
        Err(Denial::Implicit) => "implicit",
        Err(Denial::Explicit { .. }) => "explicit",
        Err(Denial::Undecided { .. }) => "undecided",
    }
}

#[test]
fn every_case_is_decided_as_iam_decides_it() {
    let mut count = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        assert_eq!(verdict(&case), case["expect"].as_str().unwrap(), "{}", case["name"]);
        count += 1;
    }
    assert!(count >= 60, "{count} cases");
}

#[test]
fn what_is_no_policy_is_refused_by_name() {
    let allow = |members: Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        for (name, value) in members.as_object().unwrap() {
            statement[name] = value.clone();
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let cases = [
        (json!("text"), Attached::Identity, "an object"),
        (json!({"Version": "2012-10-17"}), Attached::Identity, "Statement"),
        (json!({"Version": "2020-01-01", "Statement": []}), Attached::Identity, "Version"),
        (allow(json!({"Effect": "Maybe"})), Attached::Identity, "Effect"),
        (allow(json!({"Action": "GetObject"})), Attached::Identity, "vendor"),
        (allow(json!({"NotAction": "s3:*"})), Attached::Identity, "NotAction"),
        (allow(json!({"Actions": "s3:*"})), Attached::Identity, "unknown element Actions"),
        (allow(json!({"Principal": "*"})), Attached::Identity, "principal"),
        (allow(json!({})), Attached::Resource, "Principal"),
        (allow(json!({"NotPrincipal": "*"})), Attached::Resource, "NotPrincipal"),
        (
            allow(json!({"Principal": {"AWS": "arn:aws:iam::1:role/*"}})),
            Attached::Resource,
            "Invalid principal",
        ),
        (allow(json!({"Principal": "*"})), Attached::Trust, "Resource"),
        (
            allow(json!({"Condition": {"StringFits": {"aws:SourceArn": "x"}}})),
            Attached::Identity,
            "StringFits",
        ),
        (
            allow(json!({"Condition": {"NullIfExists": {"aws:SourceArn": "true"}}})),
            Attached::Identity,
            "NullIfExists",
        ),
    ];
    for (document, attached, expected) in cases {
        let error = Policy::of("p", &document, attached).unwrap_err().to_string();
        assert!(error.contains(expected), "{document}: {error}");
    }
}
