//! `local sql`
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};

use crate::cloud::{Address, Cloud};
use crate::query;
use crate::rows::Format;
use crate::sql::{Command, FileFormat, Input, Next, Reader, Session, Shown, Target, prompt};

/// Without a statement or a file: a prompt on a terminal, else the statements of standard input.
#[derive(clap::Args)]
pub struct Arguments {
    /// The statement, as Athena takes it
    statement: Option<String>,
    /// Run the statements of a file, up to the first that fails
    #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
    file: Option<PathBuf>,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    /// How rows are written: a table, or what the name of --output tells
    #[arg(long, value_enum)]
    format: Option<Choice>,
    /// Write the result to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    Table,
    Csv,
    Json,
    /// To a file: --output FILE
    Parquet,
}

impl Choice {
    fn format(self) -> FileFormat {
        match self {
            Self::Table => FileFormat::Rows(Format::Table),
            Self::Csv => FileFormat::Rows(Format::Csv),
            Self::Json => FileFormat::Rows(Format::Json),
            Self::Parquet => FileFormat::Parquet,
        }
    }
}

impl Arguments {
    /// The format on standard output, and the file that takes the result instead.
    fn target(&self) -> anyhow::Result<(Format, Option<Target>)> {
        let chosen = self.format.map(Choice::format);
        match (&self.output, chosen) {
            (None, None) => Ok((Format::Table, None)),
            (None, Some(FileFormat::Rows(format))) => Ok((format, None)),
            (None, Some(FileFormat::Parquet)) => bail!("Parquet goes to a file: --output FILE"),
            (Some(path), Some(format)) => {
                Ok((Format::Table, Some(Target { path: path.clone(), format })))
            }
            (Some(path), None) => {
                let target = Target::by_suffix(path.clone());
                let target = target.map_err(|problem| {
                    anyhow::anyhow!("{problem}, or --format says what it holds")
                })?;
                Ok((Format::Table, Some(target)))
            }
        }
    }
}

pub async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let (format, target) = arguments.target()?;
    let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let asks = arguments.statement.is_none() && arguments.file.is_none() && at_terminal;
    if asks && target.is_some() {
        bail!("--output needs a statement or --file; at the prompt \\o FILE does it");
    }
    let script: Option<(String, Box<dyn BufRead>)> = match &arguments.file {
        Some(path) => {
            let file =
                File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
            Some((path.display().to_string(), Box::new(BufReader::new(file))))
        }
        None if arguments.statement.is_none() && !asks => {
            Some(("standard input".to_owned(), Box::new(io::stdin().lock())))
        }
        None => None,
    };
    let cloud = Cloud::open(&arguments.data_dir, &Address::default(), |_| None).await?;
    let context = query::context(&cloud).await?;
    let shown = if script.is_some() { Shown::Script } else { Shown::Alone };
    let mut session = Session::new(&cloud, context, shown, format, target);
    let next = match (&arguments.statement, script) {
        (Some(statement), _) => session.statement(statement, None).await,
        (None, Some((name, text))) => carry_out(&mut session, &name, text).await,
        (None, None) => {
            let catalog = cloud.services().lake().catalog.clone();
            prompt(&mut session, &catalog, &arguments.data_dir).await.map(|()| Next::Go)
        }
    };
    match next {
        Ok(Next::Failed) => Ok(1),
        Ok(Next::Go | Next::Leave) => Ok(0),
        // The reader of a pipe may have had enough.
        Err(error) if is_broken_pipe(&error) => Ok(0),
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Carries out what stands in a text, up to the first thing that fails.
async fn carry_out(
    session: &mut Session<'_>,
    name: &str,
    mut text: Box<dyn BufRead>,
) -> anyhow::Result<Next> {
    let mut reader = Reader::default();
    let mut line = String::new();
    loop {
        line.clear();
        let read = text.read_line(&mut line).with_context(|| format!("{name} cannot be read"))?;
        let inputs = match read {
            0 => reader.rest().map(Input::Statement).into_iter().collect(),
            _ => reader.take(&line),
        };
        for input in inputs {
            let next = match input {
                Input::Statement(statement) => {
                    let at = format!("{name}, line {}", statement.line);
                    session.statement(&statement.text, Some(&at)).await?
                }
                Input::Command(command) => match Command::parse(&command) {
                    Ok(command) => session.command(command)?,
                    Err(problem) => bail!("{name}, line {}: {problem}", reader.lines()),
                },
            };
            if next != Next::Go {
                return Ok(next);
            }
        }
        if read == 0 {
            break;
        }
    }
    if let Some(target) = session.waiting() {
        bail!(
            "{name} has no statement that answers rows: {} is not written",
            target.path.display()
        );
    }
    Ok(Next::Go)
}
