//! The Lambda function `extract`.

use extract::source::Site;
use extract::{Config, FIRST_PAUSE, State, handle};
use lambda_runtime::Error;
use shared::{config, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sdk = lambda::sdk_config().await;
    let state = config::read(Config::read).map(|config| State {
        s3: aws_sdk_s3::Client::new(&sdk),
        site: Site::new(&config.source_url, FIRST_PAUSE),
        config,
    });
    lambda::serve(state, handle).await
}
