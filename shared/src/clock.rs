//! The time, handed in: a function's `main` takes the system's, a simulation its own.

use jiff::Timestamp;

/// Tells what time it is.
pub type Clock = fn() -> Timestamp;
