//! Lines that begin with a backslash: about the prompt, not for Athena.

use std::path::PathBuf;

use clap::ValueEnum as _;

use crate::rows::Format;

use super::Target;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tables and views, or what one of them has.
    Describe(Option<String>),
    Databases,
    /// The database of unqualified names.
    Use(String),
    Timing(Option<bool>),
    Format(Format),
    /// Where the next result goes; `None` is the screen.
    Output(Option<Target>),
    Quit,
    Help,
}

pub const HELP: &str = "\
Statements end with a semicolon and may take several lines; Tab completes keywords and names.

  \\d                tables and views of the database
  \\d TABLE          columns of a table or view
  \\l                databases
  \\c DATABASE       another database for names without one
  \\format FORMAT    how results look: table, csv, json
  \\o FILE           the next result goes to a file: .csv, .json or .parquet
  \\o                back to the screen
  \\timing [on|off]  time and bytes scanned after each result
  \\?                this text
  \\q                leave, as Ctrl-D does

Ctrl-C stops the statement that runs, or clears what is typed. Up and Ctrl-R look back.";

impl Command {
    /// Names of the commands, for completion.
    pub const NAMES: &[&str] = &["?", "c", "d", "format", "l", "o", "q", "timing"];

    /// Reads a command without its backslash; else what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = Some(rest.trim()).filter(|rest| !rest.is_empty());
        let command = match (name, argument) {
            ("d", None) => Self::Describe(None),
            ("d", Some(table)) => Self::Describe(Some(table.to_owned())),
            ("l", None) => Self::Databases,
            ("c", Some(database)) => Self::Use(database.to_owned()),
            ("timing", None) => Self::Timing(None),
            ("timing", Some("on")) => Self::Timing(Some(true)),
            ("timing", Some("off")) => Self::Timing(Some(false)),
            ("format", Some(format)) => {
                Self::Format(Format::from_str(format, true).map_err(|_| {
                    format!("\\format knows table, csv and json, not {format} (Parquet goes to a file: \\o FILE.parquet)")
                })?)
            }
            ("o", None) => Self::Output(None),
            ("o", Some(file)) => Self::Output(Some(Target::by_suffix(PathBuf::from(file))?)),
            ("q", None) => Self::Quit,
            ("?", None) => Self::Help,
            (known, given) if Self::NAMES.contains(&known) => {
                let found = given.map_or_else(|| "nothing".to_owned(), |given| format!("`{given}`"));
                return Err(format!("\\{known} is not followed by {found}; \\? lists the commands"));
            }
            _ => return Err(format!("there is no command \\{name}; \\? lists the commands")),
        };
        Ok(command)
    }

    /// What people type to leave or to ask for help, without a backslash.
    pub fn of_word(line: &str) -> Option<Self> {
        match line.trim().trim_end_matches(';').trim_end() {
            "quit" | "exit" => Some(Self::Quit),
            "help" => Some(Self::Help),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_or_refused_by_name() {
        let table = |name: &str| Command::Describe(Some(name.to_owned()));
        let cases = [
            ("d", Ok(Command::Describe(None))),
            ("d  nyctaxidb.green_trips ; ", Ok(table("nyctaxidb.green_trips"))),
            ("timing off", Ok(Command::Timing(Some(false)))),
            ("format JSON", Ok(Command::Format(Format::Json))),
            ("o", Ok(Command::Output(None))),
            ("q;", Ok(Command::Quit)),
            ("c", Err("\\c is not followed by nothing; \\? lists the commands")),
            ("l all", Err("\\l is not followed by `all`; \\? lists the commands")),
            ("dt", Err("there is no command \\dt; \\? lists the commands")),
            ("o FILE.xlsx", Err("FILE.xlsx: a file's name ends in .csv, .json or .parquet")),
        ];
        for (text, expected) in cases {
            assert_eq!(Command::parse(text), expected.map_err(str::to_owned), "{text}");
        }
        assert!(Command::parse("format parquet").unwrap_err().contains("\\o FILE.parquet"));
        assert_eq!(Command::of_word("exit;\n"), Some(Command::Quit));
        assert_eq!(Command::of_word("SELECT 1;"), None);
    }
}
