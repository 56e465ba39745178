//! What time it is for everything in a data directory.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A runtime's clock that is further off than this was paused.
const OFF: Duration = Duration::from_secs(1);

/// Two looks at one virtual instant must tell the same time, whatever passes between them.
static ANCHOR: OnceLock<(Instant, Timestamp)> = OnceLock::new();

/// The time of the runtime this is called in: the system's, or the virtual time of a runtime whose clock was paused
/// ([`tokio::time::pause`]), so that a simulation's objects, tables and executions are as old as its sleeps make them.
pub fn now() -> Timestamp {
    let (runtime, system) = (tokio::time::Instant::now().into_std(), Instant::now());
    let off = runtime.max(system).duration_since(runtime.min(system));
    if off < OFF {
        return Timestamp::now();
    }
    let (instant, time) = *ANCHOR.get_or_init(|| (system, Timestamp::now()));
    let ahead = signed(runtime.saturating_duration_since(instant));
    let behind = signed(instant.saturating_duration_since(runtime));
    let time = time.checked_add(ahead - behind).unwrap_or(Timestamp::MAX);
    // The runtime's timers tick in milliseconds, and what is waited for must not depend on where between two it began.
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_runtime_has_its_own_time() {
        tokio::time::sleep(Duration::from_hours(1)).await;
        let before = now();
        tokio::time::sleep(Duration::from_hours(48)).await;
        assert_eq!(now(), now());
        let passed = now().duration_since(before);
        // The two clocks are read one after the other.
        assert!(passed > SignedDuration::from_hours(47), "{passed}");
        assert!(passed < SignedDuration::from_hours(49), "{passed}");
    }
}
