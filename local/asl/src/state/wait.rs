//! Wait: for seconds, or until an instant.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::definition::Fields;
use crate::failure::{Fault, Trouble};
use crate::jsonata::Query;
use crate::path::Path;
use crate::quantity::unexpected;
use crate::scope::Scope;
use crate::timestamp;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

/// `99999999` seconds: the longest `Seconds` AWS takes in a definition.
const MAX_SECONDS: i64 = 99_999_999;

/// The longest a Wait may take: a year, as an execution.
const MAX_DELAY: SignedDuration = SignedDuration::from_hours(366 * 24);

#[derive(Debug)]
pub(crate) enum Wait {
    Seconds(i64),
    SecondsPath(Path),
    SecondsQuery(Query),
    Timestamp(Timestamp),
    TimestampPath(Path),
    TimestampQuery(Query),
}

impl Wait {
    pub fn parse(fields: &Fields) -> Option<Self> {
        let mut all = vec!["Seconds", "Timestamp"];
        if !fields.is_jsonata() {
            all.extend(["SecondsPath", "TimestampPath"]);
        }
        let given = all.iter().filter(|name| fields.has(name)).count();
        if given != 1 {
            fields.problems.schema(
                &fields.at,
                format!("Exactly one of these fields is required: [{}]", all.join(", ")),
            );
            return None;
        }
        if fields.has("SecondsPath") {
            return fields.path("SecondsPath").map(Self::SecondsPath);
        }
        if fields.has("TimestampPath") {
            return fields.path("TimestampPath").map(Self::TimestampPath);
        }
        match fields.get("Seconds") {
            Some(Value::String(text)) if fields.is_jsonata() => {
                return fields.query("Seconds", text).map(Self::SecondsQuery);
            }
            Some(_) => {
                let seconds = fields.whole("Seconds", 0)?;
                let seconds = i64::try_from(seconds).ok().filter(|s| *s <= MAX_SECONDS);
                if seconds.is_none() {
                    fields.wrong("Seconds", format!("Expected at most {MAX_SECONDS}"));
                }
                return seconds.map(Self::Seconds);
            }
            None => {}
        }
        let text = fields.text("Timestamp")?;
        if fields.is_jsonata() && Query::body(text).is_some() {
            return fields.query("Timestamp", text).map(Self::TimestampQuery);
        }
        let instant = timestamp::parse(text);
        if instant.is_none() {
            fields.wrong("Timestamp", "Expected an ISO-8601 extended offset date-time");
        }
        instant.map(Self::Timestamp)
    }

    /// When the wait is over.
    pub fn until(&self, visit: &Visit, variables: &Variables) -> Result<Timestamp, Trouble> {
        let input = visit.effective_input(variables)?;
        let scope = visit.scope(&input, variables);
        let now = visit.run.host.now();
        let until = match self {
            Self::Seconds(seconds) => later(now, *seconds)?,
            Self::SecondsPath(path) => later(now, seconds_of(path, &scope)?)?,
            Self::SecondsQuery(query) => {
                let value = query.evaluate(&scope, "Seconds")?;
                let seconds = value
                    .as_i64()
                    .filter(|seconds| *seconds >= 0)
                    .ok_or_else(|| unexpected(query, "Seconds", "integer", &value))?;
                later(now, seconds)?
            }
            Self::Timestamp(instant) => *instant,
            Self::TimestampPath(path) => instant_of(path, &scope)?,
            Self::TimestampQuery(query) => {
                let value = query.evaluate(&scope, "Timestamp")?;
                let text = value
                    .as_str()
                    .ok_or_else(|| unexpected(query, "Timestamp", "string", &value))?;
                timestamp::parse(text).ok_or_else(|| {
                    Fault::query(
                        format!(
                            "The Timestamp field cannot be parsed as an ISO-8601 extended offset \
                             date-time format string: {text}"
                        ),
                        Some("Timestamp"),
                    )
                    .in_use()
                })?
            }
        };
        if until.duration_since(now) > MAX_DELAY {
            return Err(too_long().into());
        }
        Ok(until)
    }

    pub async fn run(&self, visit: &Visit<'_>, variables: &Variables) -> Result<Exit, Trouble> {
        let until = self.until(visit, variables)?;
        visit.run.host.sleep_until(until).await;
        visit.exit_without_result(variables)
    }
}

fn later(now: Timestamp, seconds: i64) -> Result<Timestamp, Fault> {
    now.checked_add(SignedDuration::from_secs(seconds)).map_err(|_| too_long())
}

fn too_long() -> Fault {
    Fault::runtime("Wait state delay is too long.")
}

fn seconds_of(path: &Path, scope: &Scope) -> Result<i64, Fault> {
    let value = reference(path, scope, "SecondsPath")?;
    let seconds = value.as_i64().filter(|seconds| *seconds >= 0);
    seconds.ok_or_else(|| {
        Fault::runtime(format!(
            "The SecondsPath parameter cannot be parsed as a long value: {} == {value}",
            path.text
        ))
    })
}

fn instant_of(path: &Path, scope: &Scope) -> Result<Timestamp, Fault> {
    let value = reference(path, scope, "TimestampPath")?;
    value.as_str().and_then(timestamp::parse).ok_or_else(|| {
        let text = match value.as_ref() {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Fault::runtime(format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
             date-time format string: {} == {text}",
            path.text
        ))
    })
}

fn reference<'a>(path: &Path, scope: &'a Scope, field: &str) -> Result<Cow<'a, Value>, Fault> {
    scope.select(path).map_err(|_| {
        Fault::runtime(format!(
            "The {field} parameter does not reference an input value: {}",
            path.text
        ))
    })
}
