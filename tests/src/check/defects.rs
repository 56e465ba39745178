//! Defects seeded in copies of this project's own template and state machine, each of which
//! `check` must find where it is. A new one is a row of [`DEFECTS`].

use runner::check::Finding;

use super::project::Change::{self, Remove, Replace, Set};
use super::project::{Copy, MACHINE, TEMPLATE};

/// What is broken, and what must be said of it.
struct Defect {
    rule: &'static str,
    changes: &'static [Change],
    /// A JSON pointer of the state machine, or a piece of the line that is pointed to in the template.
    place: &'static str,
    /// A piece of what was found, or of what was expected.
    piece: &'static str,
}

const fn defect(
    rule: &'static str,
    changes: &'static [Change],
    place: &'static str,
    piece: &'static str,
) -> Defect {
    Defect { rule, changes, place, piece }
}

#[rustfmt::skip]
const DEFECTS: &[Defect] = &[
    // --- Transitions ---------------------------------------------------------------------------
    defect("transition", &[Set("/StartAt", r#""Plann""#)], "/StartAt", "Plan?"),
    defect("transition", &[Set("/States/Plan/Next", r#""AnythingTodo""#)], "/States/Plan/Next", "AnythingToDo?"),
    defect("transition", &[Set("/States/AnythingToDo/Default", r#""Nothing""#)], "/States/AnythingToDo/Default", "Nothing"),
    defect("transition", &[Set("/States/AnythingToDo/Choices/1/Next", r#""CreateDatabse""#)], "/States/AnythingToDo/Choices/1/Next", "CreateDatabase?"),
    defect("transition", &[Set("/States/Plan/Catch/1/Next", r#""HandleRunErorr""#)], "/States/Plan/Catch/1/Next", "HandleRunError?"),
    defect("transition", &[Set("/States/Forgotten", r#"{"Type": "Succeed"}"#)], "/States/Forgotten", "not reachable"),
    defect("schema", &[Remove("/States/ShowTables/Next")], "/States/ShowTables", "Next, End"),
    defect("no-terminal-state", &[Set("/States/Gold/ItemProcessor/States/CreateGoldView", r#"{"Type": "Wait", "Seconds": 1, "Next": "CreateGoldView"}"#)],
        "/States/Gold/ItemProcessor", "no terminal state"),
    defect("endless-loop", &[Set("/States/LoadMonths/ItemProcessor/States/HandleError/Next", r#""Fetch""#)],
        "/States/LoadMonths/ItemProcessor/States/Fetch", "Fetch → HandleError → Fetch"),
    defect("duplicate-name", &[Replace(MACHINE, "\"NothingToDo\": {", "\"Plan\": { \"Type\": \"Succeed\" },\n    \"NothingToDo\": {")], "/States/Plan", "two states"),
    defect("duplicate-name", &[Set("/States/Gold/ItemProcessor/States/Notify", r#"{"Type": "Succeed"}"#)], "/States/Gold/ItemProcessor/States/Notify", "Notify"),
    defect("duplicate-name", &[Replace(MACHINE, "\"TimeoutSeconds\": 86400,", "\"TimeoutSeconds\": 86400,\n  \"TimeoutSeconds\": 60,")], "/TimeoutSeconds", "twice"),
    // --- Errors --------------------------------------------------------------------------------
    defect("schema", &[Set("/States/Plan/Catch/1/ErrorEquals", r#"["States.ALL", "States.Timeout"]"#)], "/States/Plan/Catch/1/ErrorEquals", "alone"),
    defect("schema", &[Set("/States/Plan/Catch/0/ErrorEquals", r#"["States.ALL"]"#)], "/States/Plan/Catch/0/ErrorEquals", "last"),
    defect("unknown-error-name", &[Set("/States/Plan/Retry/1/ErrorEquals", r#"["States.Timeuot"]"#)], "/States/Plan/Retry/1/ErrorEquals", "States.Timeout?"),
    defect("handler-of-no-error", &[Set("/States/Plan/Catch/1/ErrorEquals", r#"["State.ALL"]"#)], "/States/Plan/Catch/1/ErrorEquals", "States.ALL"),
    defect("handler-of-no-error", &[Set("/States/Plan/Retry/1/ErrorEquals", r#"["States.Runtime"]"#)], "/States/Plan/Retry/1/ErrorEquals", "caught by nobody"),
    defect("handler-of-no-error", &[Set("/States/Plan/Retry/1/ErrorEquals", r#"["States.DataLimitExceeded"]"#)], "/States/Plan/Retry/1/ErrorEquals", "as large again"),
    defect("handler-of-no-error", &[Remove("/States/ShowTables/TimeoutSeconds")], "/States/ShowTables/Retry/0/ErrorEquals", "without TimeoutSeconds"),
    defect("handler-out-of-reach", &[Set("/States/Plan/Retry/1/ErrorEquals", r#"["Lambda.Unknown"]"#)], "/States/Plan/Retry/1/ErrorEquals", "Lambda.Unknown"),
    defect("error-of-no-function", &[Set("/States/Plan/Catch/0/ErrorEquals", r#"["Input.Invalld"]"#)], "/States/Plan/Catch/0/ErrorEquals", "Input.Invalid?"),
    defect("error-of-no-function", &[Set("/States/Summarise/Retry/1/ErrorEquals", r#"["Schema.MissingColumn"]"#)], "/States/Summarise/Retry/1/ErrorEquals", "functions/load"),
    defect("error-of-no-function", &[Set("/States/Gold/Catch/0/ErrorEquals", r#"["Gold.Failed"]"#)], "/States/Gold/Catch/0/ErrorEquals", "no function raises"),
    defect("error-of-no-service", &[Set("/States/ShowTables/Retry/0/ErrorEquals", r#"["Athena.TooManyRequestException"]"#)], "/States/ShowTables/Retry/0/ErrorEquals", "Athena.TooManyRequestsException?"),
    defect("error-of-no-service", &[Set("/States/ShowTables/Retry/0/ErrorEquals", r#"["SQS.SqsException"]"#)], "/States/ShowTables/Retry/0/ErrorEquals", "athena raises no"),
    defect("error-of-no-service", &[Set("/States/Plan/Retry/0/ErrorEquals", r#"["Lambda.TooManyRequestException"]"#)], "/States/Plan/Retry/0/ErrorEquals", "Lambda.TooManyRequestsException?"),
    // --- Retries and timeouts ------------------------------------------------------------------
    defect("retry-without-limit", &[Remove("/States/Plan/Retry/0/MaxDelaySeconds")], "/States/Plan/Retry/0", "MaxDelaySeconds"),
    defect("retry-without-jitter", &[Remove("/States/Plan/Retry/0/JitterStrategy")], "/States/Plan/Retry/0", "JitterStrategy"),
    defect("retry-without-end", &[Set("/States/Plan/Retry/0/MaxAttempts", "99999")], "/States/Plan/Retry/0", "days"),
    defect("insert-retried", &[Set("/States/ShowTables/Arguments/QueryString", r#""INSERT INTO t SELECT 1""#)], "/States/ShowTables/Retry/0/ErrorEquals", "INSERT INTO"),
    defect("task-without-timeout", &[Remove("/States/Plan/TimeoutSeconds")], "/States/Plan", "TimeoutSeconds"),
    defect("task-timeout-below-function", &[Set("/States/Plan/TimeoutSeconds", "600")], "/States/Plan/TimeoutSeconds", "900"),
    defect("schema", &[Set("/States/Plan/HeartbeatSeconds", "910")], "/States/Plan/HeartbeatSeconds", "below TimeoutSeconds"),
    // --- Integrations --------------------------------------------------------------------------
    defect("unknown-integration", &[Set("/States/ShowTables/Resource", r#""arn:aws:states:::athena:startQuery.sync""#)], "/States/ShowTables/Resource", "startQueryExecution"),
    defect("unknown-integration", &[Set("/States/ShowTables/Resource", r#""arn:aws:states:::athna:startQueryExecution""#)], "/States/ShowTables/Resource", "athna"),
    defect("unknown-integration", &[Set("/States/Notify/Resource", r#""arn:aws:states:::aws-sdk:sns:publsh""#)], "/States/Notify/Resource", "aws-sdk:sns:publish?"),
    defect("unknown-integration", &[Set("/States/Notify/Resource", r#""arn:aws:states:::aws-sdk:snss:publish""#)], "/States/Notify/Resource", "aws-sdk:sns:publish?"),
    defect("pattern-not-offered", &[Set("/States/Notify/Resource", r#""arn:aws:states:::sns:publish.sync""#)], "/States/Notify/Resource", "sns:publish.waitForTaskToken"),
    defect("pattern-not-offered", &[Set("/States/ShowTables/Resource", r#""arn:aws:states:::athena:startQueryExecution.sync:2""#)], "/States/ShowTables/Resource", ".sync:2"),
    defect("token-not-sent", &[Set("/States/DeadLetterRun/Resource", r#""arn:aws:states:::sqs:sendMessage.waitForTaskToken""#)], "/States/DeadLetterRun/Arguments", "Task.Token"),
    defect("unknown-resource", &[Set("/States/ShowTables/Resource", r#""arn:aws:glue:us-east-1:123456789012:job/convert""#)], "/States/ShowTables/Resource", "glue:startJobRun"),
    defect("arguments", &[Remove("/States/ShowTables/Arguments/QueryString")], "/States/ShowTables/Arguments", "QueryString"),
    defect("arguments", &[Remove("/States/Notify/Arguments/Message")], "/States/Notify/Arguments", "Message"),
    defect("arguments", &[Remove("/States/Notify/Arguments/TopicArn")], "/States/Notify/Arguments", "exactly one of TopicArn"),
    defect("arguments", &[Remove("/States/DeadLetterRun/Arguments/MessageBody")], "/States/DeadLetterRun/Arguments", "MessageBody"),
    defect("arguments", &[Remove("/States/Plan/Arguments/FunctionName")], "/States/Plan/Arguments", "FunctionName"),
    defect("arguments", &[Set("/States/ShowTables/Arguments/Workgroup", r#""w""#)], "/States/ShowTables/Arguments/Workgroup", "WorkGroup?"),
    defect("arguments", &[Set("/States/ShowTables/Arguments/ResultConfiguration", r#"{"OutputLocaton": "s3://b/"}"#)], "/States/ShowTables/Arguments/ResultConfiguration/OutputLocaton", "OutputLocation?"),
    defect("arguments", &[Remove("/States/ShowTables/Arguments")], "/States/ShowTables", "input is sent"),
    defect("unknown-arn", &[Set("/States/Plan/Arguments/FunctionName", r#""arn:aws:lambda:us-east-1:123456789012:function:other""#)], "/States/Plan/Arguments/FunctionName", "function:other"),
    // --- Expressions and fields ----------------------------------------------------------------
    defect("invalid-jsonata", &[Set("/States/AnythingToDo/Choices/0/Condition", r#""{% $count($plan.units > 0 %}""#)], "/States/AnythingToDo/Choices/0/Condition", "JSONata"),
    defect("invalid-jsonata", &[Set("/States/CreateMissing/Items", r#""{% $states.input.missing ?? [] %}""#)], "/States/CreateMissing/Items", "??"),
    defect("top-level-reference", &[Set("/States/AnythingToDo/Choices/1/Condition", r#""{% first_run %}""#)], "/States/AnythingToDo/Choices/1/Condition", "first_run"),
    defect("schema", &[Set("/States/ShowTables/ResultPath", r#""$.tables""#)], "/States/ShowTables", "Output or Assign"),
    defect("schema", &[Set("/States/ShowTables/Parameters", "{}")], "/States/ShowTables", "in JSONata Arguments"),
    defect("schema", &[Set("/States/ShowTables/TimeoutSecond", "3")], "/States/ShowTables", "TimeoutSeconds?"),
    defect("schema", &[Set("/States/Old", r#"{"Type": "Pass", "QueryLanguage": "JSONPath", "End": true}"#)], "/States/Old", "JSONPath"),
    defect("schema", &[Remove("/QueryLanguage")], "/States/Plan", "JSONPath"),
    defect("text-like-expression", &[Set("/States/CheckTables/Arguments/Payload/datasets", r#""$.datasets""#)], "/States/CheckTables/Arguments/Payload/datasets", "JSONPath in a JSONata"),
    defect("text-like-expression", &[Set("/States/ShowTables/Arguments/QueryString", r#""SHOW TABLES IN {% $database %}""#)], "/States/ShowTables/Arguments/QueryString", "within a text"),
    defect("placeholder-left", &[Set("/States/ShowTables/Arguments/QueryString", r#""SHOW TABLES IN `${Databse}`""#)], "/States/ShowTables/Arguments/QueryString", "${Databse}"),
    defect("variable-never-set", &[Set("/States/Notify/Arguments/Subject", r#""{% $sumary.subject %}""#)], "/States/Notify/Arguments/Subject", "$summary?"),
    defect("variable-never-set", &[Set("/States/Notify/Arguments/Subject", r#""{% $substr($summary.subject, 1) %}""#)], "/States/Notify/Arguments/Subject", "$substr"),
    defect("variable-sometimes-set", &[Remove("/States/CollectGarbage/Catch/0/Assign")], "/States/Notify/Output/garbage", "CollectGarbage → Notify"),
    defect("variable-outside-children", &[Set("/States/LoadMonths/ItemProcessor/States/Validate/Arguments/Payload/unit", r#""{% $plan.units[0] %}""#)],
        "/States/LoadMonths/ItemProcessor/States/Validate/Arguments/Payload/unit", "$plan"),
    defect("states-misuse", &[Set("/States/Plan/Output", r#""{% $states.errorOutput %}""#)], "/States/Plan/Output", "outside of a catcher"),
    defect("states-misuse", &[Set("/States/Notify/Arguments/Subject", r#""{% $states.result.Subject %}""#)], "/States/Notify/Arguments/Subject", "not there yet"),
    defect("states-misuse", &[Set("/States/CreateMissing/Items", r#""{% $states.inptu.missing %}""#)], "/States/CreateMissing/Items", "input?"),
    defect("states-misuse", &[Set("/States/Plan/Arguments/Payload/execution", r#""{% $states.context.Execution.Arn %}""#)], "/States/Plan/Arguments/Payload/execution", "Execution.Arn"),
    defect("not-json", &[Replace(MACHINE, r#""StartAt": "Plan","#, r#""StartAt": "Plan""#)], "", "line 6"),
    // --- Sizes ---------------------------------------------------------------------------------
    defect("inline-map-over-results", &[Set("/States/CheckTables", ROWS)], "/States/CreateMissing", "athena:getQueryResults"),
    defect("data-limit-uncaught", &[Set("/States/CheckTables", ROWS)], "/States/CheckTables", "States.DataLimitExceeded"),
    defect("result-handed-on", &[
            Set("/States/CreateDatabase/Output", r#"{"plan": "{% $states.input %}"}"#),
            Set("/States/ShowTables/Output", r#"{"plan": "{% $states.input %}"}"#),
        ], "/States/Plan", "AnythingToDo, CreateDatabase, ShowTables, CheckTables"),
    defect("distributed-map-without-writer", &[Remove("/States/LoadMonths/ResultWriter")], "/States/LoadMonths", "ResultWriter"),
    defect("inline-map-concurrency", &[Set("/States/Gold/MaxConcurrency", r#""{% 64 %}""#)], "/States/Gold/MaxConcurrency", "64"),
    defect("inline-map-concurrency", &[Set("/States/Gold/MaxConcurrency", "100")], "/States/Gold/MaxConcurrency", "at most 40"),
    defect("schema", &[Replace(TEMPLATE, "Type: STANDARD", "Type: EXPRESS")], "/States/CreateDatabase/Resource", "'.sync'"),
    defect("distributed-map-in-express", &[Replace(TEMPLATE, "Type: STANDARD", "Type: EXPRESS")], "/States/LoadMonths", "EXPRESS"),
    // --- The template --------------------------------------------------------------------------
    defect("template", &[Replace(TEMPLATE, "        TopicArn: !Ref Notifications\n", "")], "ExtractFunctionArn", "${TopicArn}"),
    defect("template", &[Replace(TEMPLATE, "        TopicArn: !Ref Notifications\n", "        TopicArn: !Ref Notifications\n        Spare: x\n")], "ExtractFunctionArn", "Spare"),
    defect("template", &[Replace(TEMPLATE, "!GetAtt LoadFunction.Arn\n        Handle", "!GetAtt LodFunction.Arn\n        Handle")], "LodFunction", "LodFunction"),
    defect("template", &[Replace(TEMPLATE, "DefinitionUri: statemachines/nyc_taxi_etl", "DefinitionUri: statemachines/nyc_taxi")], "DefinitionUri", "cannot be read"),
    defect("function-package", &[Replace(TEMPLATE, "CodeUri: functions/extract", "CodeUri: functions/extrakt")], "CodeUri: functions/extrakt", "no package"),
    defect("function-limit", &[Replace(TEMPLATE, "Timeout: 900", "Timeout: 1200")], "Timeout: 1200", "1 to 900"),
    defect("function-limit", &[Replace(TEMPLATE, "Extract: { Function: 128 }", "Extract: { Function: 64 }")], "MemorySize: !FindInMap", "128 to 10240"),
    defect("function-limit", &[Replace(TEMPLATE, "Default: arm64\n    AllowedValues: [arm64,", "Default: arm46\n    AllowedValues: [arm46,")], "Properties", "arm46"),
    defect("environment-missing", &[Replace(TEMPLATE, "          SOURCE_URL: !Ref SourceUrl\n", "")], "Variables", "SOURCE_URL"),
    defect("environment-missing", &[Replace(TEMPLATE, "          LOOKBACK_MONTHS: !Ref LookbackMonths\n", "")], "Variables", "takes a default"),
    defect("environment-unread", &[Replace(TEMPLATE, "          DATASETS: !Ref Datasets\n", "          DATASETS: !Ref Datasets\n          DATASET: one\n")], "DATASET: one", "never reads"),
    defect("schedule-name", &[Replace(TEMPLATE, "            OmitName: true\n", "")], "Properties:", "NycTaxiEtlNightly"),
    defect("schedule-name", &[Replace(TEMPLATE, "            OmitName: true\n", "            Name: nightly\n")], "Name: nightly", "nightly"),
    defect("rule-dead-letters-refused", &[Replace(TEMPLATE, "Service: events.amazonaws.com", "Service: sns.amazonaws.com")], "DeadLetterConfig", "TriggerDeadLetters"),
    defect("rule-dead-letters-refused", &[Replace(TEMPLATE, "Action: sqs:SendMessage\n            Resource: !GetAtt TriggerDeadLetters.Arn", "Action: sqs:SendMessage\n            Resource: !GetAtt DeadLetters.Arn")], "DeadLetterConfig", "events.amazonaws.com"),
    defect("dead-letters-unwatched", &[Replace(TEMPLATE, "Value: !GetAtt DeadLetters.QueueName", "Value: !GetAtt TriggerDeadLetters.QueueName")], "DeadLetters:", "no alarm"),
    defect("alarm-unheard", &[Replace(TEMPLATE, "      AlarmActions: [!Ref Notifications]\n", "")], "Alarm:", "tells nobody"),
    defect("log-group-name", &[Replace(TEMPLATE, "!Sub /aws/vendedlogs/states/nyctaxi-", "!Sub /nyctaxi/states-")], "LogGroupName", "/aws/vendedlogs/states/"),
    defect("log-delivery", &[Replace(TEMPLATE, "                  - logs:CreateLogDelivery\n", "")], "Policies", "logs:CreateLogDelivery"),
    defect("log-delivery", &[Replace(TEMPLATE, "Resource: \"*\" # log delivery", "Resource: !GetAtt StateMachineLogs.Arn # log delivery")], "Policies", "Resource \"*\""),
    defect("workgroup-enforces", &[Replace(TEMPLATE, "EnforceWorkGroupConfiguration: false", "EnforceWorkGroupConfiguration: true")], "EnforceWorkGroupConfiguration: true", "external_location"),
    defect("workgroup-enforces", &[Replace(TEMPLATE, "        EnforceWorkGroupConfiguration: false\n", "")], "WorkGroupConfiguration:", "external_location"),
    defect("role-lacks-action", &[Replace(TEMPLATE, "athena:StopQueryExecution, ", "")], "Policies", "athena:StopQueryExecution"),
    defect("role-lacks-action", &[Replace(TEMPLATE, "Action: sns:Publish\n                Resource: !Ref Notifications", "Action: sns:Subscribe\n                Resource: !Ref Notifications")], "Policies", "sns:Publish"),
    defect("role-lacks-action", &[Replace(TEMPLATE, "Action: [states:DescribeExecution, ", "Action: [")], "Policies", "LoadMonths"),
    defect("role-lacks-action", &[Replace(TEMPLATE, "xray:PutTraceSegments, ", "")], "Policies", "Tracing"),
];

/// `CheckTables` as the original workflow had it: the rows themselves, in the state's output.
const ROWS: &str = r#"{
    "Type": "Task",
    "Resource": "arn:aws:states:::athena:getQueryResults",
    "Arguments": { "QueryExecutionId": "{% $states.input.QueryExecution.QueryExecutionId %}" },
    "TimeoutSeconds": 60,
    "Next": "CreateMissing",
    "Catch": [{ "ErrorEquals": ["States.ALL"], "Output": { "state": "CheckTables", "error": "{% $states.errorOutput %}" }, "Next": "HandleRunError" }]
}"#;

#[test]
fn every_seeded_defect_is_found() {
    let mut missed = Vec::new();
    for defect in DEFECTS {
        let copy = Copy::new();
        for change in defect.changes {
            copy.apply(change);
        }
        let findings = copy.findings();
        if !findings.iter().any(|finding| tells_of(finding, defect, &copy)) {
            let found: Vec<_> = findings.iter().map(Finding::to_string).collect();
            missed.push(format!(
                "{} at {} ({}) after {:?}; found instead:\n{}",
                defect.rule,
                defect.place,
                defect.piece,
                defect.changes,
                found.join("\n")
            ));
        }
    }
    let found = DEFECTS.len() - missed.len();
    println!("{found} of {} seeded defects found", DEFECTS.len());
    assert!(missed.is_empty(), "\n{}", missed.join("\n\n"));
}

fn tells_of(finding: &Finding, defect: &Defect, copy: &Copy) -> bool {
    let in_place = if let Some(pointer) = &finding.pointer {
        pointer == defect.place && finding.file == MACHINE
    } else {
        let text = copy.text(&finding.file);
        let line = finding.line.and_then(|line| text.lines().nth(line - 1));
        line.is_some_and(|line| line.contains(defect.place))
    };
    let said = finding.found.contains(defect.piece) || finding.expected.contains(defect.piece);
    finding.rule == defect.rule && in_place && said && !finding.advice.is_empty()
}

#[test]
fn the_project_itself_has_no_findings() {
    let findings = Copy::new().findings();
    let found: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn all_findings_come_at_once() {
    let copy = Copy::new();
    let broken = [
        Replace(TEMPLATE, "        TopicArn: !Ref Notifications\n", ""),
        Replace(TEMPLATE, "Timeout: 900", "Timeout: 1200"),
        Set("/States/Plan/Next", r#""Nowhere""#),
        Set("/States/Notify/Arguments/Subject", r#""{% $sumary.subject %}""#),
    ];
    for change in &broken {
        copy.apply(change);
    }
    let findings = copy.findings();
    for rule in ["template", "function-limit", "transition", "variable-never-set"] {
        assert!(findings.iter().any(|finding| finding.rule == rule), "{rule}: {findings:#?}");
    }
}
