//! `cargo local check`: finds what was broken on purpose, and nothing else.

mod conformance;
mod defects;
mod project;
