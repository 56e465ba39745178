//! Statements about prepared statements.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::statement::{Source, parse};
use super::tokens;
use crate::sql::SyntaxError;

/// A statement about prepared statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    Prepare {
        name: String,
        statement: String,
    },
    /// `values` are SQL texts.
    Execute {
        name: String,
        values: Vec<String>,
    },
    Deallocate {
        name: String,
    },
}

/// `PREPARE n FROM …`, `EXECUTE n [USING …]`, `DEALLOCATE PREPARE n`.
pub(super) fn read(text: &str, tokens: &[TokenWithSpan]) -> Result<Option<Prepared>, SyntaxError> {
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| tokens::is_word(&token.token, word))
    };
    let verb = ["PREPARE", "EXECUTE", "DEALLOCATE"].into_iter().find(|verb| is(0, verb));
    let Some(verb) = verb else { return Ok(None) };
    let source = Source { text, end: None };
    let place = |at: usize| {
        tokens.get(at).or(tokens.last()).map_or(Location::new(1, 1), |token| token.span.start)
    };
    let expected = |at: usize, what: &str| {
        let found = tokens.get(at).map_or("<EOF>".to_owned(), |token| token.token.to_string());
        let place = place(at);
        SyntaxError::at(
            place.line,
            place.column,
            &format!("mismatched input '{found}'. Expecting: {what}"),
        )
    };
    let name = |at: usize| match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(word)) => Ok(word.value.to_lowercase()),
        _ => Err(expected(at, "<identifier>")),
    };
    Ok(Some(match verb {
        "PREPARE" => {
            let name = name(1)?;
            if !is(2, "FROM") {
                return Err(expected(2, "'FROM'"));
            }
            let statement = source.from(place(3));
            parse(&statement, None)?;
            Prepared::Prepare { name, statement }
        }
        "EXECUTE" => {
            let name = name(1)?;
            if tokens.len() > 2 && !is(2, "USING") {
                return Err(expected(2, "'USING', <EOF>"));
            }
            Prepared::Execute { name, values: values(tokens.get(3..).unwrap_or_default()) }
        }
        _ => {
            if !is(1, "PREPARE") {
                return Err(expected(1, "'PREPARE'"));
            }
            Prepared::Deallocate { name: name(2)? }
        }
    }))
}

/// The texts of values between commas outside of parentheses.
fn values(tokens: &[TokenWithSpan]) -> Vec<String> {
    let mut values = Vec::new();
    let mut depth = 0_usize;
    let mut value = String::new();
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                values.push(std::mem::take(&mut value));
                continue;
            }
            _ => {}
        }
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(&token.token.to_string());
    }
    if !value.is_empty() {
        values.push(value);
    }
    values
}
