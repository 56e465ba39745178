//! Whether a Task gives an operation what it needs, and nothing that it does not take.

use asl::{Remark, Resource, ResourceKind, StateOutline, nearest};
use serde_json::{Map, Value};

use super::signature::{Arguments, Signature};

/// Arguments of which exactly one must be there.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>,
/// <https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html>.
const ONE_OF: [(&str, &str, &[&str]); 3] = [
    ("sns", "publish", &["TopicArn", "TargetArn", "PhoneNumber"]),
    ("aws-sdk:sns", "publish", &["TopicArn", "TargetArn", "PhoneNumber"]),
    ("http", "invoke", &["Authentication", "InvocationConfig"]),
];

pub fn remarks(
    state: &StateOutline,
    resource: &Resource,
    signature: &'static Signature,
) -> Vec<Remark> {
    let ResourceKind::Service { service, action, .. } = &resource.kind else { return Vec::new() };
    let operation = format!("{service}:{action}");
    let Some((at, arguments)) = state.arguments() else {
        return without(state, &operation, signature).into_iter().collect();
    };
    // A text is an expression that makes them.
    let Some(members) = arguments.as_object() else { return Vec::new() };
    let mut check = Check { operation: &operation, signature, remarks: Vec::new() };
    check.object(members, "", &at, &signature.arguments);
    let given =
        |name: &&&str| members.contains_key(**name) || members.contains_key(&format!("{name}.$"));
    for (_, _, names) in ONE_OF.iter().filter(|(known, verb, _)| known == service && verb == action)
    {
        let count = names.iter().filter(given).count();
        if count != 1 {
            check.remarks.push(
                Remark::error("arguments", at.clone(), format!("{count} of {}", names.join(", ")))
                    .expected(format!("exactly one of {}", names.join(", ")))
                    .advice(format!("{operation} goes to one place: name it once")),
            );
        }
    }
    check.remarks
}

/// No arguments at all: the input is the request.
fn without(state: &StateOutline, operation: &str, signature: &Signature) -> Option<Remark> {
    let required = signature.arguments.required.join(", ");
    let name = if state.is_jsonata() { "Arguments" } else { "Parameters" };
    (!required.is_empty()).then(|| {
        Remark::warning(
            "arguments",
            state.pointer.clone(),
            format!("no {name}: the state's input is sent to {operation} as it is"),
        )
        .expected(format!("{name} with {required}"))
        .advice(format!("write out {name}"))
    })
}

struct Check<'a> {
    operation: &'a str,
    signature: &'static Signature,
    remarks: Vec<Remark>,
}

impl Check<'_> {
    /// The members of an argument; `path` is empty for the arguments themselves.
    fn object(&mut self, members: &Map<String, Value>, path: &str, at: &str, takes: &Arguments) {
        let names: Vec<&str> =
            members.keys().map(|name| name.strip_suffix(".$").unwrap_or(name)).collect();
        for (key, name) in members.keys().zip(&names) {
            if !takes.takes(name) {
                self.unknown(name, &format!("{at}/{key}"), takes);
            }
        }
        let missing: Vec<_> =
            takes.required.iter().filter(|name| !names.contains(name)).copied().collect();
        if !missing.is_empty() {
            self.remarks.push(
                Remark::error(
                    "arguments",
                    at,
                    format!("no {} for {}", missing.join(", "), self.operation),
                )
                .expected(takes.required.join(", "))
                .advice(format!("add {}", missing.join(", "))),
            );
        }
        for (key, value) in members {
            let path = if path.is_empty() { key.clone() } else { format!("{path}/{key}") };
            self.inside(value, &path, &format!("{at}/{key}"));
        }
    }

    fn inside(&mut self, value: &Value, path: &str, at: &str) {
        let signature = self.signature;
        let each = format!("{path}/*");
        match value {
            Value::Object(members) => {
                if let Some(takes) = signature.inside.get(path) {
                    self.object(members, path, at, takes);
                } else if signature.inside.contains_key(each.as_str()) {
                    for (key, value) in members {
                        self.inside(value, &each, &format!("{at}/{key}"));
                    }
                }
            }
            Value::Array(items) if signature.inside.contains_key(each.as_str()) => {
                for (index, item) in items.iter().enumerate() {
                    self.inside(item, &each, &format!("{at}/{index}"));
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self, name: &str, at: &str, takes: &Arguments) {
        let meant = nearest(name, takes.names());
        let expected = match meant {
            Some(meant) => format!("{meant}?"),
            None => takes.names().collect::<Vec<_>>().join(", "),
        };
        self.remarks.push(
            Remark::error("arguments", at, format!("{} takes no {name}", self.operation))
                .expected(expected)
                .advice("correct the name (a capital first, whatever the API does), or remove it"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::stepfunctions::review;

    fn check(resource: &str, arguments: Value, expected: &[&str]) {
        let state = json!({"Type": "Task", "Resource": format!("arn:aws:states:::{resource}"),
            "Arguments": arguments, "TimeoutSeconds": 9, "End": true});
        let definition =
            json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}});
        let found: Vec<_> = review(&definition.to_string(), "STANDARD")
            .into_iter()
            .map(|remark| format!("{} {}", remark.location.replace("/States/A/", ""), remark.found))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn arguments_are_held_to_the_operation() {
        check("athena:startQueryExecution.sync", json!({"QueryString": "SELECT 1"}), &[]);
        check(
            "athena:startQueryExecution.sync",
            json!({"QueryStrng": "SELECT 1", "ResultConfiguration": {"Output": "s3://b"}}),
            &[
                "Arguments/QueryStrng athena:startQueryExecution takes no QueryStrng",
                "Arguments no QueryString for athena:startQueryExecution",
                "Arguments/ResultConfiguration/Output athena:startQueryExecution takes no Output",
            ],
        );
        check(
            "sns:publish",
            json!({"Message": {"any": 1}}),
            &["Arguments 0 of TopicArn, TargetArn, PhoneNumber"],
        );
        check(
            "events:putEvents",
            json!({"Entries": [{"Detail": {"any": 1}, "Detailtype": "t"}]}),
            &["Arguments/Entries/0/Detailtype events:putEvents takes no Detailtype"],
        );
        check(
            "aws-sdk:sfn:startExecution",
            json!({"stateMachineArn": "a"}),
            &[
                "Arguments/stateMachineArn aws-sdk:sfn:startExecution takes no stateMachineArn",
                "Arguments no StateMachineArn for aws-sdk:sfn:startExecution",
            ],
        );
        check("lambda:invoke", json!("{% $states.input %}"), &[]);
    }

    #[test]
    fn resources_are_those_of_aws() {
        let query = || json!({"QueryString": "SELECT 1"});
        check("athena:startQuery.sync", query(), &["Resource no integration athena:startQuery"]);
        check(
            "athena:startQueryExecution.waitForTaskToken",
            query(),
            &[
                "Resource athena:startQueryExecution does not offer .waitForTaskToken",
                "Arguments waits for a task token that it does not hand on",
            ],
        );
        check(
            "aws-sdk:s4:listBuckets",
            json!({}),
            &["Resource no integration aws-sdk:s4:listBuckets"],
        );
        check(
            "aws-sdk:s3:listBucket",
            json!({}),
            &["Resource no integration aws-sdk:s3:listBucket"],
        );
        check("aws-sdk:ec2:anything", json!({}), &[]);
        check(
            "sqs:sendMessage.waitForTaskToken",
            json!({"QueueUrl": "q", "MessageBody": {"t": "{% $states.context.Task.Token %}"}}),
            &[],
        );
    }
}
