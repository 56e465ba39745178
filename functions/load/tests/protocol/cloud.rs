//! S3 and Glue in memory, as far as `load` uses them, with faults on demand.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use load::{Config, State};
use serde_json::{Value, json};

use crate::server::{Reply, Request, serve};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not carried out, and an error is answered.
    Refused,
    /// It is carried out, and the answer is lost.
    Lost,
}

#[derive(Default)]
pub struct Cloud {
    /// Bucket and key, with a slash between.
    pub objects: BTreeMap<String, Vec<u8>>,
    pub tables: BTreeMap<String, Value>,
    pub partitions: BTreeMap<String, Value>,
    /// Objects whose key holds this were written two days ago; all others now.
    pub old: Option<String>,
    /// Requests so far.
    pub requests: usize,
    /// The number of the request that goes wrong, and how.
    pub fault: Option<(usize, Fault)>,
}

pub type Shared = Arc<Mutex<Cloud>>;

/// An empty cloud with the table of green's runs, and clients for it.
pub async fn cloud() -> (State, Shared) {
    let cloud = Shared::new(Mutex::new(Cloud::new(None)));
    let served = Arc::clone(&cloud);
    let base = serve(move |request| served.lock().unwrap().answer(request)).await;
    let sdk = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(
            aws_sdk_s3::config::Credentials::new("a", "b", None, None, "test"),
        ))
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .endpoint_url(base)
        .build();
    let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build();
    let state = State {
        s3: aws_sdk_s3::Client::from_conf(s3),
        glue: aws_sdk_glue::Client::new(&sdk),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
        clock: jiff::Timestamp::now,
        config: Config {
            stage: "test".to_owned(),
            database: "taxi".to_owned(),
            lake_bucket: "lake".to_owned(),
            garbage_after: Duration::from_hours(24),
        },
    };
    (state, cloud)
}

impl Cloud {
    pub fn new(fault: Option<(usize, Fault)>) -> Self {
        let storage = json!({"Location": "s3://lake/green/", "Columns": []});
        let table = json!({"Name": "green_runs", "VersionId": "0", "StorageDescriptor": storage});
        let tables = BTreeMap::from([("green_runs".to_owned(), table)]);
        Self { tables, fault, ..Self::default() }
    }

    fn answer(&mut self, request: &Request) -> Option<Reply> {
        let number = self.requests;
        self.requests += 1;
        let fault = self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if fault == Some(Fault::Refused) {
            return Some(Reply { status: 500, body: String::new() });
        }
        let reply = match request.headers.get("x-amz-target") {
            Some(target) => self.glue(target, &serde_json::from_slice(&request.body).unwrap()),
            None if request.target.starts_with("/lake") => self.s3(request),
            None => Reply { status: 200, body: String::new() },
        };
        (fault != Some(Fault::Lost)).then_some(reply)
    }

    fn s3(&mut self, request: &Request) -> Reply {
        let ok = |body: String| Reply { status: 200, body };
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let key = path.trim_start_matches('/').to_owned();
        let argument = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        match request.method.as_str() {
            "GET" if argument("list-type").is_some() => {
                let prefix = format!("lake/{}", argument("prefix").unwrap_or_default());
                let after = argument("start-after").map(|key| format!("lake/{key}"));
                let keys = self.objects.keys().filter(|key| {
                    key.starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after)
                });
                let now = jiff::Timestamp::now();
                let contents = keys.map(|key| {
                    let is_old = self.old.as_ref().is_some_and(|old| key.contains(old));
                    let written = now - jiff::SignedDuration::from_hours(if is_old { 48 } else { 0 });
                    let key = &key["lake/".len()..];
                    format!("<Contents><Key>{key}</Key><LastModified>{written}</LastModified></Contents>")
                });
                let contents = contents.collect::<Vec<_>>().concat();
                ok(format!(
                    "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
                ))
            }
            "GET" => match self.objects.get(&key) {
                Some(body) => ok(String::from_utf8(body.clone()).unwrap()),
                None => error(404, "<Error><Code>NoSuchKey</Code></Error>"),
            },
            "PUT"
                if request.headers.contains_key("if-none-match")
                    && self.objects.contains_key(&key) =>
            {
                error(412, "<Error><Code>PreconditionFailed</Code></Error>")
            }
            "PUT" => {
                self.objects.insert(key, request.body.clone());
                ok(String::new())
            }
            "POST" if query.starts_with("delete") => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
                keys.for_each(|key| drop(self.objects.remove(&format!("lake/{key}"))));
                ok("<DeleteResult></DeleteResult>".to_owned())
            }
            _ => error(400, "<Error><Code>NotHere</Code></Error>"),
        }
    }

    fn glue(&mut self, target: &str, input: &Value) -> Reply {
        let ok = |body: Value| Reply { status: 200, body: body.to_string() };
        let no = |code: &str| error(400, &json!({"__type": code, "message": code}).to_string());
        let name = input["Name"].as_str().unwrap_or_default();
        let new = &input["TableInput"];
        let new_name = new["Name"].as_str().unwrap_or_default();
        match target.split('.').next_back().unwrap() {
            "GetTable" => match self.tables.get(name) {
                Some(table) => ok(json!({"Table": table})),
                None => no("EntityNotFoundException"),
            },
            "CreateTable" if self.tables.contains_key(new_name) => no("AlreadyExistsException"),
            "CreateTable" => {
                self.set_table(new, 0);
                ok(json!({}))
            }
            "UpdateTable" => {
                match self.tables.get(new_name).map(|table| table["VersionId"].clone()) {
                    None => no("EntityNotFoundException"),
                    Some(version) if version != input["VersionId"] => {
                        no("ConcurrentModificationException")
                    }
                    Some(version) => {
                        self.set_table(new, version.as_str().unwrap().parse::<u64>().unwrap() + 1);
                        ok(json!({}))
                    }
                }
            }
            "DeleteTable" => match self.tables.remove(name) {
                Some(_) => ok(json!({})),
                None => no("EntityNotFoundException"),
            },
            "BatchCreatePartition" => {
                let mut errors = Vec::new();
                for partition in input["PartitionInputList"].as_array().unwrap() {
                    let values = &partition["Values"];
                    match self.partitions.entry(values.to_string()) {
                        Entry::Vacant(free) => {
                            free.insert(partition.clone());
                        }
                        Entry::Occupied(_) => errors.push(json!({"PartitionValues": values,
                            "ErrorDetail": {"ErrorCode": "AlreadyExistsException"}})),
                    }
                }
                ok(json!({"Errors": errors}))
            }
            "BatchDeletePartition" => {
                for partition in input["PartitionsToDelete"].as_array().unwrap() {
                    self.partitions.remove(&partition["Values"].to_string());
                }
                ok(json!({"Errors": []}))
            }
            "GetTables" => ok(json!({"TableList": self.tables.values().collect::<Vec<_>>()})),
            "GetPartition" => match self.partitions.get(&input["PartitionValues"].to_string()) {
                Some(partition) => ok(json!({"Partition": partition})),
                None => no("EntityNotFoundException"),
            },
            other => panic!("{other}"),
        }
    }

    fn set_table(&mut self, input: &Value, version: u64) {
        let mut table = input.clone();
        table["VersionId"] = version.to_string().into();
        self.tables.insert(input["Name"].as_str().unwrap().to_owned(), table);
    }
}

fn error(status: u16, body: &str) -> Reply {
    Reply { status, body: body.to_owned() }
}
