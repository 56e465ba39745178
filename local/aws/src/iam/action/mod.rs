//! Operations of the services to actions of IAM, with the resources they are on. An action's name is not always the
//! operation's, and one operation may need several.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

use serde_json::Value;

use super::need::Need;
use crate::services::Services;

mod catalog;
mod objects;

pub use catalog::glue;
pub use objects::{Request, s3};

/// What an operation of a JSON or query service needs. `service` is the name that requests are signed for.
pub fn needs(services: &Services, service: &str, operation: &str, input: &Value) -> Vec<Need> {
    let call = Call { services, operation, input };
    match service {
        "athena" => call.athena(),
        "events" => vec![call.events()],
        "glue" => glue(services, operation, text(input, "DatabaseName"), table(input), input),
        "iam" => vec![call.iam()],
        "lambda" => call.lambda(),
        "logs" => vec![call.logs()],
        "monitoring" => vec![call.cloudwatch()],
        "s3" => s3(operation, input),
        "scheduler" => call.scheduler(),
        "sns" => vec![call.sns()],
        "sqs" => vec![call.sqs()],
        "states" => call.states(),
        // Who one is may be asked by everybody.
        "sts" if operation == "GetCallerIdentity" => Vec::new(),
        "sts" => vec![
            Need::new(format!("sts:{operation}"), text(input, "RoleArn").unwrap_or("*"))
                .with_some("sts:RoleSessionName", text(input, "RoleSessionName")),
        ],
        other => vec![Need::new(format!("{other}:{operation}"), "*")],
    }
}

struct Call<'a> {
    services: &'a Services,
    operation: &'a str,
    input: &'a Value,
}

fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input[member].as_str().filter(|text| !text.is_empty())
}

fn table(input: &Value) -> Option<&str> {
    text(input, "TableName")
        .or_else(|| input.pointer("/TableInput/Name").and_then(Value::as_str))
        .or_else(|| text(input, "Name").filter(|_| text(input, "DatabaseName").is_some()))
}

impl Call<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        self.services.settings().arn(service, resource)
    }

    fn need(&self, prefix: &str, resource: impl Into<String>) -> Need {
        Need::new(format!("{prefix}:{}", self.operation), resource)
    }

    fn member(&self, name: &str) -> Option<&str> {
        text(self.input, name)
    }

    fn athena(&self) -> Vec<Need> {
        let workgroup = |name: &str| self.arn("athena", &format!("workgroup/{name}"));
        let catalog = |name: &str| self.arn("athena", &format!("datacatalog/{name}"));
        let resource = match self.operation {
            "ListWorkGroups" | "ListEngineVersions" | "ListDataCatalogs" => "*".to_owned(),
            "GetDatabase" | "ListDatabases" | "GetTableMetadata" | "ListTableMetadata" => {
                catalog(self.member("CatalogName").unwrap_or("AwsDataCatalog"))
            }
            "GetDataCatalog" | "CreateDataCatalog" => catalog(self.member("Name").unwrap_or("*")),
            "CreateWorkGroup" => workgroup(self.member("Name").unwrap_or("*")),
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                self.member("ResourceARN").unwrap_or("*").to_owned()
            }
            "BatchGetQueryExecution" => {
                let ids = self.input["QueryExecutionIds"].as_array().into_iter().flatten();
                let mut groups: Vec<String> = ids
                    .filter_map(|id| self.services.athena().workgroup_of(id.as_str()?))
                    .collect();
                groups.sort();
                groups.dedup();
                return groups.iter().map(|name| self.need("athena", workgroup(name))).collect();
            }
            _ => {
                let of_query =
                    || self.services.athena().workgroup_of(self.member("QueryExecutionId")?);
                let named = self.member("WorkGroup").map(str::to_owned).or_else(of_query);
                workgroup(named.as_deref().unwrap_or("primary"))
            }
        };
        vec![self.need("athena", resource)]
    }

    fn events(&self) -> Need {
        let bus = self.member("EventBusName").unwrap_or("default");
        let bus = bus.rsplit('/').next().unwrap_or_default();
        let rule = self.member("Rule").or(self.member("Name"));
        let resource = match (self.operation, rule) {
            ("PutEvents", _) => {
                let bus = self.input.pointer("/Entries/0/EventBusName").and_then(Value::as_str);
                let bus = bus.unwrap_or("default").rsplit('/').next().unwrap_or_default();
                self.arn("events", &format!("event-bus/{bus}"))
            }
            (operation, Some(name)) if operation.contains("EventBus") => {
                self.arn("events", &format!("event-bus/{name}"))
            }
            (_, Some(rule)) if bus == "default" => self.arn("events", &format!("rule/{rule}")),
            (_, Some(rule)) => self.arn("events", &format!("rule/{bus}/{rule}")),
            (_, None) => "*".to_owned(),
        };
        self.need("events", resource)
    }

    fn iam(&self) -> Need {
        let account = &self.services.settings().account_id;
        let resource = match (self.member("RoleName"), self.member("PolicyArn")) {
            (Some(role), _) => format!("arn:aws:iam::{account}:role/{role}"),
            (None, Some(policy)) => policy.to_owned(),
            (None, None) => "*".to_owned(),
        };
        self.need("iam", resource)
    }

    fn lambda(&self) -> Vec<Need> {
        let named = self.member("FunctionName").or(self.member("Resource"));
        let resource = named.map_or("*".to_owned(), |name| function_arn(self.services, name));
        // Two operations whose action has another name.
        let action = match self.operation {
            "Invoke" => "lambda:InvokeFunction".to_owned(),
            other => format!("lambda:{other}"),
        };
        let need = Need::new(action, resource);
        std::iter::once(need).chain(passed(self.member("Role"), "lambda.amazonaws.com")).collect()
    }

    fn logs(&self) -> Need {
        let group = self.member("logGroupName").or_else(|| {
            let identifier = self.member("logGroupIdentifier")?;
            Some(identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name))
        });
        let resource = match (group, self.member("logStreamName")) {
            (Some(group), Some(stream)) => {
                self.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
            }
            (Some(group), None) => self.arn("logs", &format!("log-group:{group}")),
            (None, _) => self.arn("logs", "log-group::log-stream:"),
        };
        self.need("logs", resource)
    }

    fn cloudwatch(&self) -> Need {
        let alarm = self.member("AlarmName").filter(|_| self.operation.contains("Alarm"));
        let dashboard = self.member("DashboardName");
        let resource = match (alarm, dashboard) {
            (Some(name), _) => self.arn("cloudwatch", &format!("alarm:{name}")),
            (None, Some(name)) => {
                let account = &self.services.settings().account_id;
                format!("arn:aws:cloudwatch::{account}:dashboard/{name}")
            }
            (None, None) => "*".to_owned(),
        };
        let namespace = self.member("Namespace").filter(|_| self.operation == "PutMetricData");
        self.need("cloudwatch", resource).with_some("cloudwatch:namespace", namespace)
    }

    fn scheduler(&self) -> Vec<Need> {
        let group = self.member("GroupName").unwrap_or("default");
        let resource = match self.member("Name") {
            None => "*".to_owned(),
            Some(name) if self.operation.contains("ScheduleGroup") => {
                self.arn("scheduler", &format!("schedule-group/{name}"))
            }
            Some(name) => self.arn("scheduler", &format!("schedule/{group}/{name}")),
        };
        let role = self.input.pointer("/Target/RoleArn").and_then(Value::as_str);
        std::iter::once(self.need("scheduler", resource))
            .chain(passed(role, "scheduler.amazonaws.com"))
            .collect()
    }

    fn sns(&self) -> Need {
        let topic =
            self.member("TopicArn").or(self.member("ResourceArn")).or(self.member("TargetArn"));
        let of_subscription =
            || self.member("SubscriptionArn")?.rsplit_once(':').map(|(arn, _)| arn);
        let created = || Some(self.arn("sns", self.member("Name")?));
        let resource = topic.or_else(of_subscription).map(str::to_owned).or_else(created);
        let action = match self.operation {
            "PublishBatch" => "sns:Publish".to_owned(),
            other => format!("sns:{other}"),
        };
        Need::new(action, resource.unwrap_or_else(|| "*".to_owned()))
    }

    fn sqs(&self) -> Need {
        let url = self.member("QueueUrl").map(|url| url.trim_end_matches('/'));
        let name = url.and_then(|url| url.rsplit('/').next()).or(self.member("QueueName"));
        let resource = name.map_or("*".to_owned(), |name| self.arn("sqs", name));
        // Batches are allowed as what they are batches of.
        let action = self.operation.strip_suffix("Batch").unwrap_or(self.operation);
        Need::new(format!("sqs:{action}"), resource)
    }

    fn states(&self) -> Vec<Need> {
        const ARNS: [&str; 6] = [
            "stateMachineArn",
            "executionArn",
            "mapRunArn",
            "activityArn",
            "stateMachineVersionArn",
            "stateMachineAliasArn",
        ];
        let named =
            ARNS.iter().find_map(|member| self.member(member)).or(self.member("resourceArn"));
        let created = || {
            let name = self.member("name")?;
            match self.operation {
                "CreateStateMachine" => Some(self.arn("states", &format!("stateMachine:{name}"))),
                "CreateActivity" => Some(self.arn("states", &format!("activity:{name}"))),
                _ => None,
            }
        };
        let resource = named.map(str::to_owned).or_else(created).unwrap_or_else(|| "*".to_owned());
        // Of a version or an alias, the machine itself is what is allowed.
        // <https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html>
        let (resource, qualifier) = match resource.match_indices(':').nth(6) {
            Some((at, _)) if resource.contains(":stateMachine:") => {
                (resource[..at].to_owned(), Some(resource[at + 1..].to_owned()))
            }
            _ => (resource, None),
        };
        let need =
            self.need("states", resource).with_some("states:StateMachineQualifier", qualifier);
        std::iter::once(need)
            .chain(passed(self.member("roleArn"), "states.amazonaws.com"))
            .collect()
    }
}

/// A role that is handed to a service, if the operation hands one over.
fn passed(role: Option<&str>, service: &str) -> Option<Need> {
    Some(Need::new("iam:PassRole", role?).with("iam:PassedToService", service))
}

/// The ARN of a function, however it is named.
pub fn function_arn(services: &Services, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let name = name.rsplit_once("function:").map_or(name, |(_, name)| name);
    services.settings().arn("lambda", &format!("function:{name}"))
}

/// Whether an action can be on a resource of a pattern's type. Only what is known to be impossible is not.
pub fn works_on(action: &str, resource: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return true };
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let [_, _, _, _, _, kind] = parts.as_slice() else { return true };
    let is = |prefix: &str| kind.starts_with(prefix) || kind.starts_with('*');
    match (service, name) {
        (_, name) if name.contains(['*', '?']) => true,
        ("s3", name) => {
            let is_object = name.contains("object")
                || name.contains("multipartuploadparts")
                || name == "abortmultipartupload";
            kind.starts_with('*') || kind.contains('/') == is_object
        }
        ("glue", name) if name.contains("database") && !name.starts_with("delete") => {
            is("catalog") || is("database")
        }
        ("athena", "getdatacatalog") => is("datacatalog"),
        ("athena", name) if name.contains("query") => is("workgroup"),
        ("states", "startexecution" | "startsyncexecution") => is("stateMachine"),
        ("states", "describeexecution" | "stopexecution" | "redriveexecution") => is("execution"),
        _ => true,
    }
}
