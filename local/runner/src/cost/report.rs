//! The costs for a person.
use std::fmt::Write as _;

use super::price::{DATE, Item, MEGABYTE, REGION};
use super::sizing::{LEAST_MEMORY_MB, MOST_MEMORY_MB, Sizing};
use super::usage::senders;
use super::{Costs, Quantities, RunCost, Usage};
use crate::columns::{aligned, grouped, row};

const STRING: &str = "a String takes every write";

/// Runs, a month of the schedule, S3 by caller, storage, Express, and the functions' sizes.
pub fn render(costs: &Costs) -> String {
    let sections = [
        runs(&costs.runs),
        unit(costs),
        month(costs),
        requests(costs),
        express(costs),
        functions(&costs.functions),
    ];
    let mut text = format!(
        "Prices of {REGION}, {DATE}, without taxes. Times are this machine's: on AWS functions wait longer for S3.\n\n"
    );
    text.push_str(&sections.into_iter().flatten().collect::<Vec<_>>().join("\n"));
    text
}

fn runs(runs: &[RunCost]) -> Option<String> {
    if runs.is_empty() {
        return Some("No run yet: start one with cargo local run.\n".to_owned());
    }
    let mut rows = vec![row([
        "run",
        "what",
        "status",
        "transitions",
        "retries",
        "queries",
        "MB billed",
        "invocations",
        "GB-s",
        "S3 PUT/LIST",
        "S3 GET",
        "USD",
    ])];
    let mut all = Usage::default();
    for cost in runs {
        all.add(&cost.total);
        let begin =
            [started(cost.run.started), cost.what.clone(), cost.run.status.name().to_owned()];
        rows.push(line(begin, &cost.total));
    }
    if runs.len() > 1 {
        rows.push(line(["all runs".to_owned(), String::new(), String::new()], &all));
    }
    Some(aligned(&rows, 3))
}

fn line(begin: [String; 3], usage: &Usage) -> Vec<String> {
    let s3 = usage.s3_total();
    let mut cells = begin.to_vec();
    cells.extend([
        grouped(usage.transitions),
        grouped(usage.retries),
        grouped(usage.queries),
        grouped(usage.billed_bytes / MEGABYTE),
        grouped(usage.invocations),
        format!("{:.2}", usage.gb_seconds),
        grouped(s3.writes + s3.lists),
        grouped(s3.reads),
        format!("{:.6}", usage.usd()),
    ]);
    cells
}

/// `2026-11-26 02:00:00`, UTC.
fn started(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this age")]
    let time = jiff::Timestamp::from_second(seconds as i64).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What one more month costs: its own execution, and the run around it.
fn unit(costs: &Costs) -> Option<String> {
    let parts = [
        ("a run that finds nothing new", &costs.typical.nothing_new),
        ("a run that loads, its months apart", &costs.typical.run),
        ("each month of it", &costs.typical.unit),
    ];
    let mut rows = vec![row(["on average", "transitions", "MB billed", "USD"])];
    for (name, quantities) in parts {
        if let Some(quantities) = quantities {
            rows.push(vec![
                name.to_owned(),
                format!("{:.1}", quantities.get(Item::Transition)),
                format!("{:.0}", quantities.get(Item::ScannedByte) / 1e6),
                format!("{:.6}", quantities.usd()),
            ]);
        }
    }
    (rows.len() > 1).then(|| aligned(&rows, 1))
}

fn month(costs: &Costs) -> Option<String> {
    let month = &costs.month;
    let mut text = format!(
        "A month of the schedule: {} nights, {} new months, each in a night of its own\n",
        month.nights, month.units
    );
    for missing in costs.typical.missing() {
        writeln!(text, "(not counted: {missing}; this data directory has none)").expect(STRING);
    }
    let mut rows = vec![row(["", "quantity", "USD", "free a month"])];
    for line in &month.lines {
        let free = if line.free > 0.0 { quantity(line.item, line.free) } else { String::new() };
        rows.push(vec![
            line.name.to_owned(),
            quantity(line.item, line.quantity),
            format!("{:.4}", line.usd),
            free,
        ]);
    }
    let sum = |name: &str, usd: f64| vec![name.to_owned(), String::new(), format!("{usd:.4}")];
    rows.push(sum("together", month.usd));
    rows.push(sum("with functions on x86_64", month.usd_x86));
    rows.push(sum("where nothing else uses the free tiers", month.usd_after_free_tier));
    text.push_str(&aligned(&rows, 1));
    if let Some(dearest) = month.dearest() {
        writeln!(text, "The largest part: {}.", dearest.name).expect(STRING);
    }
    text.push_str(
        "Not in it: taxes, log storage beyond a month, and what Athena itself asks the Glue catalog.\n",
    );
    Some(text)
}

fn quantity(item: Item, amount: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let whole = grouped(amount.round() as u64);
    match item {
        Item::GbSecond
        | Item::StoredGbMonth
        | Item::MetricMonth
        | Item::LogGb
        | Item::ExpressGbSecond => {
            if amount.fract() == 0.0 {
                whole
            } else {
                format!("{amount:.3}")
            }
        }
        Item::Transition
        | Item::ScannedByte
        | Item::Invocation
        | Item::S3Write
        | Item::S3Read
        | Item::Notification
        | Item::QueueRequest
        | Item::CatalogRequest
        | Item::MetricRequest
        | Item::AlarmMonth
        | Item::DashboardMonth
        | Item::Trace
        | Item::Schedule
        | Item::ExpressRequest => whole,
    }
}

fn requests(costs: &Costs) -> Option<String> {
    let mut rows = vec![row(["S3 requests of these runs by", "PUT", "LIST", "GET", "USD"])];
    #[expect(clippy::cast_precision_loss, reason = "counts of requests")]
    for sender in senders() {
        let Some(requests) = costs.s3_requests.get(sender) else { continue };
        let usd = Quantities::of(&[
            (Item::S3Write, (requests.writes + requests.lists) as f64),
            (Item::S3Read, requests.reads as f64),
        ])
        .usd();
        rows.push(vec![
            sender.to_owned(),
            grouped(requests.writes),
            grouped(requests.lists),
            grouped(requests.reads),
            format!("{usd:.6}"),
        ]);
    }
    let mut text = if rows.len() > 1 { aligned(&rows, 1) + "\n" } else { String::new() };
    let mut rows = vec![row(["stored now", "objects", "MB", "USD a month"])];
    #[expect(clippy::cast_precision_loss, reason = "bytes of a data directory")]
    for bucket in &costs.stored {
        let usd = bucket.bytes as f64 / 1e9 * Item::StoredGbMonth.price().usd;
        rows.push(vec![
            bucket.bucket.clone(),
            grouped(bucket.objects),
            format!("{:.1}", bucket.bytes as f64 / 1e6),
            format!("{usd:.6}"),
        ]);
    }
    text.push_str(&aligned(&rows, 1));
    Some(text)
}

fn express(costs: &Costs) -> Option<String> {
    let express = &costs.express;
    (!costs.runs.is_empty()).then(|| {
        format!(
            "State transitions of all runs as Standard: {:.6} USD; the same executions as Express: {:.6} USD,\nwhich is no choice here: {}.\n",
            express.standard_usd, express.express_usd, express.cannot
        )
    })
}

fn functions(functions: &[Sizing]) -> Option<String> {
    if functions.is_empty() {
        return None;
    }
    let mut rows = vec![row([
        "function",
        "invoked",
        "failed",
        "cold",
        "cold ms",
        "peak MB",
        "of MB",
        "%",
        "longest s",
        "of s",
        "advice",
    ])];
    for sizing in functions {
        rows.push(vec![
            sizing.function.clone(),
            grouped(sizing.invocations),
            grouped(sizing.errors),
            grouped(sizing.cold_starts),
            format!("{:.0}", sizing.longest_init_seconds * 1000.0),
            format!("{:.1}", sizing.peak_mb),
            grouped(sizing.memory_mb),
            format!("{:.0}", sizing.memory_percent()),
            format!("{:.2}", sizing.longest_seconds),
            grouped(sizing.timeout_seconds),
            sizing.advice(),
        ]);
    }
    let mut text = aligned(&rows, 1);
    writeln!(
        text,
        "The rule: above 80 % of the memory grow, under 30 % shrink, from {LEAST_MEMORY_MB} to {MOST_MEMORY_MB} MB; a timeout well above the longest."
    )
    .expect(STRING);
    Some(text)
}
