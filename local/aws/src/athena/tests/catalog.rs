//! Named queries and the catalog's metadata.

use lake::catalog::{DatabaseInput, TableInput};

use super::*;

#[tokio::test]
async fn queries_are_kept_by_name() {
    let account = Account::open();
    let input = json!({
        "Name": "trips", "Database": "rides", "QueryString": "SELECT 1",
        "ClientRequestToken": "0123456789abcdef0123456789abcdef",
    });
    let created = account.ok("CreateNamedQuery", input.clone()).await;
    assert_eq!(account.ok("CreateNamedQuery", input.clone()).await, created);
    let changed = with(input, "QueryString", json!("SELECT 2"));
    let refusal = account.refused("CreateNamedQuery", changed).await;
    assert_eq!(refusal, "InvalidRequestException: Idempotent parameters do not match");
    let id = &created["NamedQueryId"];
    let change = json!({"NamedQueryId": id, "Name": "rides", "QueryString": "SELECT 3"});
    account.ok("UpdateNamedQuery", change).await;
    let named =
        account.ok("GetNamedQuery", json!({"NamedQueryId": id})).await["NamedQuery"].clone();
    let expected = json!({
        "Name": "rides", "Database": "rides", "QueryString": "SELECT 3", "NamedQueryId": id, "WorkGroup": "primary",
    });
    assert_eq!(named, expected);
    assert_eq!(account.ok("ListNamedQueries", json!({})).await["NamedQueryIds"], json!([id]));
    let both = account.ok("BatchGetNamedQuery", json!({"NamedQueryIds": [id, "none"]})).await;
    assert_eq!(both["NamedQueries"], json!([named]));
    assert_eq!(both["UnprocessedNamedQueryIds"][0]["NamedQueryId"], "none");
    account.ok("DeleteNamedQuery", json!({"NamedQueryId": id})).await;
    let refusal = account.refused("GetNamedQuery", json!({"NamedQueryId": id})).await;
    assert!(refusal.contains("was not found"), "{refusal}");
}

#[tokio::test]
async fn the_catalog_is_shown_in_athenas_shapes() {
    let account = Account::open();
    let catalog = &account.lake.catalog;
    catalog
        .create_database(DatabaseInput { name: "rides".to_owned(), ..DatabaseInput::default() })
        .unwrap();
    for name in ["trips", "zones", "trips_rejected"] {
        let input: TableInput = serde_json::from_value(json!({
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "month", "Type": "string"}],
            "Parameters": {"classification": "parquet"},
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "bigint", "Comment": "key"}],
                "Location": "s3://results/t/",
                "SerdeInfo": {"SerializationLibrary": "a.SerDe", "Parameters": {"field.delim": ","}},
            },
        }))
        .unwrap();
        catalog.create_table("rides", input).unwrap();
    }
    let of = json!({"CatalogName": "AwsDataCatalog", "DatabaseName": "rides"});
    let shown = account.ok("GetTableMetadata", with(of.clone(), "TableName", json!("Trips"))).await;
    let table = &shown["TableMetadata"];
    assert_eq!(table["Columns"], json!([{"Name": "id", "Type": "bigint", "Comment": "key"}]));
    assert_eq!(table["PartitionKeys"], json!([{"Name": "month", "Type": "string"}]));
    assert_eq!(
        table["Parameters"],
        json!({
            "classification": "parquet", "location": "s3://results/t/", "serde.serialization.lib": "a.SerDe",
            "serde.param.field.delim": ",",
        })
    );
    let input = with(of.clone(), "Expression", json!("trips.*"));
    let listed = account.ok("ListTableMetadata", input).await;
    let names: Vec<_> = listed["TableMetadataList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|table| &table["Name"])
        .collect();
    assert_eq!(names, ["trips", "trips_rejected"]);
    assert_eq!(account.ok("GetDatabase", of.clone()).await["Database"]["Name"], "rides");
    let databases = account.ok("ListDatabases", json!({"CatalogName": "awsdatacatalog"})).await;
    assert!(databases["DatabaseList"].as_array().unwrap().contains(&json!({"Name": "rides"})));

    let missing =
        account.refused("GetTableMetadata", with(of.clone(), "TableName", json!("x"))).await;
    assert!(missing.starts_with("MetadataException: "), "{missing}");
    assert!(missing.contains("Error Code: EntityNotFoundException;"), "{missing}");
    let elsewhere = with(of, "CatalogName", json!("elsewhere"));
    let refusal = account.refused("GetDatabase", elsewhere).await;
    assert_eq!(refusal, "InvalidRequestException: DataCatalog elsewhere was not found");
}

#[tokio::test]
async fn there_is_one_catalog_and_one_engine() {
    let account = Account::open();
    let catalog = account.ok("GetDataCatalog", json!({"Name": "awsdatacatalog"})).await;
    assert_eq!(catalog["DataCatalog"]["Type"], "GLUE");
    let listed = account.ok("ListDataCatalogs", json!({})).await;
    assert_eq!(listed["DataCatalogsSummary"][0]["CatalogName"], "AwsDataCatalog");
    let other = json!({"Name": "other", "Type": "LAMBDA"});
    let refusal = account.refused("CreateDataCatalog", other).await;
    assert!(refusal.starts_with("InvalidRequestException"), "{refusal}");
    let engines = account.ok("ListEngineVersions", json!({})).await;
    assert_eq!(engines["EngineVersions"][0]["SelectedEngineVersion"], "AUTO");
    let unknown = account.refused("CreateNotebook", json!({})).await;
    assert!(unknown.starts_with("UnknownOperationException"), "{unknown}");
}
