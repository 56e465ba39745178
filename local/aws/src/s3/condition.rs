//! Conditional requests.

use lake::store::{Object, WriteCondition};
use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::attributes;

/// The conditions of a read, by the names of their headers.
#[expect(clippy::struct_field_names, reason = "the headers all begin with if")]
#[derive(Default)]
pub struct ReadCondition {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// Nothing, or 412, or 304 with the object's ETag and time. An ETag outweighs a time.
    /// Source: RFC 9110, section 13.2.2, which S3 follows.
    pub fn check(&self, object: &Object) -> S3Result<()> {
        let modified =
            Timestamp::from(std::time::SystemTime::from(attributes::seconds(object.last_modified)));
        let failed = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !names(condition, object),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if failed {
            return Err(precondition_failed());
        }
        let unchanged = match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => names(condition, object),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if unchanged { Err(not_modified(object)) } else { Ok(()) }
    }

    /// The same of a copy's source, where "not modified" is a failure, too.
    pub fn check_source(&self, object: &Object) -> S3Result<()> {
        self.check(object).map_err(|_| precondition_failed())
    }
}

/// The condition of a write. S3 takes `If-None-Match: *` and `If-Match: <ETag>`, one of them.
pub fn write(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<WriteCondition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(WriteCondition::Always),
        (None, Some(ETagCondition::Any)) => Ok(WriteCondition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => {
            Ok(WriteCondition::Matches(etag.value().to_owned()))
        }
        (Some(ETagCondition::Any), None) => Ok(WriteCondition::Matches("*".to_owned())),
        _ => Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented: If-None-Match with an ETag"
        )),
    }
}

fn names(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(attributes::validators(object));
    error
}
