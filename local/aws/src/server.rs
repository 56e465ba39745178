//! The TCP door: HTTP/1.1 on a loopback listener.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Services;
use crate::scheduler::Scheduler;
use crate::wire::Body;
use crate::wire::idle::{LONGEST_PAUSE, Patient};

/// Connections at once; more wait to be accepted. Half of the files that systems let a process open.
const MOST_CONNECTIONS: usize = 512;

/// How long a request's head may take, and a connection wait for its next request.
const LONGEST_HEAD: Duration = Duration::from_secs(30);

/// Headers of one request: S3's own clients send about 20 and up to 2 KiB of metadata.
const MOST_HEADERS: usize = 200;

/// Bytes of a request's head. A key of 1,024 bytes is three times as long in a URL, policies of presigned URLs are longer.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long to wait for files when the system has no more of them.
const RELIEF: Duration = Duration::from_millis(50);

/// A page that answers before the services do; it gives back what it does not want.
pub type Front = Arc<
    dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Request<Body>>>
        + Send
        + Sync,
>;

impl Services {
    /// Serves until dropped, and fires schedules for as long. `front` sees every request first (the console).
    pub async fn serve(self, listener: TcpListener, front: Option<Front>) -> std::io::Result<()> {
        let mut connections = JoinSet::new();
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        connections.spawn(Scheduler::run(self.link()));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return Ok(()) };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // A client that is gone again, or no file left for it: neither is the end of the server.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(RELIEF).await;
                    continue;
                }
            };
            let connection = self.clone().connection(stream, front.clone());
            connections.spawn(async move {
                connection.await;
                drop(slot);
            });
            while connections.try_join_next().is_some() {}
        }
    }

    async fn connection(self, stream: TcpStream, front: Option<Front>) {
        let service = service_fn(move |request: Request<Incoming>| {
            let (services, front) = (self.clone(), front.clone());
            async move {
                let mut request =
                    request.map(|body| Body::http_body(Patient::new(body, LONGEST_PAUSE)));
                if let Some(front) = front {
                    match front(request).await {
                        Ok(response) => return Ok::<_, Infallible>(response),
                        Err(passed_on) => request = passed_on,
                    }
                }
                Ok(services.call(request).await)
            }
        });
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers may wait to be sent");
        }
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_HEAD)
            .max_headers(MOST_HEADERS)
            .max_header_size(LARGEST_HEAD)
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "a client closed its connection");
        }
    }
}
