//! Writes an entry to the ledger: where none is, or not at all.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::operation::put_object::PutObjectError;
use shared::ledger::{self, Entry, LedgerError};
use shared::storage::StorageError;

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It stands in the ledger, by this try or by one whose answer was lost.
    Written,
    /// Somebody else's entry has its number.
    Taken,
    /// S3 did not say, and the number is still free: it may yet be written.
    Unknown,
}

/// Tries once to write `entry`, and reads back what it cannot be sure of.
///
/// An answer can be lost, and the SDK's own second try is refused by its first then. So neither
/// 412 nor silence says that this entry is not the one that stands there.
/// Source: S3 user guide, "Conditional writes": 412 when the key exists, 409 in a race.
pub async fn append(s3: &Client, bucket: &str, entry: &Entry) -> Result<Appended, LedgerError> {
    let key = ledger::key(entry.entry.dataset, entry.seq);
    let body = serde_json::to_vec(entry).expect("an entry is JSON");
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(&key)
        .if_none_match("*")
        .content_type("application/json")
        .body(body.into())
        .send()
        .await;
    let Err(error) = put else { return Ok(Appended::Written) };
    let answer = answer(&error);
    if answer == Answer::Refused {
        return Err(StorageError::of(&format!("s3://{bucket}/{key}"), error).into());
    }
    tracing::warn!(key, error = %DisplayErrorContext(&error), "reading the ledger back");
    match ledger::entry(s3, bucket, entry.entry.dataset, entry.seq).await? {
        Some(standing) if is_same(&standing, entry) => Ok(Appended::Written),
        Some(_) => Ok(Appended::Taken),
        None => Ok(Appended::Unknown),
    }
}

#[derive(PartialEq, Eq)]
enum Answer {
    /// The key exists, another write is under way, or nobody knows.
    Doubtful,
    /// It was not written, and asking again will not help.
    Refused,
}

fn answer(error: &SdkError<PutObjectError>) -> Answer {
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(400..=408 | 410 | 411 | 413..=428 | 430..=499) => Answer::Refused,
        Some(_) | None => Answer::Doubtful,
    }
}

/// Two tries of one commit differ in nothing but the time.
fn is_same(standing: &Entry, entry: &Entry) -> bool {
    standing.execution == entry.execution && standing.entry == entry.entry
}
