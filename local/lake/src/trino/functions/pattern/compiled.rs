//! Compiled patterns: on an engine of linear time, or, where a pattern looks around or back, on one
//! that tries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::sql::Failure;

/// Patterns compiled in this evaluation.
#[derive(Default)]
pub(in crate::trino::functions) struct Patterns(HashMap<String, Pattern>);

impl Patterns {
    /// Errors: `INVALID_FUNCTION_ARGUMENT` for what is no pattern.
    pub fn get(&mut self, pattern: &str) -> Result<&Pattern, Failure> {
        if !self.0.contains_key(pattern) {
            self.0.insert(pattern.to_owned(), Pattern::new(pattern)?);
        }
        Ok(&self.0[pattern])
    }
}

pub(in crate::trino::functions) enum Pattern {
    Linear(regex::Regex),
    Trying(Box<fancy_regex::Regex>),
}

/// Where one match and its groups are.
pub(in crate::trino::functions) struct Match<'t> {
    text: &'t str,
    groups: Vec<Option<Range<usize>>>,
}

impl<'t> Match<'t> {
    /// The whole of it.
    pub fn range(&self) -> Range<usize> {
        self.groups.first().cloned().flatten().unwrap_or(0..0)
    }

    /// A group, 0 being the whole; `None` where it took no part.
    pub fn group(&self, at: usize) -> Option<&'t str> {
        let range = self.groups.get(at)?.clone()?;
        self.text.get(range)
    }

    /// The groups after the whole.
    pub fn groups(&self) -> impl Iterator<Item = Option<&'t str>> + '_ {
        (1..self.groups.len()).map(|at| self.group(at))
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Self, Failure> {
        let translated = translated(pattern);
        let error = match regex::Regex::new(&translated) {
            Ok(found) => return Ok(Self::Linear(found)),
            Err(error) => error.to_string(),
        };
        fancy_regex::Regex::new(&translated).map(|found| Self::Trying(Box::new(found))).map_err(
            |_| {
                let reason = error.lines().last().unwrap_or_default();
                Failure::invalid_argument(format!("{reason}: {pattern}"))
            },
        )
    }

    pub fn is_match(&self, text: &str) -> Result<bool, Failure> {
        match self {
            Self::Linear(regex) => Ok(regex.is_match(text)),
            Self::Trying(regex) => regex.is_match(text).map_err(|error| gave_up(&error)),
        }
    }

    /// The first match from a place on, which what it looks back at may be before.
    pub fn match_at<'t>(&self, text: &'t str, from: usize) -> Result<Option<Match<'t>>, Failure> {
        let groups = match self {
            Self::Linear(regex) => regex
                .captures_at(text, from)
                .map(|found| found.iter().map(|group| group.map(|group| group.range())).collect()),
            Self::Trying(regex) => regex
                .captures_from_pos(text, from)
                .map_err(|error| gave_up(&error))?
                .map(|found| found.iter().map(|group| group.map(|group| group.range())).collect()),
        };
        Ok(groups.map(|groups| Match { text, groups }))
    }

    /// All matches, as Java finds them: an empty one may follow at the end of another.
    pub fn matches<'t>(&self, text: &'t str) -> Result<Vec<Match<'t>>, Failure> {
        let (mut found, mut from) = (Vec::new(), 0);
        while from <= text.len() {
            let Some(next) = self.match_at(text, from)? else { break };
            let range = next.range();
            let step = text[range.end..].chars().next().map_or(1, char::len_utf8);
            from = if range.is_empty() { range.end + step } else { range.end };
            found.push(next);
        }
        Ok(found)
    }

    /// How many groups it has beside the whole.
    pub fn group_count(&self) -> usize {
        let all = match self {
            Self::Linear(regex) => regex.captures_len(),
            Self::Trying(regex) => regex.captures_len(),
        };
        all.saturating_sub(1)
    }

    /// The place of a group with a name.
    pub fn named(&self, name: &str) -> Option<usize> {
        match self {
            Self::Linear(regex) => regex.capture_names().position(|known| known == Some(name)),
            Self::Trying(regex) => regex.capture_names().position(|known| known == Some(name)),
        }
    }
}

fn gave_up(error: &fancy_regex::Error) -> Failure {
    Failure::new("GENERIC_USER_ERROR", format!("a regular expression takes too long: {error}"))
}

/// Java's notation where it differs: `\Z`, `\h`, `\R`; named groups are the same.
fn translated(pattern: &str) -> Cow<'_, str> {
    if pattern.contains("\\Z") || pattern.contains("\\h") || pattern.contains("\\R") {
        return Cow::Owned(
            pattern
                .replace("\\Z", "\\z")
                .replace("\\h", "[ \\t\\x{a0}\\x{2000}-\\x{200a}]")
                .replace("\\R", "(?:\\r\\n|[\\n\\r])"),
        );
    }
    Cow::Borrowed(pattern)
}
