//! The metrics of namespace `ETL/StepFunctions`.

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

/// The namespace of every metric.
pub const NAMESPACE: &str = "ETL/StepFunctions";

/// A measurement of one load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Rows of the file, loaded or rejected.
    RecordsProcessed(u64),
    /// Rows that readers see.
    RecordsLoaded(u64),
    /// Rows that went to quarantine.
    RecordsRejected(u64),
    /// Percent of the data set's expectations that are met; a warning counts a half.
    QualityScore(f64),
    /// By Athena, in the conversion and the audit.
    BytesScanned(u64),
    /// From the fetch to the commit.
    ProcessingTime(Duration),
    /// Errors that `handle-error` has given up on.
    LoadsFailed(u64),
}

impl Metric {
    #[expect(clippy::cast_precision_loss, reason = "a month has far fewer than 2^53 rows")]
    fn datum(self, dimensions: &[Dimension]) -> MetricDatum {
        let (name, value, unit) = match self {
            Self::RecordsProcessed(rows) => ("RecordsProcessed", rows as f64, StandardUnit::Count),
            Self::RecordsLoaded(rows) => ("RecordsLoaded", rows as f64, StandardUnit::Count),
            Self::RecordsRejected(rows) => ("RecordsRejected", rows as f64, StandardUnit::Count),
            Self::QualityScore(score) => ("QualityScore", score, StandardUnit::Percent),
            Self::BytesScanned(bytes) => ("BytesScanned", bytes as f64, StandardUnit::Bytes),
            Self::LoadsFailed(loads) => ("LoadsFailed", loads as f64, StandardUnit::Count),
            Self::ProcessingTime(time) => {
                ("ProcessingTime", time.as_secs_f64(), StandardUnit::Seconds)
            }
        };
        MetricDatum::builder()
            .metric_name(name)
            .value(value)
            .unit(unit)
            .set_dimensions(Some(dimensions.to_vec()))
            .build()
    }
}

/// Sends `metrics` under each of the sets of dimensions (name, value): an alarm adds nothing up
/// by itself. A metric that cannot be sent is logged and does not fail the load it measures.
pub async fn record(client: &Client, sets: &[&[(&str, &str)]], metrics: &[Metric]) {
    let dimension =
        |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
    let sets: Vec<Vec<_>> = sets.iter().map(|set| set.iter().map(dimension).collect()).collect();
    let data = sets.iter().flat_map(|set| metrics.iter().map(|metric| metric.datum(set)));
    let data = data.collect();
    let sent = client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(data)).send();
    if let Err(error) = sent.await {
        tracing::warn!(error = ?error, "metrics were not recorded");
    }
}
