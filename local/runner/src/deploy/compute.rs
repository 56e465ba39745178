//! Functions and state machines.
use std::path::Path;

use serde_json::{Value, json};

use super::pick;
use crate::cloud::{CallError, Cloud};
use crate::template::{Function, StateMachine};

pub async fn function(
    cloud: &Cloud,
    function: &Function,
    binaries: &Path,
) -> Result<(), CallError> {
    let code = json!({"LocalPath": binaries.join(&function.package)});
    let mut configuration = json!({
        "FunctionName": function.name,
        "Role": function.role_arn,
        "Runtime": function.runtime,
        "Handler": function.handler,
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mb,
        "Environment": {"Variables": function.environment},
        "LoggingConfig": {"LogGroup": function.log_group},
        "TracingConfig": {"Mode": tracing(function)},
    });
    let optional = pick(
        &function.properties,
        &[("Description", "Description"), ("DeadLetterQueue", "DeadLetterConfig")],
    );
    for (member, value) in optional {
        configuration[member] = value;
    }
    let known = json!({"FunctionName": function.name});
    match cloud.call("lambda", "GetFunctionConfiguration", known.clone()).await {
        Ok(_) => {
            let mut update = code;
            update["FunctionName"] = json!(function.name);
            cloud.call("lambda", "UpdateFunctionCode", update).await?;
            cloud.call("lambda", "UpdateFunctionConfiguration", configuration).await?;
        }
        Err(error) if error.code() == "ResourceNotFoundException" => {
            configuration["Code"] = code;
            configuration["Architectures"] = json!([function.architecture]);
            cloud.call("lambda", "CreateFunction", configuration).await?;
        }
        Err(error) => return Err(error),
    }
    if let Some(reserved) = function.properties.get("ReservedConcurrentExecutions") {
        let mut input = known;
        input["ReservedConcurrentExecutions"] = reserved.clone();
        cloud.call("lambda", "PutFunctionConcurrency", input).await?;
    }
    Ok(())
}

/// SAM's `Tracing`; Lambda passes traces on where it is not said.
fn tracing(function: &Function) -> &str {
    match function.properties.get("Tracing").and_then(Value::as_str) {
        Some("Active") => "Active",
        _ => "PassThrough",
    }
}

pub async fn state_machine(cloud: &Cloud, machine: &StateMachine) -> Result<(), CallError> {
    let mut input = json!({
        "definition": machine.definition,
        "roleArn": machine.role_arn,
        "loggingConfiguration": logging(&machine.properties),
        "tracingConfiguration": {"enabled": machine.properties.pointer("/Tracing/Enabled").and_then(Value::as_bool).unwrap_or_default()},
    });
    let there = json!({"stateMachineArn": machine.arn});
    match cloud.call("states", "DescribeStateMachine", there).await {
        Ok(known) => {
            if known["definition"] != input["definition"] || known["roleArn"] != input["roleArn"] {
                input["stateMachineArn"] = json!(machine.arn);
                cloud.call("states", "UpdateStateMachine", input).await?;
            }
        }
        Err(error) if error.code() == "StateMachineDoesNotExist" => {
            input["name"] = json!(machine.name);
            input["type"] = json!(machine.kind);
            cloud.call("states", "CreateStateMachine", input).await?;
        }
        Err(error) => return Err(error),
    }
    match &machine.alias {
        Some(alias) => publish(cloud, machine, alias).await,
        None => Ok(()),
    }
}

/// Publishes the machine as it is now, and has the alias name that version.
async fn publish(cloud: &Cloud, machine: &StateMachine, alias: &str) -> Result<(), CallError> {
    let this = json!({"stateMachineArn": machine.arn});
    let version = cloud.call("states", "PublishStateMachineVersion", this).await?;
    let routes =
        json!([{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]);
    let known = json!({
        "stateMachineAliasArn": format!("{}:{alias}", machine.arn),
        "routingConfiguration": routes,
    });
    match cloud.call("states", "UpdateStateMachineAlias", known).await {
        Err(error) if error.code() == "ResourceNotFound" => {
            let new = json!({"name": alias, "routingConfiguration": routes});
            cloud.call("states", "CreateStateMachineAlias", new).await.map(drop)
        }
        updated => updated.map(drop),
    }
}

/// SAM's `Logging` in the operation's spelling.
fn logging(properties: &Value) -> Value {
    let Some(logging) = properties.get("Logging") else { return json!({"level": "OFF"}) };
    let destinations = logging.get("Destinations").and_then(Value::as_array).into_iter().flatten();
    let destinations = destinations.filter_map(|destination| {
        let arn = destination.pointer("/CloudWatchLogsLogGroup/LogGroupArn")?;
        Some(json!({"cloudWatchLogsLogGroup": {"logGroupArn": arn}}))
    });
    json!({
        "level": logging.get("Level").cloned().unwrap_or_else(|| json!("OFF")),
        "includeExecutionData": logging.get("IncludeExecutionData").cloned().unwrap_or_else(|| json!(false)),
        "destinations": destinations.collect::<Vec<_>>(),
    })
}
