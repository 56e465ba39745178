//! Where a Distributed Map's items may come from.

use std::io::Write as _;

use lake::store::PutOptions;
use serde_json::{Value, json};

use super::Account;

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

struct Items {
    account: Account,
}

impl Items {
    async fn open() -> Self {
        let account = Account::open().await;
        account.services.lake().store.create_bucket("items", "us-east-1").unwrap();
        Self { account }
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let store = &self.account.services.lake().store;
        store.put("items", key, bytes, PutOptions::default()).unwrap();
    }

    /// What a Map over these items answers: the items, if nothing is wrong with them.
    async fn read(&self, name: &str, action: &str, config: Value, parameters: Value) -> Value {
        let definition = json!({
            "StartAt": "Each",
            "States": {"Each": {
                "Type": "Map",
                "ItemReader": {
                    "Resource": format!("arn:aws:states:::s3:{action}"),
                    "ReaderConfig": config,
                    "Parameters": parameters,
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    "StartAt": "P",
                    "States": {"P": {"Type": "Pass", "End": true}},
                },
                "End": true,
            }},
        });
        let machine = self.account.machine(name, definition).await;
        let ended = self.account.execute(&machine, json!({})).await;
        match ended["output"].as_str() {
            Some(output) => serde_json::from_str(output).unwrap(),
            None => ended["cause"].clone(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn items_come_from_lists_of_files_packed_or_not() {
    let items = Items::open().await;
    items.put("data/one.csv.gz", &gzip("items,a/1.parquet,10\nitems,a/2.parquet,20\n"));
    items.put("data/two.csv", b"items,b/3.parquet,30\n");
    let manifest = json!({
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/one.csv.gz"}, {"key": "data/two.csv"}],
    });
    items.put("manifest.json", manifest.to_string().as_bytes());
    let config = json!({"InputType": "MANIFEST", "ManifestType": "S3_INVENTORY"});
    let key = |key: &str| json!({"Bucket": "items", "Key": key});
    let found = items.read("inventory", "getObject", config, key("manifest.json")).await;
    assert_eq!(found[1], json!({"Bucket": "items", "Key": "a/2.parquet", "Size": "20"}));
    assert_eq!(found[2]["Key"], "b/3.parquet");

    items.put("athena.csv", b"s3://items/rows/1.csv\ns3://items/rows/2.csv.gz\n");
    items.put("rows/1.csv", b"id,n\nx,1\n");
    items.put("rows/2.csv.gz", &gzip("id,n\ny,2\n"));
    let config = json!({"InputType": "MANIFEST", "ManifestType": "ATHENA_DATA", "MaxItems": 2});
    let found = items.read("athena", "getObject", config, key("athena.csv")).await;
    assert_eq!(found, json!([{"id": "x", "n": "1"}, {"id": "y", "n": "2"}]));

    let config = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "Transformation": "LOAD_AND_FLATTEN"});
    let prefix = json!({"Bucket": "items", "Prefix": "rows/"});
    let found = items.read("flatten", "listObjectsV2", config, prefix).await;
    assert_eq!(found, json!([{"id": "x", "n": "1"}, {"id": "y", "n": "2"}]));

    items.put("broken.json.gz", b"no gzip");
    let found = items
        .read("broken", "getObject", json!({"InputType": "JSON"}), key("broken.json.gz"))
        .await;
    assert!(found.as_str().unwrap().starts_with("broken.json.gz: "), "{found}");
    let found =
        items.read("orc", "getObject", json!({"InputType": "ORC"}), key("broken.json.gz")).await;
    assert!(found.as_str().unwrap().contains("the InputType ORC is not supported"), "{found}");
}
