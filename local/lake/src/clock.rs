//! What time it is for everything in a data directory.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The time of the runtime this is called in: the system's, or the virtual time of a runtime whose clock was paused
/// ([`tokio::time::pause`]), so that a simulation's objects, tables and executions are as old as its sleeps make them.
pub fn now() -> Timestamp {
    let (runtime, system) = (tokio::time::Instant::now().into_std(), std::time::Instant::now());
    // A paused clock stands still while work is done, and leaps ahead when all wait.
    let ahead = signed(runtime.saturating_duration_since(system));
    let behind = signed(system.saturating_duration_since(runtime));
    Timestamp::now().checked_add(ahead - behind).unwrap_or(Timestamp::MAX)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_has_its_own_time() {
        let before = now();
        tokio::time::sleep(Duration::from_hours(48)).await;
        let passed = now().duration_since(before);
        // The two clocks are read one after the other.
        assert!(passed > SignedDuration::from_hours(47), "{passed}");
        assert!(passed < SignedDuration::from_hours(49), "{passed}");
    }
}
