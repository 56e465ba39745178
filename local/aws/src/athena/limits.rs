//! Athena's quotas.

use std::time::Duration;

use tokio::time::Instant;

/// How much runs at once, and what is refused or cut off. AWS's quotas are off by default.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
#[derive(Clone, Debug)]
pub struct Limits {
    /// SELECT, INSERT, CTAS, UNLOAD and the like running at once.
    pub dml_running: usize,
    /// All other statements running at once.
    pub ddl_running: usize,
    /// Queued and running queries of a class; one more is `TooManyRequestsException`. AWS: 20 DDL, 20 to 200 DML.
    pub dml_active: Option<usize>,
    pub ddl_active: Option<usize>,
    /// AWS: 30 minutes.
    pub dml_timeout: Option<Duration>,
    /// AWS: 600 minutes.
    pub ddl_timeout: Option<Duration>,
    /// How often `StartQueryExecution` is taken; once more is `TooManyRequestsException`. AWS: 20 a second, 80 at once.
    pub starts: Option<Rate>,
    /// A query runs at least so long. On AWS it is seconds; here, on virtual time, it would be nothing.
    pub least_running: Duration,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: f64,
    /// So often at once.
    pub burst: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            dml_running: 2,
            ddl_running: 2,
            dml_active: None,
            ddl_active: None,
            dml_timeout: None,
            ddl_timeout: None,
            starts: None,
            least_running: Duration::ZERO,
        }
    }
}

/// A rate at work: tokens come in and are taken.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub fn new(rate: Rate) -> Self {
        Bucket { rate, tokens: rate.burst, at: Instant::now() }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self) -> bool {
        let now = Instant::now();
        let come = now.duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.tokens = (self.tokens + come).min(self.rate.burst);
        self.at = now;
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(Rate { per_second: 2.0, burst: 3.0 });
        let taken = |bucket: &mut Bucket| (0..10).filter(|_| bucket.take()).count();
        assert_eq!(taken(&mut bucket), 3);
        tokio::time::advance(Duration::from_millis(1_100)).await;
        assert_eq!(taken(&mut bucket), 2);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(taken(&mut bucket), 3);
    }
}
