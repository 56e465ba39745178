//! Actions of S3.

use serde_json::Value;

use super::text;
use crate::iam::Need;
use crate::wire::path::decode;

/// S3's operations by their JSON members, as tasks and item readers have them.
pub fn s3(operation: &str, input: &Value) -> Vec<Need> {
    let request = Request {
        bucket: text(input, "Bucket").unwrap_or_default(),
        key: text(input, "Key"),
        version: text(input, "VersionId"),
        prefix: text(input, "Prefix"),
        delimiter: text(input, "Delimiter"),
        max_keys: input["MaxKeys"].as_u64().map(|count| count.to_string()),
        if_match: text(input, "IfMatch"),
        if_none_match: text(input, "IfNoneMatch"),
        encryption: text(input, "ServerSideEncryption"),
        copied_from: text(input, "CopySource").map(|source| decode(source, false)),
        is_tagged: text(input, "Tagging").is_some(),
    };
    request.needs(operation)
}

/// What of a request to S3 decides whether it is allowed.
#[derive(Debug, Default)]
pub struct Request<'a> {
    pub bucket: &'a str,
    pub key: Option<&'a str>,
    pub version: Option<&'a str>,
    pub prefix: Option<&'a str>,
    pub delimiter: Option<&'a str>,
    pub max_keys: Option<String>,
    pub if_match: Option<&'a str>,
    pub if_none_match: Option<&'a str>,
    pub encryption: Option<&'a str>,
    /// `bucket/key`, with `?versionId=…` where one is named.
    pub copied_from: Option<String>,
    pub is_tagged: bool,
}

impl Request<'_> {
    /// The actions of an operation. `DeleteObjects` is allowed key by key, when its body has been read.
    pub fn needs(&self, operation: &str) -> Vec<Need> {
        let versioned = |plain: &'static str, version: &'static str| {
            if self.version.is_some() { version } else { plain }
        };
        let action = match operation {
            "GetObject" | "HeadObject" => versioned("s3:GetObject", "s3:GetObjectVersion"),
            "GetObjectTagging" => versioned("s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
            "PutObjectTagging" => versioned("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
            "DeleteObjectTagging" => {
                versioned("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")
            }
            "DeleteObject" => versioned("s3:DeleteObject", "s3:DeleteObjectVersion"),
            "DeleteObjects" => return Vec::new(),
            "PutObject"
            | "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload" => return self.writes(),
            "AbortMultipartUpload" => "s3:AbortMultipartUpload",
            "ListParts" => "s3:ListMultipartUploadParts",
            "ListBuckets" => return vec![Need::new("s3:ListAllMyBuckets", "*")],
            "ListObjects" | "ListObjectsV2" | "HeadBucket" => {
                return vec![self.lists("s3:ListBucket")];
            }
            "ListObjectVersions" => return vec![self.lists("s3:ListBucketVersions")],
            "ListMultipartUploads" => return vec![self.lists("s3:ListBucketMultipartUploads")],
            other => return vec![Need::s3(bucket_action(other), self.bucket, None)],
        };
        vec![Need::s3(action, self.bucket, self.key).with_some("s3:VersionId", self.version)]
    }

    fn lists(&self, action: &'static str) -> Need {
        Need::s3(action, self.bucket, None)
            .with_some("s3:prefix", self.prefix)
            .with_some("s3:delimiter", self.delimiter)
            .with_some("s3:max-keys", self.max_keys.as_deref())
    }

    fn writes(&self) -> Vec<Need> {
        let put = Need::s3("s3:PutObject", self.bucket, self.key)
            .with_some("s3:if-match", self.if_match)
            .with_some("s3:if-none-match", self.if_none_match)
            .with_some("s3:x-amz-server-side-encryption", self.encryption);
        let mut needs = vec![put];
        if self.is_tagged {
            needs.push(Need::s3("s3:PutObjectTagging", self.bucket, self.key));
        }
        if let Some(source) = &self.copied_from {
            let (path, version) = match source.split_once("?versionId=") {
                Some((path, version)) => (path, Some(version)),
                None => (source.as_str(), None),
            };
            let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
            let read = Request { bucket, key: Some(key), version, ..Request::default() };
            needs.extend(read.needs("GetObject"));
        }
        needs
    }
}

/// Actions on a bucket's settings. Those that delete a setting are allowed as those that put it.
fn bucket_action(operation: &str) -> &'static str {
    match operation {
        "CreateBucket" => "s3:CreateBucket",
        "DeleteBucket" => "s3:DeleteBucket",
        "GetBucketLocation" => "s3:GetBucketLocation",
        "GetBucketVersioning" => "s3:GetBucketVersioning",
        "PutBucketVersioning" => "s3:PutBucketVersioning",
        "GetBucketNotificationConfiguration" => "s3:GetBucketNotification",
        "PutBucketNotificationConfiguration" => "s3:PutBucketNotification",
        "GetBucketPolicy" => "s3:GetBucketPolicy",
        "PutBucketPolicy" => "s3:PutBucketPolicy",
        "DeleteBucketPolicy" => "s3:DeleteBucketPolicy",
        "GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "s3:PutBucketPublicAccessBlock",
        "GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "s3:PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => {
            "s3:PutLifecycleConfiguration"
        }
        "GetBucketCors" => "s3:GetBucketCORS",
        "PutBucketCors" | "DeleteBucketCors" => "s3:PutBucketCORS",
        "GetBucketOwnershipControls" => "s3:GetBucketOwnershipControls",
        "PutBucketOwnershipControls" | "DeleteBucketOwnershipControls" => {
            "s3:PutBucketOwnershipControls"
        }
        "GetBucketTagging" => "s3:GetBucketTagging",
        "PutBucketTagging" | "DeleteBucketTagging" => "s3:PutBucketTagging",
        "GetBucketLogging" => "s3:GetBucketLogging",
        "PutBucketLogging" => "s3:PutBucketLogging",
        // No action of IAM: only who may do everything may do it.
        _ => "s3:UnknownOperation",
    }
}
