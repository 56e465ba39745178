//! The whole local side, killed again and again in the middle of its work, while a reader in another process looks at
//! the published view.
//!
//! A trial is a series of lives. A life is a data directory of its own: `local run` is started and killed by SIGKILL
//! at a random moment, over and over, and one run to the end follows. In half of the rounds a month's file has another
//! content than before, so that months are replaced too. All along a second process serves the same data directory,
//! and its Athena is asked for every month's rows ([`reader`]). A month must be absent, or be exactly one of its file's
//! contents, and never go back ([`book`]); at the end all rows must be those of runs that nobody disturbed.

pub mod book;
pub mod reader;
pub mod source;
pub mod trial;
pub mod victim;
