//! Result reuse: the same question in the same workgroup, asked again soon enough, gets the earlier answer.
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html>

use lake::S3Url;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Athena;
use super::query::QueryExecution;
use super::refusal::constraint;
use crate::wire::ServiceError;

/// Minutes; a week.
const LONGEST_AGE: u64 = 10_080;
/// Minutes, where a request says nothing.
const DEFAULT_AGE: u64 = 60;

/// Words that make an answer depend on more than the data.
const UNSTEADY: [&str; 12] = [
    "current_catalog",
    "current_date",
    "current_schema",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "now",
    "rand",
    "random",
    "shuffle",
    "uuid",
];

/// The milliseconds a ResultReuseConfiguration allows; `None` if it does not want reuse.
pub(super) fn allowed_age(configuration: Option<&Value>) -> Result<Option<i64>, ServiceError> {
    let Some(by_age) = configuration.map(|all| &all["ResultReuseByAgeConfiguration"]) else {
        return Ok(None);
    };
    let minutes = by_age["MaxAgeInMinutes"].as_u64().unwrap_or(DEFAULT_AGE);
    if minutes > LONGEST_AGE {
        return Err(constraint(
            &minutes.to_string(),
            "resultReuseConfiguration.resultReuseByAgeConfiguration.maxAgeInMinutes",
            &format!("Member must have value less than or equal to {LONGEST_AGE}"),
        ));
    }
    let enabled = by_age["Enabled"] == true;
    Ok(enabled.then(|| i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60_000)))
}

/// What makes two questions the same.
pub(super) fn digest(query: &QueryExecution) -> String {
    let question = json!([
        query.workgroup,
        query.catalog.to_lowercase(),
        query.database.as_deref().map(str::to_lowercase),
        query.query,
        query.parameters,
    ]);
    hex(&Sha256::digest(question.to_string()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_steady(statement: &str) -> bool {
    statement
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .all(|word| !UNSTEADY.contains(&word.to_lowercase().as_str()))
}

impl Athena {
    /// Ends a new query at once with an earlier answer, if there is one that may be given again.
    pub(super) fn reuse(
        &self,
        query: &mut QueryExecution,
        allowed_age: i64,
        digest: &str,
    ) -> Result<(), ServiceError> {
        if query.substatement != "SELECT" || !is_steady(&query.query) {
            return Ok(());
        }
        let since = query.submitted - allowed_age;
        let Some(earlier) = self.executions.queries.reusable(digest, since)? else {
            return Ok(());
        };
        let result: Option<S3Url> = earlier.answer.object.as_ref().and_then(|at| at.parse().ok());
        let still_there = result
            .is_some_and(|at| self.executions.lake.store.head(at.bucket(), at.key(), None).is_ok());
        if still_there {
            query.start(query.submitted);
            query.end(super::query::State::Succeeded, query.submitted);
            query.reused = true;
            query.answer = earlier.answer;
            if query.managed_results.is_none() {
                query.output_location = earlier.output_location;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_asked_for_in_minutes() {
        let by_age = |by_age: Value| json!({"ResultReuseByAgeConfiguration": by_age});
        let cases = [
            (by_age(json!({"Enabled": true, "MaxAgeInMinutes": 5})), Some(300_000)),
            (by_age(json!({"Enabled": true})), Some(3_600_000)),
            (by_age(json!({"Enabled": false, "MaxAgeInMinutes": 5})), None),
            (json!({}), None),
        ];
        for (configuration, expected) in cases {
            assert_eq!(allowed_age(Some(&configuration)).unwrap(), expected, "{configuration}");
        }
        assert!(
            allowed_age(Some(&by_age(json!({"Enabled": true, "MaxAgeInMinutes": 10_081}))))
                .is_err()
        );
    }

    #[test]
    fn clocks_and_dice_are_not_steady() {
        for (statement, steady) in [
            ("SELECT a FROM t", true),
            ("SELECT known FROM t", true),
            ("SELECT now()", false),
            ("SELECT Current_Date", false),
            ("SELECT * FROM t ORDER BY rand()", false),
        ] {
            assert_eq!(is_steady(statement), steady, "{statement}");
        }
    }
}
