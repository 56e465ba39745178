//! EventBridge: the default bus of this account.

pub mod notice;

pub use notice::{Notice, Notices};
