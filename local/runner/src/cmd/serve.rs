//! `local serve`
use std::io::Write as _;
use std::path::PathBuf;

use aws::stepfunctions::MockConfig;

use super::{Deployed, Environment, interrupted};
use crate::cloud::{Address, Cloud};
use crate::console;
use crate::origin::From;

#[derive(clap::Args)]
pub struct Arguments {
    /// The port of 127.0.0.1 to answer on; 0 takes a free one
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Twelve digits
    #[arg(long, default_value = "123456789012", value_parser = account_id)]
    account_id: String,
    /// Deploy nothing: an account as it is when new
    #[arg(long)]
    empty: bool,
    /// Mocked services, in the file format of Step Functions Local: start `<state machine ARN>#<test case>`
    #[arg(long, value_name = "FILE", value_parser = mock_config)]
    mock_config: Option<PathBuf>,
    /// What the schedule looks at
    #[arg(long, value_name = "sample|tlc|DIR", default_value = "sample")]
    from: From,
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("expected twelve digits".to_owned())
    }
}

/// A file that holds what it should, wherever this process goes.
fn mock_config(text: &str) -> Result<PathBuf, String> {
    let path = std::path::absolute(text).map_err(|error| error.to_string())?;
    MockConfig::read(&path).map(|_| path)
}

pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<u8> {
    let address = Address {
        port: arguments.port,
        region: arguments.region,
        account_id: arguments.account_id,
        any_role: arguments.empty,
        mock_config: arguments.mock_config,
    };
    let (deployed, empty);
    let endpoint = if arguments.empty {
        empty =
            Cloud::open(&arguments.data_dir, &address, |services| Some(console::front(services)))
                .await?;
        empty.endpoint()
    } else {
        deployed = Deployed::open(
            &arguments.data_dir,
            &address,
            &arguments.from,
            |_, _| false,
            &[],
            |services| Some(console::front(services)),
            environment,
        )
        .await?;
        println!("console, and endpoint of every service: {}", deployed.cloud.endpoint());
        println!(
            "clients: export AWS_ENDPOINT_URL={} AWS_DISABLE_HOST_PREFIX_INJECTION=true",
            deployed.cloud.endpoint()
        );
        for (_, machine) in deployed.stack.state_machines() {
            println!("state machine: {}", machine.arn);
        }
        deployed.cloud.endpoint()
    };
    println!("ready {endpoint}");
    std::io::stdout().flush()?;
    interrupted().await?;
    Ok(0)
}
