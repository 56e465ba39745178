//! How a function meets the Lambda runtime: SDK configuration, JSON logs, events in, names out.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use aws_config::SdkConfig;

use crate::config::{self, ConfigError};
use crate::error::{ErrorName, NamedError, diagnostic};
use crate::log_line::LogLine;
use crate::payload::Payload;
use crate::xray::XRay;

/// Time for one try of an SDK call to connect, and for all its tries together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const OPERATION_TIMEOUT: Duration = Duration::from_mins(2);

/// The runtime logs every error too, without execution and month.
const SAID_TWICE: &str = "lambda_runtime::layers::panic=off";

#[derive(Debug, thiserror::Error)]
#[error("input: {0}")]
struct InvalidInput(String);

impl NamedError for InvalidInput {
    fn name(&self) -> ErrorName {
        ErrorName::InputInvalid
    }
}

/// The SDK's configuration from the environment (region, credentials, `AWS_ENDPOINT_URL`).
///
/// The SDK itself passes the trace header on: the runtime sets `_X_AMZN_TRACE_ID` for each
/// invocation, and the SDK's recursion-detection interceptor sends it as `X-Amzn-Trace-Id`.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries())
        .timeout_config(timeouts())
        .load()
        .await
}

/// How often the SDK tries a call.
pub fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4)
}

/// How long the SDK waits for an answer.
pub fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// Answers invocations until the process ends.
///
/// `state` is what `main` built: clients and configuration. A wrong configuration does not stop
/// the process, which would leave the state machine with `Runtime.ExitError`: every invocation
/// fails as `Config.Invalid` and says what to set. An event that is not an `I` is `Input.Invalid`.
pub async fn serve<S, I, O, E>(
    state: Result<S, ConfigError>,
    handle: impl AsyncFn(&S, I) -> Result<O, E>,
) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: NamedError,
{
    observe();
    let (state, handle) = (&state, &handle);
    let service = service_fn(move |event: LambdaEvent<Payload>| async move {
        let Payload(payload) = event.payload;
        let trace = event.context.xray_trace_id.as_deref();
        let span = span(payload.as_ref().unwrap_or(&Value::Null), trace);
        let answer = async {
            let payload = payload.map_err(|reason| diagnostic(&InvalidInput(reason)))?;
            answer(state, handle, payload).await
        };
        logged(answer).instrument(span).await
    });
    lambda_runtime::run(service).await
}

/// One line an invocation, with what the span knows of it.
async fn logged<O>(answer: impl Future<Output = Result<O, Diagnostic>>) -> Result<O, Diagnostic> {
    let answer = answer.await;
    match &answer {
        Ok(_) => tracing::info!("done"),
        Err(Diagnostic { error_type, error_message }) => {
            tracing::error!(error = error_type, cause = error_message, "failed");
        }
    }
    answer
}

/// What the runtime is told of one event: the handler's answer, or an error by its name.
pub async fn answer<S, I, O, E>(
    state: &Result<S, ConfigError>,
    handle: &impl AsyncFn(&S, I) -> Result<O, E>,
    payload: Value,
) -> Result<O, Diagnostic>
where
    I: DeserializeOwned,
    E: NamedError,
{
    let state = state.as_ref().map_err(|error| diagnostic(error))?;
    let input = serde_json::from_value(payload)
        .map_err(|error| diagnostic(&InvalidInput(error.to_string())))?;
    // Boxed, because the futures of SDK calls nest deeper than the compiler follows.
    Box::pin(handle(state, input)).await.map_err(|error| diagnostic(&error))
}

/// The span that puts execution, data set and month on every log line of an invocation, and its
/// calls into its trace.
fn span(payload: &Value, trace: Option<&str>) -> tracing::Span {
    let text = |pointers: &[&str]| {
        let found = pointers.iter().find_map(|pointer| payload.pointer(pointer)?.as_str());
        found.unwrap_or_default().to_owned()
    };
    tracing::info_span!(
        "invocation",
        xrayTraceId = trace,
        execution = text(&["/execution"]),
        dataset = text(&["/unit/dataset", "/dataset"]),
        month = text(&["/unit/month", "/month"]),
    )
}

/// Log lines on standard output, one JSON object each: `RUST_LOG` says from which level on, `info`
/// when it says nothing. Traces to the X-Ray daemon, where there is one.
fn observe() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("RUST_LOG")
        .from_env_lossy()
        .add_directive(SAID_TWICE.parse().expect("a directive"));
    let lines = tracing_subscriber::fmt::layer()
        .event_format(LogLine)
        .fmt_fields(JsonFields::new())
        .with_ansi(false)
        .with_filter(filter);
    let daemon = config::read(|env| env.optional("AWS_XRAY_DAEMON_ADDRESS")).ok().flatten();
    let traces = daemon.and_then(|address| XRay::connect(&address).ok());
    let wants = tracing_subscriber::filter::filter_fn(XRay::wants);
    tracing_subscriber::registry()
        .with(lines)
        .with(traces.map(|traces| traces.with_filter(wants)))
        .init();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Input {
        rows: u64,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no rows")]
    struct Empty;

    impl NamedError for Empty {
        fn name(&self) -> ErrorName {
            ErrorName::DataEmpty
        }
    }

    async fn error_type(state: Result<u64, ConfigError>, payload: Value) -> Result<u64, String> {
        let handle = async |more: &u64, input: Input| match input.rows {
            0 => Err(Empty),
            rows => Ok(rows + more),
        };
        answer(&state, &handle, payload).await.map_err(|diagnostic| diagnostic.error_type)
    }

    #[tokio::test]
    async fn errors_reach_the_runtime_by_name() {
        let unset = ConfigError { problems: vec!["DATABASE is not set".to_owned()] };
        assert_eq!(error_type(Ok(1), json!({"rows": 2, "new": true})).await, Ok(3));
        assert_eq!(error_type(Ok(1), json!({"rows": 0})).await, Err("Data.Empty".to_owned()));
        assert_eq!(error_type(Ok(1), json!({})).await, Err("Input.Invalid".to_owned()));
        assert_eq!(error_type(Err(unset), json!({})).await, Err("Config.Invalid".to_owned()));
    }
}
