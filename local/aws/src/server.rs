//! The TCP door: HTTP/1.1 on a loopback listener.

use std::convert::Infallible;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Services;
use crate::scheduler::Scheduler;
use crate::wire::Body;

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
        connections.spawn(Scheduler::run(self.link()));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            connections.spawn(self.clone().connection(stream, front.clone()));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn connection(self, stream: TcpStream, front: Option<Front>) {
        let service = service_fn(move |request: Request<Incoming>| {
            let (services, front) = (self.clone(), front.clone());
            async move {
                let mut request = request.map(Body::from);
                if let Some(front) = front {
                    match front(request).await {
                        Ok(response) => return Ok::<_, Infallible>(response),
                        Err(passed_on) => request = passed_on,
                    }
                }
                Ok(services.call(request).await)
            }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "a client closed its connection");
        }
    }
}
