//! The arithmetic of `Retry`: pure, without clock or chance of its own.

use std::time::Duration;

use crate::random;

/// The timing of one retrier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Schedule {
    pub interval_seconds: u64,
    pub max_attempts: u64,
    pub backoff_rate: f64,
    pub max_delay_seconds: Option<u64>,
    /// `JitterStrategy` FULL: anything from nothing to the delay.
    pub full_jitter: bool,
}

/// The longest delay, when neither `MaxDelaySeconds` nor sense limits it: a
/// year, the longest an execution lives.
const MAX_DELAY: f64 = 31_536_000.0;

impl Schedule {
    /// The delay before retry number `attempt` (from 0), or `None` when this
    /// retrier is used up. `random` is used for jitter only.
    pub fn delay(&self, attempt: u64, random: u64) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "seconds fit a double")]
        let interval = self.interval_seconds as f64;
        #[expect(clippy::cast_precision_loss, reason = "seconds fit a double")]
        let limit = self.max_delay_seconds.map_or(MAX_DELAY, |limit| limit as f64);
        let mut seconds = (interval * self.backoff_rate.powi(exponent)).min(limit);
        if self.full_jitter {
            seconds *= random::unit(random);
        }
        Some(Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        Schedule {
            interval_seconds: 3,
            max_attempts: 4,
            backoff_rate: 2.0,
            max_delay_seconds: Some(10),
            full_jitter: false,
        }
    }

    #[test]
    fn delays_grow_to_their_limit_and_end() {
        let seconds: Vec<_> = (0..6)
            .map(|attempt| schedule().delay(attempt, 0).map(|delay| delay.as_secs()))
            .collect();
        assert_eq!(seconds, [Some(3), Some(6), Some(10), Some(10), None, None]);
    }

    #[test]
    fn jitter_stays_below_the_delay() {
        let jittered = Schedule { full_jitter: true, ..schedule() };
        assert_eq!(jittered.delay(0, 0), Some(Duration::ZERO));
        let most = jittered.delay(0, u64::MAX).unwrap();
        assert!(most <= Duration::from_secs(3) && most > Duration::from_millis(2_999));
    }
}
