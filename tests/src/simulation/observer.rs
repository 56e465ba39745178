//! A reader who looks at the published view after every call, by Athena, and forgets nothing.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws::Services;
use aws::lake::store::ListQuery;
use serde_json::{Value, json};

use super::content::{Content, DATASET, MONTH};

/// What a look at the view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// No view yet, or no row of the month.
    Nothing,
    /// Exactly the rows of this content.
    All(char),
}

/// Where the reader looks.
#[derive(Clone, Debug)]
pub struct Place {
    pub database: String,
    pub lake_bucket: String,
    pub results: String,
}

pub struct Observer {
    place: Place,
    /// What there can be to see; nothing is looked at where that is nothing.
    contents: Vec<Content>,
    state: Mutex<State>,
    /// One look at a time: what an earlier one saw must not be told after a later one.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Contents with the second in which each was published; a content may come back.
    published: Vec<(char, i64)>,
    last: Option<(u64, Seen)>,
    looks: u64,
    violations: Vec<String>,
}

impl Observer {
    pub fn new(place: Place, contents: Vec<Content>) -> Self {
        Observer { place, contents, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// A reader of other things, who only asks when told to.
    pub fn elsewhere(place: Place) -> Self {
        Self::new(place, Vec::new())
    }

    /// From now on a reader may see this content.
    pub fn publish(&self, name: char) {
        let second = lake::clock::now().as_second();
        self.state().published.push((name, second));
    }

    /// Looks, unless nothing that the view is made of has changed since the last look.
    pub async fn look(&self, services: &Services) {
        if self.contents.is_empty() {
            return;
        }
        let _turn = self.turn.lock().await;
        let mark = self.mark(services);
        let unchanged = self.state().last.is_some_and(|(last, _)| last == mark);
        if !unchanged {
            self.look_closely(services, mark).await;
        }
    }

    /// What the last look showed.
    pub fn seen(&self) -> Seen {
        self.state().last.map_or(Seen::Nothing, |(_, seen)| seen)
    }

    pub fn looks(&self) -> u64 {
        self.state().looks
    }

    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    pub fn violated(&self, what: impl Into<String>) {
        self.state().violations.push(what.into());
    }

    async fn look_closely(&self, services: &Services, mark: u64) {
        let found = self.rows(services, "trips", "sum(pulocationid)").await;
        let seen = match found {
            Ok((0, _)) => Ok(Seen::Nothing),
            Ok((rows, zones)) => {
                let whole = |content: &&Content| {
                    (content.rows - content.broken, content.zones) == (rows, zones)
                };
                self.contents.iter().find(whole).map(|content| Seen::All(content.name)).ok_or_else(
                    || format!("the view shows {rows} rows with {zones} for the sum of their zones, which no content has"),
                )
            }
            Err(error) if error.contains("TABLE_NOT_FOUND") || error.contains("does not exist") => {
                Ok(Seen::Nothing)
            }
            Err(error) => Err(format!("the view does not answer: {error}")),
        };
        let mut state = self.state();
        state.looks += 1;
        let seen = match seen {
            Ok(seen) => seen,
            Err(violation) => {
                state.violations.push(violation);
                return;
            }
        };
        let before = state.last.map_or(Seen::Nothing, |(_, seen)| seen);
        if let Some(violation) = state.judge(before, seen) {
            state.violations.push(violation);
        }
        state.last = Some((mark, seen));
    }

    /// Rows of the month in a view, and a sum over them.
    pub async fn rows(
        &self,
        services: &Services,
        view: &str,
        sum: &str,
    ) -> Result<(u64, i64), String> {
        let query = format!(
            "SELECT count(*), coalesce({sum}, 0) FROM {DATASET}_{view} WHERE month = '{MONTH}'"
        );
        let row = self.first_row(services, &query).await?;
        let number = |index: usize| {
            row[index]["VarCharValue"].as_str().and_then(|text| text.parse::<i64>().ok())
        };
        match (number(0), number(1)) {
            (Some(rows), Some(sum)) => Ok((rows.unsigned_abs(), sum)),
            _ => Err(format!("{query} answered {row}")),
        }
    }

    /// The first row of an Athena query, asked for as any client does.
    pub async fn first_row(&self, services: &Services, query: &str) -> Result<Value, String> {
        let athena = |action: &'static str, input: Value| async move {
            services.athena().operation(action, input).await.map_err(|error| error.to_string())
        };
        let started = athena(
            "StartQueryExecution",
            json!({
                "QueryString": query,
                "QueryExecutionContext": {"Database": self.place.database},
                "ResultConfiguration": {"OutputLocation": self.place.results},
            }),
        )
        .await?;
        let id = json!({"QueryExecutionId": started["QueryExecutionId"]});
        loop {
            let execution = athena("GetQueryExecution", id.clone()).await?;
            let status = &execution["QueryExecution"]["Status"];
            match status["State"].as_str() {
                Some("SUCCEEDED") => break,
                Some("FAILED" | "CANCELLED") => return Err(status["StateChangeReason"].to_string()),
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        let results = athena("GetQueryResults", id).await?;
        Ok(results["ResultSet"]["Rows"][1]["Data"].clone())
    }

    /// Differs whenever the view, the partitions it reads or the files in them do.
    fn mark(&self, services: &Services) -> u64 {
        let mut hasher = DefaultHasher::new();
        let (catalog, database) = (&services.lake().catalog, &self.place.database);
        let view = catalog.table(database, &format!("{DATASET}_trips"));
        view.map(|view| view.definition.view_original_text).ok().hash(&mut hasher);
        let partitions = catalog.partitions(database, &format!("{DATASET}_runs"), None);
        let partitions = partitions.unwrap_or_default();
        let values: BTreeSet<_> =
            partitions.iter().map(|partition| (partition.values(), partition.location())).collect();
        values.hash(&mut hasher);
        let prefix = format!("{DATASET}/");
        let query = ListQuery { prefix: &prefix, delimiter: None, after: None, max: 1000 };
        let listing = services.lake().store.list(&self.place.lake_bucket, query);
        for object in listing.map(|listing| listing.objects).unwrap_or_default() {
            (object.key, object.etag).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why a reader who saw `before` must not see `now`.
    fn judge(&self, before: Seen, now: Seen) -> Option<String> {
        match (before, now) {
            (_, Seen::All(name)) if !self.published.iter().any(|(known, _)| *known == name) => {
                Some(format!("content {name} is visible and was never published"))
            }
            (Seen::All(name), Seen::Nothing) => {
                Some(format!("content {name} was visible and nothing is now"))
            }
            (Seen::All(old), Seen::All(new)) if self.is_older(new, old) => {
                Some(format!("content {new} is visible after the newer {old}"))
            }
            _ => None,
        }
    }

    /// Was `one` published in a second before that of `other`, and neither of them again? Sources date their files
    /// to the second, so that of two in one second none is the newer.
    fn is_older(&self, one: char, other: char) -> bool {
        let seconds = |name: char| {
            let published = self.published.iter().filter(move |(known, _)| *known == name);
            published.map(|(_, second)| *second).collect::<Vec<_>>()
        };
        matches!((seconds(one).as_slice(), seconds(other).as_slice()), ([one], [other]) if one < other)
    }
}
