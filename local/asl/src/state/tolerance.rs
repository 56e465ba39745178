//! How many children of a Distributed Map may fail.

use serde_json::Value;

use crate::definition::Fields;
use crate::failure::{Fault, Trouble};
use crate::quantity::Quantity;
use crate::test_state::Trial;
use crate::variables::Variables;
use crate::visit::Visit;

/// `ToleratedFailureCount` and `ToleratedFailurePercentage`.
#[derive(Debug)]
pub(super) struct Tolerance {
    count: Option<Quantity>,
    percentage: Option<Quantity>,
}

/// Both, evaluated. One that is not given holds only where neither is: then
/// no child may fail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Threshold {
    count: Option<f64>,
    percentage: Option<f64>,
}

impl Tolerance {
    pub fn parse(fields: &Fields) -> Self {
        let count = fields.quantity("ToleratedFailureCount", "ToleratedFailureCountPath");
        if matches!(count, Some(Quantity::Fixed(count)) if count < 0.0) {
            fields.wrong("ToleratedFailureCount", "Expected an integer of at least 0");
        }
        let (name, path) = ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
        let percentage = fields.quantity(name, path);
        if matches!(percentage, Some(Quantity::Fixed(given)) if !is_percentage(given)) {
            fields.wrong(name, "Expected a number between 0 and 100");
        }
        Self { count, percentage }
    }

    pub fn evaluate(
        &self,
        visit: &Visit,
        variables: &Variables,
        input: &Value,
    ) -> Result<Threshold, Trouble> {
        let scope = visit.scope(input, variables);
        let evaluate = |quantity: &Option<Quantity>| -> Result<_, Fault> {
            quantity.as_ref().map(|quantity| quantity.evaluate(&scope)).transpose()
        };
        let count = evaluate(&self.count)?;
        let percentage = evaluate(&self.percentage)?;
        if percentage.is_some_and(|percentage| !is_percentage(percentage)) {
            let message = "ToleratedFailurePercentage must be between 0 and 100.";
            return Err(visit.fault(message).into());
        }
        if count.is_some_and(|count| count < 0.0) {
            return Err(visit.fault("ToleratedFailureCount must be positive.").into());
        }
        Ok(Threshold { count, percentage })
    }
}

fn is_percentage(number: f64) -> bool {
    (0.0..=100.0).contains(&number)
}

impl Threshold {
    pub fn count(self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked not to be negative"
        )]
        let count = self.count.unwrap_or_default() as u64;
        count
    }

    /// Whether the definition has either.
    pub fn is_given(self) -> bool {
        self.count.is_some() || self.percentage.is_some()
    }

    /// Notes what the definition has.
    pub fn show(self, trial: &Trial) {
        if self.count.is_some() {
            trial.show_number("toleratedFailureCount", self.count());
        }
        if let Some(percentage) = self.percentage {
            trial.show_number("toleratedFailurePercentage", percentage);
        }
    }

    pub fn percentage(self) -> f64 {
        self.percentage.unwrap_or_default()
    }

    /// Whether `failed` of `total` children are too many: more than either
    /// limit allows.
    pub fn is_exceeded(self, failed: usize, total: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "counts of children are small")]
        let (failed, total) = (failed as f64, total as f64);
        let too_many = |count: f64| failed > count;
        let too_large = |percentage: f64| failed * 100.0 > percentage * total;
        match (self.count, self.percentage) {
            (None, None) => failed > 0.0,
            (count, percentage) => count.is_some_and(too_many) || percentage.is_some_and(too_large),
        }
    }
}
