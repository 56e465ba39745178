//! Whether a request to S3 is allowed, by who sends it.

use http::Extensions;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};

use super::backend::Backend;
use crate::iam::action::Request;
use crate::iam::{Caller, Need};
use crate::wire::path::{decode, query};

/// A request of a role, before it is carried out.
pub struct Asked {
    caller: Caller,
    operation: &'static str,
    needs: Vec<Need>,
    bucket: String,
}

impl Asked {
    /// `input` is the name of the operation's input. `None` for the account's root, who may do everything.
    pub fn of<T>(input: &'static str, request: &S3Request<T>) -> Option<Self> {
        let caller = caller(&request.extensions)?;
        let operation = input.trim_end_matches("Input");
        // As s3s reads it: first decoded, then cut. `/bucket%2Fkey` is an object, not a bucket.
        let path = decode(request.uri.path(), false);
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let parameters = query(request.uri.query());
        let parameter = |name: &str| parameters.get(name).and_then(|value| value.as_str());
        let asked = Request {
            bucket,
            key: Some(key).filter(|key| !key.is_empty()),
            version: parameter("versionId"),
            prefix: parameter("prefix"),
            delimiter: parameter("delimiter"),
            max_keys: parameter("max-keys").map(str::to_owned),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            encryption: header("x-amz-server-side-encryption"),
            copied_from: header("x-amz-copy-source").map(|source| decode(source, false)),
            is_tagged: header("x-amz-tagging").is_some(),
        };
        let needs = asked.needs(operation);
        Some(Asked { caller, operation, needs, bucket: bucket.to_owned() })
    }

    /// Errors: `AccessDenied`.
    pub fn allow(&self, backend: &Backend) -> S3Result<()> {
        self.needs.iter().try_for_each(|need| backend.allow(&self.caller, need))
    }

    /// Who may not list a bucket is not told that something is missing in it.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    pub fn disclose<T>(&self, backend: &Backend, answer: S3Result<T>) -> S3Result<T> {
        let reads = ["GetObject", "HeadObject", "CopyObject"].contains(&self.operation);
        match answer {
            Err(error) if reads && *error.code() == S3ErrorCode::NoSuchKey => {
                backend.allow(&self.caller, &Need::s3("s3:ListBucket", &self.bucket, None))?;
                Err(error)
            }
            answer => answer,
        }
    }
}

/// Who sends a request; `None` for the account's root.
pub fn caller(extensions: &Extensions) -> Option<Caller> {
    extensions.get::<Caller>().filter(|caller| **caller != Caller::Root).cloned()
}

impl Backend {
    pub fn allow(&self, caller: &Caller, need: &Need) -> S3Result<()> {
        let denied = |message| S3Error::with_message(S3ErrorCode::AccessDenied, message);
        let services = self.link.require().map_err(|error| denied(error.message))?;
        services.authorise(caller, need).map_err(|refusal| denied(refusal.of_s3()))
    }
}
