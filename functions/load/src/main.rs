//! The Lambda function `load`.

use lambda_runtime::Error;
use load::{Config, State, handle};
use shared::{config, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sdk = lambda::sdk_config().await;
    let state = config::read(Config::read).map(|config| State::new(&sdk, config));
    lambda::serve(state, handle).await
}
