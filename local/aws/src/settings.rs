//! Who this account is.

use std::path::PathBuf;

/// The identity every ARN, URL and endpoint of this process is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Twelve digits.
    pub account_id: String,
    pub region: String,
    /// Where this server answers, as `http://127.0.0.1:4566`: queue URLs and functions' `AWS_ENDPOINT_URL`.
    pub endpoint: String,
    /// Whether any role's ARN is accepted: a role is then held to its policies only if it was given any, and a
    /// service may call whatever has no policy of its own.
    pub any_role: bool,
    /// Mocked services, in the file format of Step Functions Local.
    pub mock_config: Option<PathBuf>,
}

impl Settings {
    /// `arn:aws:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account_id)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: "http://127.0.0.1:4566".to_owned(),
            any_role: true,
            mock_config: None,
        }
    }
}
