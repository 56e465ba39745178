//! The Lambda function `load`.

use lambda_runtime::Error;
use load::{Config, State, handle};
use shared::{config, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let sdk = lambda::sdk_config().await;
    let state = config::read(Config::read).map(|config| State {
        s3: aws_sdk_s3::Client::new(&sdk),
        glue: aws_sdk_glue::Client::new(&sdk),
        cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
        config,
    });
    lambda::serve(state, handle).await
}
