//! The five functions within this process: their own handlers and clients, and an end whenever the gate says so.

use std::sync::Arc;

use async_trait::async_trait;
use aws::Link;
use aws::lambda::Ending;
use aws::stand_in::{FunctionEvent, Functions};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use serde::Serialize;
use serde_json::{Value, json};
use shared::config::Environment;
use shared::lambda;
use tokio::sync::Notify;

use super::connector::Connector;
use super::dice;
use super::gate::Gate;
use super::observer::Observer;
use super::site::{Site, Wire};

/// Ends a function at once.
#[derive(Clone, Debug, Default)]
pub struct Crash(Arc<Notify>);

impl Crash {
    /// The one who calls is dropped with the function.
    pub async fn now<T>(&self) -> T {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Runs the deployed handlers.
pub struct InProcess {
    pub link: Link,
    pub gate: Arc<Gate>,
    pub observer: Arc<Observer>,
    pub site: Site,
}

#[async_trait]
impl Functions for InProcess {
    async fn handle(&self, event: FunctionEvent) -> Ending {
        let crash = Crash::default();
        let ended = tokio::select! {
            answer = self.run(&event, crash.clone()) => answer,
            () = crash.0.notified() => {
                return Ending::Broken {
                    error_type: "Runtime.ExitError",
                    message: format!(
                        "RequestId: {} Error: Runtime exited with error: signal: killed",
                        event.request_id
                    ),
                };
            }
        };
        match ended {
            Ok(answer) => Ending::Response(answer.to_string().into()),
            Err(document) => Ending::Error(document.to_string().into()),
        }
    }
}

impl InProcess {
    /// The answer or the error document of the function that the event is for.
    async fn run(&self, event: &FunctionEvent, crash: Crash) -> Result<Value, Value> {
        let binary = event.function.binary.file_name().unwrap_or_default().to_string_lossy();
        let environment = || Environment::new(event.function.environment.clone());
        let sdk = self.sdk(event, &binary, crash.clone());
        let payload: Value = serde_json::from_slice(&event.payload).unwrap_or_default();
        let clock = lake::clock::now;
        match binary.as_ref() {
            "extract" => {
                let state = environment().build(extract::Config::read).map(|config| {
                    let wire = Wire { site: self.site.clone(), gate: self.gate.clone(), crash };
                    let site = extract::source::Site::over(
                        Arc::new(wire),
                        &config.source_url,
                        extract::FIRST_PAUSE,
                    );
                    extract::State { clock, ..extract::State::with(&sdk, config, site) }
                });
                told(lambda::answer(&state, &extract::handle, payload).await)
            }
            "validate" => {
                let state = environment().build(validate::Config::read);
                let state = state
                    .map(|config| validate::State { clock, ..validate::State::new(&sdk, config) });
                told(lambda::answer(&state, &validate::handle, payload).await)
            }
            "check-athena-result" => {
                let state = environment().build(check_athena_result::Config::read);
                let state = state.map(|config| check_athena_result::State {
                    clock,
                    ..check_athena_result::State::new(&sdk, config)
                });
                told(lambda::answer(&state, &check_athena_result::handle, payload).await)
            }
            "load" => {
                let state = environment()
                    .build(load::Config::read)
                    .map(|config| load::State { clock, ..load::State::new(&sdk, config) });
                told(lambda::answer(&state, &load::handle, payload).await)
            }
            "handle-error" => {
                let state = environment().build(handle_error::Config::read).map(|config| {
                    handle_error::State {
                        jitter: dice::fraction,
                        ..handle_error::State::new(&sdk, config)
                    }
                });
                told(lambda::answer(&state, &handle_error::handle, payload).await)
            }
            other => panic!("the template has a function {other} that no simulation knows"),
        }
    }

    /// As `main` makes it, but for the way to the services.
    fn sdk(&self, event: &FunctionEvent, function: &str, crash: Crash) -> SdkConfig {
        let connector = Connector {
            link: self.link.clone(),
            gate: self.gate.clone(),
            observer: self.observer.clone(),
            function: function.to_owned(),
            trace_id: event.trace_id.clone(),
            crash,
        };
        let key = event.function.role.rsplit('/').next().unwrap_or_default();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url("http://127.0.0.1:4566")
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                key,
                "local",
                None,
                None,
                "simulation",
            )))
            .http_client(connector)
            .retry_config(lambda::retries().with_use_static_exponential_base(true))
            .timeout_config(lambda::timeouts())
            .sleep_impl(
                aws_smithy_async::rt::sleep::default_async_sleep().expect("a Tokio runtime"),
            )
            .build()
    }
}

fn told<O: Serialize>(answer: Result<O, lambda_runtime::Diagnostic>) -> Result<Value, Value> {
    match answer {
        Ok(output) => Ok(serde_json::to_value(output).expect("an answer is JSON")),
        Err(diagnostic) => Err(json!({
            "errorType": diagnostic.error_type,
            "errorMessage": diagnostic.error_message,
        })),
    }
}
