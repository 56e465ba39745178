//! A site that is slower than any deadline, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use extract::ExtractError;
use extract::source::{Site, Transport};
use futures::StreamExt;
use futures::future::BoxFuture;
use reqwest::{Body, Request, Response};
use shared::error::NamedError;

use super::{FILE, Reply, fetch, state, unit};

/// How a site keeps somebody waiting.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// It takes the request and says nothing.
    Silent,
    /// Some bytes, and then nothing.
    Stalled,
    /// A byte now and then, for ever.
    Trickle(Duration),
}

#[derive(Debug)]
struct Slow {
    pace: Pace,
    asked: Arc<AtomicUsize>,
}

impl Transport for Slow {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, String>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let pace = self.pace;
        Box::pin(async move {
            let first = futures::stream::iter([Ok::<_, String>("a,b\n")]);
            let body = match pace {
                Pace::Silent => return futures::future::pending().await,
                Pace::Stalled => Body::wrap_stream(first.chain(futures::stream::pending())),
                Pace::Trickle(pause) => {
                    let more = futures::stream::repeat(()).then(move |()| async move {
                        tokio::time::sleep(pause).await;
                        Ok("1")
                    });
                    Body::wrap_stream(first.chain(more))
                }
            };
            let answer = reqwest_answer().body(body).unwrap();
            Ok(answer.into())
        })
    }
}

fn reqwest_answer() -> http::response::Builder {
    http::Response::builder().status(200).header("etag", "\"e\"").header("content-length", "100000")
}

/// How the fetch ends, after how many seconds, and how many requests.
async fn fetched(pace: Pace) -> (ExtractError, u64, usize) {
    let (mut state, _) = state(|_| Reply::status(404)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let slow = Slow { pace, asked: Arc::clone(&asked) };
    state.site = Site::over(Arc::new(slow), &state.config.source_url, super::PAUSE);
    let begun = tokio::time::Instant::now();
    let error = fetch::fetch(&state, &unit(&state, FILE), None).await.unwrap_err();
    (error, begun.elapsed().as_secs(), asked.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_site_that_falls_silent_is_given_up_after_a_bound() {
    let (error, seconds, asked) = fetched(Pace::Silent).await;
    assert_eq!(error.name().as_str(), "Source.Unavailable", "{error}");
    assert_eq!((seconds, asked), (30, 1), "{error}");
    // A 200 to the request for the rest is another file.
    let (error, seconds, asked) = fetched(Pace::Stalled).await;
    assert_eq!(error.name().as_str(), "Source.Changed", "{error}");
    assert_eq!((seconds, asked), (30, 2), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_trickles_has_a_deadline_as_a_whole() {
    let (error, seconds, asked) = fetched(Pace::Trickle(Duration::from_secs(29))).await;
    assert_eq!(error.name().as_str(), "Source.Unavailable", "{error}");
    assert!(error.to_string().contains("within 840 seconds"), "{error}");
    assert_eq!((seconds, asked), (840, 1), "{error}");
}
