//! Events on their way: from S3, clients and schedules to state machines, queues and topics.

use std::time::Duration;

use serde_json::{Value, json};

use super::Account;

/// A machine that ends with its input.
async fn echo(account: &Account) -> String {
    let definition = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    account.machine("echo", definition).await
}

/// The input of the first execution of a machine, once there is one.
async fn first_input(account: &Account, machine: &str) -> Value {
    for _ in 0..500 {
        let list = json!({"stateMachineArn": machine});
        let listed = account.call("states", "ListExecutions", list).await;
        if let Some(arn) = listed["executions"][0]["executionArn"].as_str() {
            let ended = account.ended(arn).await;
            return serde_json::from_str(ended["input"].as_str().unwrap()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no execution was started");
}

async fn queue(account: &Account, name: &str) -> (String, String) {
    account.call("sqs", "CreateQueue", json!({"QueueName": name})).await;
    (account.services.sqs().url(name), account.services.sqs().arn(name))
}

async fn receive(account: &Account, url: &str) -> Value {
    let input = json!({"QueueUrl": url, "WaitTimeSeconds": 10, "MessageAttributeNames": ["All"]});
    account.call("sqs", "ReceiveMessage", input).await["Messages"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_arrives_starts_an_execution() {
    let account = Account::open().await;
    let machine = echo(&account).await;
    let pattern = json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["raw"]}, "object": {"key": [{"prefix": "arrivals/"}]}},
    });
    let rule = json!({"Name": "arrivals", "EventPattern": pattern.to_string()});
    account.call("events", "PutRule", rule).await;
    let targets = json!({"Rule": "arrivals", "Targets": [{
        "Id": "machine",
        "Arn": machine,
        "RoleArn": "arn:aws:iam::123456789012:role/test",
    }]});
    account.call("events", "PutTargets", targets).await;
    let store = &account.services.lake().store;
    store.create_bucket("raw", "us-east-1").unwrap();
    store.set_event_bridge("raw", true).unwrap();
    let options = lake::store::PutOptions::default;
    store.put("raw", "other/x", b"no", options()).unwrap();
    store.put("raw", "arrivals/green.csv", b"yes", options()).unwrap();
    let event = first_input(&account, &machine).await;
    assert_eq!(event["detail"]["object"]["key"], "arrivals/green.csv");
    assert_eq!(event["detail"]["object"]["size"], 3);
    assert_eq!(event["detail"]["reason"], "PutObject");
    assert_eq!(event["account"], "123456789012");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_ends_is_an_event() {
    let account = Account::open().await;
    let machine = echo(&account).await;
    let (url, arn) = queue(&account, "ends").await;
    let pattern = json!({"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"]}});
    let rule = json!({"Name": "ends", "EventPattern": pattern.to_string()});
    account.call("events", "PutRule", rule).await;
    let targets = json!({"Rule": "ends", "Targets": [{
        "Id": "queue",
        "Arn": arn,
        "InputTransformer": {
            "InputPathsMap": {"name": "$.detail.stateMachineArn"},
            "InputTemplate": "{\"machine\": <name>}",
        },
    }]});
    account.call("events", "PutTargets", targets).await;
    account.execute(&machine, json!({})).await;
    let message = receive(&account, &url).await;
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"machine": machine}));
}

#[tokio::test(flavor = "multi_thread")]
async fn put_events_says_what_is_wrong_with_each() {
    let account = Account::open().await;
    let entry =
        |source: &str, detail: &str| json!({"Source": source, "DetailType": "t", "Detail": detail});
    let entries = json!({"Entries": [entry("mine", "{}"), entry("mine", "{"), entry("", "{}"), entry("aws.s3", "{}")]});
    let answer = account.call("events", "PutEvents", entries).await;
    let codes: Vec<&Value> =
        answer["Entries"].as_array().unwrap().iter().map(|entry| &entry["ErrorCode"]).collect();
    assert_eq!(answer["FailedEntryCount"], 3);
    assert_eq!(
        codes,
        [
            &Value::Null,
            &json!("MalformedDetail"),
            &json!("InvalidArgument"),
            &json!("NotAuthorizedForSourceException"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_fire_when_asked_and_when_due() {
    let account = Account::open().await;
    let machine = echo(&account).await;
    let (url, queue) = queue(&account, "ticks").await;
    let schedule = |name: &str, expression: String, arn: &str, input: &str| {
        json!({
            "Name": name,
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": arn,
                "RoleArn": "arn:aws:iam::123456789012:role/test",
                "Input": input,
            },
        })
    };
    let input = r#"{"trigger":"schedule","time":"<aws.scheduler.scheduled-time>"}"#;
    let nightly = schedule("nightly", "cron(0 2 * * ? *)".to_owned(), &machine, input);
    account.call("scheduler", "CreateSchedule", nightly.clone()).await;
    let refused = account.refused("scheduler", "CreateSchedule", nightly).await;
    assert_eq!(refused, "ConflictException");
    let answer = account.services.scheduler().fire("nightly").await.unwrap();
    assert!(answer["executionArn"].is_string());
    let event = first_input(&account, &machine).await;
    assert_eq!(event["trigger"], "schedule");
    assert!(event["time"].as_str().unwrap().ends_with('Z'));

    let soon = lake::clock::now() + jiff::SignedDuration::from_secs(2);
    let soon = soon.strftime("at(%Y-%m-%dT%H:%M:%S)").to_string();
    let mut once = schedule("once", soon, &queue, "now");
    once["ActionAfterCompletion"] = "DELETE".into();
    account.call("scheduler", "CreateSchedule", once).await;
    assert_eq!(receive(&account, &url).await["Body"], "now");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_keep_and_deliver() {
    let account = Account::open().await;
    let (url, queue) = queue(&account, "letters").await;
    let created = account.call("sns", "CreateTopic", json!({"Name": "news"})).await;
    let topic = created["TopicArn"].as_str().unwrap();
    let subscribe = |protocol: &str, endpoint: &str| json!({"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint});
    let subscribed = account.call("sns", "Subscribe", subscribe("sqs", &queue)).await;
    let email = account.call("sns", "Subscribe", subscribe("email", "a@example.com")).await;
    assert_eq!(email["SubscriptionArn"], "pending confirmation");
    let filter = json!({
        "SubscriptionArn": subscribed["SubscriptionArn"],
        "AttributeName": "FilterPolicy",
        "AttributeValue": "{\"kind\":[\"failure\"]}",
    });
    account.call("sns", "SetSubscriptionAttributes", filter).await;
    let publish = |kind: &str| {
        json!({
            "TopicArn": topic,
            "Subject": kind,
            "Message": "text",
            "MessageAttributes": {"kind": {"DataType": "String", "StringValue": kind}},
        })
    };
    account.call("sns", "Publish", publish("success")).await;
    account.call("sns", "Publish", publish("failure")).await;
    let kept = account.services.sns().published("news").unwrap();
    assert_eq!(kept.len(), 2);
    let message = receive(&account, &url).await;
    let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["Type"], &body["Subject"]), (&json!("Notification"), &json!("failure")));
    assert_eq!(body["MessageAttributes"]["kind"]["Value"], "failure");
    let none = json!({"TopicArn": format!("{topic}x"), "Message": "m"});
    assert_eq!(account.refused("sns", "Publish", none).await, "NotFound");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_received_too_often_become_dead_letters() {
    let account = Account::open().await;
    let (dead_url, dead) = queue(&account, "dead").await;
    let policy = json!({"deadLetterTargetArn": dead, "maxReceiveCount": "2"});
    let create = json!({
        "QueueName": "work",
        "Attributes": {"VisibilityTimeout": "0", "RedrivePolicy": policy.to_string()},
    });
    let url = account.call("sqs", "CreateQueue", create).await["QueueUrl"].clone();
    account.call("sqs", "SendMessage", json!({"QueueUrl": url, "MessageBody": "m"})).await;
    let get = json!({"QueueUrl": url});
    for _ in 0..2 {
        let received = account.call("sqs", "ReceiveMessage", get.clone()).await;
        assert_eq!(received["Messages"][0]["Body"], "m");
    }
    assert_eq!(account.call("sqs", "ReceiveMessage", get).await, json!({}));
    let letter = receive(&account, &dead_url).await;
    assert_eq!(letter["Body"], "m");
    let delete = json!({"QueueUrl": dead_url, "ReceiptHandle": letter["ReceiptHandle"]});
    account.call("sqs", "DeleteMessage", delete).await;
    let attributes = json!({"QueueUrl": dead_url, "AttributeNames": ["All"]});
    let attributes = account.call("sqs", "GetQueueAttributes", attributes).await;
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifo_queues_keep_order_and_forget_doubles() {
    let account = Account::open().await;
    let create = json!({
        "QueueName": "q.fifo",
        "Attributes": {"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    });
    let url = account.call("sqs", "CreateQueue", create).await["QueueUrl"].clone();
    for body in ["a", "b", "a"] {
        let send = json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": "g"});
        account.call("sqs", "SendMessage", send).await;
    }
    let get = json!({"QueueUrl": url, "MaxNumberOfMessages": 1});
    let first = account.call("sqs", "ReceiveMessage", get.clone()).await;
    assert_eq!(first["Messages"][0]["Body"], "a");
    // The group waits for its first message.
    assert_eq!(account.call("sqs", "ReceiveMessage", get.clone()).await, json!({}));
    let delete = json!({"QueueUrl": url, "ReceiptHandle": first["Messages"][0]["ReceiptHandle"]});
    account.call("sqs", "DeleteMessage", delete).await;
    let second = account.call("sqs", "ReceiveMessage", get).await;
    assert_eq!(second["Messages"][0]["Body"], "b");
}
