//! One thing to mend, or to think about.

use crate::diagnostic::Severity;

/// What was found where, what was expected instead, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub severity: Severity,
    /// A stable name of what was looked for: `variable-never-set`.
    pub rule: &'static str,
    /// A JSON pointer into the definition, empty for the document.
    pub location: String,
    pub found: String,
    pub expected: String,
    pub advice: String,
}

impl Remark {
    /// Step Functions refuses it, or every execution that comes here fails.
    pub fn error(
        rule: &'static str,
        location: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, rule, location.into(), found.into())
    }

    /// It runs, but not as its author will want it to.
    pub fn warning(
        rule: &'static str,
        location: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, rule, location.into(), found.into())
    }

    fn new(severity: Severity, rule: &'static str, location: String, found: String) -> Self {
        Self { severity, rule, location, found, expected: String::new(), advice: String::new() }
    }

    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    #[must_use]
    pub fn advice(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }
}

/// The known name that `name` is most likely meant to be: at most a third of it mistyped.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let tolerated = (name.chars().count() / 3).max(1);
    let known = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    known.filter(|(distance, _)| (1..=tolerated).contains(distance)).min().map(|(_, name)| name)
}

/// How many letters are to be changed, added, left out or swapped with the next. Small and capital
/// letters are the same; 1 where they are all that differs.
fn distance(left: &str, right: &str) -> usize {
    let fold = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (from, to) = (fold(left), fold(right));
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    rows[0] = (0..=to.len()).collect();
    for i in 1..=from.len() {
        rows[i][0] = i;
        for j in 1..=to.len() {
            let same = from[i - 1] == to[j - 1];
            let changed = rows[i - 1][j - 1] + usize::from(!same);
            let mut least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    let letters = rows[from.len()][to.len()];
    if letters == 0 && left != right { 1 } else { letters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_the_one_meant() {
        let known = ["TimeoutSeconds", "TimeoutSecondsPath", "Next", "End"];
        for (name, meant) in [
            ("TimeoutSecond", Some("TimeoutSeconds")),
            ("timeoutSeconds", Some("TimeoutSeconds")),
            ("Nxt", Some("Next")),
            ("Netx", Some("Next")),
            ("Next", None),
            ("Resource", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
    }
}
