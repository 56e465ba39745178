//! The words of a ruleset.
//!
//! The longest token wins, and of equally long ones a keyword. A text that reads as a date or a time of day is a token
//! of its own, as in Glue's grammar: `"2024-01-01"` is no text where a text is asked for.

use std::fmt;

use crate::problem::{Place, Problem};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or a punctuation mark.
    Mark(&'static str),
    /// A name: letters, digits, `_` and `.`.
    Name,
    /// `12`.
    Whole,
    /// `1.5`.
    Decimal,
    /// A text in double quotes.
    Text,
    /// A text that is a date: `"2024-01-01"`.
    Date,
    /// A text that is a time of day: `"9:30 PM"` or `"21:30"`.
    Time,
    /// The end of the ruleset.
    End,
}

#[derive(Clone, Debug)]
pub struct Token<'a> {
    pub kind: Kind,
    /// As it stands in the ruleset, quotes included.
    pub text: &'a str,
    pub place: Place,
}

impl Token<'_> {
    pub fn is(&self, mark: &str) -> bool {
        matches!(self.kind, Kind::Mark(found) if found == mark)
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::End => f.write_str("the end"),
            Kind::Text | Kind::Date | Kind::Time => f.write_str(self.text),
            _ => write!(f, "`{}`", self.text),
        }
    }
}

/// Words that are no names. Some have two spellings and no third.
const KEYWORDS: &[&str] = &[
    "Metadata",
    "DataSources",
    "Rules",
    "Analyzers",
    "DefaultLabels",
    "and",
    "AND",
    "or",
    "OR",
    "of",
    "OF",
    "null",
    "NULL",
    "empty",
    "EMPTY",
    "whitespaces_only",
    "WHITESPACES_ONLY",
    "between",
    "in",
    "not",
    "matches",
    "where",
    "with",
    "labels",
    "days",
    "hours",
    "minutes",
    "B",
    "KB",
    "MB",
    "GB",
    "TB",
];

/// Longer ones first.
const PUNCTUATION: &[&str] = &[
    "now()", ">=", "<=", ":", ",", "{", "}", "[", "]", "(", ")", "=", ">", "<", "!", "-", "+", "/",
    "*", "$", "'",
];

/// The tokens of `ruleset`, the last of them its end, and what is no token.
pub fn tokens(ruleset: &str) -> (Vec<Token<'_>>, Vec<Problem>) {
    let (mut tokens, mut problems) = (Vec::new(), Vec::new());
    let mut place = Place { line: 1, column: 1 };
    let mut rest = ruleset;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            ' ' | '\t' | '\n' | '\r' => (None, 1),
            '#' => (None, rest.find('\n').map_or(rest.len(), |end| end + 1)),
            '"' => {
                let found =
                    text_length(rest).map(|length| (text_kind(&rest[1..length - 1]), length));
                let unfinished = || (rest.len(), "this text has no closing quote".to_owned());
                token(found, unfinished, place, &mut problems)
            }
            _ => {
                let unknown = || (first.len_utf8(), format!("unexpected character {first:?}"));
                token(word(rest), unknown, place, &mut problems)
            }
        };
        let text = &rest[..length];
        if let Some(kind) = kind {
            tokens.push(Token { kind, text, place });
        }
        place = place.after(text);
        rest = &rest[length..];
    }
    tokens.push(Token { kind: Kind::End, text: "", place });
    (tokens, problems)
}

/// What was found with its length, or else a problem and what is passed over.
fn token(
    found: Option<(Kind, usize)>,
    otherwise: impl FnOnce() -> (usize, String),
    place: Place,
    problems: &mut Vec<Problem>,
) -> (Option<Kind>, usize) {
    if let Some((kind, length)) = found {
        return (Some(kind), length);
    }
    let (length, message) = otherwise();
    problems.push(Problem { place, message });
    (None, length)
}

/// The length of the text that `rest` begins with, quotes included. `\"` and `\\` do not end it; where no other quote
/// follows, the last `\"` does.
fn text_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut at, mut escaped_quote) = (1, None);
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (b'\\', Some(b'"')) => {
                escaped_quote = Some(at + 2);
                at += 2;
            }
            (b'\\', Some(b'\\')) => at += 2,
            _ => at += 1,
        }
    }
    escaped_quote
}

fn text_kind(inner: &str) -> Kind {
    let shape: String = inner.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    match shape.as_str() {
        "9999-99-99" => Kind::Date,
        "99:99" | "9:99 AM" | "9:99 PM" | "99:99 AM" | "99:99 PM" => Kind::Time,
        _ => Kind::Text,
    }
}

fn word(rest: &str) -> Option<(Kind, usize)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let word = &rest[..length];
    if let Some(mark) =
        PUNCTUATION.iter().find(|mark| mark.len() > length && rest.starts_with(**mark))
    {
        return Some((Kind::Mark(mark), mark.len()));
    }
    if word.is_empty() {
        return None;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let kind = if let Some(keyword) = KEYWORDS.iter().find(|keyword| **keyword == word) {
        Kind::Mark(keyword)
    } else if digits(word) {
        Kind::Whole
    } else if word.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part)) {
        Kind::Decimal
    } else {
        Kind::Name
    };
    Some((kind, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_longest_token() {
        let check = |ruleset: &str, expected: &[(Kind, &str)]| {
            let (found, problems) = tokens(ruleset);
            let found: Vec<_> =
                found.iter().map(|token| (token.kind.clone(), token.text)).collect();
            let end = (Kind::End, "");
            assert_eq!(
                found,
                expected.iter().cloned().chain([end]).collect::<Vec<_>>(),
                "{ruleset}"
            );
            assert!(problems.is_empty(), "{ruleset}: {problems:?}");
        };
        check(
            "1 1.5 1.5.0 9a",
            &[
                (Kind::Whole, "1"),
                (Kind::Decimal, "1.5"),
                (Kind::Name, "1.5.0"),
                (Kind::Name, "9a"),
            ],
        );
        check(
            "now() now ()",
            &[
                (Kind::Mark("now()"), "now()"),
                (Kind::Name, "now"),
                (Kind::Mark("("), "("),
                (Kind::Mark(")"), ")"),
            ],
        );
        check(
            r#""2024-01-01" "9:30 PM" "21:30" "21:3""#,
            &[
                (Kind::Date, r#""2024-01-01""#),
                (Kind::Time, r#""9:30 PM""#),
                (Kind::Time, r#""21:30""#),
                (Kind::Text, r#""21:3""#),
            ],
        );
        check(r#""a\"b" "\\""#, &[(Kind::Text, r#""a\"b""#), (Kind::Text, r#""\\""#)]);
        check(r#""c\""#, &[(Kind::Text, r#""c\""#)]);
    }
}
