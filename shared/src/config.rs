//! The environment, read once in `main`.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::error::{ErrorName, NamedError};

/// The environment's variables, with every problem met while reading them.
#[derive(Debug, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    problems: Vec<String>,
}

/// All that is wrong with the environment, at once.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment: {}", .problems.join("; "))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl NamedError for ConfigError {
    fn name(&self) -> ErrorName {
        ErrorName::ConfigInvalid
    }
}

/// Reads a configuration from the process's environment.
///
/// ```no_run
/// struct Config { database: String, minutes: u32 }
/// let config = shared::config::read(|env| Config {
///     database: env.text("DATABASE"),
///     minutes: env.or("MINUTES", 5),
/// });
/// ```
pub fn read<T>(build: impl FnOnce(&mut Environment) -> T) -> Result<T, ConfigError> {
    Environment::new(std::env::vars()).build(build)
}

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), problems: Vec::new() }
    }

    /// Runs `build`, then answers its value or all problems it met.
    pub fn build<T>(mut self, build: impl FnOnce(&mut Self) -> T) -> Result<T, ConfigError> {
        let value = build(&mut self);
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigError { problems: self.problems })
        }
    }

    /// A variable that must be there and not be empty.
    pub fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A variable that may be missing; empty counts as missing.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// A variable of type `T`, or `default` when it is missing.
    pub fn or<T: FromStr<Err: Display>>(&mut self, name: &str, default: T) -> T {
        let Some(text) = self.optional(name) else { return default };
        match text.parse() {
            Ok(value) => value,
            Err(error) => {
                self.problems.push(format!("{name}={text:?}: {error}"));
                default
            }
        }
    }

    /// A comma-separated list of `T`, or `default` when it is missing.
    pub fn list<T: FromStr<Err: Display>>(&mut self, name: &str, default: Vec<T>) -> Vec<T> {
        let Some(text) = self.optional(name) else { return default };
        let mut values = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.problems.push(format!("{name}={text:?}: {part:?}: {error}")),
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_all_problems_at_once() {
        let environment = Environment::new([
            ("MINUTES".to_owned(), "soon".to_owned()),
            ("DATABASE".to_owned(), String::new()),
            ("LIST".to_owned(), "1, 2".to_owned()),
        ]);
        let read = environment.build(|env| {
            assert_eq!(env.list("LIST", vec![0_u8]), [1, 2]);
            (env.text("DATABASE"), env.or("MINUTES", 5_u32), env.or("HOURS", 7_u32))
        });
        assert_eq!(
            read.unwrap_err().problems,
            ["DATABASE is not set", "MINUTES=\"soon\": invalid digit found in string"]
        );
    }
}
