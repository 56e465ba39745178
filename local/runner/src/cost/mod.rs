//! What the account's work would cost on AWS.
//!
//! It is counted by what lasts in a data directory (histories, queries, counters) and priced by one table
//! ([`price`]). A run's report and `cargo local cost` read the same counts.
pub mod month;
pub mod price;
mod quantities;
mod report;
pub mod runs;
pub mod sizing;
mod transitions;
mod usage;

use std::collections::BTreeMap;

use aws::Services;
use serde::Serialize;

use self::month::{Month, Stored, Typical, stored};
use self::price::{DATE, PRICES, Price, REGION};
pub use self::quantities::Quantities;
pub use self::report::render;
use self::runs::Run;
use self::sizing::Sizing;
pub use self::transitions::Transitions;
pub use self::usage::{S3Requests, Usage};
use crate::cloud::CallError;

/// How often what runs, for the month of the schedule.
#[derive(Clone, Copy, Debug)]
pub struct Assumption {
    pub nights: u32,
    pub units: u32,
}

/// Everything that `cargo local cost` knows.
#[derive(Debug, Serialize)]
pub struct Costs {
    pub prices: Prices,
    pub runs: Vec<RunCost>,
    pub typical: Typical,
    pub month: Month,
    /// Of all runs, by who sent them.
    pub s3_requests: BTreeMap<&'static str, S3Requests>,
    pub stored: Vec<Stored>,
    pub express: Express,
    pub functions: Vec<Sizing>,
}

#[derive(Debug, Serialize)]
pub struct Prices {
    pub region: &'static str,
    pub date: &'static str,
    pub table: &'static [Price],
}

/// A run with its sums.
#[derive(Debug, Serialize)]
pub struct RunCost {
    #[serde(flatten)]
    pub run: Run,
    pub what: String,
    pub total: Usage,
    pub usd: f64,
}

/// The orchestration of all runs as Express, which could not run them.
#[derive(Debug, Serialize)]
pub struct Express {
    pub standard_usd: f64,
    pub express_usd: f64,
    /// Executions that took longer than Express allows.
    pub too_long: u64,
    pub cannot: &'static str,
}

/// Why the state machine is not Express, whatever that would cost.
const NOT_EXPRESS: &str =
    "Express has no .sync (Athena), no Distributed Map and no history, and ends after five minutes";

impl Costs {
    /// Reads a data directory.
    pub async fn read(services: &Services, assumption: Assumption) -> Result<Self, CallError> {
        let runs = runs::all(services).await?;
        let stored = stored(services)?;
        let standing = month::standing(services, &stored).await?;
        let typical = Typical::of(&runs);
        let mut all = Usage::default();
        let runs: Vec<RunCost> = runs
            .into_iter()
            .map(|run| {
                let total = run.total();
                all.add(&total);
                RunCost { what: run.what(), usd: total.usd(), total, run }
            })
            .collect();
        Ok(Self {
            prices: Prices { region: REGION, date: DATE, table: &PRICES },
            month: Month::of(&typical, &standing, assumption.nights, assumption.units),
            express: Express::of(&runs, &all),
            s3_requests: all.s3_requests,
            functions: sizing::all(services).await?,
            typical,
            runs,
            stored,
        })
    }
}

impl Express {
    fn of(runs: &[RunCost], all: &Usage) -> Self {
        let long = |run: &&RunCost| run.run.seconds > price::EXPRESS_LIMIT_SECONDS;
        // Sums of transitions stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "a count of transitions")]
        let transitions = all.transitions as f64;
        Self {
            standard_usd: Quantities::of(&[(price::Item::Transition, transitions)]).usd(),
            express_usd: all.express_usd(),
            too_long: runs.iter().filter(long).count() as u64,
            cannot: NOT_EXPRESS,
        }
    }
}
