//! The prices: one table, of us-east-1, as AWS's pages had them in November 2026.
use serde::Serialize;

pub const REGION: &str = "us-east-1";
pub const DATE: &str = "2026-11";

/// What is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Transition,
    ScannedByte,
    Invocation,
    /// Of functions on arm64; see [`GB_SECOND_X86`].
    GbSecond,
    /// PUT, COPY, POST and LIST.
    S3Write,
    /// GET and all others.
    S3Read,
    StoredGbMonth,
    Notification,
    QueueRequest,
    CatalogRequest,
    MetricMonth,
    MetricRequest,
    LogGb,
    AlarmMonth,
    DashboardMonth,
    Trace,
    Schedule,
    ExpressRequest,
    ExpressGbSecond,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Price {
    pub item: Item,
    pub name: &'static str,
    /// Dollars for one.
    pub usd: f64,
    /// How much of it a month costs nothing, for good and for every account.
    pub free: f64,
    pub source: &'static str,
}

const STEP_FUNCTIONS: &str = "https://aws.amazon.com/step-functions/pricing/";
const ATHENA: &str = "https://aws.amazon.com/athena/pricing/";
const LAMBDA: &str = "https://aws.amazon.com/lambda/pricing/";
const S3: &str = "https://aws.amazon.com/s3/pricing/";
const SNS: &str = "https://aws.amazon.com/sns/pricing/";
const SQS: &str = "https://aws.amazon.com/sqs/pricing/";
const GLUE: &str = "https://aws.amazon.com/glue/pricing/";
const CLOUDWATCH: &str = "https://aws.amazon.com/cloudwatch/pricing/";
const XRAY: &str = "https://aws.amazon.com/xray/pricing/";
const EVENTBRIDGE: &str = "https://aws.amazon.com/eventbridge/pricing/";

/// In the order of [`Item`].
pub const PRICES: [Price; 19] = [
    price(Item::Transition, "state transitions", 0.025 / 1e3, 4_000.0, STEP_FUNCTIONS),
    price(Item::ScannedByte, "bytes scanned by Athena", 5.0 / 1e12, 0.0, ATHENA),
    price(Item::Invocation, "Lambda requests", 0.2 / 1e6, 1e6, LAMBDA),
    price(Item::GbSecond, "Lambda GB-seconds (arm64)", 0.000_013_333_4, 400_000.0, LAMBDA),
    price(Item::S3Write, "S3 PUT, COPY, POST, LIST", 0.005 / 1e3, 0.0, S3),
    price(Item::S3Read, "S3 GET and others", 0.000_4 / 1e3, 0.0, S3),
    price(Item::StoredGbMonth, "S3 GB-months", 0.023, 0.0, S3),
    price(Item::Notification, "SNS publishes", 0.5 / 1e6, 1e6, SNS),
    price(Item::QueueRequest, "SQS requests", 0.4 / 1e6, 1e6, SQS),
    price(Item::CatalogRequest, "Glue catalog requests", 1.0 / 1e6, 1e6, GLUE),
    price(Item::MetricMonth, "CloudWatch custom metric-months", 0.3, 10.0, CLOUDWATCH),
    price(Item::MetricRequest, "CloudWatch requests", 0.01 / 1e3, 1e6, CLOUDWATCH),
    // Ingested (0.50) and kept for a month (0.03).
    price(Item::LogGb, "CloudWatch Logs GB", 0.53, 5.0, CLOUDWATCH),
    price(Item::AlarmMonth, "CloudWatch alarm-months", 0.1, 10.0, CLOUDWATCH),
    price(Item::DashboardMonth, "CloudWatch dashboard-months", 3.0, 3.0, CLOUDWATCH),
    price(Item::Trace, "X-Ray traces", 5.0 / 1e6, 100_000.0, XRAY),
    price(Item::Schedule, "EventBridge Scheduler starts", 1.0 / 1e6, 14e6, EVENTBRIDGE),
    price(Item::ExpressRequest, "Express executions", 1.0 / 1e6, 0.0, STEP_FUNCTIONS),
    price(Item::ExpressGbSecond, "Express GB-seconds", 0.000_016_67, 0.0, STEP_FUNCTIONS),
];

/// What a GB-second costs on x86_64 instead.
pub const GB_SECOND_X86: f64 = 0.000_016_666_7;

/// Athena bills at least so many bytes a query, and whole megabytes.
pub const LEAST_SCANNED: u64 = 10_000_000;
pub const MEGABYTE: u64 = 1_000_000;

/// A custom metric is billed for the hours it is sent in, of those that a month has.
pub const HOURS_A_MONTH: f64 = 730.0;

/// Express workflows are billed by pieces of this much memory and time, and end after so long.
pub const EXPRESS_MEMORY_MB: f64 = 64.0;
pub const EXPRESS_STEP_SECONDS: f64 = 0.1;
pub const EXPRESS_LIMIT_SECONDS: f64 = 300.0;

const fn price(item: Item, name: &'static str, usd: f64, free: f64, source: &'static str) -> Price {
    Price { item, name, usd, free, source }
}

impl Item {
    pub fn price(self) -> &'static Price {
        &PRICES[self as usize]
    }
}

/// Bytes that Athena bills for a query that has scanned so many.
pub fn billed_bytes(scanned: u64) -> u64 {
    scanned.div_ceil(MEGABYTE).saturating_mul(MEGABYTE).max(LEAST_SCANNED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Quantities;

    #[test]
    fn the_table_is_in_the_order_of_its_items() {
        for (index, price) in PRICES.iter().enumerate() {
            assert_eq!(price.item as usize, index, "{}", price.name);
            assert!(price.usd > 0.0 && price.source.starts_with("https://aws.amazon.com/"));
        }
    }

    #[test]
    fn queries_are_billed_by_whole_megabytes_from_ten() {
        for (scanned, billed) in [
            (0, 10_000_000),
            (9_999_999, 10_000_000),
            (10_000_001, 11_000_000),
            (12_000_000, 12_000_000),
        ] {
            assert_eq!(billed_bytes(scanned), billed, "{scanned}");
        }
    }

    /// The exercise of the course notes: 15 states and 50,000 executions a month as Standard, against a million
    /// executions of 100 ms as Express; and its worked example of 10 states and 100,000 executions.
    #[test]
    fn standard_and_express_cost_what_the_exercise_says() {
        let standard = |states: f64, executions: f64| {
            Quantities::of(&[(Item::Transition, states * executions)]).usd()
        };
        assert!((standard(10.0, 100_000.0) - 25.0).abs() < 1e-9);
        assert!((standard(15.0, 50_000.0) - 18.75).abs() < 1e-9);
        let (executions, seconds) = (1e6, EXPRESS_STEP_SECONDS);
        let express = Quantities::of(&[
            (Item::ExpressRequest, executions),
            (Item::ExpressGbSecond, executions * seconds * EXPRESS_MEMORY_MB / 1024.0),
        ]);
        assert!((express.usd() - 1.104_187_5).abs() < 1e-9, "{}", express.usd());
    }
}
