//! handle-error
