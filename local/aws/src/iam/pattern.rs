//! Texts of a policy that stand for many: `*`, `?`, and policy variables.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::fmt;
use std::str::Chars;

use super::context::{Context, Unsupported};

/// A text with wildcards and `${…}`. What a variable stands for is taken as it is: its stars are stars, not wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `*`: any text, also none.
    Any,
    /// `?`: one character.
    One,
    Variable {
        key: String,
        default: Option<String>,
    },
}

impl Pattern {
    /// Reads a text with variables, as policies of version 2012-10-17 have them.
    pub fn parse(text: &str) -> Self {
        let (mut tokens, mut rest) = (Vec::new(), text);
        while let Some(character) = rest.chars().next() {
            if let Some((inside, after)) =
                rest.strip_prefix("${").and_then(|rest| rest.split_once('}'))
            {
                tokens.push(variable(inside));
                rest = after;
            } else {
                tokens.push(wildcard(character));
                rest = &rest[character.len_utf8()..];
            }
        }
        Pattern { text: text.to_owned(), tokens }
    }

    /// Reads a text in which `${` means nothing: an older policy's, or an action.
    pub fn without_variables(text: &str) -> Self {
        Pattern { text: text.to_owned(), tokens: text.chars().map(wildcard).collect() }
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it covers `text`. A variable without a value or a default covers nothing.
    pub fn matches(&self, text: &str, context: &Context) -> Result<bool, Unsupported> {
        let is_variable = |token: &Token| matches!(token, Token::Variable { .. });
        if !self.tokens.iter().any(is_variable) {
            return Ok(glob(&self.tokens, text));
        }
        let mut tokens = Vec::new();
        for token in &self.tokens {
            match token {
                Token::Variable { key, default } => {
                    let value = context.get(key)?.and_then(|values| values.first());
                    match value.or(default.as_ref()) {
                        Some(value) => tokens.extend(value.chars().map(Token::Char)),
                        None => return Ok(false),
                    }
                }
                other => tokens.push(other.clone()),
            }
        }
        Ok(glob(&tokens, text))
    }

    /// The text with its variables replaced, for comparisons without wildcards; `None` where one has no value.
    pub fn resolved(&self, context: &Context) -> Result<Option<String>, Unsupported> {
        let mut text = String::with_capacity(self.text.len());
        for token in &self.tokens {
            match token {
                Token::Char(character) => text.push(*character),
                Token::Any => text.push('*'),
                Token::One => text.push('?'),
                Token::Variable { key, default } => {
                    let value = context.get(key)?.and_then(|values| values.first());
                    match value.or(default.as_ref()) {
                        Some(value) => text.push_str(value),
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(text))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn wildcard(character: char) -> Token {
    match character {
        '*' => Token::Any,
        '?' => Token::One,
        other => Token::Char(other),
    }
}

/// `${*}`, `${?}` and `${$}` are those characters; `${key, 'default'}` has a default.
fn variable(inside: &str) -> Token {
    if let ("*" | "?" | "$", Some(character)) = (inside, inside.chars().next()) {
        return Token::Char(character);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
        None => (inside, None),
    };
    Token::Variable { key: key.trim().to_owned(), default }
}

/// Matches without recursion: at a mismatch the last `*` takes one more character.
fn glob(tokens: &[Token], text: &str) -> bool {
    let (mut at, mut rest) = (0, text.chars());
    let mut retry: Option<(usize, Chars<'_>)> = None;
    loop {
        let mut next = rest.clone();
        let matched = match tokens.get(at) {
            None if next.next().is_none() => return true,
            None => false,
            Some(Token::Any) => {
                retry = Some((at + 1, next.clone()));
                true
            }
            Some(Token::One) => next.next().is_some(),
            Some(Token::Char(wanted)) => next.next() == Some(*wanted),
            Some(Token::Variable { .. }) => false,
        };
        if matched {
            (at, rest) = (at + 1, next);
            continue;
        }
        let Some((back, mut from)) = retry.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        (at, rest) = (back, from.clone());
        retry = Some((back, from));
    }
}
