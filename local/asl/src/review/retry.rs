//! Retries without a bound worth the name.

use serde_json::Value;

use super::outline::StateOutline;
use super::remark::Remark;

/// What a retrier may wait in all before it is called unbounded: a day, in seconds.
const LONGEST_WAITING: f64 = 86_400.0;

/// Retries past this are not counted one by one.
const MANY_ATTEMPTS: u64 = 10_000;

pub(super) fn remarks(state: &StateOutline) -> Vec<Remark> {
    state
        .handlers("Retry")
        .flat_map(|(pointer, retrier)| retrier_remarks(&pointer, retrier))
        .collect()
}

fn retrier_remarks(pointer: &str, retrier: &Value) -> Vec<Remark> {
    let attempts = retrier["MaxAttempts"].as_u64().unwrap_or(3);
    let rate = retrier["BackoffRate"].as_f64().unwrap_or(2.0);
    let interval = retrier["IntervalSeconds"].as_f64().unwrap_or(1.0);
    let limit = retrier["MaxDelaySeconds"].as_f64();
    let mut remarks = Vec::new();
    if attempts == 0 {
        return remarks;
    }
    if limit.is_none() && attempts > 1 && rate > 1.0 {
        let last = interval * rate.powi(i32::try_from(attempts - 1).unwrap_or(i32::MAX));
        remarks.push(
            Remark::warning(
                "retry-without-limit",
                pointer,
                format!("no MaxDelaySeconds: the last of {attempts} pauses takes {}", long(last)),
            )
            .expected("MaxDelaySeconds")
            .advice("bound each pause by MaxDelaySeconds"),
        );
    }
    if retrier["JitterStrategy"] != "FULL" {
        remarks.push(
            Remark::warning(
                "retry-without-jitter",
                pointer,
                "no JitterStrategy: what failed together is tried again together",
            )
            .expected("\"JitterStrategy\": \"FULL\"")
            .advice("add it, so that retries of parallel work spread out"),
        );
    }
    let total = waiting(attempts, interval, rate, limit);
    if total > LONGEST_WAITING {
        remarks.push(
            Remark::warning(
                "retry-without-end",
                pointer,
                format!("{attempts} attempts may wait {} in all", long(total)),
            )
            .expected("retries that give up within a day")
            .advice("lower MaxAttempts, and leave the rest to a Catch"),
        );
    }
    remarks
}

/// All pauses together, in seconds.
fn waiting(attempts: u64, interval: f64, rate: f64, limit: Option<f64>) -> f64 {
    let limit = limit.unwrap_or(f64::INFINITY);
    let counted = attempts.min(MANY_ATTEMPTS);
    let mut pause = interval;
    let mut total = 0.0;
    for _ in 0..counted {
        total += pause.min(limit);
        pause = (pause * rate).min(f64::MAX);
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure to be rounded")]
    let rest = (attempts - counted) as f64;
    total + rest * pause.min(limit)
}

fn long(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 2.0 * 86_400.0 => format!("{:.0} days", seconds / 86_400.0),
        seconds if seconds >= 2.0 * 3_600.0 => format!("{:.0} hours", seconds / 3_600.0),
        seconds => format!("{seconds:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_retrier_is_bounded_spread_and_ends() {
        let full = json!({"IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2,
            "MaxDelaySeconds": 60, "JitterStrategy": "FULL"});
        for (member, value, expected) in [
            ("MaxAttempts", json!(4), &[][..]),
            ("MaxDelaySeconds", json!(null), &["retry-without-limit"]),
            ("JitterStrategy", json!("NONE"), &["retry-without-jitter"]),
            ("MaxAttempts", json!(99_999_999), &["retry-without-end"]),
            ("MaxAttempts", json!(0), &[]),
        ] {
            let mut retrier = full.clone();
            retrier[member] = value;
            let found = retrier_remarks("", &retrier);
            let rules: Vec<_> = found.iter().map(|remark| remark.rule).collect();
            assert_eq!(rules, expected, "{retrier}");
        }
    }
}
