//! `local fire`
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Deployed, Environment};
use crate::origin::From;
use crate::run::executions::StepFunctions;
use crate::run::render;
use crate::template::{Event, Stack, StateMachine, Trigger};

#[derive(clap::Args)]
pub struct Arguments {
    /// The port of a running `local serve`
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Without a running `serve`: where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    /// Without a running `serve`: what the schedule looks at
    #[arg(long, value_name = "sample|tlc|DIR", default_value = "sample")]
    from: From,
}

/// Starts what the schedule would start at 2 AM: on the port of a running `serve`, or
/// else in this process, to the end.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<u8> {
    if let Ok(stream) = TcpStream::connect(("127.0.0.1", arguments.port)).await {
        let stack = super::local_stack(&crate::project::Project::find()?)?;
        let (machine, event) = scheduled(&stack)?;
        let answer = start(stream, arguments.port, &machine.event_target, &input(event)).await?;
        println!("started {}", answer["executionArn"].as_str().unwrap_or_default());
        return Ok(0);
    }
    eprintln!("nothing answers on port {}: running the schedule here", arguments.port);
    let deployed = Deployed::plain(&arguments.data_dir, &arguments.from, environment).await?;
    let (machine, event) = scheduled(&deployed.stack)?;
    let step_functions = StepFunctions(deployed.cloud.services());
    let payload: Value =
        serde_json::from_str(&input(event)).context("the schedule's input is no JSON")?;
    let arn = step_functions.start(&machine.event_target, &payload).await?;
    let mut outcome = deployed.follow(&[&arn], "schedule").await?;
    // To a schedule it is no news that a month is not out yet.
    outcome.not_published = 0;
    outcome.settle();
    print!("{}", render(&outcome, None));
    Ok(outcome.exit_code())
}

fn scheduled(stack: &Stack) -> anyhow::Result<(&StateMachine, &Event)> {
    let mut events = stack
        .state_machines()
        .flat_map(|(_, machine)| machine.events.iter().map(move |event| (machine, event)));
    events
        .find(|(_, event)| event.trigger == Trigger::Schedule)
        .context("the template has no schedule: expected an event of type ScheduleV2")
}

fn input(event: &Event) -> String {
    event.properties["Input"].as_str().unwrap_or("{}").to_owned()
}

/// StartExecution over the port, as any client would send it.
async fn start(
    mut stream: TcpStream,
    port: u16,
    machine: &str,
    input: &str,
) -> anyhow::Result<Value> {
    let body = json!({"stateMachineArn": machine, "input": input}).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: AWSStepFunctions.StartExecution\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the port does not speak HTTP")?;
    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "port {port} refused: {body}");
    serde_json::from_str(body).context("the port does not answer as Step Functions does")
}
