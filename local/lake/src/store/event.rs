//! What S3 tells EventBridge about objects.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// An object was created or deleted in a bucket with EventBridge notifications on.
/// The fields are those of the event's `detail`.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectEvent {
    pub kind: ObjectEventKind,
    pub bucket: String,
    pub key: String,
    /// Bytes; for deletions nothing is known.
    pub size: Option<u64>,
    /// Without quotes.
    pub etag: Option<String>,
    /// Where the bucket has, or had, versioning.
    pub version_id: Option<String>,
    /// Hex digits; of two events of one key the later has the greater text.
    pub sequencer: String,
    /// The operation: `PutObject`, `CopyObject`, `CompleteMultipartUpload`,
    /// `DeleteObject`.
    pub reason: &'static str,
    pub time: jiff::Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectEventKind {
    Created,
    /// A version is gone for good.
    Deleted,
    /// The object is hidden behind a delete marker.
    DeleteMarkerCreated,
}

impl ObjectEventKind {
    /// The event's `detail-type`.
    pub fn detail_type(self) -> &'static str {
        match self {
            Self::Created => "Object Created",
            Self::Deleted | Self::DeleteMarkerCreated => "Object Deleted",
        }
    }
}

/// Those who want to hear. One that has gone is forgotten at the next event.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscribers(Arc<Mutex<Vec<mpsc::UnboundedSender<ObjectEvent>>>>);

impl Subscribers {
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<ObjectEvent> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    pub fn publish(&self, event: &ObjectEvent) {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        senders.retain(|sender| sender.send(event.clone()).is_ok());
    }
}
