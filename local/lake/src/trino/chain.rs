//! How long a chain of operators may be: `a OR b OR …`, `SELECT … UNION SELECT …`.
//!
//! Each operator of a chain is one level of the tree that is made of it, and trees are walked and
//! dropped by recursion. The parser counts the levels of parentheses, not these.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::sql::SyntaxError;

/// Most operators in one expression, and most queries in one union.
const LONGEST: usize = 1_000;

#[derive(Default)]
struct Level {
    operators: usize,
    queries: usize,
}

/// Refuses what would be too deep a tree.
pub(super) fn refuse_long(tokens: &[TokenWithSpan]) -> Result<(), SyntaxError> {
    let mut outer = Vec::new();
    let mut level = Level::default();
    for token in tokens {
        match role(&token.token) {
            Role::Opens => {
                level.operators += 1;
                outer.push(std::mem::take(&mut level));
            }
            Role::Closes => level = outer.pop().unwrap_or(level),
            Role::Operator => level.operators += 1,
            Role::Query => {
                level.queries += 1;
                level.operators = 0;
            }
            Role::Begins => level.operators = 0,
            Role::Other => {}
        }
        if level.operators > LONGEST || level.queries > LONGEST {
            let place = token.span.start;
            let reason = format!("the statement has more than {LONGEST} operators in a row");
            return Err(SyntaxError::at(place.line, place.column, &reason));
        }
    }
    Ok(())
}

enum Role {
    Opens,
    Closes,
    Operator,
    /// One more query beside the one before.
    Query,
    /// An expression of its own.
    Begins,
    Other,
}

fn role(token: &Token) -> Role {
    match token {
        Token::LParen | Token::LBracket => Role::Opens,
        Token::RParen | Token::RBracket => Role::Closes,
        Token::Comma | Token::SemiColon => Role::Begins,
        Token::Word(word) => match word.keyword {
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN => Role::Query,
            Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::ORDER
            | Keyword::WHEN
            | Keyword::THEN
            | Keyword::ELSE => Role::Begins,
            Keyword::AND
            | Keyword::OR
            | Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::BETWEEN
            | Keyword::AT => Role::Operator,
            _ => Role::Other,
        },
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::Period
        | Token::EOF
        | Token::Placeholder(_)
        | Token::Whitespace(_) => Role::Other,
        _ => Role::Operator,
    }
}
