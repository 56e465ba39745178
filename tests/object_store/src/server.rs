//! `local serve` on a data directory of its own.

use std::path::Path;
use std::process::Stdio;

use reqwest::{Client, StatusCode};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::loopback::Loopback;

/// A running endpoint. It ends, and its data with it, when this is dropped.
pub struct Server {
    pub endpoint: String,
    pub client: Client,
    _data: tempfile::TempDir,
    _process: Child,
}

impl Server {
    /// Starts the program and waits for its line `ready <endpoint>`.
    pub async fn start(program: &Path) -> std::io::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .args(["serve", "--empty", "--port", "0", "--data-dir"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(endpoint) = line.strip_prefix("ready ") {
                return Ok(Self {
                    endpoint: endpoint.to_owned(),
                    client: Loopback::client().map_err(std::io::Error::other)?,
                    _data: data,
                    _process: process,
                });
            }
        }
        Err(std::io::Error::other("the server ended before it was ready"))
    }

    /// A new bucket, made as any client would.
    pub async fn bucket(&self, name: &str) {
        let url = format!("{}/{name}", self.endpoint);
        let answer = self.client.put(url).send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::OK, "bucket {name}");
    }

    pub async fn get(&self, target: &str) -> String {
        let url = format!("{}/{target}", self.endpoint);
        let answer = self.client.get(url).send().await.expect("the server answers");
        answer.text().await.expect("the answer is text")
    }
}
