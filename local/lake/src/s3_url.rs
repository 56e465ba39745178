//! `s3://bucket/key`, parsed once.

use std::fmt;
use std::str::FromStr;

/// A place in S3: a bucket, and an object's key or the start of one. The key is
/// opaque: never decoded, never normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct S3Url {
    bucket: String,
    key: String,
}

/// Not of the form `s3://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected s3://bucket/key, found {0:?}")]
pub struct S3UrlError(String);

impl S3Url {
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Without a leading slash; empty for a whole bucket.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same place as a folder: its key is empty or ends with `/`.
    #[must_use]
    pub fn folder(&self) -> Self {
        if self.key.is_empty() || self.key.ends_with('/') {
            self.clone()
        } else {
            Self { bucket: self.bucket.clone(), key: format!("{}/", self.key) }
        }
    }

    /// `name` inside this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let folder = self.folder();
        Self { key: folder.key + name, bucket: folder.bucket }
    }
}

impl FromStr for S3Url {
    type Err = S3UrlError;

    /// `s3a:` and `s3n:` are read as `s3:`, as Athena does in a LOCATION.
    fn from_str(text: &str) -> Result<Self, S3UrlError> {
        let place = ["s3://", "s3a://", "s3n://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or_else(|| S3UrlError(text.to_owned()))?;
        let (bucket, key) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(S3UrlError(text.to_owned()));
        }
        Ok(Self::new(bucket, key))
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::S3Url;

    #[test]
    fn parses_and_prints() {
        for (text, bucket, key) in [
            ("s3://b/k", "b", "k"),
            ("s3://b", "b", ""),
            ("s3://b/", "b", ""),
            ("s3://b//a/../c%2F+ ü", "b", "/a/../c%2F+ ü"),
            ("s3a://b/x/", "b", "x/"),
        ] {
            let url: S3Url = text.parse().unwrap();
            assert_eq!((url.bucket(), url.key()), (bucket, key), "{text}");
        }
        for text in ["", "b/k", "s3:/b/k", "s3:///k", "http://b/k"] {
            assert!(text.parse::<S3Url>().is_err(), "{text}");
        }
        let folder = S3Url::new("b", "a").join("x.csv");
        assert_eq!(folder.to_string(), "s3://b/a/x.csv");
        assert_eq!(S3Url::new("b", "").join("x").to_string(), "s3://b/x");
    }
}
