//! An object has arrived: is it ours to load?

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use serde_json::Value;
use shared::dataset::Dataset;
use shared::event::{Arrival, Ignored, Source};
use shared::storage::StorageError;

use crate::download::timestamp;
use crate::file_name::FileName;
use crate::planning::bare;

/// The folder that is watched.
const FOLDER: &str = "arrivals/";

/// Why an event that is not "Object Created" is none of ours; none for any other input.
///
/// A deletion of a file never deletes what was loaded from it.
pub fn foreign(input: &Value) -> Option<Ignored> {
    let kind = input.get("detail-type").filter(|kind| *kind != "Object Created")?;
    let key = input.pointer("/detail/object/key").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.as_str().unwrap_or("unnamed");
    Some(Ignored { key: key.to_owned(), reason: format!("an event {kind:?} loads nothing") })
}

/// The file's meaning by its key. `EventBridge` gives keys as they are: there is nothing to decode.
pub fn name(
    arrival: &Arrival,
    raw_bucket: &str,
    contracts: &[Dataset],
) -> Result<FileName, Ignored> {
    let ignored = |reason: String| Ignored { key: arrival.key.clone(), reason };
    if arrival.bucket != raw_bucket {
        return Err(ignored(format!("bucket {:?} is not watched", arrival.bucket)));
    }
    let name = arrival.key.strip_prefix(FOLDER);
    let name = name.ok_or_else(|| ignored(format!("only {FOLDER} is watched")))?;
    FileName::parse(name, contracts).ok_or_else(|| {
        ignored(format!(
            "expected a name of the TLC's such as {FOLDER}green_tripdata_2024-01.parquet"
        ))
    })
}

/// The object as it is now, or why it is not loaded: a deleted one has no rows, and a newer
/// version has an event of its own.
pub async fn object(
    s3: &Client,
    arrival: &Arrival,
) -> Result<Result<Source, Ignored>, StorageError> {
    let Arrival { bucket, key, .. } = arrival;
    let ignored = |reason: &str| Ignored { key: key.clone(), reason: reason.to_owned() };
    let head = match s3.head_object().bucket(bucket).key(key).send().await {
        Ok(head) => head,
        Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
            return Ok(Err(ignored("it is not there any more")));
        }
        Err(error) => return Err(StorageError::of(&format!("s3://{bucket}/{key}"), error)),
    };
    let differs = |event: Option<&str>, now: Option<&str>| match (event, now) {
        (Some(event), Some(now)) => bare(event) != bare(now),
        _ => false,
    };
    // Without versions S3 answers no version or "null", and the content tells.
    let versions = arrival.version_id.as_deref().filter(|id| *id != "null");
    let replaced = match versions {
        Some(version) => differs(Some(version), head.version_id()),
        None => differs(arrival.etag.as_deref(), head.e_tag()),
    };
    if replaced {
        return Ok(Err(ignored("a newer version has arrived since")));
    }
    Ok(Ok(Source::S3 {
        bucket: bucket.clone(),
        key: key.clone(),
        version_id: head.version_id().map(str::to_owned),
        etag: head.e_tag().map(str::to_owned),
        last_modified: head.last_modified().and_then(timestamp),
        bytes: head.content_length().and_then(|length| length.try_into().ok()),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::dataset::DatasetName;

    use super::*;

    #[test]
    fn what_is_ours_to_load() {
        let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
        let check = |bucket: &str, key: &str, expected: Result<&str, &str>| {
            let arrival = Arrival {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                version_id: None,
                etag: None,
                bytes: None,
                time: None,
            };
            let found = name(&arrival, "raw", &contracts);
            let found =
                found.map(|name| name.dataset.to_string()).map_err(|ignored| ignored.reason);
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{key}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{key}: {found}"),
                (found, _) => panic!("{key}: {found:?}"),
            }
        };
        check("raw", "arrivals/green_tripdata_2024-01.parquet", Ok("green"));
        check("raw", "arrivals/taxi_zone_lookup.csv", Ok("zones"));
        check("other", "arrivals/green_tripdata_2024-01.parquet", Err("not watched"));
        for key in ["raw/green_tripdata_2024-01.parquet", "green_tripdata_2024-01.parquet", ""] {
            check("raw", key, Err("only arrivals/"));
        }
        for key in [
            "arrivals/",
            "arrivals//green_tripdata_2024-01.parquet",
            "arrivals/2024/green_tripdata_2024-01.parquet",
            "arrivals/../green_tripdata_2024-01.parquet",
            "arrivals/a+b%2Fc",
            "arrivals/%67reen_tripdata_2024-01.parquet",
            "arrivals/\u{0}",
            "arrivals/'; DROP TABLE `x`",
        ] {
            check("raw", key, Err("expected a name of the TLC's"));
        }
    }

    #[test]
    fn other_events_load_nothing() {
        let event = json!({"detail-type": "Object Deleted", "detail": {"object": {"key": "k"}}});
        assert_eq!(foreign(&event).map(|ignored| ignored.key).as_deref(), Some("k"));
        assert_eq!(
            foreign(&json!({"detail-type": 3})).map(|ignored| ignored.key).as_deref(),
            Some("")
        );
        assert_eq!(foreign(&json!({"detail-type": "Object Created"})), None);
        assert_eq!(foreign(&json!({"trigger": "schedule"})), None);
        assert_eq!(foreign(&json!(null)), None);
    }
}
