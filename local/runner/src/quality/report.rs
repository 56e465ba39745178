//! Verdicts for people and programs.
use std::fmt;

use serde_json::{Value, json};

use super::Outcome;

impl Outcome {
    /// Whether every rule has passed.
    pub fn passed(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.passed)
    }

    /// `{"rules": [{"rule", "outcome", "reason"?, "metrics", "labels"?}], "gathered", "passed", "failed", "scans"}`.
    pub fn json(&self, table: &str) -> Value {
        let metrics = |metrics: &[(String, f64)]| -> Value {
            metrics
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let rules = self.rules.iter().zip(&self.verdicts).map(|(rule, verdict)| {
            let mut object = json!({
                "rule": rule.text,
                "outcome": if verdict.passed { "Passed" } else { "Failed" },
                "metrics": metrics(&verdict.metrics),
            });
            if let Some(reason) = &verdict.reason {
                object["reason"] = json!(reason);
            }
            if !rule.labels.is_empty() {
                let labels =
                    rule.labels.iter().map(|label| (label.key.clone(), json!(label.value)));
                object["labels"] = labels.collect::<serde_json::Map<_, _>>().into();
            }
            object
        });
        let passed = self.verdicts.iter().filter(|verdict| verdict.passed).count();
        json!({
            "table": table,
            "rules": rules.collect::<Vec<_>>(),
            "gathered": metrics(&self.gathered),
            "passed": passed,
            "failed": self.verdicts.len() - passed,
            "scans": self.scans,
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, verdict) in self.rules.iter().zip(&self.verdicts) {
            writeln!(f, "{}  {}", if verdict.passed { "passed" } else { "FAILED" }, rule.text)?;
            if let Some(reason) = &verdict.reason {
                writeln!(f, "        {reason}")?;
            }
            for (name, value) in &verdict.metrics {
                writeln!(f, "        {name} = {value}")?;
            }
        }
        for (name, value) in &self.gathered {
            writeln!(f, "        {name} = {value}")?;
        }
        let passed = self.verdicts.iter().filter(|verdict| verdict.passed).count();
        let scans =
            if self.scans == 1 { "1 scan".to_owned() } else { format!("{} scans", self.scans) };
        write!(f, "{passed} of {} rules passed, {scans}", self.verdicts.len())
    }
}
