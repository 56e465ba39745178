//! The prompt on a terminal.
#![expect(clippy::print_stdout, reason = "the prompt is on standard output")]

use std::path::Path;

use anyhow::Context as _;
use aws::lake::Catalog;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};

use super::command::Command;
use super::completion::complete;
use super::input::Input;
use super::names::Names;
use super::session::Next;
use super::{Reader, Session, Shown};

/// The file in the data directory that keeps what was typed.
const HISTORY: &str = "sql_history";
/// Entries it keeps.
const ENTRIES: usize = 1_000;

/// What the line editor asks while somebody types.
struct Assistant {
    catalog: Catalog,
    database: String,
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}
impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let names = Names::read(&self.catalog, &self.database).unwrap_or_default();
        Ok(complete(&names, line, at))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_whole(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Whether Enter ends the input: after a semicolon, a command, or nothing.
fn is_whole(text: &str) -> bool {
    let mut reader = Reader::default();
    let has_input = !reader.take(&format!("{text}\n")).is_empty();
    text.trim().is_empty() || Command::of_word(text).is_some() || has_input && reader.is_idle()
}

/// Takes statements and commands until one is to leave.
pub async fn prompt(
    session: &mut Session<'_>,
    catalog: &Catalog,
    data_dir: &Path,
) -> anyhow::Result<()> {
    let config = Config::builder()
        .max_history_size(ENTRIES)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Assistant, FileHistory> =
        Editor::with_config(config).context("the terminal cannot be used")?;
    editor.set_helper(Some(Assistant {
        catalog: catalog.clone(),
        database: session.context.database.clone(),
    }));
    let history = data_dir.join(HISTORY);
    if history.exists()
        && let Err(error) = editor.load_history(&history)
    {
        eprintln!("note: {} cannot be read: {error}", history.display());
    }
    println!(
        "Athena SQL on {}. Statements end with ;   \\? is help, \\q leaves.",
        data_dir.display()
    );
    loop {
        let database = session.context.database.clone();
        if let Some(assistant) = editor.helper_mut() {
            assistant.database.clone_from(&database);
        }
        let line = tokio::task::block_in_place(|| editor.readline(&format!("{database}> ")));
        let text = match line {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error).context("the terminal cannot be read"),
        };
        if !text.trim().is_empty() {
            editor.add_history_entry(text.trim())?;
            if let Err(error) = editor.append_history(&history) {
                eprintln!("note: {} cannot be written: {error}", history.display());
            }
        }
        let width = editor.dimensions().map_or(usize::MAX, |(columns, _)| usize::from(columns));
        session.shown = Shown::Screen(width);
        if carried_out(session, &text).await? == Next::Leave {
            return Ok(());
        }
    }
}

/// Carries out what was typed, up to the first thing that fails.
async fn carried_out(session: &mut Session<'_>, text: &str) -> anyhow::Result<Next> {
    if let Some(command) = Command::of_word(text) {
        return session.command(command);
    }
    for input in Reader::default().take(&format!("{text}\n")) {
        let next = match input {
            Input::Statement(statement) => match session.statement(&statement.text, None).await {
                // A file that cannot be written, say: told, and the prompt goes on.
                Err(error) => {
                    eprintln!("error: {error:#}");
                    Next::Failed
                }
                next => next?,
            },
            Input::Command(command) => match Command::parse(&command) {
                Ok(command) => session.command(command)?,
                Err(problem) => {
                    eprintln!("error: {problem}");
                    Next::Failed
                }
            },
        };
        if next != Next::Go {
            return Ok(next);
        }
    }
    Ok(Next::Go)
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn enter_ends_what_is_whole() {
        for whole in
            ["SELECT 1;", "SELECT\n1;  -- one", "\\d", "", " \n", "quit", "SELECT 1; SELECT 2;"]
        {
            assert!(is_whole(whole), "{whole}");
        }
        for part in ["SELECT 1", "SELECT ';", "SELECT 1; SELECT", "/* a; ", "-- a note", "quit it"]
        {
            assert!(!is_whole(part), "{part}");
        }
    }
}
