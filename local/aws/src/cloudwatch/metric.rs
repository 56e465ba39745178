//! Metric data: what `PutMetricData` stores and `ListMetrics` names.

use jiff::Timestamp;
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CloudWatch, invalid};
use crate::wire::{ServiceError, page, read};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_metrics (
        namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, unit TEXT NOT NULL,
        timestamp INTEGER NOT NULL, value REAL NOT NULL, weight REAL NOT NULL
    );
    CREATE INDEX IF NOT EXISTS aws_metrics_by_name ON aws_metrics (namespace, name, dimensions, timestamp);";

/// Data of one `PutMetricData`.
const MOST_DATA: usize = 1_000;

/// Dimensions of one metric.
const MOST_DIMENSIONS: usize = 30;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutMetricData {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<Number>,
    value: Option<Number>,
    #[serde(default)]
    values: Vec<Number>,
    #[serde(default)]
    counts: Vec<Number>,
    statistic_values: Option<StatisticSet>,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: Number,
    sum: Number,
    minimum: Number,
    maximum: Number,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub name: String,
    pub value: Option<String>,
}

/// A number, or its text (awsQuery has text alone); times may be ISO 8601.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Number(f64),
    Text(String),
}

impl Number {
    pub fn value(&self) -> Option<f64> {
        match self {
            Number::Number(number) => Some(*number),
            Number::Text(text) => text.parse().ok(),
        }
    }

    /// Epoch seconds.
    pub fn time(&self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this age")]
        let seconds = self.value().map(|seconds| seconds.floor() as i64);
        match self {
            Number::Text(text) if seconds.is_none() => {
                text.parse::<Timestamp>().ok().map(Timestamp::as_second)
            }
            _ => seconds,
        }
    }
}

/// Dimensions in order, as one text: the identity of a metric with its namespace and name.
pub(super) fn identity(dimensions: &[Dimension]) -> String {
    let mut sorted = dimensions.to_vec();
    sorted.sort();
    let pairs: Vec<Value> =
        sorted.iter().map(|dimension| json!([dimension.name, dimension.value])).collect();
    Value::Array(pairs).to_string()
}

impl Datum {
    /// Values with how often each was measured. A statistic set becomes its extremes and the mean of the rest.
    fn samples(&self) -> Option<Vec<(f64, f64)>> {
        if let Some(set) = &self.statistic_values {
            let (count, sum) = (set.sample_count.value()?, set.sum.value()?);
            let (least, most) = (set.minimum.value()?, set.maximum.value()?);
            if count <= 2.0 {
                return Some(vec![(least, count / 2.0), (most, count / 2.0)]);
            }
            let rest = (sum - least - most) / (count - 2.0);
            return Some(vec![(least, 1.0), (rest, count - 2.0), (most, 1.0)]);
        }
        if let Some(value) = &self.value {
            return Some(vec![(value.value()?, 1.0)]);
        }
        if self.values.is_empty() {
            return None;
        }
        let counts = self.counts.iter().map(Number::value).chain(std::iter::repeat(Some(1.0)));
        self.values
            .iter()
            .zip(counts)
            .map(|(value, count)| Some((value.value()?, count?)))
            .collect()
    }
}

impl CloudWatch {
    pub(super) fn put_metric_data(&self, input: Value) -> Result<Value, ServiceError> {
        let put: PutMetricData = read(input)?;
        if put.metric_data.is_empty() {
            return Err(super::missing("MetricData"));
        }
        if put.metric_data.len() > MOST_DATA {
            return Err(invalid(format!(
                "The collection MetricData must not have a size greater than {MOST_DATA}."
            )));
        }
        if put.namespace.is_empty() || put.namespace.starts_with("AWS/") {
            return Err(invalid("The value for parameter Namespace is invalid."));
        }
        let now = lake::clock::now().as_second();
        let mut rows = Vec::new();
        for datum in &put.metric_data {
            if datum.dimensions.len() > MOST_DIMENSIONS {
                return Err(invalid(format!("A metric has at most {MOST_DIMENSIONS} dimensions.")));
            }
            let samples = datum.samples().ok_or_else(|| {
                invalid(format!(
                    "The value for metric {} is missing or is no number.",
                    datum.metric_name
                ))
            })?;
            let time = match &datum.timestamp {
                None => now,
                Some(time) => time.time().ok_or_else(|| invalid("Timestamp is no time."))?,
            };
            rows.push((datum, time, samples));
        }
        self.database.write(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO aws_metrics (namespace, name, dimensions, unit, timestamp, value, weight)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for (datum, time, samples) in rows {
                let (dimensions, unit) =
                    (identity(&datum.dimensions), datum.unit.as_deref().unwrap_or("None"));
                for (value, weight) in samples {
                    insert.execute(params![
                        put.namespace,
                        datum.metric_name,
                        dimensions,
                        unit,
                        time,
                        value,
                        weight
                    ])?;
                }
            }
            Ok(json!({}))
        })
    }

    pub(super) fn list_metrics(&self, input: &Value) -> Result<Value, ServiceError> {
        let filters: Vec<Dimension> = match &input["Dimensions"] {
            Value::Null => Vec::new(),
            filters => read(filters.clone())?,
        };
        let found: Vec<(String, String, String)> = self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT DISTINCT namespace, name, dimensions FROM aws_metrics
                 WHERE (?1 IS NULL OR namespace = ?1) AND (?2 IS NULL OR name = ?2) ORDER BY 1, 2, 3",
            )?;
            let rows = statement.query_map(
                params![input["Namespace"].as_str(), input["MetricName"].as_str()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            Ok::<_, ServiceError>(rows.collect::<Result<_, _>>()?)
        })?;
        let mut metrics = Vec::new();
        for (namespace, name, dimensions) in found {
            let dimensions: Vec<(String, String)> =
                serde_json::from_str(&dimensions).map_err(ServiceError::internal)?;
            let wanted = filters.iter().all(|filter| {
                dimensions.iter().any(|(name, value)| {
                    *name == filter.name
                        && filter.value.as_ref().is_none_or(|wanted| wanted == value)
                })
            });
            if wanted {
                let dimensions: Vec<Value> = dimensions
                    .iter()
                    .map(|(name, value)| json!({"Name": name, "Value": value}))
                    .collect();
                metrics.push(
                    json!({"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}),
                );
            }
        }
        let (metrics, next) = page(metrics, None, 500, input["NextToken"].as_str())?;
        Ok(json!({"Metrics": metrics, "NextToken": next}))
    }
}
