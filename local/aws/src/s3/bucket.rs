//! Buckets.

use http::{HeaderMap, HeaderValue};
use lake::StoreError;
use lake::store::Versioning;
use s3s::dto::{
    BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, EventBridgeConfiguration, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketNotificationConfigurationInput, GetBucketNotificationConfigurationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, PutBucketNotificationConfigurationInput,
    PutBucketNotificationConfigurationOutput, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Response, S3Result, dto, s3_error};

use super::attributes;
use super::backend::Backend;
use super::error::from_store;

/// The region whose name S3 does not say, and where creating one's own bucket again is no error.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
const FIRST_REGION: &str = "us-east-1";

pub fn create(
    backend: &Backend,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let input = request.input;
    if input.object_lock_enabled_for_bucket == Some(true) {
        return Err(s3_error!(NotImplemented, "object lock is not implemented"));
    }
    let constraint = input
        .create_bucket_configuration
        .and_then(|configuration| configuration.location_constraint);
    let region = match constraint.as_ref().map(dto::BucketLocationConstraint::as_str) {
        None => backend.settings.region.clone(),
        Some("EU") => "eu-west-1".to_owned(),
        Some(region) => region.to_owned(),
    };
    match backend.store.create_bucket(&input.bucket, &region) {
        Ok(_) => {}
        Err(StoreError::BucketAlreadyOwnedByYou(_)) if region == FIRST_REGION => {}
        Err(error) => return Err(from_store(error)),
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) }))
}

pub fn head(
    backend: &Backend,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    let bucket = backend.store.bucket(&request.input.bucket).map_err(from_store)?;
    let mut headers = HeaderMap::new();
    if let Ok(region) = HeaderValue::from_str(&bucket.region) {
        headers.insert("x-amz-bucket-region", region);
    }
    Ok(S3Response::with_headers(HeadBucketOutput::default(), headers))
}

pub fn delete(
    backend: &Backend,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    backend.store.delete_bucket(&request.input.bucket).map_err(from_store)?;
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

/// In pages where the client asks for pages; the token is the last name.
pub fn list(
    backend: &Backend,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let input = request.input;
    let prefix = input.prefix.unwrap_or_default();
    let mut buckets = backend.store.buckets().map_err(from_store)?;
    buckets.retain(|bucket| {
        bucket.name.starts_with(&prefix)
            && input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region)
            && input.continuation_token.as_ref().is_none_or(|token| bucket.name > *token)
    });
    let page = input.max_buckets.and_then(|max| usize::try_from(max).ok()).unwrap_or(buckets.len());
    let more = buckets.len() > page;
    buckets.truncate(page);
    Ok(S3Response::new(ListBucketsOutput {
        continuation_token: buckets.last().filter(|_| more).map(|last| last.name.clone()),
        buckets: Some(
            buckets
                .into_iter()
                .map(|bucket| dto::Bucket {
                    creation_date: Some(attributes::timestamp(bucket.created_at)),
                    bucket_region: Some(bucket.region),
                    name: Some(bucket.name),
                })
                .collect(),
        ),
        owner: Some(backend.owner()),
        prefix: (!prefix.is_empty()).then_some(prefix),
    }))
}

pub fn location(
    backend: &Backend,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let region = backend.store.bucket(&request.input.bucket).map_err(from_store)?.region;
    let constraint = (region != FIRST_REGION).then(|| region.into());
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}

pub fn versioning(
    backend: &Backend,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let versioning = backend.store.bucket(&request.input.bucket).map_err(from_store)?.versioning;
    let status = match versioning {
        Versioning::Off => None,
        Versioning::Enabled | Versioning::Suspended => {
            Some(BucketVersioningStatus::from_static(versioning.as_str()))
        }
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, mfa_delete: None }))
}

pub fn put_versioning(
    backend: &Backend,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let configuration = request.input.versioning_configuration;
    if configuration.mfa_delete.is_some_and(|mfa| mfa.as_str() == "Enabled") {
        return Err(s3_error!(NotImplemented, "MFA delete is not implemented"));
    }
    let versioning = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            return Err(s3_error!(
                IllegalVersioningConfigurationException,
                "the status is Enabled or Suspended"
            ));
        }
    };
    backend.store.set_versioning(&request.input.bucket, versioning).map_err(from_store)?;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

pub fn notification(
    backend: &Backend,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let bucket = backend.store.bucket(&request.input.bucket).map_err(from_store)?;
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: bucket.event_bridge.then(EventBridgeConfiguration::default),
        ..GetBucketNotificationConfigurationOutput::default()
    }))
}

/// EventBridge alone: other destinations are refused rather than forgotten.
pub fn put_notification(
    backend: &Backend,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let configuration = request.input.notification_configuration;
    let has_others =
        configuration.lambda_function_configurations.is_some_and(|list| !list.is_empty())
            || configuration.queue_configurations.is_some_and(|list| !list.is_empty())
            || configuration.topic_configurations.is_some_and(|list| !list.is_empty());
    if has_others {
        return Err(s3_error!(NotImplemented, "notifications go to EventBridge alone"));
    }
    let enabled = configuration.event_bridge_configuration.is_some();
    backend.store.set_event_bridge(&request.input.bucket, enabled).map_err(from_store)?;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default()))
}
