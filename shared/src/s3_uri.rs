//! `s3://bucket/key`, parsed once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an object, or a folder when the key is empty or ends in `/`, lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct S3Uri {
    pub bucket: String,
    pub key: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected s3://bucket/key, found {0:?}")]
pub struct S3UriError(String);

impl S3Uri {
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }

    /// This place with `more` added to its key.
    #[must_use]
    pub fn join(&self, more: &str) -> Self {
        Self::new(self.bucket.clone(), format!("{}{more}", self.key))
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.key)
    }
}

impl FromStr for S3Uri {
    type Err = S3UriError;

    fn from_str(text: &str) -> Result<Self, S3UriError> {
        match text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, key)) if !bucket.is_empty() => Ok(Self::new(bucket, key)),
            _ => Err(S3UriError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for S3Uri {
    type Error = S3UriError;

    fn try_from(text: String) -> Result<Self, S3UriError> {
        text.parse()
    }
}

impl From<S3Uri> for String {
    fn from(uri: S3Uri) -> Self {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_refuses() {
        let uri: S3Uri = "s3://lake/green/month=2024-01/".parse().unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key.as_str()), ("lake", "green/month=2024-01/"));
        assert_eq!("s3://lake".parse::<S3Uri>().unwrap().to_string(), "s3://lake/");
        for text in ["", "lake/key", "s3://", "s3:///key", "https://lake/key"] {
            assert!(text.parse::<S3Uri>().is_err(), "{text}");
        }
    }
}
