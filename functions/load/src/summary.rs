//! What has become of a plan: read from the ledger, the only one who knows.

use std::collections::{BTreeMap, BTreeSet};

use shared::dataset::{Dataset, DatasetName};
use shared::event::{LoadedMonth, Outcome, Plan, Reason, Summary, TableStatement, Totals, Unit};
use shared::ledger::{self, Entry, LiveRun};
use shared::month::Month;
use shared::quality_log;

use crate::publication::catch_up;
use crate::{LoadError, State, catalog};

/// Months that a notification names one by one.
const NAMED_MONTHS: usize = 40;

/// Broken rules that a notification names one by one.
const NAMED_RULES: usize = 40;

/// The newest ledger entry of every data set that has one.
type Heads = BTreeMap<DatasetName, Entry>;

/// Readers see all that the ledger holds when this has answered.
pub async fn summarise(state: &State, plan: &Plan) -> Result<Summary, LoadError> {
    let mut heads = Heads::new();
    for dataset in DatasetName::all() {
        let head = ledger::head(&state.s3, &state.config.lake_bucket, dataset, None).await?;
        if let Some(head) = head {
            catch_up(state, &Dataset::named(dataset), &head).await?;
            heads.insert(dataset, head);
        }
    }
    let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
    let standing = standing(state, &contracts).await?;
    let mut summary = summary(plan, &heads, &contracts, &standing, &state.config.database);
    let broken = broken_rules(state, &summary.loads, &heads).await?;
    summary.message += &told(&broken);
    Ok(summary)
}

/// The rules that newly loaded months do not keep, a line each.
async fn broken_rules(
    state: &State,
    loads: &[LoadedMonth],
    heads: &Heads,
) -> Result<Vec<String>, LoadError> {
    let mut broken = Vec::new();
    for load in loads.iter().filter(|load| !load.unchanged) {
        let live = heads.get(&load.dataset).and_then(|head| head.live.get(&load.month));
        let Some(live) = live else { continue };
        let which = (load.dataset, load.month, &live.run);
        let lines = quality_log::results(&state.s3, &state.config.lake_bucket, which).await?;
        let mut lines: Vec<_> = lines
            .into_iter()
            .filter(|line| line.outcome != Outcome::Pass)
            .map(|line| {
                let reason = line.reason.unwrap_or_default();
                format!("{} {} {}: {reason}", load.dataset, load.month, line.name)
            })
            .collect();
        // A rule has a line for each of its metrics.
        lines.dedup();
        broken.extend(lines);
    }
    Ok(broken)
}

fn told(broken: &[String]) -> String {
    if broken.is_empty() {
        return String::new();
    }
    let named = broken.iter().take(NAMED_RULES).map(|line| format!("\n{line}"));
    let left_out = broken.len().saturating_sub(NAMED_RULES);
    let more = if left_out > 0 { format!("\nand {left_out} more") } else { String::new() };
    format!("\n\nRules that are not kept:{}{more}", named.collect::<String>())
}

/// The gold views that are there.
async fn standing(state: &State, contracts: &[Dataset]) -> Result<BTreeSet<String>, LoadError> {
    let mut standing = BTreeSet::new();
    for view in contracts.iter().filter_map(Dataset::gold_view) {
        if catalog::get_table(state, &view).await?.is_some() {
            standing.insert(view);
        }
    }
    Ok(standing)
}

/// The summary of `plan` by the ledger's heads.
fn summary(
    plan: &Plan,
    heads: &Heads,
    contracts: &[Dataset],
    standing: &BTreeSet<String>,
    database: &str,
) -> Summary {
    let mut loads = Vec::new();
    let mut refused = Vec::new();
    for unit in &plan.units {
        let live = heads.get(&unit.dataset).and_then(|head| head.live.get(&unit.month));
        let contract = contracts.iter().find(|contract| contract.name == unit.dataset);
        let version = contract.map_or("", |contract| contract.version.as_str());
        match live.filter(|live| is_loaded(unit, live, version)) {
            Some(live) => loads.push(loaded(unit, live)),
            None => refused.push(unit.clone()),
        }
    }
    let totals = totals(&loads);
    Summary {
        subject: subject(&loads, &refused),
        message: message(&loads, &refused, totals),
        gold: gold(plan, heads, contracts, standing, database),
        loads,
        refused,
        totals,
    }
}

/// Is the planned file, or one that is newer, the live one?
fn is_loaded(unit: &Unit, live: &LiveRun, contract_version: &str) -> bool {
    if live.contract_version != contract_version {
        return false;
    }
    if unit.reason == Reason::New || unit.replaces.as_ref().is_some_and(|run| *run != live.run) {
        return true;
    }
    let bare = |etag: &str| etag.trim_matches('"').to_owned();
    let same = unit.source.etag().map(bare) == live.source.etag().map(bare);
    let dates = (unit.source.last_modified(), live.source.last_modified());
    let later = matches!(dates, (Some(planned), Some(live)) if live >= planned);
    unit.reason == Reason::Changed && (same || (unit.replaces.is_none() && later))
}

fn loaded(unit: &Unit, live: &LiveRun) -> LoadedMonth {
    LoadedMonth {
        dataset: live.dataset,
        month: live.month,
        rows_in: live.rows_in,
        rows_out: live.rows_out,
        rows_rejected: live.rows_rejected,
        run: live.run.to_string(),
        unchanged: unit.replaces.as_ref() == Some(&live.run),
    }
}

fn totals(loads: &[LoadedMonth]) -> Totals {
    loads.iter().fold(Totals::default(), |totals, month| Totals {
        months: totals.months + 1,
        rows_in: totals.rows_in + month.rows_in,
        rows_out: totals.rows_out + month.rows_out,
        rows_rejected: totals.rows_rejected + month.rows_rejected,
    })
}

/// The gold views to be made: of the plan's data sets that are published, those that are not there,
/// and those whose contract may have changed, which shows in months that were loaded before. They
/// join the zones: while those are not published there are none, and once they are, all data sets
/// get theirs.
fn gold(
    plan: &Plan,
    heads: &Heads,
    contracts: &[Dataset],
    standing: &BTreeSet<String>,
    database: &str,
) -> Vec<TableStatement> {
    let is_undated = |contract: &&Dataset| contract.first_month == Month::Current;
    let (undated, dated): (Vec<_>, Vec<_>) = contracts.iter().partition(is_undated);
    if !undated.iter().all(|contract| heads.contains_key(&contract.name)) {
        return Vec::new();
    }
    let again = |contract: &Dataset| {
        let mut units = plan.units.iter().filter(|unit| unit.dataset == contract.name);
        units.any(|unit| unit.reason != Reason::New)
    };
    let all = undated.iter().any(|contract| plan.datasets.contains(&contract.name));
    dated
        .into_iter()
        .filter(|contract| heads.contains_key(&contract.name))
        .filter(|contract| all || plan.datasets.contains(&contract.name))
        .filter_map(|contract| {
            let (table, sql) = (contract.gold_view()?, contract.create_gold_view(database)?);
            if standing.contains(&table) && !again(contract) {
                return None;
            }
            Some(TableStatement { table, sql: sql.into() })
        })
        .collect()
}

fn subject(loads: &[LoadedMonth], refused: &[Unit]) -> String {
    let count =
        |months: usize| if months == 1 { "1 month".to_owned() } else { format!("{months} months") };
    let loaded = count(loads.len());
    match refused.len() {
        0 => format!("NYC taxi ETL: {loaded} loaded"),
        failed => format!("NYC taxi ETL: {loaded} loaded, {failed} not"),
    }
}

fn message(loads: &[LoadedMonth], refused: &[Unit], totals: Totals) -> String {
    let mut lines = vec![format!(
        "{} rows in, {} loaded, {} rejected",
        totals.rows_in, totals.rows_out, totals.rows_rejected
    )];
    let loaded = loads.iter().map(|month| {
        let LoadedMonth { dataset, month, rows_out, rows_rejected, unchanged, .. } = month;
        let how = if *unchanged { "unchanged" } else { "loaded" };
        format!("{dataset} {month} {how}: {rows_out} rows, {rows_rejected} rejected")
    });
    let failed = refused.iter().map(|unit| {
        format!("{} {} NOT loaded: its own notification says why", unit.dataset, unit.month)
    });
    let months = failed.chain(loaded);
    lines.extend(months.take(NAMED_MONTHS));
    let left_out = (loads.len() + refused.len()).saturating_sub(NAMED_MONTHS);
    if left_out > 0 {
        lines.push(format!("and {left_out} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn broken_rules_are_told_and_not_all_of_many() {
        assert_eq!(told(&[]), "");
        let line = "green 2020-10 empty_passenger_count: 0.553091 is not >= 0.65".to_owned();
        assert_eq!(
            told(std::slice::from_ref(&line)),
            format!("\n\nRules that are not kept:\n{line}")
        );
        let many = told(&vec![line; 42]);
        assert!(many.ends_with("\nand 2 more") && many.lines().count() == 44, "{many}");
    }

    const EARLIER: &str = "2024-03-01T00:00:00Z";
    const LATER: &str = "2024-04-01T00:00:00Z";

    fn version(dataset: &str) -> String {
        Dataset::named(dataset.parse().unwrap()).version
    }

    fn head(dataset: &str, month: &str, run: &str, etag: &str, date: &str) -> (DatasetName, Entry) {
        let live = json!({
            "dataset": dataset, "month": month, "run_key": "k", "run": run, "fingerprint": "f",
            "source": {"kind": "http", "url": "u", "etag": etag, "last_modified": date},
            "rows_in": 3, "rows_out": 2, "rows_rejected": 1, "contract_version": version(dataset),
        });
        let entry = json!({
            "seq": 1, "committed_at": LATER, "execution": "e", "entry": live, "live": {month: live},
        });
        (dataset.parse().unwrap(), serde_json::from_value(entry).unwrap())
    }

    fn plan(dataset: &str, reason: &str, replaces: Option<&str>) -> Plan {
        serde_json::from_value(json!({
            "units": [{"dataset": dataset, "month": "2024-01", "reason": reason, "replaces": replaces,
                       "source": {"kind": "http", "url": "u", "etag": "b", "last_modified": LATER}}],
            "unchanged": [], "not_published": [], "datasets": [dataset], "ignored": [],
        }))
        .unwrap()
    }

    /// The summary where these gold views stand.
    fn summarised(plan: &Plan, heads: &Heads, standing: &[&str]) -> Summary {
        let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
        let standing = standing.iter().map(|view| (*view).to_owned()).collect();
        summary(plan, heads, &contracts, &standing, "taxi")
    }

    #[test]
    fn a_month_is_loaded_when_the_ledger_says_so() {
        let check = |plan: Plan, head: (DatasetName, Entry), expected: Option<bool>| {
            let summary = summarised(&plan, &Heads::from([head]), &[]);
            assert_eq!(summary.loads.first().map(|month| month.unchanged), expected, "{plan:?}");
            assert_eq!(summary.refused.is_empty(), expected.is_some());
            assert!(summary.subject.is_ascii() && summary.subject.len() <= 100);
        };
        let green = |run, etag, date| head("green", "2024-01", run, etag, date);
        check(plan("green", "new", None), green("r1", "b", LATER), Some(false));
        check(plan("green", "new", None), head("green", "2024-02", "r1", "b", LATER), None);
        check(plan("green", "changed", Some("r1")), green("r1", "a", EARLIER), None);
        check(plan("green", "changed", Some("r1")), green("r2", "b", LATER), Some(false));
        check(plan("green", "changed", Some("r1")), green("r1", "b", LATER), Some(true));
        check(plan("green", "changed", None), green("r2", "\"b\"", EARLIER), Some(false));
        check(plan("green", "changed", None), green("r2", "c", EARLIER), None);
        check(plan("green", "forced", Some("r1")), green("r1", "b", LATER), None);
        check(plan("green", "forced", Some("r1")), green("r2", "b", LATER), Some(false));
    }

    #[test]
    fn gold_waits_for_the_zones() {
        let green = || head("green", "2024-01", "r1", "b", LATER);
        let yellow = || head("yellow", "2024-01", "r1", "b", LATER);
        let zones = || head("zones", "current", "r1", "b", LATER);
        let names = |plan: &Plan, heads: Heads| -> Vec<_> {
            summarised(plan, &heads, &[]).gold.into_iter().map(|view| view.table).collect()
        };
        let mut plan = plan("green", "new", None);
        assert!(names(&plan, Heads::from([green(), yellow()])).is_empty());
        let all = || Heads::from([green(), yellow(), zones()]);
        assert_eq!(names(&plan, all()), ["gold_green_daily"]);
        plan.datasets.push("zones".parse().unwrap());
        assert_eq!(names(&plan, all()), ["gold_yellow_daily", "gold_green_daily"]);
    }

    #[test]
    fn gold_that_stands_is_left_unless_a_month_is_loaded_again() {
        let green = || head("green", "2024-01", "r1", "b", LATER);
        let zones = || head("zones", "current", "r1", "b", LATER);
        let count = |reason: &str, standing: &[&str]| {
            let heads = Heads::from([green(), zones()]);
            summarised(&plan("green", reason, None), &heads, standing).gold.len()
        };
        assert_eq!(count("new", &[]), 1);
        assert_eq!(count("new", &["gold_green_daily"]), 0);
        assert_eq!(count("new", &["gold_yellow_daily"]), 1);
        assert_eq!(count("changed", &["gold_green_daily"]), 1);
        assert_eq!(count("forced", &["gold_green_daily"]), 1);
    }
}
