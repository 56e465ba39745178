//! `local sql` beyond one statement: a prompt on a terminal, statements from a file or a pipe, results into files.
//!
//! Text becomes statements and commands (`input`, `command`), a session runs them one after another (`session`) and
//! says what they came to (`screen`, `file`, `parquet`, `place`). The prompt is a way to type them (`prompt`,
//! `completion`).

mod command;
mod completion;
mod file;
mod input;
mod names;
mod parquet;
mod place;
mod prompt;
mod screen;
mod session;

pub use command::Command;
pub use file::{FileFormat, Target};
pub use input::{Input, Reader};
pub use prompt::prompt;
pub use session::{Next, Session, Shown};
