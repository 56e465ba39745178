//! Where a Distributed Map's items come from: objects of S3, read through the same store as everything else.

use std::io::Read as _;
use std::str::FromStr as _;

use asl::ReaderConfig;
use asl::items::parse_items;
use asl::{Failure, ItemSource, ResourceKind, error_name};
use flate2::read::MultiGzDecoder;
use lake::StoreError;
use lake::store::{ListQuery, Store};
use serde_json::{Value, json};

use super::StepFunctions;
use crate::iam::{Caller, action};

/// The largest object an `ItemReader` takes, bytes (AWS reads up to 10 GB as a stream; here it is held).
const LARGEST_OBJECT: u64 = 1024 * 1024 * 1024;

/// The service, reading as the machine's role.
struct Reader<'a> {
    service: &'a StepFunctions,
    caller: &'a Caller,
    store: &'a Store,
}

impl Reader<'_> {
    fn allow(&self, operation: &str, input: &Value) -> Result<(), Failure> {
        for need in action::s3(operation, input) {
            self.service
                .authorise(self.caller, &need)
                .map_err(|failure| failed(failure.cause.unwrap_or_default()))?;
        }
        Ok(())
    }
}

pub(super) fn read(
    service: &StepFunctions,
    caller: &Caller,
    store: &Store,
    source: &ItemSource,
) -> Result<Vec<Value>, Failure> {
    let reader = &Reader { service, caller, store };
    let action = match &source.resource.kind {
        ResourceKind::Service { service, action, .. }
            if service == "s3" || service == "aws-sdk:s3" =>
        {
            action.as_str()
        }
        _ => "",
    };
    match action {
        "getObject" => object_items(reader, source),
        "listObjectsV2" => listed(reader, source),
        _ => Err(failed(format!("the ItemReader resource {} is not offered", source.resource.arn))),
    }
}

fn failed(cause: impl Into<String>) -> Failure {
    Failure::new(error_name::ITEM_READER_FAILED, cause)
}

/// AWS's words for an object that cannot be read.
fn unreadable(bucket: &str, key: &str, error: &StoreError) -> Failure {
    failed(match error {
        StoreError::NoSuchBucket(_) => {
            format!("The bucket {bucket} does not exist. (Service: S3, Status Code: 404)")
        }
        StoreError::NoSuchKey { .. } => {
            format!(
                "The object {key} does not exist in the bucket {bucket}. (Service: S3, Status Code: 404)"
            )
        }
        other => other.to_string(),
    })
}

fn parameter<'a>(source: &'a ItemSource, name: &str) -> Result<&'a str, Failure> {
    let value = source.parameters[name].as_str();
    value.ok_or_else(|| failed(format!("the ItemReader of '{}' needs {name}", source.state)))
}

fn object_items(reader: &Reader<'_>, source: &ItemSource) -> Result<Vec<Value>, Failure> {
    let (bucket, key) = (parameter(source, "Bucket")?, parameter(source, "Key")?);
    let bytes = bytes(reader, bucket, key)?;
    match source.reader.input_type.as_deref() {
        Some("MANIFEST") => manifest(reader, source, bucket, &bytes),
        _ => items(key, bytes, &source.reader),
    }
}

/// The items in an object; one that is called `….gz` is unpacked first, as the CSV files of an inventory are.
fn items(key: &str, bytes: bytes::Bytes, config: &ReaderConfig) -> Result<Vec<Value>, Failure> {
    let wrong = |error: String| failed(format!("{key}: {error}"));
    match config.input_type.as_deref() {
        Some("PARQUET") => {
            lake::parquet_items(bytes, config.max_items.unwrap_or(usize::MAX)).map_err(wrong)
        }
        // Neither an `InputType` of AWS's nor what it reads of an inventory.
        Some("ORC") => Err(wrong(
            "the InputType ORC is not supported; it must be one of CSV, JSON, JSONL, PARQUET, MANIFEST"
                .to_owned(),
        )),
        _ if key.rsplit('.').next() == Some("gz") => {
            let mut unpacked = Vec::new();
            let most = LARGEST_OBJECT + 1;
            let read = MultiGzDecoder::new(&bytes[..]).take(most).read_to_end(&mut unpacked);
            match read {
                Ok(length) if length as u64 == most => {
                    Err(wrong(format!("unpacked it has more than {LARGEST_OBJECT} bytes")))
                }
                Ok(_) => parse_items(&unpacked, config),
                Err(error) => Err(wrong(error.to_string())),
            }
        }
        _ => parse_items(&bytes, config),
    }
}

fn bytes(reader: &Reader<'_>, bucket: &str, key: &str) -> Result<bytes::Bytes, Failure> {
    reader.allow("GetObject", &json!({"Bucket": bucket, "Key": key}))?;
    let store = reader.store;
    let head = store.head(bucket, key, None).map_err(|error| unreadable(bucket, key, &error))?;
    if head.size > LARGEST_OBJECT {
        return Err(failed(format!(
            "the object {key} has {} bytes, more than {LARGEST_OBJECT}",
            head.size
        )));
    }
    store.read(bucket, key).map_err(|error| unreadable(bucket, key, &error))
}

/// An Athena manifest lists whole objects, one `s3://` URL a line; an S3 inventory's `manifest.json` lists CSV files.
fn manifest(
    reader: &Reader<'_>,
    source: &ItemSource,
    bucket: &str,
    bytes: &[u8],
) -> Result<Vec<Value>, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    let kind = source.reader.other.get("ManifestType").and_then(Value::as_str);
    let mut config = source.reader.clone();
    let mut items = Vec::new();
    let files: Vec<(String, String)> = if kind == Some("ATHENA_DATA") {
        config.input_type = Some("CSV".to_owned());
        let lines = text.lines().filter(|line| !line.is_empty());
        let urls = lines
            .map(|line| lake::S3Url::from_str(line).map_err(|error| failed(error.to_string())));
        urls.map(|url| url.map(|url| (url.bucket().to_owned(), url.key().to_owned())))
            .collect::<Result<_, _>>()?
    } else {
        let manifest: Value =
            serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
        let columns = manifest["fileSchema"].as_str().unwrap_or_default();
        let format = manifest["fileFormat"].as_str().unwrap_or("CSV");
        config.input_type = Some(format.to_uppercase());
        config.csv_headers = Some(columns.split(',').map(|name| name.trim().to_owned()).collect());
        let listed = manifest["files"].as_array().cloned().unwrap_or_default();
        let keys = listed.iter().filter_map(|file| file["key"].as_str());
        keys.map(|key| (bucket.to_owned(), key.to_owned())).collect()
    };
    for (bucket, key) in files {
        let read = self::bytes(reader, &bucket, &key)?;
        items.extend(self::items(&key, read, &config)?);
        if config.max_items.is_some_and(|most| items.len() >= most) {
            break;
        }
    }
    items.truncate(config.max_items.unwrap_or(usize::MAX));
    Ok(items)
}

/// Objects under a prefix, as `ListObjectsV2` shows them; their bytes with `Transformation: LOAD_AND_FLATTEN`.
fn listed(reader: &Reader<'_>, source: &ItemSource) -> Result<Vec<Value>, Failure> {
    let bucket = parameter(source, "Bucket")?;
    let prefix = source.parameters["Prefix"].as_str().unwrap_or_default();
    let flatten = source.reader.other.get("Transformation").and_then(Value::as_str)
        == Some("LOAD_AND_FLATTEN");
    let most = source.reader.max_items.unwrap_or(usize::MAX);
    reader.allow("ListObjectsV2", &json!({"Bucket": bucket, "Prefix": prefix}))?;
    let (mut items, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = ListQuery { prefix, delimiter: None, after: after.as_deref(), max: 1000 };
        let listing =
            reader.store.list(bucket, query).map_err(|error| unreadable(bucket, prefix, &error))?;
        for object in listing.objects {
            if flatten {
                let read = bytes(reader, bucket, &object.key)?;
                items.extend(self::items(&object.key, read, &source.reader)?);
            } else {
                items.push(json!({
                    "Etag": format!("\"{}\"", object.etag),
                    "Key": object.key,
                    "LastModified": object.last_modified.as_second(),
                    "Size": object.size,
                    "StorageClass": "STANDARD",
                }));
            }
            if items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
        match listing.next {
            Some(next) => after = Some(next),
            None => return Ok(items),
        }
    }
}
