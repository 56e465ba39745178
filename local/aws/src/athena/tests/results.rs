//! GetQueryResults.

use lake::store::WriteCondition;

use super::*;

/// 40 times 40 rows.
const MANY: &str = "SELECT a.x AS a, b.x AS b FROM (VALUES 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,\
    24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40) AS a(x) CROSS JOIN (VALUES 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,\
    16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40) AS b(x) ORDER BY 1, 2";

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn a_select_is_paged_with_its_header() {
    let account = Account::open();
    let query = account.succeed(MANY).await;
    let first = account.results(&query.id).await;
    let mut all = rows(&first);
    assert_eq!(all.len(), 1000);
    assert_eq!(all[0], [some("a"), some("b")]);
    let token = first["NextToken"].as_str().unwrap();
    let next = json!({"QueryExecutionId": query.id, "NextToken": token});
    let second = account.ok("GetQueryResults", next).await;
    all.extend(rows(&second));
    assert!(second.get("NextToken").is_none());
    assert_eq!(all.len(), 1601);
    assert_eq!(all[1600], [some("40"), some("40")]);

    // The same rows come in pages of any size.
    let mut input = json!({"QueryExecutionId": query.id, "MaxResults": 7});
    let mut small = Vec::new();
    loop {
        let page = account.ok("GetQueryResults", input.clone()).await;
        small.extend(rows(&page));
        let Some(token) = page.get("NextToken") else { break };
        input["NextToken"] = token.clone();
    }
    assert_eq!(small, all);

    let other = account.succeed("SELECT 1").await;
    let stolen = json!({"QueryExecutionId": other.id, "NextToken": token});
    let refusal = account.refused("GetQueryResults", stolen).await;
    assert_eq!(refusal, "InvalidRequestException: Invalid NextToken");
}

#[tokio::test]
async fn null_is_a_datum_without_a_value() {
    let account = Account::open();
    let sql = "SELECT 1 AS a, CAST(NULL AS varchar) AS b, '' AS c, 'x\"y' AS d";
    let query = account.succeed(sql).await;
    let page = account.results(&query.id).await;
    assert_eq!(rows(&page)[1], [some("1"), None, some(""), some("x\"y")]);
    assert_eq!(page["ResultSet"]["Rows"][1]["Data"][1], json!({}));
    assert_eq!(page["UpdateCount"], 0);
    let columns = &page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"];
    assert_eq!(
        columns[0],
        json!({
            "CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": "a", "Label": "a", "Type": "integer",
            "Precision": 10, "Scale": 0, "Nullable": "UNKNOWN", "CaseSensitive": false,
        })
    );
    assert_eq!(columns[1]["Type"], "varchar");
    assert_eq!(columns[1]["CaseSensitive"], true);
}

#[tokio::test]
async fn a_utility_has_one_datum_a_line_and_no_header() {
    let account = Account::open();
    account.succeed("CREATE DATABASE IF NOT EXISTS rides").await;
    let query = account.succeed("SHOW DATABASES").await;
    let page = account.results(&query.id).await;
    assert!(rows(&page).contains(&vec![some("rides")]), "{page}");
    assert!(rows(&page).iter().all(|row| row.len() == 1));

    let created = account.succeed("CREATE DATABASE other").await;
    let page = account.results(&created.id).await;
    assert_eq!(rows(&page), Vec::<Vec<Option<String>>>::new());
    assert_eq!(page["UpdateCount"], 0);
}

#[tokio::test]
async fn a_write_has_a_count_and_no_rows() {
    let account = Account::open();
    account.succeed("CREATE DATABASE rides").await;
    let sql =
        "CREATE TABLE rides.trips AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(id, zone)";
    let create = account.succeed(sql).await;
    let page = account.results(&create.id).await;
    assert_eq!(page["UpdateCount"], 2);
    assert_eq!(rows(&page), Vec::<Vec<Option<String>>>::new());
    let column = &page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0];
    assert_eq!((&column["Name"], &column["Type"]), (&json!("rows"), &json!("bigint")));
    assert_eq!((&column["Precision"], &column["Scale"]), (&json!(19), &json!(0)));
    let shown = account.shown(&create.id).await;
    assert_eq!(shown["StatementType"], "DDL");
    assert_eq!(shown["SubstatementType"], "CREATE_TABLE_AS_SELECT");
    let location = shown["ResultConfiguration"]["OutputLocation"].as_str().unwrap();
    assert_eq!(location, format!("s3://results/q/tables/{}", create.id));
    assert!(
        shown["Statistics"]["DataManifestLocation"].as_str().unwrap().ends_with("-manifest.csv")
    );

    let insert = account.succeed("INSERT INTO rides.trips VALUES (3, 'c')").await;
    assert_eq!(account.results(&insert.id).await["UpdateCount"], 1);
    let scan = account.succeed("SELECT id FROM rides.trips").await;
    let shown = account.shown(&scan.id).await;
    let statistics =
        ["DataScannedInBytes", "EngineExecutionTimeInMillis", "QueryQueueTimeInMillis"];
    for name in statistics.into_iter().chain(["TotalExecutionTimeInMillis"]) {
        assert!(shown["Statistics"][name].as_u64().unwrap() > 0, "{name}: {shown}");
    }
    assert!(shown["Statistics"].get("DataManifestLocation").is_none());
}

#[tokio::test]
async fn results_are_there_after_success_alone() {
    let account = Account::stalled();
    let id = account.start("SELECT 1").await;
    let ask = json!({"QueryExecutionId": id});
    assert_eq!(
        account.refused("GetQueryResults", ask.clone()).await,
        "InvalidRequestException: Query has not yet finished. Current state: QUEUED"
    );
    account.ok("StopQueryExecution", ask.clone()).await;
    assert_eq!(
        account.refused("GetQueryResults", ask).await,
        "InvalidRequestException: Query did not finish successfully. Final query state: CANCELLED"
    );

    let account = Account::open();
    let failed = account.run("SELECT * FROM nowhere").await;
    assert_eq!(
        account.refused("GetQueryResults", json!({"QueryExecutionId": failed.id})).await,
        "InvalidRequestException: Query did not finish successfully. Final query state: FAILED"
    );
    let query = account.succeed("SELECT 1").await;
    account
        .lake
        .store
        .delete("results", &format!("q/{}.csv", query.id), None, &WriteCondition::Always)
        .unwrap();
    let ask = json!({"QueryExecutionId": query.id});
    let refusal = account.refused("GetQueryResults", ask).await;
    assert_eq!(refusal, "InvalidRequestException: Could not find results");
    for (size, message) in [
        (json!(1001), "MaxResults is more than maximum allowed length 1000."),
        (json!(0), "Member must have value greater than or equal to 1"),
    ] {
        let ask = json!({"QueryExecutionId": query.id, "MaxResults": size});
        let refusal = account.refused("GetQueryResults", ask).await;
        assert!(refusal.contains(message), "{refusal}");
    }
}
