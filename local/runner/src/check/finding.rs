//! One thing to mend, or to think about, and where.
use std::fmt;

use aws::stepfunctions::review;
use serde::Serialize;

use crate::template::Place;

/// Sorted by severity, then by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// From the project's root.
    pub file: String,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// In a state machine's definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A stable name of what was looked for.
    pub rule: String,
    pub found: String,
    pub expected: String,
    pub advice: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is refused, or it fails whenever it comes to it.
    Error,
    /// It works, but not as its author will want it to.
    Warning,
}

impl Finding {
    pub fn error(rule: &str, file: &str, found: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, file, found.into())
    }

    pub fn warning(rule: &str, file: &str, found: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, file, found.into())
    }

    fn new(severity: Severity, rule: &str, file: &str, found: String) -> Self {
        Self {
            severity,
            file: file.to_owned(),
            line: None,
            column: None,
            pointer: None,
            rule: rule.to_owned(),
            found,
            expected: String::new(),
            advice: String::new(),
        }
    }

    #[must_use]
    pub fn at(self, place: impl Into<Option<Place>>) -> Self {
        let place = place.into();
        Self { line: place.map(|at| at.line), column: place.map(|at| at.column), ..self }
    }

    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    #[must_use]
    pub fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl From<review::Severity> for Severity {
    fn from(severity: review::Severity) -> Self {
        match severity {
            review::Severity::Error => Self::Error,
            review::Severity::Warning => Self::Warning,
        }
    }
}

/// `file:line:column /pointer: error: …`, then what was expected and what to do.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(pointer) = self.pointer.as_ref().filter(|pointer| !pointer.is_empty()) {
            write!(f, " {pointer}")?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, ": {severity}: {} [{}]", self.found, self.rule)?;
        writeln!(f, "    expected: {}", self.expected)?;
        write!(f, "    do: {}", self.advice)
    }
}
