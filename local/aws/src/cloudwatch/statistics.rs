//! Statistics of a metric over periods: `GetMetricStatistics`, and the arithmetic both readers share.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::metric::{Dimension, Number, identity};
use super::{CloudWatch, invalid};
use crate::wire::{ServiceError, read};

/// One metric over one span of time, in periods of whole seconds.
pub(super) struct Span<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub dimensions: &'a [Dimension],
    pub unit: Option<&'a str>,
    pub from: i64,
    /// Exclusive.
    pub until: i64,
    pub period: i64,
}

/// What was measured in one period: values with their weights.
#[derive(Default)]
pub(super) struct Samples {
    values: Vec<(f64, f64)>,
    pub unit: String,
}

impl Samples {
    /// A statistic by its name: the five simple ones, or a percentile as `p99`.
    pub fn statistic(&self, name: &str) -> Option<f64> {
        let count: f64 = self.values.iter().map(|(_, weight)| weight).sum();
        let sum: f64 = self.values.iter().map(|(value, weight)| value * weight).sum();
        let values = self.values.iter().map(|(value, _)| *value);
        Some(match name {
            "SampleCount" => count,
            "Sum" => sum,
            "Average" => sum / count,
            "Minimum" => values.fold(f64::INFINITY, f64::min),
            "Maximum" => values.fold(f64::NEG_INFINITY, f64::max),
            percentile => {
                let percent: f64 = percentile.strip_prefix('p')?.parse().ok()?;
                self.percentile(percent / 100.0 * count)?
            }
        })
    }

    fn percentile(&self, rank: f64) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
        let mut seen = 0.0;
        for (value, weight) in &sorted {
            seen += weight;
            if seen >= rank {
                return Some(*value);
            }
        }
        sorted.last().map(|(value, _)| *value)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricStatistics {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: Number,
    end_time: Number,
    period: Number,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
    unit: Option<String>,
}

pub(super) fn period(number: &Number) -> Result<i64, ServiceError> {
    number
        .time()
        .filter(|period| *period > 0 && (*period < 60 || period % 60 == 0))
        .ok_or_else(|| invalid("The parameter Period must be a multiple of 60."))
}

impl CloudWatch {
    /// Periods with data, by their start in epoch seconds.
    pub(super) fn periods(&self, span: &Span<'_>) -> Result<BTreeMap<i64, Samples>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT timestamp, value, weight, unit FROM aws_metrics
                 WHERE namespace = ?1 AND name = ?2 AND dimensions = ?3
                   AND timestamp >= ?4 AND timestamp < ?5 AND (?6 IS NULL OR unit = ?6)",
            )?;
            let mut rows = statement.query(params![
                span.namespace,
                span.name,
                identity(span.dimensions),
                span.from,
                span.until,
                span.unit,
            ])?;
            let mut periods: BTreeMap<i64, Samples> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let time: i64 = row.get(0)?;
                let start = time - time.rem_euclid(span.period);
                let samples = periods.entry(start).or_default();
                samples.values.push((row.get(1)?, row.get(2)?));
                samples.unit = row.get(3)?;
            }
            Ok(periods)
        })
    }

    pub(super) fn get_metric_statistics(&self, input: Value) -> Result<Value, ServiceError> {
        let get: GetMetricStatistics = read(input)?;
        let time = |number: &Number| number.time().ok_or_else(|| invalid("expected a time"));
        if get.statistics.is_empty() && get.extended_statistics.is_empty() {
            return Err(super::missing("Statistics"));
        }
        let span = Span {
            namespace: &get.namespace,
            name: &get.metric_name,
            dimensions: &get.dimensions,
            unit: get.unit.as_deref(),
            from: time(&get.start_time)?,
            until: time(&get.end_time)?,
            period: period(&get.period)?,
        };
        let mut points = Vec::new();
        for (start, samples) in self.periods(&span)? {
            let mut point = json!({"Timestamp": start, "Unit": samples.unit});
            for name in &get.statistics {
                point[name.as_str()] = json!(statistic(&samples, name)?);
            }
            let mut extended = Map::new();
            for name in &get.extended_statistics {
                extended.insert(name.clone(), json!(statistic(&samples, name)?));
            }
            if !extended.is_empty() {
                point["ExtendedStatistics"] = Value::Object(extended);
            }
            points.push(point);
        }
        Ok(json!({"Label": get.metric_name, "Datapoints": points}))
    }
}

pub(super) fn statistic(samples: &Samples, name: &str) -> Result<f64, ServiceError> {
    samples
        .statistic(name)
        .ok_or_else(|| invalid(format!("the statistic {name} is not offered here")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_weigh_their_values() {
        let samples =
            Samples { values: vec![(1.0, 1.0), (2.0, 8.0), (10.0, 1.0)], unit: String::new() };
        for (name, expected) in [
            ("SampleCount", 10.0),
            ("Sum", 27.0),
            ("Average", 2.7),
            ("Minimum", 1.0),
            ("Maximum", 10.0),
            ("p50", 2.0),
            ("p99", 10.0),
        ] {
            let found = samples.statistic(name).unwrap();
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        }
        assert_eq!(samples.statistic("tm90"), None);
    }
}
