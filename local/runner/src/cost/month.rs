//! A month of the schedule, from what typical runs used: every night a run, most of which find nothing new, and so
//! many new months, each in a night of its own (the dearest way they can come).
use aws::Services;
use serde::Serialize;
use serde_json::{Value, json};

use super::price::{Item, PRICES};
use super::quantities::Quantities;
use super::runs::{Run, Unit};
use super::usage::Usage;
use crate::cloud::{CallError, call};
use crate::run::executions::Status;

/// What typical runs used; `None` where there has been no such run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Typical {
    /// The latest run that found nothing new.
    pub nothing_new: Option<Quantities>,
    /// The latest run that loaded something, its months apart.
    pub run: Option<Quantities>,
    /// The mean of all months that were loaded.
    pub unit: Option<Quantities>,
}

impl Typical {
    pub fn of(runs: &[Run]) -> Self {
        let own = |matching: &dyn Fn(&Run) -> bool| {
            let mut latest = runs.iter().rev().filter(|run| run.status == Status::Succeeded);
            latest.find(|run| matching(run)).map(|run| run.own.quantities())
        };
        Self {
            nothing_new: own(&|run| run.units.is_empty()),
            run: own(&|run| run.units.iter().any(|unit| unit.loaded)),
            unit: mean(&loaded(runs)),
        }
    }

    /// Which are missing, by name.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("a run that finds nothing new", self.nothing_new.is_none()),
            ("a run that loads a month", self.run.is_none() || self.unit.is_none()),
        ];
        all.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect()
    }
}

fn loaded(runs: &[Run]) -> Vec<&Unit> {
    let units = runs.iter().flat_map(|run| &run.units);
    units.filter(|unit| unit.loaded && unit.is_dated()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count of months")]
fn mean(units: &[&Unit]) -> Option<Quantities> {
    let mut all = Usage::default();
    for unit in units {
        all.add(&unit.usage);
    }
    let share = 1.0 / units.len() as f64;
    (!units.is_empty()).then(|| Quantities::default().plus(&all.quantities(), share))
}

/// The bill of a month.
#[derive(Clone, Debug, Serialize)]
pub struct Month {
    pub nights: u32,
    pub units: u32,
    pub quantities: Quantities,
    pub lines: Vec<Line>,
    pub usd: f64,
    /// With functions on x86_64 instead of arm64.
    pub usd_x86: f64,
    /// In an account whose free tiers nothing else uses.
    pub usd_after_free_tier: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub item: Item,
    pub name: &'static str,
    pub quantity: f64,
    pub usd: f64,
    pub free: f64,
}

impl Month {
    /// `standing` is what costs whether anything runs or not.
    pub fn of(typical: &Typical, standing: &Quantities, nights: u32, units: u32) -> Self {
        let busy = f64::from(units.min(nights));
        let none = Quantities::default();
        let part = |part: &Option<Quantities>, times: f64| {
            none.clone().plus(part.as_ref().unwrap_or(&none), times)
        };
        let quantities = Quantities::of(&[(Item::Schedule, f64::from(nights))])
            .plus(&part(&typical.nothing_new, f64::from(nights) - busy), 1.0)
            .plus(&part(&typical.run, busy), 1.0)
            .plus(&part(&typical.unit, f64::from(units)), 1.0)
            .plus(standing, 1.0);
        let line = |(item, quantity): (Item, f64)| Line {
            item,
            name: item.price().name,
            quantity,
            usd: quantity * item.price().usd,
            free: item.price().free,
        };
        Self {
            nights,
            units,
            lines: quantities.iter().map(line).collect(),
            usd: quantities.usd(),
            usd_x86: quantities.usd_x86(),
            usd_after_free_tier: quantities.usd_after_free(),
            quantities,
        }
    }

    /// The line of the table that costs most.
    pub fn dearest(&self) -> Option<&Line> {
        self.lines.iter().max_by(|left, right| left.usd.total_cmp(&right.usd))
    }
}

/// A bucket and what it holds, all versions of all objects.
#[derive(Clone, Debug, Serialize)]
pub struct Stored {
    pub bucket: String,
    pub objects: u64,
    pub bytes: u64,
}

/// What lies in the buckets.
pub fn stored(services: &Services) -> Result<Vec<Stored>, CallError> {
    use aws::lake::store::ListQuery;
    let store = &services.lake().store;
    let failed = |error: aws::lake::StoreError| CallError {
        service: "s3".to_owned(),
        action: "ListObjectVersions".to_owned(),
        error: aws::wire::ServiceError::internal(error),
    };
    let mut all = Vec::new();
    for bucket in store.buckets().map_err(failed)? {
        let mut stored = Stored { bucket: bucket.name.clone(), objects: 0, bytes: 0 };
        let mut after: Option<(String, Option<String>)> = None;
        loop {
            let (key, version) = after
                .as_ref()
                .map_or((None, None), |(key, version)| (Some(key.as_str()), version.as_deref()));
            let query = ListQuery { prefix: "", delimiter: None, after: key, max: 1000 };
            let page = store.list_versions(&bucket.name, query, version).map_err(failed)?;
            stored.objects += page.versions.len() as u64;
            stored.bytes += page.versions.iter().map(|version| version.size).sum::<u64>();
            match page.next {
                Some(next) => after = Some((next.key, next.version_id)),
                None => break,
            }
        }
        all.push(stored);
    }
    Ok(all)
}

/// What costs whether anything runs or not: what is stored now, alarms, dashboards.
#[expect(clippy::cast_precision_loss, reason = "bytes of a data directory stay below 2^53")]
pub async fn standing(services: &Services, stored: &[Stored]) -> Result<Quantities, CallError> {
    let alarms = count(services, "DescribeAlarms", &["MetricAlarms", "CompositeAlarms"]).await?;
    let dashboards = count(services, "ListDashboards", &["DashboardEntries"]).await?;
    let bytes: u64 = stored.iter().map(|bucket| bucket.bytes).sum();
    Ok(Quantities::of(&[
        (Item::StoredGbMonth, bytes as f64 / 1e9),
        (Item::AlarmMonth, alarms as f64),
        (Item::DashboardMonth, dashboards as f64),
    ]))
}

/// How many things an operation of CloudWatch lists.
async fn count(services: &Services, action: &str, members: &[&str]) -> Result<usize, CallError> {
    let (mut found, mut input) = (0, json!({}));
    loop {
        let page = call(services, "monitoring", action, input.clone()).await?;
        let listed = members.iter().filter_map(|member| page[*member].as_array());
        found += listed.map(Vec::len).sum::<usize>();
        match page.get("NextToken") {
            Some(Value::String(token)) => input["NextToken"] = json!(token),
            _ => return Ok(found),
        }
    }
}

/// Every price has its place in the bill of a month, but those of Express.
pub fn billed_items() -> impl Iterator<Item = Item> {
    let express = [Item::ExpressRequest, Item::ExpressGbSecond];
    PRICES.iter().map(|price| price.item).filter(move |item| !express.contains(item))
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn a_month_is_its_nights_and_its_units() {
        let runs = [
            run(1.0, 20, &[("2024-01", 8, true), ("current", 90, true)]),
            run(2.0, 7, &[("2024-02", 10, true), ("2024-03", 99, false)]),
            run(3.0, 3, &[]),
        ];
        let typical = Typical::of(&runs);
        assert!(typical.missing().is_empty());
        let standing = Quantities::of(&[(Item::AlarmMonth, 4.0)]);
        let month = Month::of(&typical, &standing, 30, 2);
        // 28 nights of 3, two runs of 7, two months of 9.
        assert!((month.quantities.get(Item::Transition) - 116.0).abs() < 1e-9);
        assert!((month.quantities.get(Item::Schedule) - 30.0).abs() < 1e-9);
        let expected = 116.0 * 0.000_025 + 0.4 + 30.0 * 1e-6 + 32.0 * 5e-6;
        assert!((month.usd - expected).abs() < 1e-9, "{} {expected}", month.usd);
        assert!(month.usd_after_free_tier.abs() < 1e-9);
        assert_eq!(month.dearest().map(|line| line.name), Some("CloudWatch alarm-months"));
        let many = Month::of(&typical, &standing, 2, 5);
        assert!((many.quantities.get(Item::Transition) - (2.0 * 7.0 + 5.0 * 9.0)).abs() < 1e-9);
    }

    #[test]
    fn what_was_never_seen_is_said() {
        assert_eq!(Typical::of(&[]).missing().len(), 2);
        let missing = Typical::of(&[run(1.0, 3, &[])]).missing();
        assert_eq!(missing, ["a run that loads a month"]);
    }
}
