//! Virtual time: when nothing else can go on, the next timer is due.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use jiff::Timestamp;

pub struct Clock(Mutex<State>);

struct State {
    now: Timestamp,
    timers: BTreeMap<(Timestamp, u64), Waker>,
    next: u64,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock {
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(State { now, timers: BTreeMap::new(), next: 0 }))
    }

    pub fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    pub async fn sleep_until(&self, instant: Timestamp) {
        std::future::poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if state.now >= instant {
                return Poll::Ready(());
            }
            state.next += 1;
            let id = state.next;
            state.timers.insert((instant, id), context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs to the end, or to the point where nothing will ever happen again.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Some(value);
                }
            }
            let mut state = self.0.lock().unwrap();
            let ((instant, _), timer) = state.timers.pop_first()?;
            state.now = state.now.max(instant);
            drop(state);
            timer.wake();
        }
    }
}
