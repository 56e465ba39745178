//! The services together, in process, on a data directory of their own.

mod events;
#[expect(clippy::disallowed_methods, reason = "a function reads its environment and may be slow")]
mod function;
mod intruders;
mod items;
#[expect(
    clippy::disallowed_methods,
    reason = "a test that runs itself as another process tells it so"
)]
mod lambda;
mod metering;
mod permissions;
mod redrive;
mod stepfunctions;
mod test_state;
mod wire;

use lake::Lake;
use serde_json::{Value, json};

use crate::{Services, Settings};

/// Services on a temporary data directory, served on a port of their own.
pub struct Account {
    pub services: Services,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Account {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Account {
    pub async fn open() -> Self {
        Account::on(Lake::temporary().unwrap()).await
    }

    pub async fn on(lake: Lake) -> Self {
        Account::with(lake, Settings::default()).await
    }

    /// With a mock configuration.
    pub async fn mocked(file: &std::path::Path) -> Self {
        let settings = Settings { mock_config: Some(file.to_owned()), ..Settings::default() };
        Account::with(Lake::temporary().unwrap(), settings).await
    }

    async fn with(lake: Lake, settings: Settings) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let services = Services::open(lake, Settings { endpoint, ..settings }).unwrap();
        let server = tokio::spawn(services.clone().serve(listener, None));
        Account { services, server }
    }

    pub async fn call(&self, service: &str, action: &str, input: Value) -> Value {
        match self.services.dispatch(service, action, input).await {
            Ok(output) => output,
            Err(error) => panic!("{service}:{action}: {error}"),
        }
    }

    pub async fn refused(&self, service: &str, action: &str, input: Value) -> String {
        match self.services.dispatch(service, action, input).await {
            Ok(output) => panic!("{service}:{action} answered {output}"),
            Err(error) => error.code.into_owned(),
        }
    }

    /// Creates a machine and answers its ARN.
    pub async fn machine(&self, name: &str, definition: Value) -> String {
        let input = json!({
            "name": name,
            "definition": definition.to_string(),
            "roleArn": "arn:aws:iam::123456789012:role/test",
        });
        let answer = self.call("states", "CreateStateMachine", input).await;
        answer["stateMachineArn"].as_str().unwrap().to_owned()
    }

    /// Starts an execution, waits for its end and answers `DescribeExecution`'s answer.
    pub async fn execute(&self, machine: &str, input: Value) -> Value {
        let start = json!({"stateMachineArn": machine, "input": input.to_string()});
        let started = self.call("states", "StartExecution", start).await;
        self.ended(started["executionArn"].as_str().unwrap()).await
    }

    pub async fn ended(&self, execution: &str) -> Value {
        self.services.stepfunctions().wait(execution).await.unwrap()
    }

    pub async fn history(&self, execution: &str) -> Vec<Value> {
        let input = json!({"executionArn": execution, "maxResults": 1000});
        let answer = self.call("states", "GetExecutionHistory", input).await;
        answer["events"].as_array().unwrap().clone()
    }

    pub async fn types(&self, execution: &str) -> Vec<String> {
        let events = self.history(execution).await;
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }
}
