//! Bodies that may come slowly, but must come.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// How long nothing of a body may come. S3 closes idle connections after about as long, with `RequestTimeout`.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A request's body, given up when its client has stopped in the middle of it.
pub struct Patient {
    body: Incoming,
    pause: Duration,
    /// Runs while the body is waited for.
    clock: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error("nothing of the body came for {0:?}: idle connections are closed")]
    Idle(Duration),
    #[error(transparent)]
    Connection(#[from] hyper::Error),
}

impl Patient {
    pub fn new(body: Incoming, pause: Duration) -> Self {
        Self { body, pause, clock: None }
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.clock = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Lost::from)));
        }
        let pause = self.pause;
        let clock = self
            .clock
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + pause)));
        ready!(clock.as_mut().poll(context));
        Poll::Ready(Some(Err(Lost::Idle(pause))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
