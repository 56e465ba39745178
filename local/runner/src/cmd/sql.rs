//! `local sql`
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cloud::{Address, Cloud};
use crate::query::{self, Answer};
use crate::rows::Format;

#[derive(clap::Args)]
pub struct Arguments {
    /// The statement, as Athena takes it
    statement: String,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let cloud = Cloud::open(&arguments.data_dir, &Address::default(), |_| None).await?;
    let context = query::context(&cloud).await?;
    let rows = match query::run(&cloud, &context, &arguments.statement).await? {
        Answer::Rows(rows) => rows,
        Answer::Refused(reason) => return refuse(&reason, &arguments.statement),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match rows.write(arguments.format, &mut out) {
        // The reader of a pipe may have had enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        written => written.map(|()| 0).context("standard output cannot be written"),
    }
}

/// Says what is wrong, with a caret below the place where the message names one.
fn refuse(message: &str, statement: &str) -> anyhow::Result<u8> {
    eprintln!("error: {message}");
    let place = message.split("line ").skip(1).find_map(|rest| {
        let (line, rest) = rest.split_once(':')?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((line.parse::<usize>().ok()?, digits.parse::<usize>().ok()?))
    });
    if let Some((line, column)) = place
        && let Some(text) = statement.lines().nth(line.saturating_sub(1))
    {
        eprintln!("  {text}\n  {}^", " ".repeat(column.saturating_sub(1)));
    }
    Ok(1)
}
