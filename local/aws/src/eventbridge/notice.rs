//! What services of this account have to say on the default event bus.

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

/// One event before the bus gives it an id, time, account and region.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// `aws.s3`, `aws.states`, …
    pub source: String,
    /// `Object Created`, …
    pub detail_type: String,
    /// ARNs the event is about.
    pub resources: Vec<String>,
    pub detail: Value,
}

/// Where a service leaves its notices; the bus delivers them to the rules' targets.
pub type Notices = UnboundedSender<Notice>;
