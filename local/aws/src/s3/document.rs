//! Settings of buckets that are kept and given back as they were put: policy, public access, encryption, lifecycle,
//! CORS, ownership, tags, and logging.
//!
//! They are documents here: nothing is evicted by a lifecycle. (A policy has its say, see `crate::iam`.) They are kept
//! as S3's XML, a policy as its JSON.

use http::StatusCode;
use s3s::dto::{
    BucketLifecycleConfiguration, CORSConfiguration, DeleteBucketCorsInput, DeleteBucketCorsOutput,
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, DeleteBucketLifecycleInput,
    DeleteBucketLifecycleOutput, DeleteBucketOwnershipControlsInput,
    DeleteBucketOwnershipControlsOutput, DeleteBucketPolicyInput, DeleteBucketPolicyOutput,
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeletePublicAccessBlockInput,
    DeletePublicAccessBlockOutput, GetBucketCorsInput, GetBucketCorsOutput,
    GetBucketEncryptionInput, GetBucketEncryptionOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, GetBucketLoggingInput, GetBucketLoggingOutput,
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, GetBucketPolicyInput,
    GetBucketPolicyOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    GetPublicAccessBlockInput, GetPublicAccessBlockOutput, LoggingEnabled, OwnershipControls,
    PublicAccessBlockConfiguration, PutBucketCorsInput, PutBucketCorsOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, PutBucketLoggingInput, PutBucketLoggingOutput,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput, PutBucketPolicyInput,
    PutBucketPolicyOutput, PutBucketTaggingInput, PutBucketTaggingOutput,
    PutPublicAccessBlockInput, PutPublicAccessBlockOutput, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tagging,
};
use s3s::xml::{DeserializeContent, Deserializer, SerializeContent, Serializer};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::backend::Backend;
use super::error::{custom, from_store};

const POLICY: &str = "policy";
const PUBLIC_ACCESS: &str = "public-access-block";
const ENCRYPTION: &str = "encryption";
const LIFECYCLE: &str = "lifecycle";
const CORS: &str = "cors";
const OWNERSHIP: &str = "ownership-controls";
const TAGGING: &str = "tagging";
const LOGGING: &str = "logging";

/// The name of the root element in the state file; nobody else reads it.
const ROOT: &str = "Document";

/// A policy is at most this many bytes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
const LONGEST_POLICY: usize = 20 * 1024;

impl Backend {
    fn keep<T: SerializeContent>(&self, bucket: &str, kind: &str, value: &T) -> S3Result<()> {
        let mut xml = Vec::new();
        Serializer::new(&mut xml).content(ROOT, value).map_err(S3Error::internal_error)?;
        let text = String::from_utf8(xml).map_err(S3Error::internal_error)?;
        self.store.set_bucket_document(bucket, kind, Some(&text)).map_err(from_store)
    }

    fn kept<T: for<'xml> DeserializeContent<'xml>>(
        &self,
        bucket: &str,
        kind: &str,
    ) -> S3Result<Option<T>> {
        let Some(text) = self.store.bucket_document(bucket, kind).map_err(from_store)? else {
            return Ok(None);
        };
        let mut xml = Deserializer::new(text.as_bytes());
        xml.named_element(ROOT, Deserializer::content).map(Some).map_err(S3Error::internal_error)
    }

    fn forget(&self, bucket: &str, kind: &str) -> S3Result<()> {
        self.store.set_bucket_document(bucket, kind, None).map_err(from_store)
    }
}

pub fn policy(
    backend: &Backend,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let policy =
        backend.store.bucket_document(&request.input.bucket, POLICY).map_err(from_store)?;
    let policy =
        policy.ok_or_else(|| s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy) }))
}

pub fn put_policy(
    backend: &Backend,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let input = request.input;
    let is_object = serde_json::from_str::<serde_json::Map<_, _>>(&input.policy).is_ok();
    if !is_object || input.policy.len() > LONGEST_POLICY {
        return Err(s3_error!(
            MalformedPolicy,
            "Policies must be valid JSON and the first byte must be '{{'"
        ));
    }
    backend
        .store
        .set_bucket_document(&input.bucket, POLICY, Some(&input.policy))
        .map_err(from_store)?;
    Ok(S3Response::with_status(PutBucketPolicyOutput::default(), StatusCode::NO_CONTENT))
}

pub fn public_access(
    backend: &Backend,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let configuration: Option<PublicAccessBlockConfiguration> =
        backend.kept(&request.input.bucket, PUBLIC_ACCESS)?;
    let configuration = configuration.ok_or_else(|| {
        custom(
            "NoSuchPublicAccessBlockConfiguration",
            StatusCode::NOT_FOUND,
            "The public access block configuration was not found",
        )
    })?;
    Ok(S3Response::new(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(configuration),
    }))
}

pub fn put_public_access(
    backend: &Backend,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let input = request.input;
    backend.keep(&input.bucket, PUBLIC_ACCESS, &input.public_access_block_configuration)?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

/// S3 encrypts with AES256 where nothing else was said.
pub fn encryption(
    backend: &Backend,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let kept: Option<ServerSideEncryptionConfiguration> =
        backend.kept(&request.input.bucket, ENCRYPTION)?;
    let configuration = kept.unwrap_or_else(|| ServerSideEncryptionConfiguration {
        rules: vec![ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: None,
                sse_algorithm: s3s::dto::ServerSideEncryption::from_static("AES256"),
            }),
            bucket_key_enabled: Some(false),
        }],
    });
    let output =
        GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) };
    Ok(S3Response::new(output))
}

pub fn put_encryption(
    backend: &Backend,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let input = request.input;
    backend.keep(&input.bucket, ENCRYPTION, &input.server_side_encryption_configuration)?;
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}

pub fn lifecycle(
    backend: &Backend,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let kept: Option<BucketLifecycleConfiguration> =
        backend.kept(&request.input.bucket, LIFECYCLE)?;
    let kept = kept.ok_or_else(|| {
        s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist")
    })?;
    let output =
        GetBucketLifecycleConfigurationOutput { rules: Some(kept.rules), ..Default::default() };
    Ok(S3Response::new(output))
}

pub fn put_lifecycle(
    backend: &Backend,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let input = request.input;
    let configuration = input
        .lifecycle_configuration
        .ok_or_else(|| s3_error!(MalformedXML, "the lifecycle configuration is missing"))?;
    backend.keep(&input.bucket, LIFECYCLE, &configuration)?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub fn cors(
    backend: &Backend,
    request: S3Request<GetBucketCorsInput>,
) -> S3Result<S3Response<GetBucketCorsOutput>> {
    let kept: Option<CORSConfiguration> = backend.kept(&request.input.bucket, CORS)?;
    let kept = kept.ok_or_else(|| {
        s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist")
    })?;
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(kept.cors_rules) }))
}

pub fn put_cors(
    backend: &Backend,
    request: S3Request<PutBucketCorsInput>,
) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let input = request.input;
    backend.keep(&input.bucket, CORS, &input.cors_configuration)?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

pub fn ownership(
    backend: &Backend,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    let kept: Option<OwnershipControls> = backend.kept(&request.input.bucket, OWNERSHIP)?;
    let kept = kept.ok_or_else(|| {
        s3_error!(OwnershipControlsNotFoundError, "The bucket ownership controls were not found")
    })?;
    Ok(S3Response::new(GetBucketOwnershipControlsOutput { ownership_controls: Some(kept) }))
}

pub fn put_ownership(
    backend: &Backend,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let input = request.input;
    backend.keep(&input.bucket, OWNERSHIP, &input.ownership_controls)?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub fn tagging(
    backend: &Backend,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let kept: Option<Tagging> = backend.kept(&request.input.bucket, TAGGING)?;
    let kept = kept.ok_or_else(|| s3_error!(NoSuchTagSet, "The TagSet does not exist"))?;
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: kept.tag_set }))
}

pub fn put_tagging(
    backend: &Backend,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let input = request.input;
    backend.keep(&input.bucket, TAGGING, &input.tagging)?;
    Ok(S3Response::with_status(PutBucketTaggingOutput::default(), StatusCode::NO_CONTENT))
}

pub fn logging(
    backend: &Backend,
    request: S3Request<GetBucketLoggingInput>,
) -> S3Result<S3Response<GetBucketLoggingOutput>> {
    let logging_enabled: Option<LoggingEnabled> = backend.kept(&request.input.bucket, LOGGING)?;
    Ok(S3Response::new(GetBucketLoggingOutput { logging_enabled }))
}

pub fn put_logging(
    backend: &Backend,
    request: S3Request<PutBucketLoggingInput>,
) -> S3Result<S3Response<PutBucketLoggingOutput>> {
    let input = request.input;
    match &input.bucket_logging_status.logging_enabled {
        Some(enabled) => backend.keep(&input.bucket, LOGGING, enabled)?,
        None => backend.forget(&input.bucket, LOGGING)?,
    }
    Ok(S3Response::new(PutBucketLoggingOutput::default()))
}

/// Deletes that differ in nothing but their names.
macro_rules! deletes {
    ($($name:ident: $input:ident -> $output:ident, $kind:ident;)*) => {
        $(pub fn $name(backend: &Backend, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
            backend.forget(&request.input.bucket, $kind)?;
            Ok(S3Response::with_status($output::default(), StatusCode::NO_CONTENT))
        })*
    };
}

deletes! {
    delete_policy: DeleteBucketPolicyInput -> DeleteBucketPolicyOutput, POLICY;
    delete_public_access: DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput, PUBLIC_ACCESS;
    delete_encryption: DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput, ENCRYPTION;
    delete_lifecycle: DeleteBucketLifecycleInput -> DeleteBucketLifecycleOutput, LIFECYCLE;
    delete_cors: DeleteBucketCorsInput -> DeleteBucketCorsOutput, CORS;
    delete_ownership: DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput, OWNERSHIP;
    delete_tagging: DeleteBucketTaggingInput -> DeleteBucketTaggingOutput, TAGGING;
}
