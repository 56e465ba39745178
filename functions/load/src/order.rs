//! Which of two contents of a month is the newer, and what a run may do to the ledger.

use shared::event::{Reason, Source, Unit};
use shared::ledger::{Entry, LiveRun};
use shared::run::Run;

/// What becomes of a run, by the ledger's newest entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing newer is live: write the entry.
    Append,
    /// This very run is live: an earlier try has written it.
    Committed,
    /// The same content is live as another run.
    Unchanged(Box<LiveRun>),
    /// Newer content is live.
    Superseded(Box<LiveRun>),
}

/// Decides about `proposed`, a run of `unit`.
pub fn step(head: Option<&Entry>, proposed: &LiveRun, unit: &Unit) -> Step {
    let Some(live) = head.and_then(|head| head.live.get(&proposed.month)) else {
        return Step::Append;
    };
    if live.run == proposed.run {
        return Step::Committed;
    }
    if live.run_key == proposed.run_key && unit.reason != Reason::Forced {
        return Step::Unchanged(Box::new(live.clone()));
    }
    if follows(&proposed.source, unit.replaces.as_ref(), live) {
        Step::Append
    } else {
        Step::Superseded(Box::new(live.clone()))
    }
}

/// Is a file of `source` newer than the live one? The plan may have seen it at the source while
/// that run was live (`replaces`): then it is, whatever its date. Otherwise the source's dates
/// say it, and where they do not, the order of the ledger.
pub fn follows(source: &Source, replaces: Option<&Run>, live: &LiveRun) -> bool {
    if replaces == Some(&live.run) {
        return true;
    }
    match (source.last_modified(), live.source.last_modified()) {
        (Some(proposed), Some(live)) => proposed >= live,
        _ => true,
    }
}

/// The head after `run` of its month has been put in.
pub fn next_entry(
    head: Option<&Entry>,
    run: LiveRun,
    execution: &str,
    now: jiff::Timestamp,
) -> Entry {
    let mut live = head.map(|head| head.live.clone()).unwrap_or_default();
    live.insert(run.month, run.clone());
    Entry {
        seq: head.map_or(0, |head| head.seq) + 1,
        committed_at: now,
        execution: execution.to_owned(),
        entry: run,
        live,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(name: &str, key: &str, date: Option<&str>) -> LiveRun {
        serde_json::from_value(json!({
            "dataset": "green", "month": "2024-01", "run_key": key, "run": name,
            "fingerprint": "f", "source": {"kind": "http", "url": "u", "last_modified": date},
            "rows_in": 3, "rows_out": 2, "rows_rejected": 1, "contract_version": "1",
        }))
        .unwrap()
    }

    fn unit(reason: &str, replaces: Option<&str>) -> Unit {
        serde_json::from_value(json!({
            "dataset": "green", "month": "2024-01", "source": {"kind": "http", "url": "u"},
            "reason": reason, "replaces": replaces,
        }))
        .unwrap()
    }

    fn entry(run: LiveRun) -> Entry {
        next_entry(None, run, "e", "2026-11-22T02:00:00Z".parse().unwrap())
    }

    const DAY: Option<&str> = Some("2024-03-01T00:00:00Z");
    const LATER: Option<&str> = Some("2024-04-01T00:00:00Z");

    #[test]
    fn one_content_is_loaded_once() {
        let head = entry(run("r1", "a", DAY));
        let step = |proposed: LiveRun, unit: Unit| step(Some(&head), &proposed, &unit);
        assert_eq!(step(run("r1", "a", DAY), unit("new", None)), Step::Committed);
        assert!(matches!(step(run("r2", "a", DAY), unit("new", None)), Step::Unchanged(_)));
        assert_eq!(step(run("r2", "a", DAY), unit("forced", Some("r1"))), Step::Append);
        assert_eq!(step(run("r1", "a", DAY), unit("forced", Some("r0"))), Step::Committed);
        assert_eq!(super::step(None, &run("r1", "a", DAY), &unit("new", None)), Step::Append);
    }

    #[test]
    fn older_content_never_replaces_newer() {
        let head = entry(run("r1", "a", LATER));
        let check = |proposed: LiveRun, unit: Unit, appended: bool| {
            let found = step(Some(&head), &proposed, &unit);
            assert_eq!(found == Step::Append, appended, "{proposed:?} {unit:?} {found:?}");
        };
        check(run("r2", "b", DAY), unit("new", None), false);
        check(run("r2", "b", LATER), unit("new", None), true);
        check(run("r2", "b", Some("2024-05-01T00:00:00Z")), unit("changed", Some("r0")), true);
        check(run("r2", "b", DAY), unit("changed", Some("r0")), false);
        // The site has put an older file back: it was seen after r1 was live.
        check(run("r2", "b", DAY), unit("changed", Some("r1")), true);
        check(run("r2", "b", None), unit("changed", None), true);
    }

    #[test]
    fn an_entry_holds_all_months() {
        let first = entry(run("r1", "a", DAY));
        let mut other = run("r2", "b", DAY);
        other.month = "2024-02".parse().unwrap();
        let second = next_entry(Some(&first), other, "e2", first.committed_at);
        assert_eq!((second.seq, second.live.len()), (2, 2));
        let third = next_entry(Some(&second), run("r3", "c", LATER), "e3", first.committed_at);
        let runs: Vec<_> = third.live.values().map(|run| run.run.to_string()).collect();
        assert_eq!(runs, ["r3", "r2"]);
    }
}
