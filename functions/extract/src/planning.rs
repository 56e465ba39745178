//! The rules of a plan: which months are meant, and what is done about what was found of them.

use std::collections::{BTreeMap, BTreeSet};

use shared::dataset::{Dataset, DatasetName};
use shared::event::{
    Choice, Months, NotPublished, Plan, PlanInput, Reason, Selection, Source, Unchanged, Unit,
};
use shared::ledger::LiveRun;
use shared::month::Month;

use crate::survey::{Found, Wanted};

/// The state of an execution ends at 262,144 bytes (Step Functions quotas), and a plan is stored
/// in a variable beside other things.
pub const MOST_PLAN_BYTES: usize = 200_000;

/// The live runs of all data sets.
pub type Live = BTreeMap<Wanted, LiveRun>;

/// What is meant by an input: `scheduled` are the data sets of the schedule, `this_month` is now.
pub fn wanted(
    input: &PlanInput,
    scheduled: &[DatasetName],
    lookback_months: u32,
    this_month: Month,
    contracts: &[Dataset],
) -> BTreeSet<Wanted> {
    let first = |dataset| {
        let contract = contracts.iter().find(|contract| contract.name == dataset);
        contract.map_or(this_month, |contract| contract.first_month)
    };
    let all = |dataset: DatasetName, months: &Months| -> Vec<Wanted> {
        let wanted = |month| Wanted { dataset, month };
        if first(dataset) == Month::Current {
            return vec![wanted(Month::Current)];
        }
        match months {
            Months::Any => Month::range(first(dataset), this_month).map(wanted).collect(),
            Months::List(months) => months.iter().copied().map(wanted).collect(),
            Months::Range { from, to } => {
                Month::range((*from).max(first(dataset)), *to).map(wanted).collect()
            }
        }
    };
    match input {
        PlanInput::Schedule { .. } => {
            let recent = back(this_month, lookback_months)
                .map_or(Months::Any, |from| Months::Range { from, to: this_month });
            scheduled.iter().flat_map(|dataset| all(*dataset, &recent)).collect()
        }
        PlanInput::Arrival(_) => BTreeSet::new(),
        PlanInput::Manual { loads, .. } => loads
            .iter()
            .flat_map(|Selection { dataset, months }| match dataset {
                Choice::One(dataset) => all(*dataset, months),
                Choice::All => scheduled.iter().flat_map(|each| all(*each, months)).collect(),
            })
            .collect(),
    }
}

/// The month so many months earlier.
fn back(month: Month, months: u32) -> Option<Month> {
    let months = i32::try_from(months).ok()?;
    month.first_day()?.checked_sub(jiff::Span::new().months(months)).ok().map(Month::of)
}

/// Why the file is to be loaded, or none when the live run is of it or of a newer one.
pub fn reason(
    live: Option<&LiveRun>,
    source: &Source,
    contract_version: &str,
    force: bool,
) -> Option<Reason> {
    let Some(live) = live else { return Some(Reason::New) };
    if force {
        return Some(Reason::Forced);
    }
    if live.contract_version != contract_version {
        return Some(Reason::Changed);
    }
    let (seen, known) = (source, &live.source);
    let same = match (seen.etag(), known.etag()) {
        (Some(seen), Some(known)) => bare(seen) == bare(known),
        _ => seen.last_modified().is_some() && seen.last_modified() == known.last_modified(),
    };
    let same = same && (seen.bytes() == known.bytes() || seen.bytes().is_none());
    // What arrived in the bucket after the site's file was made is the newer of the two.
    let older = matches!((seen, known), (Source::Http { .. }, Source::S3 { .. }))
        && seen.last_modified().is_some_and(|date| Some(date) < known.last_modified());
    (!same && !older).then_some(Reason::Changed)
}

/// An `ETag` without quotes: the S3 event has none.
pub fn bare(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// Puts the plan together; `undated` is the lookup that is loaded along with any month.
pub fn assemble(
    found: Found,
    live: &Live,
    contracts: &[Dataset],
    asked: &BTreeSet<Wanted>,
    force: bool,
) -> Plan {
    let mut plan = Plan::default();
    let mut along = Vec::new();
    for (Wanted { dataset, month }, source) in found {
        let wanted = Wanted { dataset, month };
        let live = live.get(&wanted);
        let asked = asked.contains(&wanted);
        let Some(source) = source else {
            match live {
                Some(live) if asked => plan.unchanged.push(unchanged(live)),
                None if asked => plan.not_published.push(NotPublished { dataset, month }),
                _ => {}
            }
            continue;
        };
        let contract = contracts.iter().find(|contract| contract.name == dataset);
        let version = contract.map_or("", |contract| contract.version.as_str());
        match (reason(live, &source, version, force && asked), live) {
            (Some(reason), _) => {
                let replaces = live.map(|live| live.run.clone());
                let unit = Unit { dataset, month, source, reason, replaces };
                if asked { plan.units.push(unit) } else { along.push(unit) }
            }
            (None, Some(live)) if asked => plan.unchanged.push(unchanged(live)),
            (None, _) => {}
        }
    }
    if !plan.units.is_empty() {
        plan.units.append(&mut along);
    }
    plan.datasets = plan.units.iter().map(|unit| unit.dataset).collect();
    plan.datasets.sort_unstable();
    plan.datasets.dedup();
    plan
}

fn unchanged(live: &LiveRun) -> Unchanged {
    Unchanged {
        dataset: live.dataset,
        month: live.month,
        rows_in: live.rows_in,
        rows_out: live.rows_out,
        rows_rejected: live.rows_rejected,
        run: live.run.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn contracts() -> Vec<Dataset> {
        DatasetName::all().map(Dataset::named).collect()
    }

    fn wanted_by(input: Value) -> Vec<String> {
        let input = PlanInput::try_from(input).unwrap();
        let scheduled = ["yellow", "green"].map(|name| name.parse().unwrap());
        let wanted = wanted(&input, &scheduled, 2, "2024-02".parse().unwrap(), &contracts());
        wanted.iter().map(|wanted| format!("{} {}", wanted.dataset, wanted.month)).collect()
    }

    #[test]
    fn months_that_are_meant() {
        assert_eq!(
            wanted_by(json!({"trigger": "schedule"})),
            [
                "green 2023-12",
                "green 2024-01",
                "green 2024-02",
                "yellow 2023-12",
                "yellow 2024-01",
                "yellow 2024-02"
            ]
        );
        assert_eq!(
            wanted_by(json!({"dataset": "all", "months": ["2020-01"]})),
            ["green 2020-01", "yellow 2020-01"]
        );
        assert_eq!(
            wanted_by(
                json!({"loads": [{"dataset": "fhv", "from": "2019-12", "to": "2020-01"}, {"dataset": "fhv", "months": ["2020-01"]}]})
            ),
            ["fhv 2019-12", "fhv 2020-01"]
        );
        assert_eq!(wanted_by(json!({"dataset": "zones"})), ["zones current"]);
        assert_eq!(wanted_by(json!({"dataset": "yellow"})).len(), 15 * 12 + 2);
    }

    fn http(etag: &str, date: &str, bytes: u64) -> Source {
        serde_json::from_value(json!({"kind": "http", "url": "u", "etag": etag, "last_modified": date, "bytes": bytes})).unwrap()
    }

    fn s3(etag: &str, date: &str, bytes: u64) -> Source {
        serde_json::from_value(json!({"kind": "s3", "bucket": "b", "key": "k", "etag": etag, "last_modified": date, "bytes": bytes})).unwrap()
    }

    fn live(source: Source) -> LiveRun {
        let mut live: LiveRun = serde_json::from_value(json!({
            "dataset": "green", "month": "2024-01", "run_key": "k", "run": "r", "fingerprint": "f",
            "source": {"kind": "http", "url": "u"}, "contract_version": "1",
            "rows_in": 3, "rows_out": 2, "rows_rejected": 1,
        }))
        .unwrap();
        live.source = source;
        live
    }

    #[test]
    fn files_that_are_new_or_changed() {
        let (day, later) = ("2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z");
        let known = live(http("\"a\"", later, 5));
        let arrived = live(s3("\"a\"", later, 5));
        let check = |live: Option<&LiveRun>, source: Source, expected: Option<Reason>| {
            assert_eq!(reason(live, &source, "1", false), expected, "{source:?}");
        };
        check(None, http("\"a\"", day, 5), Some(Reason::New));
        check(Some(&known), http("\"a\"", later, 5), None);
        check(Some(&known), http("\"b\"", later, 5), Some(Reason::Changed));
        check(Some(&known), http("\"a\"", later, 6), Some(Reason::Changed));
        // A site that puts an old file back means it.
        check(Some(&known), http("\"b\"", day, 5), Some(Reason::Changed));
        check(Some(&arrived), http("\"b\"", day, 5), None);
        check(Some(&arrived), http("\"b\"", "2024-05-01T00:00:00Z", 5), Some(Reason::Changed));
        check(Some(&known), s3("a", day, 5), None);
        check(Some(&known), s3("b", day, 5), Some(Reason::Changed));
        assert_eq!(reason(Some(&known), &known.source, "2", false), Some(Reason::Changed));
        assert_eq!(reason(Some(&known), &known.source, "1", true), Some(Reason::Forced));
        let undated: Source = serde_json::from_value(json!({"kind": "http", "url": "u"})).unwrap();
        check(Some(&live(undated.clone())), undated, Some(Reason::Changed));
    }

    #[test]
    fn the_lookup_goes_along_with_months() {
        let date = "2024-03-01T00:00:00Z";
        let zones = Wanted { dataset: "zones".parse().unwrap(), month: Month::Current };
        let green = Wanted { dataset: "green".parse().unwrap(), month: "2024-01".parse().unwrap() };
        let plan = |month: Option<Source>, asked: &[Wanted]| {
            let found = Found::from([(green, month), (zones, Some(http("z", date, 1)))]);
            let asked = asked.iter().copied().collect();
            assemble(found, &Live::new(), &contracts(), &asked, false)
        };
        let names = |plan: &Plan| {
            plan.units.iter().map(|unit| unit.dataset.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&plan(Some(http("g", date, 1)), &[green])), ["green", "zones"]);
        let nothing = plan(None, &[green]);
        assert_eq!((nothing.units.len(), nothing.not_published.len()), (0, 1));
        assert_eq!(names(&plan(None, &[green, zones])), ["zones"]);
    }
}
