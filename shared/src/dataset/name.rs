//! The names of the data sets.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// The name of a data set that has a contract in `shared/datasets/`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DatasetName(&'static str);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected yellow, green, fhv, fhvhv or zones, found {0:?}")]
pub struct DatasetNameError(String);

/// The texts of the data set `$name`.
macro_rules! texts {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../datasets/", $name, ".toml")),
            include_str!(concat!("../../datasets/", $name, ".dqdl")),
        )
    };
}

/// Each data set's name, contract and ruleset. A data set is added here and nowhere else.
const TEXTS: [(&str, &str, &str); 5] =
    [texts!("yellow"), texts!("green"), texts!("fhv"), texts!("fhvhv"), texts!("zones")];

impl DatasetName {
    /// Every data set, in the order of the contracts.
    pub fn all() -> impl Iterator<Item = Self> {
        TEXTS.iter().map(|(name, ..)| Self(name))
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The text of its contract.
    pub(super) fn contract(self) -> &'static str {
        self.texts().1
    }

    /// The text of its ruleset.
    pub(super) fn rules(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> &'static (&'static str, &'static str, &'static str) {
        let found = TEXTS.iter().find(|(name, ..)| *name == self.0);
        found.expect("a name is made of the list alone")
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.0)
    }
}

impl fmt::Debug for DatasetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl FromStr for DatasetName {
    type Err = DatasetNameError;

    fn from_str(text: &str) -> Result<Self, DatasetNameError> {
        Self::all().find(|name| name.0 == text).ok_or_else(|| DatasetNameError(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for DatasetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
