//! `GetMetricData`: several metrics at once. Metric math is refused, not guessed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::metric::{Dimension, Number};
use super::statistics::{Span, period, statistic};
use super::{CloudWatch, invalid};
use crate::wire::{ServiceError, read};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetMetricData {
    metric_data_queries: Vec<Query>,
    start_time: Number,
    end_time: Number,
    scan_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    #[serde(default = "yes")]
    return_data: Value,
}

fn yes() -> Value {
    Value::Bool(true)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: Number,
    stat: String,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    #[serde(rename = "MetricName")]
    name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

impl CloudWatch {
    pub(super) fn get_metric_data(&self, input: Value) -> Result<Value, ServiceError> {
        let get: GetMetricData = read(input)?;
        let time = |number: &Number| number.time().ok_or_else(|| invalid("expected a time"));
        let (from, until) = (time(&get.start_time)?, time(&get.end_time)?);
        let mut results = Vec::new();
        for query in &get.metric_data_queries {
            let Some(stat) = &query.metric_stat else {
                let expression = query.expression.as_deref().unwrap_or_default();
                return Err(ServiceError::new(
                    "ValidationError",
                    format!("metric math is not offered here: {expression}"),
                ));
            };
            if query.return_data == false || query.return_data == "false" {
                continue;
            }
            let span = Span {
                namespace: &stat.metric.namespace,
                name: &stat.metric.name,
                dimensions: &stat.metric.dimensions,
                unit: stat.unit.as_deref(),
                from,
                until,
                period: period(&stat.period)?,
            };
            let mut points = Vec::new();
            for (start, samples) in self.periods(&span)? {
                points.push((start, statistic(&samples, &stat.stat)?));
            }
            // Newest first unless asked otherwise.
            if get.scan_by.as_deref() != Some("TimestampAscending") {
                points.reverse();
            }
            results.push(json!({
                "Id": query.id,
                "Label": query.label.as_ref().unwrap_or(&stat.metric.name),
                "Timestamps": points.iter().map(|(start, _)| *start).collect::<Vec<_>>(),
                "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                "StatusCode": "Complete",
            }));
        }
        Ok(json!({"MetricDataResults": results, "Messages": []}))
    }
}
