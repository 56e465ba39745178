//! A run: one try to convert one month's file, under names never used before.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dataset::DatasetName;
use crate::month::Month;
use crate::s3_uri::S3Uri;

/// What a run loads: data set, month, content and contract. Two runs with one key hold the same
/// rows, so that one of them is enough. 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

impl RunKey {
    /// `fingerprint` is the SHA-256 of the file's bytes in hexadecimal digits.
    pub fn new(
        dataset: DatasetName,
        month: Month,
        fingerprint: &str,
        contract_version: &str,
    ) -> Self {
        let unit = format!("{dataset}\n{month}\n{fingerprint}\n{contract_version}");
        Self(hex(&Sha256::digest(unit)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The name of a run: 16 digits of its key, a dash, 12 digits of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Run(String);

impl Run {
    /// `unique` are the 12 hexadecimal digits that no other run has.
    pub fn new(key: &RunKey, unique: &str) -> Self {
        Self(format!("{}-{unique}", &key.0[..16]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The table over the file as it came.
    pub fn raw_table(&self) -> String {
        format!("raw_{}", self.0.replace('-', "_"))
    }

    /// The table that CTAS makes; load drops it once the run is committed.
    pub fn stage_table(&self) -> String {
        format!("stage_{}", self.0.replace('-', "_"))
    }

    /// The folder of its Parquet files; `outcome=loaded/` and `outcome=rejected/` are below it.
    pub fn location(&self, lake_bucket: &str, dataset: DatasetName, month: Month) -> S3Uri {
        S3Uri::new(lake_bucket, format!("{dataset}/month={month}/run={}/", self.0))
    }
}

impl From<String> for Run {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_run() {
        let green: DatasetName = "green".parse().unwrap();
        let month = "2024-01".parse().unwrap();
        let key = RunKey::new(green, month, &"a".repeat(64), "1");
        assert_ne!(key, RunKey::new(green, month, &"b".repeat(64), "1"));
        let run = Run::new(&key, "0123456789ab");
        assert_eq!(run.as_str().len(), 29);
        assert_eq!(run.raw_table(), format!("raw_{}_0123456789ab", &key.as_str()[..16]));
        assert_eq!(
            run.location("lake", green, month).to_string(),
            format!("s3://lake/green/month=2024-01/run={run}/")
        );
    }
}
