//! How much of each billed thing.
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::price::{GB_SECOND_X86, Item, PRICES};

/// Amounts by item; what is not there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quantities(BTreeMap<Item, f64>);

impl Quantities {
    pub fn of(amounts: &[(Item, f64)]) -> Self {
        let mut all = Self::default();
        for (item, amount) in amounts {
            all.add(*item, *amount);
        }
        all
    }

    pub fn add(&mut self, item: Item, amount: f64) {
        if amount != 0.0 {
            *self.0.entry(item).or_default() += amount;
        }
    }

    pub fn get(&self, item: Item) -> f64 {
        self.0.get(&item).copied().unwrap_or_default()
    }

    /// These and so many times the others.
    #[must_use]
    pub fn plus(mut self, others: &Self, times: f64) -> Self {
        for (item, amount) in &others.0 {
            self.add(*item, amount * times);
        }
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (Item, f64)> {
        self.0.iter().map(|(item, amount)| (*item, *amount))
    }

    /// Dollars by the list, functions on arm64.
    pub fn usd(&self) -> f64 {
        self.iter().map(|(item, amount)| amount * item.price().usd).sum()
    }

    /// Dollars by the list, functions on x86_64.
    pub fn usd_x86(&self) -> f64 {
        self.usd() + self.get(Item::GbSecond) * (GB_SECOND_X86 - Item::GbSecond.price().usd)
    }

    /// Dollars of a month in an account that uses its free tiers for this alone.
    pub fn usd_after_free(&self) -> f64 {
        PRICES.iter().map(|price| (self.get(price.item) - price.free).max(0.0) * price.usd).sum()
    }
}

impl Serialize for Quantities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (item, amount) in &self.0 {
            map.serialize_entry(item, amount)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_dollars() {
        let one = Quantities::of(&[
            (Item::Transition, 1_000.0),
            (Item::GbSecond, 1_000.0),
            (Item::S3Read, 0.0),
        ]);
        assert!((one.usd() - (0.025 + 0.013_333_4)).abs() < 1e-9);
        assert!((one.usd_x86() - (0.025 + 0.016_666_7)).abs() < 1e-9);
        assert!(one.usd_after_free().abs() < 1e-9);
        let five = Quantities::default().plus(&one, 5.0);
        assert!((five.usd_after_free() - 0.025).abs() < 1e-9, "1,000 transitions are not free");
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(text, r#"{"transition":1000.0,"gb_second":1000.0}"#);
    }
}
