//! Roles held to their policies, from a function's process to the state machine that waits for it.

use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use lake::store::PutOptions;
use serde_json::{Value, json};

use super::{Account, function};
use crate::iam::Caller;
use crate::wire::Body;

const TRUSTED: [&str; 5] = [
    "lambda.amazonaws.com",
    "states.amazonaws.com",
    "events.amazonaws.com",
    "scheduler.amazonaws.com",
    "nobody.amazonaws.com",
];

impl Account {
    /// A role that every service may take on, with these statements; its ARN.
    async fn role(&self, name: &str, statements: Value) -> String {
        self.role_for(name, &TRUSTED, statements).await
    }

    async fn role_for(&self, name: &str, services: &[&str], statements: Value) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole",
        }]});
        let create = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
        let created = self.call("iam", "CreateRole", create).await;
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let put =
            json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": document.to_string()});
        self.call("iam", "PutRolePolicy", put).await;
        created["Role"]["Arn"].as_str().unwrap().to_owned()
    }

    async fn function(&self, folder: &std::path::Path, role: &str) -> Value {
        let create = json!({
            "FunctionName": "reader",
            "Role": role,
            "Code": {"LocalPath": function::script(folder)},
            "Timeout": 20,
        });
        self.call("lambda", "CreateFunction", create).await
    }

    fn bucket(&self, name: &str, keys: &[&str]) {
        let store = &self.services.lake().store;
        store.create_bucket(name, "us-east-1").unwrap();
        for key in keys {
            store.put(name, key, b"1\n2\n", PutOptions::default()).unwrap();
        }
    }

    async fn machine_as(&self, role: &str, state: Value) -> String {
        let mut state = state;
        state["Type"] = "Task".into();
        state["End"] = true.into();
        let definition = json!({"StartAt": "Only", "States": {"Only": state}});
        let create = json!({
            "name": format!("m{}", uuid::Uuid::new_v4().simple()),
            "definition": definition.to_string(),
            "roleArn": role,
        });
        let created = self.call("states", "CreateStateMachine", create).await;
        created["stateMachineArn"].as_str().unwrap().to_owned()
    }
}

fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    json!({"Effect": "Allow", "Action": action.into(), "Resource": resource.into()})
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_reads_what_its_role_may_and_the_machine_hears_of_the_rest() {
    let account = Account::open().await;
    account.bucket("taxi", &["open/a", "closed/a"]);
    let open = json!([allow("s3:GetObject", "arn:aws:s3:::taxi/open/*")]);
    let role = account.role("reader", open).await;
    let folder = tempfile::tempdir().unwrap();
    let function = account.function(folder.path(), &role).await;
    let invoke = allow("lambda:InvokeFunction", text(&function, "FunctionArn"));
    let machine_role = account.role("machine", json!([invoke])).await;
    let task = json!({
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "reader", "Payload.$": "$"},
    });
    let machine = account.machine_as(&machine_role, task).await;
    let read =
        async |path: &str| account.execute(&machine, json!({"do": "get", "path": path})).await;
    let done = read("/taxi/open/a").await;
    assert_eq!(done["status"], "SUCCEEDED", "{done}");
    let denied = read("/taxi/closed/a").await;
    assert_eq!((text(&denied, "status"), text(&denied, "error")), ("FAILED", "AccessDenied"));
    let expected = "User: arn:aws:sts::123456789012:assumed-role/reader/reader is not authorized to perform: s3:GetObject on resource: \\\"arn:aws:s3:::taxi/closed/a\\\" because no identity-based policy allows the s3:GetObject action";
    assert!(text(&denied, "cause").replace("\\\\\\\"", "\\\"").contains(expected), "{denied}");
    // Who may not list is not told what is missing.
    let hidden = read("/taxi/open/none").await;
    assert_eq!(text(&hidden, "error"), "AccessDenied", "{hidden}");
    assert!(text(&hidden, "cause").contains("s3:ListBucket"), "{hidden}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_refused_in_the_words_of_their_service() {
    let account = Account::open().await;
    account.bucket("taxi", &["a"]);
    let folder = tempfile::tempdir().unwrap();
    account.function(folder.path(), "arn:aws:iam::123456789012:role/any").await;
    account.call("sqs", "CreateQueue", json!({"QueueName": "q"})).await;
    account.call("sns", "CreateTopic", json!({"Name": "t"})).await;
    let role = account.role("weak", json!([allow("s3:ListAllMyBuckets", "*")])).await;
    let cases = [
        (
            "lambda:invoke",
            json!({"FunctionName": "reader"}),
            "Lambda.AWSLambdaException",
            "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:reader because no identity-based policy allows the lambda:InvokeFunction action (Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException;",
        ),
        (
            "sqs:sendMessage",
            json!({"QueueUrl": "http://127.0.0.1/123456789012/q", "MessageBody": "m"}),
            "SQS.AmazonSQSException",
            "sqs:sendmessage on resource: arn:aws:sqs:us-east-1:123456789012:q because",
        ),
        (
            "sns:publish",
            json!({"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"}),
            "SNS.AuthorizationErrorException",
            "SNS:Publish on resource: arn:aws:sns:us-east-1:123456789012:t because",
        ),
        (
            "athena:startQueryExecution",
            json!({"QueryString": "SELECT 1"}),
            "Athena.AmazonAthenaException",
            "athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:123456789012:workgroup/primary because",
        ),
        (
            "aws-sdk:glue:getDatabase",
            json!({"Name": "d"}),
            "Glue.AccessDeniedException",
            "glue:GetDatabase on resource: arn:aws:glue:us-east-1:123456789012:catalog because",
        ),
        (
            "aws-sdk:s3:getObject",
            json!({"Bucket": "taxi", "Key": "a"}),
            "S3.S3Exception",
            "s3:GetObject on resource: \"arn:aws:s3:::taxi/a\" because",
        ),
        (
            "aws-sdk:cloudwatch:putMetricData",
            json!({"Namespace": "n", "MetricData": []}),
            "CloudWatch.CloudWatchException",
            "cloudwatch:PutMetricData because",
        ),
    ];
    for (resource, parameters, error, cause) in cases {
        let task =
            json!({"Resource": format!("arn:aws:states:::{resource}"), "Parameters": parameters});
        let machine = account.machine_as(&role, task).await;
        let ended = account.execute(&machine, json!({})).await;
        assert_eq!(text(&ended, "error"), error, "{resource}: {ended}");
        let cause = format!("is not authorized to perform: {cause}");
        assert!(text(&ended, "cause").contains(&cause), "{resource}: {ended}");
        assert!(
            text(&ended, "cause").starts_with("User: arn:aws:sts::123456789012:assumed-role/weak/")
        );
    }
}

/// What a role needs for the statements below, one grant each.
fn lake_grants() -> Vec<Value> {
    let glue = |resource: &str| format!("arn:aws:glue:us-east-1:123456789012:{resource}");
    let table = json!([glue("catalog"), glue("database/taxi"), glue("table/taxi/*")]);
    vec![
        allow("athena:*", "arn:aws:athena:us-east-1:123456789012:workgroup/primary"),
        allow("athena:GetDataCatalog", "*"),
        allow(
            "glue:GetDatabase",
            json!([glue("catalog"), glue("database/default"), glue("database/taxi")]),
        ),
        allow("glue:CreateTable", table.clone()),
        allow("glue:GetTable", table),
        allow(json!(["s3:GetBucketLocation", "s3:ListBucket"]), "arn:aws:s3:::taxi"),
        allow(
            json!(["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts"]),
            "arn:aws:s3:::taxi/results/*",
        ),
        allow("s3:GetObject", "arn:aws:s3:::taxi/data/*"),
        allow(
            json!(["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts"]),
            "arn:aws:s3:::taxi/copy/*",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_may_what_its_caller_may() {
    let account = Account::open().await;
    account.bucket("taxi", &["data/a.csv"]);
    account.call("glue", "CreateDatabase", json!({"DatabaseInput": {"Name": "taxi"}})).await;
    let statements = [
        "CREATE EXTERNAL TABLE IF NOT EXISTS taxi.t (a string) ROW FORMAT DELIMITED LOCATION 's3://taxi/data/'",
        "SELECT count(*) FROM taxi.t",
        "CREATE TABLE taxi.c{} WITH (format = 'PARQUET', external_location = 's3://taxi/copy/{}/') AS SELECT a FROM taxi.t",
    ];
    // The grant that is missing, the statement that fails for it, and how.
    let cases = [
        (None, 9, ""),
        (
            Some(2),
            0,
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. MetaException(message:User: ",
        ),
        (Some(2), 1, "Insufficient permissions to execute the query. User: "),
        (
            Some(4),
            1,
            "is not authorized to perform: glue:GetTable on resource: arn:aws:glue:us-east-1:123456789012:catalog",
        ),
        (Some(7), 1, "Permission denied on S3 path: s3://taxi/data/a.csv"),
        (Some(6), 1, "Access denied when writing output to url: s3://taxi/results/"),
        (Some(8), 2, "Access denied when writing output to url: s3://taxi/copy/"),
        (Some(3), 2, "glue:CreateTable"),
    ];
    for (number, (missing, failing, reason)) in cases.into_iter().enumerate() {
        let grants: Vec<Value> = lake_grants()
            .into_iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != missing)
            .map(|(_, grant)| grant)
            .collect();
        let role = account.role(&format!("lake{number}"), json!(grants)).await;
        let caller = Caller::role(&role, "test");
        for (at, statement) in statements.iter().enumerate() {
            let sql = statement.replace("{}", &number.to_string());
            let query = query(&account, &caller, &sql).await;
            let status = &query["Status"];
            if at == failing {
                assert_eq!(status["State"], "FAILED", "{missing:?} {sql}: {status}");
                assert!(
                    text(status, "StateChangeReason").contains(reason),
                    "{missing:?}: {status}"
                );
                assert_eq!(status["AthenaError"]["ErrorCategory"], 2, "{status}");
            } else if missing.is_none() {
                assert_eq!(status["State"], "SUCCEEDED", "{sql}: {status}");
            }
        }
    }
}

async fn query(account: &Account, caller: &Caller, sql: &str) -> Value {
    let start = json!({
        "QueryString": sql,
        "ResultConfiguration": {"OutputLocation": "s3://taxi/results/"},
    });
    let started =
        account.services.dispatch_as(caller, "athena", "StartQueryExecution", start).await;
    let id = started.unwrap()["QueryExecutionId"].clone();
    account.services.athena().finished(id.as_str().unwrap()).await.unwrap();
    let shown = account.call("athena", "GetQueryExecution", json!({"QueryExecutionId": id})).await;
    shown["QueryExecution"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_found_and_read_by_who_may() {
    let account = Account::open().await;
    account.bucket("taxi", &[]);
    let athena = allow("athena:*", "*");
    let weak = Caller::role(&account.role("weak", json!([athena])).await, "test");
    let start = json!({
        "QueryString": "SELECT 1",
        "ResultConfiguration": {"OutputLocation": "s3://taxi/results/"},
    });
    let refused = account
        .services
        .dispatch_as(&weak, "athena", "StartQueryExecution", start)
        .await
        .unwrap_err();
    assert_eq!(refused.code, "InvalidRequestException");
    assert_eq!(refused.message, "Unable to verify/create output bucket taxi");
    let query = query(&account, &Caller::Root, "SELECT 1").await;
    let read = json!({"QueryExecutionId": query["QueryExecutionId"]});
    let refused =
        account.services.dispatch_as(&weak, "athena", "GetQueryResults", read).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert!(refused.message.contains("s3:GetObject on resource: arn:aws:s3:::taxi/results/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_taken_on_by_whom_they_trust() {
    let account = Account::open().await;
    let role =
        account.role_for("distrustful", &["nobody.amazonaws.com"], json!([allow("*", "*")])).await;
    let folder = tempfile::tempdir().unwrap();
    let create = json!({
        "FunctionName": "f", "Role": role, "Code": {"LocalPath": function::script(folder.path())},
    });
    assert_eq!(
        account.refused("lambda", "CreateFunction", create).await,
        "InvalidParameterValueException"
    );
    let machine = json!({
        "name": "m",
        "definition": json!({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}).to_string(),
        "roleArn": role,
    });
    assert_eq!(
        account.refused("states", "CreateStateMachine", machine).await,
        "AccessDeniedException"
    );
    let schedule = json!({
        "Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m", "RoleArn": role},
    });
    assert_eq!(
        account.refused("scheduler", "CreateSchedule", schedule).await,
        "ValidationException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_logs_if_its_role_may() {
    let account = Account::open().await;
    let role = account.role("quiet", json!([allow("states:*", "*")])).await;
    let machine = json!({
        "name": "m",
        "definition": json!({"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}).to_string(),
        "roleArn": role,
        "loggingConfiguration": {"level": "ALL", "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:g:*"}},
        ]},
    });
    let refused =
        account.services.dispatch("states", "CreateStateMachine", machine).await.unwrap_err();
    assert_eq!(refused.code, "AccessDeniedException");
    assert_eq!(
        refused.message,
        "The state machine IAM Role is not authorized to access the Log Destination"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_tells_who_calls_by_the_access_key() {
    let account = Account::open().await;
    let role = account.role("visitor", json!([allow("sns:ListTopics", "*")])).await;
    let assume = json!({"RoleArn": role, "RoleSessionName": "me"});
    let assumed = account.call("sts", "AssumeRole", assume).await;
    let key = text(&assumed["Credentials"], "AccessKeyId").to_owned();
    let send = async |key: &str, service: &str, form: &str| {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", "127.0.0.1")
            .header("authorization", scope)
            .body(Body::from(form.as_bytes().to_vec()))
            .unwrap();
        let (parts, body) = account.services.call(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, String::from_utf8_lossy(&body).into_owned())
    };
    let (status, body) = send(&key, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("arn:aws:sts::123456789012:assumed-role/visitor/me"), "{body}");
    let (status, _) = send(&key, "sns", "Action=ListTopics&Version=2010-03-31").await;
    assert_eq!(status, StatusCode::OK);
    let (status, body) = send(&key, "sns", "Action=CreateTopic&Version=2010-03-31&Name=x").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(
        body.contains("<Code>AuthorizationError</Code>") && body.contains("SNS:CreateTopic"),
        "{body}"
    );
    let (status, _) =
        send("AKIAIOSFODNN7EXAMPLE", "sns", "Action=CreateTopic&Version=2010-03-31&Name=x").await;
    assert_eq!(status, StatusCode::OK, "other credentials are root's");
    let (status, body) =
        send("ASIALOCALAAAAAAAAAAA", "sns", "Action=ListTopics&Version=2010-03-31").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_has_a_say_of_its_own() {
    let account = Account::open().await;
    account.bucket("taxi", &["ledger/1"]);
    let role = account.role("writer", json!([allow("s3:*", "*")])).await;
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::taxi/ledger/*",
         "Condition": {"Null": {"s3:if-none-match": "true"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::taxi/ledger/*"},
    ]});
    account
        .services
        .lake()
        .store
        .set_bucket_document("taxi", "policy", Some(&policy.to_string()))
        .unwrap();
    let assumed =
        account.call("sts", "AssumeRole", json!({"RoleArn": role, "RoleSessionName": "me"})).await;
    let key = text(&assumed["Credentials"], "AccessKeyId").to_owned();
    let send = async |method: Method,
                      path: &str,
                      key: &str,
                      headers: &[(&str, &str)],
                      body: &str| {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        );
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("content-length", body.len())
            .header("authorization", scope);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.as_bytes().to_vec())).unwrap();
        let (parts, body) = account.services.call(request).await.into_parts();
        (
            parts.status,
            String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned(),
        )
    };
    let absent = [("if-none-match", "*")];
    let (status, body) = send(Method::PUT, "/taxi/ledger/2", &key, &[], "x").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("with an explicit deny in a resource-based policy"), "{body}");
    let (status, body) = send(Method::PUT, "/taxi/ledger/2", &key, &absent, "x").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, _) = send(Method::DELETE, "/taxi/ledger/1", &key, &[], "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let many =
        "<Delete><Object><Key>ledger/1</Key></Object><Object><Key>other</Key></Object></Delete>";
    let (status, body) =
        send(Method::POST, "/taxi?delete", &key, &[("content-type", "application/xml")], many)
            .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(
        body.contains("<Key>ledger/1</Key>") && body.contains("<Code>AccessDenied</Code>"),
        "{body}"
    );
    assert!(body.contains("<Deleted><Key>other</Key></Deleted>"), "{body}");
    // The account's root may do everything.
    let (status, _) = send(Method::DELETE, "/taxi/ledger/1", "AKIAIOSFODNN7EXAMPLE", &[], "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escaped_slash_hides_no_object() {
    let account = Account::open().await;
    account.bucket("taxi", &["secret"]);
    let deny =
        json!({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::taxi/secret"});
    let role = account.role("reader", json!([allow("s3:*", "*"), deny])).await;
    for target in ["/taxi/secret", "/taxi%2Fsecret", "/taxi/%73ecret", "/taxi%2F%73ecret"] {
        let request = http::Request::get(target).header("host", "127.0.0.1");
        let request = request.body(crate::wire::Body::empty()).unwrap();
        let caller = Caller::role(&role, "test");
        let answer = account.services.s3().call(Ok(caller), request).await;
        assert_eq!(answer.status(), 403, "{target}");
    }
}
