//! S3 for tasks: the operations that carry small objects and listings, in JSON on the store itself.

use lake::store::{ListQuery, Object, PutOptions, WriteCondition};
use lake::{Store, StoreError};
use serde_json::{Value, json};

use crate::wire::ServiceError;

/// A task's result holds 256 KiB, so a larger object cannot be read by one.
const LARGEST_BODY: u64 = 256 * 1024;

pub fn operation(store: &Store, action: &str, input: &Value) -> Result<Value, ServiceError> {
    match action {
        "GetObject" => get_object(store, input),
        "HeadObject" => Ok(attributes(&head(store, input)?)),
        "PutObject" => put_object(store, input),
        "DeleteObject" => {
            let version = input["VersionId"].as_str();
            let deleted = store
                .delete(
                    text(input, "Bucket")?,
                    text(input, "Key")?,
                    version,
                    &WriteCondition::Always,
                )
                .map_err(|error| refused(&error))?;
            Ok(match deleted.version_id {
                Some(version) => json!({"VersionId": version}),
                None => json!({}),
            })
        }
        "ListObjectsV2" | "ListObjects" => list_objects(store, action, input),
        "ListBuckets" => {
            let buckets = store.buckets().map_err(|error| refused(&error))?;
            let names: Vec<Value> =
                buckets.iter().map(|bucket| json!({"Name": bucket.name})).collect();
            Ok(json!({"Buckets": names}))
        }
        _ => Err(ServiceError::unknown_operation("S3 (in tasks)", action)),
    }
}

fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member]
        .as_str()
        .ok_or_else(|| ServiceError::new("InvalidRequest", format!("{member} is required")))
}

/// AWS's words for the commonest errors, the store's for the others.
fn refused(error: &StoreError) -> ServiceError {
    let (status, message) = match error {
        StoreError::NoSuchBucket(_) => (404, "The specified bucket does not exist".to_owned()),
        StoreError::NoSuchKey { .. } => (404, "The specified key does not exist.".to_owned()),
        StoreError::PreconditionFailed(_) => {
            (412, "At least one of the pre-conditions you specified did not hold".to_owned())
        }
        StoreError::Io(_) | StoreError::Database(_) => (500, error.to_string()),
        _ => (400, error.to_string()),
    };
    ServiceError::new(error.code(), message).status(status)
}

fn head(store: &Store, input: &Value) -> Result<Object, ServiceError> {
    let (bucket, key) = (text(input, "Bucket")?, text(input, "Key")?);
    store.head(bucket, key, input["VersionId"].as_str()).map_err(|error| refused(&error))
}

fn attributes(object: &Object) -> Value {
    let mut shown = json!({
        "AcceptRanges": "bytes",
        "ContentLength": object.size,
        "ContentType": object
            .attributes
            .headers
            .get("content-type")
            .map_or("binary/octet-stream", String::as_str),
        "ETag": format!("\"{}\"", object.etag),
        "LastModified": object.last_modified.as_second(),
        "Metadata": object.attributes.metadata,
        "ServerSideEncryption": "AES256",
    });
    if object.version_id != "null" {
        shown["VersionId"] = object.version_id.as_str().into();
    }
    shown
}

fn get_object(store: &Store, input: &Value) -> Result<Value, ServiceError> {
    let object = head(store, input)?;
    if object.size > LARGEST_BODY {
        return Err(ServiceError::new(
            "InvalidRequest",
            format!("the object has {} bytes, more than a task's result can hold", object.size),
        ));
    }
    let (object, mut reader) = store
        .get(&object.bucket, &object.key, input["VersionId"].as_str())
        .map_err(|error| refused(&error))?;
    let bytes = reader.read(0..object.size).map_err(ServiceError::internal)?;
    let mut shown = attributes(&object);
    shown["Body"] = String::from_utf8_lossy(&bytes).into();
    Ok(shown)
}

fn put_object(store: &Store, input: &Value) -> Result<Value, ServiceError> {
    let body = match &input["Body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut options = PutOptions::default();
    if let Some(kind) = input["ContentType"].as_str() {
        options.attributes.headers.insert("content-type".to_owned(), kind.to_owned());
    }
    if input["IfNoneMatch"] == "*" {
        options.condition = WriteCondition::Absent;
    } else if let Some(etag) = input["IfMatch"].as_str() {
        options.condition = WriteCondition::Matches(etag.trim_matches('"').to_owned());
    }
    let object = store
        .put(text(input, "Bucket")?, text(input, "Key")?, body.as_bytes(), options)
        .map_err(|error| refused(&error))?;
    let mut shown =
        json!({"ETag": format!("\"{}\"", object.etag), "ServerSideEncryption": "AES256"});
    if object.version_id != "null" {
        shown["VersionId"] = object.version_id.into();
    }
    Ok(shown)
}

fn list_objects(store: &Store, action: &str, input: &Value) -> Result<Value, ServiceError> {
    let bucket = text(input, "Bucket")?;
    let after = ["ContinuationToken", "StartAfter", "Marker"]
        .into_iter()
        .find_map(|member| input[member].as_str());
    let most = input["MaxKeys"].as_u64().unwrap_or(1000).min(1000);
    let query = ListQuery {
        prefix: input["Prefix"].as_str().unwrap_or_default(),
        delimiter: input["Delimiter"].as_str(),
        after,
        max: usize::try_from(most).unwrap_or(1000),
    };
    let listing = store.list(bucket, query).map_err(|error| refused(&error))?;
    let contents: Vec<Value> = listing
        .objects
        .iter()
        .map(|object| {
            json!({
                "ETag": format!("\"{}\"", object.etag),
                "Key": object.key,
                "LastModified": object.last_modified.as_second(),
                "Size": object.size,
                "StorageClass": "STANDARD",
            })
        })
        .collect();
    let mut shown = json!({
        "Contents": contents,
        "IsTruncated": listing.next.is_some(),
        "MaxKeys": most,
        "Name": bucket,
        "Prefix": query.prefix,
    });
    if !listing.prefixes.is_empty() {
        let prefixes = listing.prefixes.iter().map(|prefix| json!({"Prefix": prefix}));
        shown["CommonPrefixes"] = prefixes.collect();
    }
    if action == "ListObjectsV2" {
        shown["KeyCount"] = (listing.objects.len() + listing.prefixes.len()).into();
        if let Some(next) = listing.next {
            shown["NextContinuationToken"] = next.into();
        }
    }
    Ok(shown)
}
