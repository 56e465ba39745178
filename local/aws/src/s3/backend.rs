//! The operations of S3 that there are: everything else answers `NotImplemented`, by its name.

use std::sync::Arc;

use lake::Store;
use lake::store::Versioning;
use s3s::{S3, S3Request, S3Response, S3Result, dto};

use super::authority::Asked;
use super::error::from_store;
use super::{bucket, copy, document, listing, object, part, tagging, upload};
use crate::Settings;
use crate::services::Link;

pub struct Backend {
    pub store: Store,
    pub settings: Arc<Settings>,
    pub link: Link,
}

impl Backend {
    /// Whether answers about the bucket's objects name their versions.
    pub fn is_versioned(&self, bucket: &str) -> S3Result<bool> {
        Ok(self.store.bucket(bucket).map_err(from_store)?.versioning != Versioning::Off)
    }

    /// Everything belongs to this account.
    pub fn owner(&self) -> dto::Owner {
        dto::Owner { display_name: None, id: Some(self.settings.account_id.clone()) }
    }
}

macro_rules! operations {
    (
        waiting { $($slow:ident($slow_input:ident) -> $slow_output:ident = $slow_path:path;)* }
        at_once { $($fast:ident($fast_input:ident) -> $fast_output:ident = $fast_path:path;)* }
    ) => {
        #[async_trait::async_trait]
        impl S3 for Backend {
            $(async fn $slow(
                &self,
                request: S3Request<dto::$slow_input>,
            ) -> S3Result<S3Response<dto::$slow_output>> {
                let Some(asked) = Asked::of(stringify!($slow_input), &request) else {
                    return $slow_path(self, request).await;
                };
                asked.allow(self)?;
                asked.disclose(self, $slow_path(self, request).await)
            })*
            $(async fn $fast(
                &self,
                request: S3Request<dto::$fast_input>,
            ) -> S3Result<S3Response<dto::$fast_output>> {
                let Some(asked) = Asked::of(stringify!($fast_input), &request) else {
                    return $fast_path(self, request);
                };
                asked.allow(self)?;
                asked.disclose(self, $fast_path(self, request))
            })*
        }
    };
}

operations! {
    waiting {
        put_object(PutObjectInput) -> PutObjectOutput = object::put;
        upload_part(UploadPartInput) -> UploadPartOutput = part::put;
        upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = part::copy;
        complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = upload::complete;
    }
    at_once {
        create_bucket(CreateBucketInput) -> CreateBucketOutput = bucket::create;
        head_bucket(HeadBucketInput) -> HeadBucketOutput = bucket::head;
        delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = bucket::delete;
        list_buckets(ListBucketsInput) -> ListBucketsOutput = bucket::list;
        get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket::location;
        get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = bucket::versioning;
        put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = bucket::put_versioning;
        get_bucket_notification_configuration(GetBucketNotificationConfigurationInput)
            -> GetBucketNotificationConfigurationOutput = bucket::notification;
        put_bucket_notification_configuration(PutBucketNotificationConfigurationInput)
            -> PutBucketNotificationConfigurationOutput = bucket::put_notification;

        get_object(GetObjectInput) -> GetObjectOutput = object::get;
        head_object(HeadObjectInput) -> HeadObjectOutput = object::head;
        delete_object(DeleteObjectInput) -> DeleteObjectOutput = object::delete;
        delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = object::delete_many;
        copy_object(CopyObjectInput) -> CopyObjectOutput = copy::copy;
        get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
        put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
        delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;

        list_objects(ListObjectsInput) -> ListObjectsOutput = listing::objects;
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listing::objects_v2;
        list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listing::versions;

        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = upload::create;
        abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = upload::abort;
        list_parts(ListPartsInput) -> ListPartsOutput = part::list;
        list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = upload::list;

        get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = document::policy;
        put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = document::put_policy;
        delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = document::delete_policy;
        get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = document::public_access;
        put_public_access_block(PutPublicAccessBlockInput)
            -> PutPublicAccessBlockOutput = document::put_public_access;
        delete_public_access_block(DeletePublicAccessBlockInput)
            -> DeletePublicAccessBlockOutput = document::delete_public_access;
        get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = document::encryption;
        put_bucket_encryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput = document::put_encryption;
        delete_bucket_encryption(DeleteBucketEncryptionInput)
            -> DeleteBucketEncryptionOutput = document::delete_encryption;
        get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput)
            -> GetBucketLifecycleConfigurationOutput = document::lifecycle;
        put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput)
            -> PutBucketLifecycleConfigurationOutput = document::put_lifecycle;
        delete_bucket_lifecycle(DeleteBucketLifecycleInput)
            -> DeleteBucketLifecycleOutput = document::delete_lifecycle;
        get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput = document::cors;
        put_bucket_cors(PutBucketCorsInput) -> PutBucketCorsOutput = document::put_cors;
        delete_bucket_cors(DeleteBucketCorsInput) -> DeleteBucketCorsOutput = document::delete_cors;
        get_bucket_ownership_controls(GetBucketOwnershipControlsInput)
            -> GetBucketOwnershipControlsOutput = document::ownership;
        put_bucket_ownership_controls(PutBucketOwnershipControlsInput)
            -> PutBucketOwnershipControlsOutput = document::put_ownership;
        delete_bucket_ownership_controls(DeleteBucketOwnershipControlsInput)
            -> DeleteBucketOwnershipControlsOutput = document::delete_ownership;
        get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = document::tagging;
        put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = document::put_tagging;
        delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = document::delete_tagging;
        get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = document::logging;
        put_bucket_logging(PutBucketLoggingInput) -> PutBucketLoggingOutput = document::put_logging;
    }
}
