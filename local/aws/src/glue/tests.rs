//! Glue as its clients call it.

use serde_json::json;

use super::*;

fn glue() -> (Lake, Glue) {
    let lake = Lake::temporary().unwrap();
    let glue = Glue::open(&lake, Arc::new(Settings::default())).unwrap();
    call(&glue, "CreateDatabase", json!({"DatabaseInput": {"Name": "Taxi"}}));
    (lake, glue)
}

fn call(glue: &Glue, action: &str, input: Value) -> Value {
    glue.operation(action, input).unwrap_or_else(|error| panic!("{action}: {error}"))
}

fn code(glue: &Glue, action: &str, input: Value) -> String {
    match glue.operation(action, input) {
        Ok(output) => panic!("{action} answered {output}"),
        Err(error) => error.code.into_owned(),
    }
}

fn create_table(glue: &Glue, name: &str) {
    let keys = json!([{"Name": "month", "Type": "string"}]);
    let table = json!({"Name": name, "PartitionKeys": keys, "StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}]}});
    call(glue, "CreateTable", json!({"DatabaseName": "taxi", "TableInput": table}));
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["Name"].as_str().unwrap()).collect()
}

#[test]
fn errors_have_glues_codes() {
    let (_lake, glue) = glue();
    create_table(&glue, "trips");
    let table = json!({"Name": "trips"});
    for (action, input, expected) in [
        ("CreateDatabase", json!({"DatabaseInput": {"Name": "TAXI"}}), "AlreadyExistsException"),
        ("CreateDatabase", json!({}), "InvalidInputException"),
        ("CreateDatabase", json!({"DatabaseInput": null}), "InvalidInputException"),
        ("CreateDatabase", json!({"DatabaseInput": {"Name": 1}}), "SerializationException"),
        ("GetDatabase", json!({"Name": "nope"}), "EntityNotFoundException"),
        (
            "GetDatabase",
            json!({"Name": "taxi", "CatalogId": "999999999999"}),
            "EntityNotFoundException",
        ),
        (
            "UpdateDatabase",
            json!({"Name": "taxi", "DatabaseInput": {"Name": "x"}}),
            "InvalidInputException",
        ),
        (
            "CreateTable",
            json!({"DatabaseName": "taxi", "TableInput": table}),
            "AlreadyExistsException",
        ),
        (
            "CreateTable",
            json!({"DatabaseName": "nope", "TableInput": table}),
            "EntityNotFoundException",
        ),
        ("GetTable", json!({"DatabaseName": "taxi", "Name": "nope"}), "EntityNotFoundException"),
        ("GetTables", json!({"DatabaseName": "taxi", "Expression": "("}), "InvalidInputException"),
        ("GetTables", json!({"DatabaseName": "taxi", "NextToken": "x"}), "InvalidInputException"),
        (
            "UpdateTable",
            json!({"DatabaseName": "taxi", "TableInput": table, "VersionId": "9"}),
            "ConcurrentModificationException",
        ),
        (
            "CreatePartition",
            json!({"DatabaseName": "taxi", "TableName": "trips", "PartitionInput": {"Values": []}}),
            "InvalidInputException",
        ),
        (
            "GetPartition",
            json!({"DatabaseName": "taxi", "TableName": "trips", "PartitionValues": ["x"]}),
            "EntityNotFoundException",
        ),
        (
            "GetPartitions",
            json!({"DatabaseName": "taxi", "TableName": "trips", "Expression": "nope = 1"}),
            "InvalidInputException",
        ),
        (
            "GetTags",
            json!({"ResourceArn": "arn:aws:glue:us-east-1:123456789012:job/x"}),
            "EntityNotFoundException",
        ),
        ("StartJobRun", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(code(&glue, action, input.clone()), expected, "{action} {input}");
    }
}

#[test]
fn tables_are_listed_in_pages() {
    let (_lake, glue) = glue();
    for name in ["a1", "a2", "b1", "B2", "c"] {
        create_table(&glue, name);
    }
    let list = |input: Value| call(&glue, "GetTables", input);
    assert_eq!(
        names(&list(json!({"DatabaseName": "TAXI"}))["TableList"]),
        ["a1", "a2", "b1", "b2", "c"]
    );
    let matching = list(json!({"DatabaseName": "taxi", "Expression": "B.*"}));
    assert_eq!(names(&matching["TableList"]), ["b1", "b2"]);
    let mut token = Value::Null;
    let mut seen = Vec::new();
    loop {
        let page = list(json!({"DatabaseName": "taxi", "MaxResults": 2, "NextToken": token}));
        seen.extend(names(&page["TableList"]).into_iter().map(str::to_owned));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["a1", "a2", "b1", "b2", "c"]);
    let table =
        call(&glue, "GetTable", json!({"DatabaseName": "taxi", "Name": "A1"}))["Table"].clone();
    assert_eq!(table["CatalogId"], "123456789012");
    assert_eq!(table["IsRegisteredWithLakeFormation"], false);
    assert_eq!(table["VersionId"], "0");
    let deleted = json!({"DatabaseName": "taxi", "TablesToDelete": ["a1", "nope"]});
    let errors = call(&glue, "BatchDeleteTable", deleted)["Errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1);
    assert_eq!(errors[0]["ErrorDetail"]["ErrorCode"], "EntityNotFoundException");
}

#[test]
fn versions_follow_updates() {
    let (_lake, glue) = glue();
    create_table(&glue, "trips");
    for version in ["0", "1"] {
        let table = json!({"Name": "trips", "Description": version});
        let input = json!({"DatabaseName": "taxi", "TableInput": table, "VersionId": version});
        assert_eq!(call(&glue, "UpdateTable", input), json!({}));
    }
    let table = json!({"DatabaseName": "taxi", "TableName": "trips"});
    let versions = call(&glue, "GetTableVersions", table.clone())["TableVersions"].clone();
    let ids: Vec<_> =
        versions.as_array().unwrap().iter().map(|version| &version["VersionId"]).collect();
    assert_eq!(ids, ["2", "1", "0"]);
    let version = |id: &str| json!({"DatabaseName": "taxi", "TableName": "trips", "VersionId": id});
    let first = call(&glue, "GetTableVersion", version("1"));
    assert_eq!(first["TableVersion"]["Table"]["Description"], "0");
    call(&glue, "DeleteTableVersion", version("1"));
    assert_eq!(code(&glue, "GetTableVersion", version("1")), "EntityNotFoundException");
    let ids = json!({"DatabaseName": "taxi", "TableName": "trips", "VersionIds": ["0", "7"]});
    assert_eq!(call(&glue, "BatchDeleteTableVersion", ids)["Errors"][0]["VersionId"], "7");
}

#[test]
fn partitions_go_in_batches() {
    let (_lake, glue) = glue();
    create_table(&glue, "trips");
    let with = |members: Value| {
        let mut input = json!({"DatabaseName": "taxi", "TableName": "trips"});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input
    };
    let columns = json!({"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://b/k/"});
    let months: Vec<Value> = (1..=12)
        .map(|month| json!({"Values": [format!("2024-{month:02}")], "StorageDescriptor": columns}))
        .collect();
    let created = call(&glue, "BatchCreatePartition", with(json!({"PartitionInputList": months})));
    assert_eq!(created, json!({"Errors": []}));
    let again =
        call(&glue, "BatchCreatePartition", with(json!({"PartitionInputList": months[..1]})));
    assert_eq!(again["Errors"][0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException");
    let many: Vec<&Value> = std::iter::repeat_n(&months[0], 101).collect();
    let input = with(json!({"PartitionInputList": many}));
    assert_eq!(code(&glue, "BatchCreatePartition", input), "InvalidInputException");

    let get = |members: Value| {
        call(&glue, "GetPartitions", with(members))["Partitions"].as_array().unwrap().clone()
    };
    assert_eq!(get(json!({})).len(), 12);
    assert_eq!(get(json!({"Expression": "month >= '2024-11'"})).len(), 2);
    let shares: Vec<usize> = (0..3)
        .map(|number| get(json!({"Segment": {"SegmentNumber": number, "TotalSegments": 3}})).len())
        .collect();
    assert_eq!(shares, [4, 4, 4]);
    let bare = get(json!({"ExcludeColumnSchema": true}));
    assert!(bare[0]["StorageDescriptor"].get("Columns").is_none());
    let wanted = json!([{"Values": ["2024-03"]}, {"Values": ["nope"]}]);
    let found = call(&glue, "BatchGetPartition", with(json!({"PartitionsToGet": wanted})));
    assert_eq!(found["Partitions"].as_array().unwrap().len(), 1);
    assert_eq!(found["Partitions"][0]["StorageDescriptor"]["Location"], "s3://b/k/");

    let moved =
        json!({"PartitionValueList": ["2024-03"], "PartitionInput": {"Values": ["2025-03"]}});
    call(&glue, "UpdatePartition", with(moved.clone()));
    let entries = json!({"Entries": [moved]});
    let errors = call(&glue, "BatchUpdatePartition", with(entries))["Errors"].clone();
    assert_eq!(errors[0]["PartitionValueList"], json!(["2024-03"]));
    call(&glue, "DeletePartition", with(json!({"PartitionValues": ["2025-03"]})));
    let gone = json!({"PartitionsToDelete": [{"Values": ["2024-01"]}, {"Values": ["2025-03"]}]});
    let errors = call(&glue, "BatchDeletePartition", with(gone))["Errors"].clone();
    assert_eq!(errors[0]["PartitionValues"], json!(["2025-03"]));
    assert_eq!(get(json!({})).len(), 10);
}

#[test]
fn tags_come_and_go() {
    let (_lake, glue) = glue();
    let arn = "arn:aws:glue:us-east-1:123456789012:database/taxi";
    let tags = || call(&glue, "GetTags", json!({"ResourceArn": arn}))["Tags"].clone();
    assert_eq!(tags(), json!({}));
    call(&glue, "TagResource", json!({"ResourceArn": arn, "TagsToAdd": {"a": "1"}}));
    call(&glue, "TagResource", json!({"ResourceArn": arn, "TagsToAdd": {"b": "2"}}));
    assert_eq!(tags(), json!({"a": "1", "b": "2"}));
    call(&glue, "UntagResource", json!({"ResourceArn": arn, "TagsToRemove": ["a"]}));
    assert_eq!(tags(), json!({"b": "2"}));
}
