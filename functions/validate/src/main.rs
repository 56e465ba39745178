//! The Lambda function `validate`.

use lambda_runtime::Error;
use shared::{config, lambda};
use validate::{Config, State, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sdk = lambda::sdk_config().await;
    let state = config::read(Config::read).map(|config| State::new(&sdk, config));
    lambda::serve(state, handle).await
}
