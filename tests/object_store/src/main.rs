//! Holds the local S3 against `object_store`'s own tests of a store, over HTTP:
//! `cargo run --manifest-path tests/object_store/Cargo.toml --target-dir target/object_store [-- PROGRAM CASE]`.
//!
//! It is DataFusion's client of S3, and Arrow's: what reads a lake in Rust speaks as it does.

mod case;
mod loopback;
mod server;

use std::process::ExitCode;
use std::sync::Arc;

use case::Dialect;
use server::Server;

/// What must be left out, and why: nothing is.
const EXCUSED: &[(Dialect, &str, &str)] = &[];

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().unwrap_or_else(|| "target/release/local".to_owned());
    let wanted = arguments.next();
    let server = match Server::start(program.as_ref()).await {
        Ok(server) => Arc::new(server),
        Err(error) => {
            eprintln!("{program} does not serve: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (mut passed, mut excused, mut failed) = (0, 0, 0);
    for dialect in Dialect::ALL {
        for name in case::NAMES.iter().filter(|name| wanted.as_ref().is_none_or(|w| w == *name)) {
            let bucket = format!("{dialect:?}-{}", name.replace('_', "-")).to_lowercase();
            server.bucket(&bucket).await;
            let store = dialect.store(&server, &bucket);
            let verdict = tokio::spawn(case::run(name, server.clone(), store, bucket)).await;
            let excuse = EXCUSED.iter().find(|(d, n, _)| *d == dialect && n == name);
            match (verdict, excuse) {
                (Ok(()), None) => passed += 1,
                (Ok(()), Some(_)) => {
                    failed += 1;
                    println!("PASSES, though it is excused: {dialect:?} {name}");
                }
                (Err(_), Some((_, _, reason))) => {
                    excused += 1;
                    println!("excused: {dialect:?} {name}: {reason}");
                }
                (Err(_), None) => {
                    failed += 1;
                    println!("FAILED: {dialect:?} {name}");
                }
            }
        }
    }
    println!("S3 by object_store: {passed} passed, {excused} excused, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
