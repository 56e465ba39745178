//! Whether functions have the memory and the time they need, from what they took.
//!
//! The rule is that of the course notes: above 80 % of the memory grow by a half, under 30 % shrink by a fifth, within
//! 128 and 3,008 MB; here as often as it takes. A timeout is held against the longest invocation: it is there for
//! what goes wrong, so it may be far longer, but never near.
use std::collections::BTreeMap;
use std::time::Duration;

use aws::Services;
use aws::metering::FunctionUse;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cloud::{CallError, call};

const GROW_ABOVE: f64 = 0.8;
const SHRINK_BELOW: f64 = 0.3;
const GROWN: f64 = 1.5;
const SHRUNK: f64 = 0.8;
pub const LEAST_MEMORY_MB: u64 = 128;
pub const MOST_MEMORY_MB: u64 = 3_008;
/// Lambda's longest.
const MOST_SECONDS: u64 = 900;

/// A function as it is configured and as it was used.
#[derive(Clone, Debug, Serialize)]
pub struct Sizing {
    pub function: String,
    pub invocations: u64,
    pub errors: u64,
    pub cold_starts: u64,
    pub memory_mb: u64,
    pub peak_mb: f64,
    /// What the rule makes of it; the memory it has where nothing is to change.
    pub suggested_memory_mb: u64,
    pub timeout_seconds: u64,
    pub longest_seconds: f64,
    pub longest_init_seconds: f64,
    pub suggested_timeout_seconds: u64,
}

impl Sizing {
    pub fn of(configuration: &Value, used: &FunctionUse) -> Self {
        let number = |member: &str| configuration[member].as_u64().unwrap_or_default();
        let (memory, timeout) = (number("MemorySize"), number("Timeout"));
        // Bytes of a process stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
        let peak_mb = used.peak as f64 / (1024.0 * 1024.0);
        Self {
            function: used.function.clone(),
            invocations: used.invocations,
            errors: used.errors,
            cold_starts: used.cold_starts,
            memory_mb: memory,
            peak_mb,
            suggested_memory_mb: memory_for(memory, peak_mb),
            timeout_seconds: timeout,
            longest_seconds: used.longest.as_secs_f64(),
            longest_init_seconds: used.longest_init.as_secs_f64(),
            suggested_timeout_seconds: timeout_for(timeout, used.longest),
        }
    }

    /// Of the memory, percent.
    pub fn memory_percent(&self) -> f64 {
        // Megabytes stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let memory = self.memory_mb.max(1) as f64;
        self.peak_mb / memory * 100.0
    }

    /// In words.
    pub fn advice(&self) -> String {
        let memory = match self.suggested_memory_mb.cmp(&self.memory_mb) {
            std::cmp::Ordering::Greater => format!("grow to {} MB", self.suggested_memory_mb),
            std::cmp::Ordering::Less => format!("shrink to {} MB", self.suggested_memory_mb),
            std::cmp::Ordering::Equal => "keep".to_owned(),
        };
        if self.suggested_timeout_seconds > self.timeout_seconds {
            format!("{memory}; give it {} s", self.suggested_timeout_seconds)
        } else {
            memory
        }
    }
}

/// The rule, until it rests.
fn memory_for(memory_mb: u64, peak_mb: f64) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "megabytes between 128 and 3,008"
    )]
    let scaled = |memory: u64, factor: f64| {
        ((memory as f64 * factor).ceil() as u64).clamp(LEAST_MEMORY_MB, MOST_MEMORY_MB)
    };
    let mut memory = memory_mb;
    loop {
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let share = peak_mb / memory.max(1) as f64;
        let next = if share > GROW_ABOVE {
            scaled(memory, GROWN)
        } else if share < SHRINK_BELOW {
            scaled(memory, SHRUNK)
        } else {
            memory
        };
        if next == memory {
            return memory;
        }
        memory = next;
    }
}

fn timeout_for(timeout_seconds: u64, longest: Duration) -> u64 {
    let mut timeout = timeout_seconds.max(1);
    while longest.as_secs_f64() > GROW_ABOVE * Duration::from_secs(timeout).as_secs_f64()
        && timeout < MOST_SECONDS
    {
        timeout = (timeout + timeout.div_ceil(2)).min(MOST_SECONDS);
    }
    timeout
}

/// Every function of the account that has been invoked, by name.
pub async fn all(services: &Services) -> Result<Vec<Sizing>, CallError> {
    let used = services.meters().functions(None).map_err(|error| CallError {
        service: "the counters".to_owned(),
        action: "functions".to_owned(),
        error,
    })?;
    let mut by_name: BTreeMap<String, FunctionUse> = BTreeMap::new();
    for used in used {
        match by_name.get_mut(&used.function) {
            Some(known) => known.add(&used),
            None => drop(by_name.insert(used.function.clone(), used)),
        }
    }
    let mut sizings = Vec::new();
    for (name, used) in by_name {
        let input = json!({"FunctionName": name});
        match call(services, "lambda", "GetFunctionConfiguration", input).await {
            Ok(configuration) => sizings.push(Sizing::of(&configuration, &used)),
            // It has been deleted since.
            Err(error) if error.code() == "ResourceNotFoundException" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sizings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_the_rule_within_its_bounds() {
        for (memory, peak, expected) in [
            (128, 40.0, 128),
            (128, 102.4, 128),
            (128, 103.0, 192),
            (128, 5.0, 128),
            (1024, 512.0, 1024),
            (1024, 300.0, 820),
            (1024, 100.0, 269),
            (1024, 10.0, 128),
            (2048, 2000.0, 3008),
            (3008, 3000.0, 3008),
        ] {
            assert_eq!(memory_for(memory, peak), expected, "{memory} MB, {peak} MB used");
        }
    }

    #[test]
    fn a_timeout_is_never_near_the_longest() {
        for (timeout, longest, expected) in
            [(30, 1, 30), (30, 24, 30), (30, 25, 45), (3, 100, 140), (900, 890, 900)]
        {
            assert_eq!(timeout_for(timeout, Duration::from_secs(longest)), expected, "{timeout} s");
        }
    }
}
