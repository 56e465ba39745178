//! The Lambda Runtime API, as one function process sees it: `GET next`, `POST response`, `POST error`.
//! Every instance has its own listener on 127.0.0.1, which goes with it.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::wire::door;

/// Lambda's limit of a synchronous response, in bytes.
pub const LARGEST_RESPONSE: usize = 6 * 1024 * 1024;

const PREFIX: &str = "/2018-06-01/runtime/";

/// One event on its way to the function.
pub struct Delivery {
    pub request_id: String,
    pub payload: Bytes,
    pub function_arn: String,
    /// Milliseconds since the epoch.
    pub deadline_ms: i64,
    pub trace_id: String,
    /// Told once the function has taken the event.
    pub taken: oneshot::Sender<()>,
    pub reply: oneshot::Sender<Reply>,
}

/// What the function said about one event.
#[derive(Debug)]
pub enum Reply {
    Response(Bytes),
    /// `{"errorType", "errorMessage", …}`
    Error(Bytes),
    /// Larger than [`LARGEST_RESPONSE`].
    TooLarge,
}

/// The host's end of one instance's Runtime API.
pub struct RuntimeApi {
    pub address: SocketAddr,
    deliveries: mpsc::UnboundedSender<Delivery>,
    shared: Arc<Shared>,
    _connections: JoinSet<()>,
}

struct Shared {
    deliveries: AsyncMutex<mpsc::UnboundedReceiver<Delivery>>,
    current: Mutex<Option<(String, oneshot::Sender<Reply>)>>,
    /// The first `GET next` has come.
    ready: watch::Sender<bool>,
    /// What `POST init/error` said.
    init_error: Mutex<Option<Bytes>>,
}

impl RuntimeApi {
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            deliveries: AsyncMutex::new(receiver),
            current: Mutex::new(None),
            ready: watch::Sender::new(false),
            init_error: Mutex::new(None),
        });
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, shared.clone()));
        Ok(RuntimeApi { address, deliveries: sender, shared, _connections: connections })
    }

    /// Returns when the function has asked for its first event.
    pub async fn ready(&self) {
        let mut ready = self.shared.ready.subscribe();
        // The sender lives in `shared`, so this cannot end early.
        let _ = ready.wait_for(|ready| *ready).await;
    }

    pub fn init_error(&self) -> Option<Bytes> {
        lock(&self.shared.init_error).take()
    }

    pub fn deliver(&self, delivery: Delivery) {
        // The receiver is held by `shared`, which lives as long as `self`.
        let _ = self.deliveries.send(delivery);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| answer(shared.clone(), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a function closed its runtime connection");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    if door::check(request.uri(), request.headers()).is_err() {
        return Ok(status(StatusCode::FORBIDDEN));
    }
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix(PREFIX) else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    if request.method() == Method::GET && path == "invocation/next" {
        return Ok(shared.next().await);
    }
    if request.method() != Method::POST {
        return Ok(status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let body = Limited::new(request.into_body(), LARGEST_RESPONSE)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    if path == "init/error" {
        *lock(&shared.init_error) = Some(body.unwrap_or_default());
        return Ok(status(StatusCode::ACCEPTED));
    }
    let Some((request_id, kind)) =
        path.strip_prefix("invocation/").and_then(|rest| rest.split_once('/'))
    else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    let reply = match (kind, body) {
        ("response", Ok(body)) => Reply::Response(body),
        ("error", Ok(body)) => Reply::Error(body),
        ("response" | "error", Err(error)) if error.is::<LengthLimitError>() => Reply::TooLarge,
        ("response" | "error", Err(_)) => return Ok(status(StatusCode::BAD_REQUEST)),
        _ => return Ok(status(StatusCode::NOT_FOUND)),
    };
    Ok(status(shared.reply(request_id, reply)))
}

impl Shared {
    async fn next(&self) -> Answer {
        self.ready.send_replace(true);
        let Some(delivery) = self.deliveries.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        *lock(&self.current) = Some((delivery.request_id.clone(), delivery.reply));
        let _ = delivery.taken.send(());
        let mut response = Response::new(Full::new(delivery.payload));
        let headers = [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", &delivery.request_id),
            ("lambda-runtime-deadline-ms", &delivery.deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", &delivery.function_arn),
            ("lambda-runtime-trace-id", &delivery.trace_id),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn reply(&self, request_id: &str, reply: Reply) -> StatusCode {
        let mut current = lock(&self.current);
        match current.take_if(|(id, _)| id == request_id) {
            Some((_, sender)) => {
                let code = match &reply {
                    Reply::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    Reply::Response(_) | Reply::Error(_) => StatusCode::ACCEPTED,
                };
                let _ = sender.send(reply);
                code
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

fn status(code: StatusCode) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}")));
    *response.status_mut() = code;
    response
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
