//! Cold start and size of each function: from spawn to its first `GET /next`.
//!
//! `cargo bench -p tests --bench cold_start [-- RUNS [DIRECTORY]]`: binaries are taken from `target/release`, or from
//! DIRECTORY (such as `target/lambda`, what ships). Printed: size of the file, milliseconds (lowest, median, highest)
//! and the highest resident memory at that moment.

#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "prints a table of small figures"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FUNCTIONS: &[&str] = &["extract", "validate", "check-athena-result", "load", "handle-error"];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let runs: usize = arguments.next().map_or(20, |runs| runs.parse().expect("RUNS is a number"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root");
    let folder = arguments.next().map_or_else(|| root.join("target/release"), PathBuf::from);
    let environment = environment_names(&root.join("template.yaml"));
    let rows: Vec<String> =
        FUNCTIONS.iter().map(|name| measure(&folder.join(name), &environment, runs)).collect();
    let head = ["function", "MiB", "min ms", "median ms", "max ms", "RSS MiB"];
    println!(
        "{:<22}{:>8}{:>10}{:>12}{:>10}{:>10}",
        head[0], head[1], head[2], head[3], head[4], head[5]
    );
    for row in &rows {
        println!("{row}");
    }
}

fn measure(binary: &Path, environment: &[String], runs: usize) -> String {
    let size = std::fs::metadata(binary)
        .unwrap_or_else(|_| panic!("{} is not there: build it first", binary.display()))
        .len();
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..=runs {
        let (time, resident) = start_once(binary, environment);
        times.push(time.as_secs_f64() * 1e3);
        memory = memory.max(resident);
    }
    times.remove(0); // the first run reads the file from disk
    times.sort_by(f64::total_cmp);
    let name = binary.file_name().expect("a file").to_string_lossy();
    format!(
        "{name:<22}{:>8.1}{:>10.1}{:>12.1}{:>10.1}{:>10.1}",
        size as f64 / 1_048_576.0,
        times[0],
        times[times.len() / 2],
        times[times.len() - 1],
        memory as f64 / 1024.0
    )
}

/// Time to the first `GET /next`, and resident KiB at that moment.
fn start_once(binary: &Path, environment: &[String]) -> (Duration, u64) {
    let runtime = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = runtime.local_addr().expect("bound");
    let start = Instant::now();
    let mut function = Command::new(binary)
        .env_clear()
        .envs(environment.iter().map(|name| (name, "placeholder")))
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "function")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the function starts");
    let (connection, _) = runtime.accept().expect("the function calls its runtime");
    let mut line = String::new();
    BufReader::new(&connection).read_line(&mut line).expect("a request line");
    let time = start.elapsed();
    assert!(line.contains("/invocation/next"), "first call was {line:?}");
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", function.id())).unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    function.kill().expect("the function is ours to end");
    function.wait().expect("the function has ended");
    (time, resident)
}

/// Names of environment variables the template sets.
fn environment_names(template: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(template).expect("template.yaml");
    let names = text.lines().filter_map(|line| line.trim().split_once(':')).map(|(name, _)| name);
    names
        .filter(|name| {
            name.len() > 3
                && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
        .map(str::to_owned)
        .collect()
}
