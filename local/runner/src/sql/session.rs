//! Statements and commands, one after another.
#![expect(clippy::print_stdout, reason = "a session's answers are its standard output")]

use std::future::Future;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use aws::lake::sql::{StatementKind, classify};
use indicatif::ProgressBar;

use crate::cloud::Cloud;
use crate::query::{self, Context, Fetched, Finished};
use crate::rows::{Format, Rows, counted};

use super::command::{Command, HELP};
use super::file::{FileFormat, Target, write_rows};
use super::names::{self, Names};
use super::place::{meant, one_line_up, refusal};
use super::{parquet, screen};

/// A statement that takes longer than this is seen to run.
const QUICK: Duration = Duration::from_millis(700);

/// How results look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All rows of the one statement there is.
    Alone,
    /// All rows, of what has rows.
    Script,
    /// What fits a terminal of so many columns, and what it took.
    Screen(usize),
}

pub struct Session<'a> {
    cloud: &'a Cloud,
    pub context: Context,
    pub shown: Shown,
    format: Format,
    /// Where the next result goes.
    target: Option<Target>,
    /// Whether a file took a result; a script has one.
    filed: bool,
    timing: bool,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Go,
    Failed,
    Leave,
}

impl<'a> Session<'a> {
    pub fn new(
        cloud: &'a Cloud,
        context: Context,
        shown: Shown,
        format: Format,
        target: Option<Target>,
    ) -> Self {
        Self { cloud, context, shown, format, target, filed: false, timing: true }
    }

    /// The file that still waits for a result.
    pub fn waiting(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Runs a statement and shows what it came to; `at` says where it stands, where an error should.
    pub async fn statement(&mut self, text: &str, at: Option<&str>) -> anyhow::Result<Next> {
        let Err(reason) = self.run(text).await? else { return Ok(Next::Go) };
        if let Some(at) = at {
            eprintln!("{at}:");
        }
        eprint!("{}", refusal(&reason, text));
        let names = Names::read(&self.cloud.services().lake().catalog, &self.context.database);
        if self.shown != Shown::Alone
            && let Some(name) = names.ok().and_then(|names| meant(&reason, &names))
        {
            eprintln!("did you mean {name}?");
        }
        Ok(Next::Failed)
    }

    async fn run(&mut self, text: &str) -> anyhow::Result<Result<(), String>> {
        let has_rows = classify(text).is_some_and(StatementKind::has_header);
        if let Some(Target { format: FileFormat::Parquet, .. }) = &self.target
            && (has_rows || self.shown == Shown::Alone)
        {
            if !has_rows {
                return Ok(Err("only what a query answers can be written as Parquet".to_owned()));
            }
            return self.run_to_parquet(text).await;
        }
        let query = match self.end(text).await? {
            Ok(query) => query,
            Err(reason) => return Ok(Err(reason)),
        };
        let most = match self.shown {
            Shown::Screen(_) if self.target.is_none() => screen::ROWS,
            _ => usize::MAX,
        };
        let Some(fetched) = self.unless_interrupted(query::fetch(self.cloud, &query, most)).await?
        else {
            return Ok(Err("stopped".to_owned()));
        };
        let fetched = fetched?;
        let is_result = !fetched.rows.columns.is_empty() && fetched.written.is_none();
        let came_to = fetched.written.map(|rows| format!("{} {}", many(rows), done_to_rows(text)));
        match (&came_to, self.shown) {
            (Some(came_to), Shown::Alone) if self.target.is_none() => {
                self.note(&query, came_to);
                return Ok(Ok(()));
            }
            (_, Shown::Script | Shown::Screen(_)) if !is_result => {
                self.tell(&query, came_to.unwrap_or_else(|| "done".to_owned()));
                return Ok(Ok(()));
            }
            _ => {}
        }
        if is_result && self.filed && self.shown == Shown::Script {
            return Ok(Err("--output takes one result, and this is another".to_owned()));
        }
        match self.target.take() {
            Some(Target { path, format: FileFormat::Rows(format) }) => {
                write_rows(&path, format, &fetched.rows)?;
                self.filed = true;
                let rows = fetched.rows.rows.len() as u64;
                self.note(&query, &format!("{} written to {}", many(rows), path.display()));
            }
            Some(Target { format: FileFormat::Parquet, path }) => {
                self.target = Some(Target { format: FileFormat::Parquet, path });
                self.show(&query, &fetched).await?;
            }
            None => self.show(&query, &fetched).await?,
        }
        Ok(Ok(()))
    }

    async fn show(&self, query: &Finished, fetched: &Fetched) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let cannot = "standard output cannot be written";
        let Shown::Screen(width) = self.shown else {
            return fetched.rows.write(self.format, &mut out).context(cannot);
        };
        let hidden = screen::write(&fetched.rows, self.format, width, &mut out).context(cannot)?;
        drop(out);
        let shown = fetched.rows.rows.len() as u64;
        let total = if fetched.is_whole { shown } else { query::count(self.cloud, query).await? };
        if !hidden.is_empty() {
            println!("… {} more than fit: {}", counted_columns(hidden.len()), hidden.join(", "));
        }
        if total > shown {
            println!(
                "… these are the first {}; \\o FILE.csv before the statement takes all to a file",
                many(shown)
            );
        }
        self.tell(query, many(total));
        Ok(())
    }

    /// Rows to a file, typed: the query runs as `UNLOAD`.
    async fn run_to_parquet(&mut self, text: &str) -> anyhow::Result<Result<(), String>> {
        if self.filed && self.shown == Shown::Script {
            return Ok(Err("--output takes one result, and this is another".to_owned()));
        }
        let Some(Target { path, .. }) = self.target.clone() else { return Ok(Ok(())) };
        let store = self.cloud.services().lake().store.clone();
        let folder = parquet::Folder::new(self.cloud).await?;
        let query = match self.end(&folder.unload(text)).await? {
            Ok(query) => query,
            Err(reason) => {
                folder.clear(&store)?;
                return Ok(Err(one_line_up(&reason)));
            }
        };
        let gathered = tokio::task::block_in_place(|| folder.gather(&store, &path));
        folder.clear(&store)?;
        if !gathered? {
            let query = match self.end(text).await? {
                Ok(query) => query,
                Err(reason) => return Ok(Err(reason)),
            };
            parquet::write_empty(&path, &query::types(self.cloud, &query).await?)?;
        }
        self.target = None;
        self.filed = true;
        let rows = query::count(self.cloud, &query).await?;
        self.note(&query, &format!("{} written to {}", many(rows), path.display()));
        Ok(Ok(()))
    }

    /// Runs a query to its end, which Ctrl-C may bring about.
    async fn end(&self, text: &str) -> anyhow::Result<Result<Finished, String>> {
        let id = match query::start(self.cloud, &self.context, text).await {
            Ok(id) => id,
            Err(reason) => return Ok(Err(reason)),
        };
        let finished = query::finished(self.cloud, &id);
        if !matches!(self.shown, Shown::Screen(_)) {
            return finished.await;
        }
        let running = async {
            tokio::pin!(finished);
            if let Ok(finished) = tokio::time::timeout(QUICK, &mut finished).await {
                return finished;
            }
            let bar = ProgressBar::new_spinner().with_message("running; Ctrl-C stops it");
            bar.enable_steady_tick(Duration::from_millis(120));
            let finished = finished.await;
            bar.finish_and_clear();
            finished
        };
        if let Some(finished) = self.unless_interrupted(running).await? {
            return finished;
        }
        query::stop(self.cloud, &id).await?;
        match query::finished(self.cloud, &id).await? {
            Err(_) => Ok(Err("stopped".to_owned())),
            finished => Ok(finished),
        }
    }

    /// What comes of something on a terminal, or nothing after Ctrl-C.
    async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> anyhow::Result<Option<T>> {
        if !matches!(self.shown, Shown::Screen(_)) {
            return Ok(Some(work.await));
        }
        tokio::select! {
            done = work => Ok(Some(done)),
            pressed = tokio::signal::ctrl_c() => {
                pressed.context("Ctrl-C cannot be heard")?;
                Ok(None)
            }
        }
    }

    /// On a terminal, what a statement came to and took.
    fn tell(&self, query: &Finished, came_to: String) {
        if matches!(self.shown, Shown::Screen(_)) {
            println!("({came_to}{})", self.took(query));
        }
    }

    fn note(&self, query: &Finished, text: &str) {
        match self.shown {
            Shown::Screen(_) => println!("({text}{})", self.took(query)),
            Shown::Alone | Shown::Script => eprintln!("{text}"),
        }
    }

    fn took(&self, query: &Finished) -> String {
        if !self.timing {
            return String::new();
        }
        let scanned = match query.scanned_bytes {
            0 => String::new(),
            bytes => format!(", {} scanned", size(bytes)),
        };
        format!(", {:.2} s{scanned}", Duration::from_millis(query.milliseconds).as_secs_f64())
    }

    /// Carries out a command.
    pub fn command(&mut self, command: Command) -> anyhow::Result<Next> {
        let catalog = &self.cloud.services().lake().catalog;
        match command {
            Command::Quit => return Ok(Next::Leave),
            Command::Help => println!("{HELP}"),
            Command::Databases => list(&names::databases(catalog)?)?,
            Command::Describe(None) => {
                list(&names::tables(catalog, &self.context.database)?)?;
            }
            Command::Describe(Some(name)) => {
                let name = name.replace(['"', '`'], "");
                let (database, table) =
                    name.split_once('.').unwrap_or((&self.context.database, &name));
                let Ok(rows) = names::described(catalog, database, table) else {
                    eprintln!(
                        "error: there is no table or view {table} in {database}; \\d lists them"
                    );
                    return Ok(Next::Failed);
                };
                list(&rows)?;
            }
            Command::Use(name) => {
                let Ok(database) = catalog.database(&name) else {
                    eprintln!("error: there is no database {name}; \\l lists them");
                    return Ok(Next::Failed);
                };
                database.name().clone_into(&mut self.context.database);
            }
            Command::Timing(on) => {
                self.timing = on.unwrap_or(!self.timing);
                println!("timing is {}", if self.timing { "on" } else { "off" });
            }
            Command::Format(format) => self.format = format,
            Command::Output(None) => self.target = None,
            Command::Output(Some(target)) => {
                if matches!(self.shown, Shown::Screen(_)) {
                    println!("the next result goes to {}", target.path.display());
                }
                self.target = Some(target);
                self.filed = false;
            }
        }
        Ok(Next::Go)
    }
}

fn list(rows: &Rows) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if rows.rows.is_empty() {
        writeln!(out, "there are none")?;
    } else {
        rows.grid(&mut out)?;
    }
    Ok(())
}

/// What a statement that answers a count did to so many rows.
fn done_to_rows(statement: &str) -> &'static str {
    let first = statement.split_whitespace().next().unwrap_or_default();
    let changes = ["UPDATE", "DELETE", "MERGE"];
    if changes.iter().any(|word| first.eq_ignore_ascii_case(word)) { "changed" } else { "written" }
}

fn counted_columns(columns: usize) -> String {
    format!("{columns} column{}", if columns == 1 { "" } else { "s" })
}

/// `12,345 rows`
fn many(rows: u64) -> String {
    let digits = rows.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    counted(rows).replacen(&digits, &text, 1)
}

/// `1.2 MB`, by thousands as Athena bills them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut left = bytes as f64 / 1000.0;
    let mut unit = 0;
    while left >= 999.95 && unit + 1 < UNITS.len() {
        left /= 1000.0;
        unit += 1;
    }
    format!("{left:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(
            [0, 1, 999, 1_000, 12_345_678].map(many),
            ["0 rows", "1 row", "999 rows", "1,000 rows", "12,345,678 rows"]
        );
        assert_eq!(
            [999, 1_000, 999_949, 999_999, 1_234_567_890].map(size),
            ["999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "1.2 GB"]
        );
    }

    #[test]
    fn rows_are_written_or_changed() {
        assert_eq!(done_to_rows("INSERT INTO t VALUES 1"), "written");
        assert_eq!(done_to_rows("\n  merge into t USING s ON true"), "changed");
        assert_eq!(done_to_rows("delete from t"), "changed");
    }
}
