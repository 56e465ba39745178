//! One execution environment of a function: a process and its Runtime API, with one event at a time.

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::credential::Credential;
use super::function::Function;
use super::process::{Line, Process};
use super::reaper::Reaper;
use super::runtime_api::{Delivery, Reply, RuntimeApi};
use crate::Settings;
use crate::xray::TraceHeader;

/// Lambda's limit for a function to come to its first `GET next`; what it takes more is the invocation's.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// Variables of this process that a function needs to reach the network from this machine.
const PASSED_ON: [&str; 8] = [
    "PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "TMPDIR",
];

pub struct Instance {
    pub revision: String,
    pub log_stream: String,
    pub idle_since: Instant,
    process: Process,
    api: RuntimeApi,
    _credential: Credential,
    lines: mpsc::UnboundedReceiver<Line>,
    started: Instant,
    /// Spawn to first `GET next`; told once, by the first invocation.
    init: Option<Duration>,
}

/// How an event ended at an instance.
#[derive(Debug)]
pub enum Ending {
    Response(Bytes),
    /// The function's own error document.
    Error(Bytes),
    /// The host's: exit, memory, time. The instance cannot be used again.
    Broken {
        error_type: &'static str,
        message: String,
    },
    /// The process had ended before it took the event: another instance may take it.
    NotTaken,
}

impl Ending {
    /// Payload and `X-Amz-Function-Error` of the answer.
    pub(super) fn answer(self) -> (Bytes, Option<&'static str>) {
        match self {
            Ending::Response(body) => (body, None),
            Ending::Error(body) => (body, Some("Unhandled")),
            Ending::Broken { error_type, message } => {
                (error_document(error_type, &message).to_string().into(), Some("Unhandled"))
            }
            Ending::NotTaken => unreachable!("an event not taken goes to another instance"),
        }
    }
}

pub struct Event<'a> {
    pub function: &'a Function,
    pub request_id: &'a str,
    pub payload: Bytes,
    /// As the function passes it on: the parent is its own segment.
    pub trace: &'a TraceHeader,
    /// The segment that has invoked it.
    pub caller: Option<&'a str>,
}

impl Instance {
    pub async fn start(
        function: &Function,
        settings: &Settings,
        daemon: SocketAddr,
        reaper: Arc<Reaper>,
        credential: Credential,
    ) -> std::io::Result<Self> {
        let started = Instant::now();
        let api = RuntimeApi::open().await?;
        let log_stream = format!(
            "{}[$LATEST]{}",
            lake::clock::now().strftime("%Y/%m/%d/"),
            Uuid::new_v4().simple()
        );
        let mut environment = environment(function, settings, daemon, &api, &log_stream);
        environment.push(("AWS_ACCESS_KEY_ID".to_owned(), credential.access_key.clone()));
        let (sender, lines) = mpsc::unbounded_channel();
        let process = Process::start(&function.binary, environment, &sender, reaper)?;
        Ok(Instance {
            revision: function.revision.clone(),
            log_stream,
            idle_since: started,
            process,
            api,
            _credential: credential,
            lines,
            started,
            init: None,
        })
    }

    pub fn is_usable(&self, function: &Function) -> bool {
        self.process.is_running() && self.revision == function.revision
    }

    /// Peak resident memory so far, bytes.
    pub fn peak_memory(&self) -> u64 {
        self.process.peak_memory()
    }

    /// What the process has printed since the last call.
    pub fn take_lines(&mut self) -> Vec<Line> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }

    /// Waits for the first `GET next`. `Some` is how long it took, at the first call alone.
    pub async fn initialise(&mut self, event: &Event<'_>) -> Result<Option<Duration>, Ending> {
        if self.init.is_some() {
            return Ok(None);
        }
        let limit = INIT_LIMIT + Duration::from_secs(event.function.timeout);
        tokio::select! {
            biased;
            () = self.api.ready() => {}
            status = self.process.exited() => {
                // A function that reports its trouble ends after it, so the report is there.
                return Err(match self.api.init_error() {
                    Some(document) => Ending::Error(document),
                    None => exited(status, event.request_id),
                });
            }
            () = tokio::time::sleep(limit) => {
                self.process.kill().await;
                return Err(timed_out(event));
            }
        }
        let took = self.started.elapsed();
        self.init = Some(took);
        Ok(Some(took))
    }

    /// Hands over one event and waits for its end.
    pub async fn run(&self, event: &Event<'_>) -> Ending {
        let limit = Duration::from_secs(event.function.timeout);
        let (taken, mut was_taken) = oneshot::channel();
        let (reply, mut replied) = oneshot::channel();
        let deadline = lake::clock::now().as_millisecond()
            + i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        self.api.deliver(Delivery {
            request_id: event.request_id.to_owned(),
            payload: event.payload.clone(),
            function_arn: event.function.arn.clone(),
            deadline_ms: deadline,
            trace_id: event.trace.to_string(),
            taken,
            reply,
        });
        let memory = event.function.memory_size * 1024 * 1024;
        tokio::select! {
            biased;
            reply = &mut replied => answered(reply.ok(), event),
            status = self.process.exited() => {
                if let Ok(reply) = replied.try_recv() {
                    answered(Some(reply), event)
                } else if was_taken.try_recv().is_ok() {
                    exited(status, event.request_id)
                } else {
                    Ending::NotTaken
                }
            }
            () = self.process.exceeds(memory) => {
                self.process.kill().await;
                Ending::Broken {
                    error_type: "Runtime.ExitError",
                    message: format!(
                        "RequestId: {} Error: Runtime exited with error: signal: killed",
                        event.request_id
                    ),
                }
            }
            () = tokio::time::sleep(limit) => {
                self.process.kill().await;
                timed_out(event)
            }
        }
    }
}

fn answered(reply: Option<Reply>, event: &Event<'_>) -> Ending {
    match reply {
        Some(Reply::Response(body)) => Ending::Response(body),
        Some(Reply::Error(body)) => Ending::Error(body),
        Some(Reply::TooLarge) => Ending::Error(Bytes::from(
            json!({
                "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
                "errorType": "Function.ResponseSizeTooLarge",
            })
            .to_string(),
        )),
        // The Runtime API keeps the sender until the function has answered.
        None => exited(ExitStatus::default(), event.request_id),
    }
}

fn exited(status: ExitStatus, request_id: &str) -> Ending {
    let reason = match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (None, Some(6)) => "Runtime exited with error: signal: aborted".to_owned(),
        (None, signal) => {
            format!("Runtime exited with error: signal: {}", signal.unwrap_or_default())
        }
    };
    Ending::Broken {
        error_type: "Runtime.ExitError",
        message: format!("RequestId: {request_id} Error: {reason}"),
    }
}

pub(super) fn timed_out(event: &Event<'_>) -> Ending {
    Ending::Broken {
        error_type: "Sandbox.Timedout",
        message: format!(
            "{} {} Task timed out after {:.2} seconds",
            lake::clock::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
            event.request_id,
            Duration::from_secs(event.function.timeout).as_secs_f64(),
        ),
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
#[expect(clippy::disallowed_methods, reason = "a child gets its parent's way to the network")]
fn environment(
    function: &Function,
    settings: &Settings,
    daemon: SocketAddr,
    api: &RuntimeApi,
    log_stream: &str,
) -> Vec<(String, String)> {
    let root = function.binary.parent().unwrap_or(&function.binary);
    let own = [
        ("_HANDLER", function.handler.clone()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_SESSION_TOKEN", "local".to_owned()),
        ("AWS_DEFAULT_REGION", settings.region.clone()),
        ("AWS_ENDPOINT_URL", settings.endpoint.clone()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", function.runtime)),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_size.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
        ("AWS_REGION", settings.region.clone()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("AWS_XRAY_DAEMON_ADDRESS", daemon.to_string()),
        ("LAMBDA_TASK_ROOT", root.display().to_string()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    let passed_on =
        PASSED_ON.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    let mut all: Vec<(String, String)> = passed_on.collect();
    // What the template sets is set before what Lambda reserves.
    all.extend(function.environment.clone());
    all.extend(own.map(|(name, value)| (name.to_owned(), value)));
    all
}

/// The document of a host error, as Lambda words it.
pub fn error_document(error_type: &str, message: &str) -> Value {
    json!({"errorType": error_type, "errorMessage": message})
}
