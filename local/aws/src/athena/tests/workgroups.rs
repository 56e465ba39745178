//! Workgroups, and what they decide for queries.

use super::*;

async fn create(account: &Account, name: &str, configuration: Value) {
    let input = json!({"Name": name, "Configuration": configuration, "Tags": [{"Key": "team", "Value": "rides"}]});
    account.ok("CreateWorkGroup", input).await;
}

async fn run_in(account: &Account, group: &str, input: Value) -> QueryExecution {
    let started = account.ok("StartQueryExecution", with(input, "WorkGroup", json!(group))).await;
    account.finished(&id(&started)).await
}

#[tokio::test]
async fn an_enforcing_workgroup_is_heard_alone() {
    let account = Account::open();
    let results = json!({"OutputLocation": "s3://results/ours"});
    create(&account, "strict", json!({"ResultConfiguration": results})).await;
    create(
        &account,
        "mild",
        json!({"ResultConfiguration": results, "EnforceWorkGroupConfiguration": false}),
    )
    .await;
    create(&account, "bare", json!({})).await;
    let nowhere = json!({"QueryString": "SELECT 1"});
    for (group, input, folder) in [
        ("strict", question("SELECT 1"), "s3://results/ours/"),
        ("strict", nowhere.clone(), "s3://results/ours/"),
        ("mild", question("SELECT 1"), "s3://results/q/"),
        ("mild", nowhere, "s3://results/ours/"),
    ] {
        let query = run_in(&account, group, input).await;
        assert_eq!(query.output_location.unwrap(), format!("{folder}{}.csv", query.id));
    }
    let input = with(question("SELECT 1"), "WorkGroup", json!("bare"));
    let refusal = account.refused("StartQueryExecution", input).await;
    assert!(refusal.contains("No output location provided."), "{refusal}");
}

#[tokio::test]
async fn managed_results_have_no_location() {
    let account = Account::open();
    create(&account, "managed", json!({"ManagedQueryResultsConfiguration": {"Enabled": true}}))
        .await;
    let query = run_in(&account, "managed", json!({"QueryString": "SELECT 1 AS a"})).await;
    let shown = account.shown(&query.id).await;
    assert_eq!(shown["Status"]["State"], "SUCCEEDED", "{shown}");
    assert!(shown.get("ResultConfiguration").is_none());
    assert_eq!(shown["ManagedQueryResultsConfiguration"], json!({"Enabled": true}));
    assert_eq!(rows(&account.results(&query.id).await)[1], [Some("1".to_owned())]);
}

#[tokio::test]
async fn a_disabled_workgroup_runs_nothing() {
    let account = Account::open();
    let change = json!({"WorkGroup": "primary", "State": "DISABLED"});
    account.ok("UpdateWorkGroup", change).await;
    let refusal = account.refused("StartQueryExecution", question("SELECT 1")).await;
    assert_eq!(refusal, "InvalidRequestException: WorkGroup primary is disabled.");
}

#[tokio::test]
async fn workgroups_are_made_changed_and_deleted() {
    let account = Account::open();
    let listed = account.ok("ListWorkGroups", json!({})).await;
    assert_eq!(listed["WorkGroups"][0]["Name"], "primary");
    let results = json!({"OutputLocation": "s3://results/ours/"});
    create(&account, "etl", json!({"ResultConfiguration": results})).await;
    let group = account.ok("GetWorkGroup", json!({"WorkGroup": "etl"})).await["WorkGroup"].clone();
    assert_eq!((&group["State"], &group["Description"]), (&json!("ENABLED"), &json!("")));
    let configuration = &group["Configuration"];
    assert_eq!(configuration["EnforceWorkGroupConfiguration"], true);
    assert_eq!(configuration["PublishCloudWatchMetricsEnabled"], true);
    assert_eq!(configuration["RequesterPaysEnabled"], false);
    assert_eq!(configuration["EngineVersion"]["SelectedEngineVersion"], "AUTO");

    let updates = json!({
        "BytesScannedCutoffPerQuery": 10_000_000,
        "EnforceWorkGroupConfiguration": false,
        "ResultConfigurationUpdates": {
            "RemoveOutputLocation": true,
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        },
    });
    let change =
        json!({"WorkGroup": "etl", "Description": "nightly", "ConfigurationUpdates": updates});
    account.ok("UpdateWorkGroup", change).await;
    let group = account.ok("GetWorkGroup", json!({"WorkGroup": "etl"})).await["WorkGroup"].clone();
    assert_eq!(group["Description"], "nightly");
    assert_eq!(group["Configuration"]["BytesScannedCutoffPerQuery"], 10_000_000);
    assert_eq!(
        group["Configuration"]["ResultConfiguration"],
        json!({"EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}})
    );

    run_in(&account, "etl", question("SELECT 1")).await;
    let refusal = account.refused("DeleteWorkGroup", json!({"WorkGroup": "etl"})).await;
    assert_eq!(refusal, "InvalidRequestException: WorkGroup etl is not empty");
    account.ok("DeleteWorkGroup", json!({"WorkGroup": "etl", "RecursiveDeleteOption": true})).await;
    for (action, input, message) in [
        ("GetWorkGroup", json!({"WorkGroup": "etl"}), "WorkGroup is not found."),
        ("CreateWorkGroup", json!({"Name": "primary"}), "WorkGroup is already created"),
        ("DeleteWorkGroup", json!({"WorkGroup": "primary"}), "cannot be deleted"),
        ("CreateWorkGroup", json!({"Name": "a b"}), "regular expression pattern"),
        (
            "CreateWorkGroup",
            json!({"Name": "small", "Configuration": {"BytesScannedCutoffPerQuery": 9_999_999}}),
            "greater than or equal to 10000000",
        ),
        (
            "CreateWorkGroup",
            json!({"Name": "old", "Configuration": {"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}}}),
            "not supported",
        ),
    ] {
        let refusal = account.refused(action, input).await;
        assert!(
            refusal.starts_with("InvalidRequestException") && refusal.contains(message),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn workgroups_have_tags() {
    let account = Account::open();
    create(&account, "etl", json!({})).await;
    let arn = "arn:aws:athena:us-east-1:123456789012:workgroup/etl";
    let tags = json!([{"Key": "team", "Value": "taxis"}, {"Key": "stage", "Value": "dev"}]);
    account.ok("TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
    let listed = account.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(listed["Tags"], tags);
    account.ok("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["team"]})).await;
    let listed = account.ok("ListTagsForResource", json!({"ResourceARN": arn})).await;
    assert_eq!(listed["Tags"], json!([tags[1]]));
    let nobody = json!({"ResourceARN": format!("{arn}x")});
    let refusal = account.refused("ListTagsForResource", nobody).await;
    assert!(refusal.starts_with("ResourceNotFoundException"), "{refusal}");
}

#[tokio::test]
async fn statements_are_prepared_in_a_workgroup() {
    let account = Account::open();
    account.succeed("PREPARE sums FROM SELECT 1 + ? AS a").await;
    let prepared = json!({"WorkGroup": "primary", "StatementName": "sums"});
    let shown = account.ok("GetPreparedStatement", prepared.clone()).await;
    assert_eq!(shown["PreparedStatement"]["QueryStatement"], "SELECT 1 + ? AS a");
    let query = account.succeed("EXECUTE sums USING 41").await;
    assert_eq!(rows(&account.results(&query.id).await)[1], [Some("42".to_owned())]);
    let input = with(question("EXECUTE sums"), "ExecutionParameters", json!(["2"]));
    let query = account.finished(&id(&account.ok("StartQueryExecution", input).await)).await;
    assert_eq!(rows(&account.results(&query.id).await)[1], [Some("3".to_owned())]);

    let change = with(prepared.clone(), "QueryStatement", json!("SELECT 2"));
    account.ok("UpdatePreparedStatement", change.clone()).await;
    let refusal = account.refused("CreatePreparedStatement", change.clone()).await;
    assert!(refusal.contains("already exists"), "{refusal}");
    let other = with(change, "StatementName", json!("other"));
    account.ok("CreatePreparedStatement", other).await;
    let listed = account.ok("ListPreparedStatements", json!({"WorkGroup": "primary"})).await;
    assert_eq!(listed["PreparedStatements"].as_array().unwrap().len(), 2);
    let input = json!({"WorkGroup": "primary", "PreparedStatementNames": ["sums", "none"]});
    let both = account.ok("BatchGetPreparedStatement", input).await;
    assert_eq!(both["PreparedStatements"][0]["QueryStatement"], "SELECT 2");
    assert_eq!(both["UnprocessedPreparedStatementNames"][0]["StatementName"], "none");

    account.succeed("DEALLOCATE PREPARE sums").await;
    let error = account.call("GetPreparedStatement", prepared).await.unwrap_err();
    assert_eq!(
        (error.code.as_ref(), &error.members["ResourceName"]),
        ("ResourceNotFoundException", &json!("sums"))
    );
}
