use serde_json::{Value, json};

use super::{Door, Place, Redriven, Remote, input, take_back};
use crate::cloud::Cloud;

#[test]
fn a_letter_says_what_is_started() {
    let month = json!({"start_again": {"command": "…", "input": {"dataset": "green"}}});
    assert_eq!(input(&month), Some(json!({"dataset": "green"})));
    let object = json!({"start_again": {"object": {"bucket": "b", "key": "arrivals/a b"}}});
    let event = input(&object).unwrap();
    assert_eq!(event.pointer("/detail/object/key"), Some(&json!("arrivals/a b")));
    assert_eq!(input(&json!({"start_again": {}})), None);
    assert_eq!(input(&json!({"hello": 1})), None);
}

/// A queue and a machine that echoes.
async fn place(cloud: &Cloud) -> Place {
    let queue = cloud.call("sqs", "CreateQueue", json!({"QueueName": "letters"})).await.unwrap();
    let echo = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let machine = json!({
        "name": "echo",
        "definition": echo.to_string(),
        "roleArn": "arn:aws:iam::123456789012:role/echo",
    });
    let machine = cloud.call("states", "CreateStateMachine", machine).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Place { queue_url: text(&queue["QueueUrl"]), machine_arn: text(&machine["stateMachineArn"]) }
}

async fn send(cloud: &Cloud, place: &Place, body: &str) {
    let message = json!({"QueueUrl": place.queue_url, "MessageBody": body});
    cloud.call("sqs", "SendMessage", message).await.unwrap();
}

#[tokio::test]
async fn letters_are_started_once_and_deleted_over_the_network() {
    let cloud = Cloud::temporary().await.unwrap();
    let place = place(&cloud).await;
    let letter = json!({
        "dataset": "green", "month": "2024-01", "error": "Source.Unavailable",
        "start_again": {"input": {"dataset": "green", "months": ["2024-01"]}},
    });
    send(&cloud, &place, &letter.to_string()).await;
    send(&cloud, &place, "not a letter").await;
    let door = Door::Remote(Remote::test(cloud.endpoint()));
    let report = take_back(&door, &place).await.unwrap();
    let [Redriven { what, error, execution: Some(execution) }] = &report.redriven[..] else {
        panic!("{report:?}");
    };
    assert_eq!((&**what, &**error), ("green 2024-01", "Source.Unavailable"));
    assert_eq!(report.left.len(), 1, "{report:?}");
    assert!(report.left[0].to_string().contains("expected JSON"), "{report:?}");
    let described = json!({"executionArn": execution});
    let described = cloud.call("states", "DescribeExecution", described).await.unwrap();
    assert_eq!(described["input"], r#"{"dataset":"green","months":["2024-01"]}"#);
    let attributes = json!({
        "QueueUrl": place.queue_url,
        "AttributeNames": ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    });
    let attributes = cloud.call("sqs", "GetQueueAttributes", attributes).await.unwrap();
    // What cannot be started is hidden for a minute, and then there again.
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "1");
}

#[tokio::test]
async fn a_letter_whose_deletion_was_lost_starts_nothing_again() {
    let cloud = Cloud::temporary().await.unwrap();
    let place = place(&cloud).await;
    send(&cloud, &place, r#"{"error": "E", "start_again": {"input": {"trigger": "schedule"}}}"#)
        .await;
    let seen = json!({"QueueUrl": place.queue_url, "VisibilityTimeout": 0});
    let seen = cloud.call("sqs", "ReceiveMessage", seen).await.unwrap();
    let name = format!("redrive-{}", seen["Messages"][0]["MessageId"].as_str().unwrap());
    let start = json!({"stateMachineArn": place.machine_arn, "name": name, "input": "{}"});
    cloud.call("states", "StartExecution", start).await.unwrap();
    let report = take_back(&Door::Here(&cloud), &place).await.unwrap();
    assert_eq!(report.redriven.len(), 1, "{report:?}");
    assert_eq!(report.redriven[0].execution, None);
    let executions = json!({"stateMachineArn": place.machine_arn});
    let executions = cloud.call("states", "ListExecutions", executions).await.unwrap();
    assert_eq!(executions["executions"].as_array().unwrap().len(), 1);
}
