//! What happens to a statement's tokens before the parser sees them: places sqlparser
//! has no hook for, and the values of `?`.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::dialect::TrinoDialect;
use crate::sql::SyntaxError;

/// Cuts a statement into tokens without blanks and comments.
pub(super) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    let dialect = TrinoDialect;
    let mut found = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| {
        SyntaxError::at(error.location.line, error.location.column, &error.message)
    })?;
    found.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if let Some(back_quote) = found.iter().find(|token| token.token == Token::Char('`')) {
        let place = back_quote.span.start;
        return Err(SyntaxError::at(
            place.line,
            place.column,
            "backquoted identifiers are not supported; use double quotes to quote identifiers",
        ));
    }
    while found.last().is_some_and(|token| token.token == Token::SemiColon) {
        found.pop();
    }
    Ok(found)
}

/// Puts the parameters' tokens in place of the `?`.
pub(super) fn with_parameters(
    tokens: Vec<TokenWithSpan>,
    parameters: &[String],
) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    let marks = tokens.iter().filter(|token| is_mark(&token.token)).count();
    if marks != parameters.len() {
        return Err(SyntaxError::at(
            1,
            1,
            &format!(
                "Incorrect number of parameters: expected {marks} but found {}",
                parameters.len()
            ),
        ));
    }
    let mut values = parameters.iter();
    let mut found = Vec::with_capacity(tokens.len());
    for token in tokens {
        if !is_mark(&token.token) {
            found.push(token);
            continue;
        }
        let value = values.next().expect("as many values as marks were counted");
        for mut part in self::tokens(value)? {
            part.span = token.span;
            found.push(part);
        }
    }
    Ok(found)
}

fn is_mark(token: &Token) -> bool {
    matches!(token, Token::Placeholder(mark) if mark == "?") || token == &Token::Question
}

/// Trino's rows of one column need no parentheses: `VALUES 1, 2` becomes
/// `VALUES (1), (2)`; `VALUES ROW(1, 2)` becomes `VALUES (1, 2)`.
pub(super) fn with_value_rows(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut found = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        found.push(first.clone());
        rest = after;
        if is_keyword(&first.token, Keyword::VALUES) {
            rest = value_rows(after, &mut found);
        }
    }
    found
}

fn value_rows<'a>(
    mut rest: &'a [TokenWithSpan],
    found: &mut Vec<TokenWithSpan>,
) -> &'a [TokenWithSpan] {
    loop {
        let length = row_length(rest);
        let (row, after) = rest.split_at(length);
        let row = row_values(row);
        let inner = with_value_rows(row);
        if is_wrapped(row) || row.is_empty() {
            found.extend(inner);
        } else {
            found.push(TokenWithSpan::new(Token::LParen, row[0].span));
            found.extend(inner);
            found.push(TokenWithSpan::new(Token::RParen, row[row.len() - 1].span));
        }
        match after.split_first() {
            Some((comma, after)) if comma.token == Token::Comma => {
                found.push(comma.clone());
                rest = after;
            }
            _ => return after,
        }
    }
}

/// The values of a row in parentheses, however often it says that it is one.
fn row_values(row: &[TokenWithSpan]) -> &[TokenWithSpan] {
    match row.split_first() {
        Some((word, inner)) if is_word(&word.token, "ROW") && is_wrapped(inner) => inner,
        _ if is_wrapped(row) => match row[1..row.len() - 1].split_first() {
            Some((word, inner)) if is_word(&word.token, "ROW") && is_wrapped(inner) => inner,
            _ => row,
        },
        _ => row,
    }
}

/// How many tokens belong to the first row.
fn row_length(tokens: &[TokenWithSpan]) -> usize {
    const AFTER: [Keyword; 9] = [
        Keyword::UNION,
        Keyword::EXCEPT,
        Keyword::INTERSECT,
        Keyword::ORDER,
        Keyword::LIMIT,
        Keyword::OFFSET,
        Keyword::FETCH,
        Keyword::WITH,
        Keyword::AS,
    ];
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket if depth == 0 => return at,
            Token::RParen | Token::RBracket => depth -= 1,
            Token::Comma if depth == 0 => return at,
            // The next clause of a MERGE follows a row; within one, WHEN belongs to a CASE.
            other
                if depth == 0 && is_keyword(other, Keyword::WHEN) && is_wrapped(&tokens[..at]) =>
            {
                return at;
            }
            other if depth == 0 && AFTER.iter().any(|keyword| is_keyword(other, *keyword)) => {
                return at;
            }
            _ => {}
        }
    }
    tokens.len()
}

/// Whether the tokens are one pair of parentheses around a row's values.
fn is_wrapped(tokens: &[TokenWithSpan]) -> bool {
    if tokens.first().is_none_or(|token| token.token != Token::LParen) {
        return false;
    }
    if tokens.get(1).is_some_and(|token| {
        is_keyword(&token.token, Keyword::SELECT) || is_keyword(&token.token, Keyword::WITH)
    }) {
        return false;
    }
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth -= 1;
                if depth == 0 {
                    return at + 1 == tokens.len();
                }
            }
            // A lambda's parameters are no row.
            Token::Arrow if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

/// Queries in places where sqlparser expects other words: `IN (VALUES 1)`, `> ALL (TABLE t)`,
/// `(TABLE t)`; `GROUP BY DISTINCT`, of which a mark is left; and the names of `.* AS (a, b)`.
pub(super) fn with_plain_queries(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    const BEFORE: [Keyword; 4] = [Keyword::IN, Keyword::ALL, Keyword::ANY, Keyword::SOME];
    const SETS: [Keyword; 5] =
        [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT, Keyword::ALL, Keyword::DISTINCT];
    let mut found: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut open = 0_usize;
    let mut closing = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at].token);
        let is_before = |back: usize, words: &[Keyword]| {
            before(back).is_some_and(|token| words.iter().any(|word| is_keyword(token, *word)))
        };
        let mut put = |tokens: &[Token]| {
            found.extend(tokens.iter().map(|new| TokenWithSpan::new(new.clone(), token.span)));
        };
        match &token.token {
            Token::LParen => open += 1,
            Token::RParen => {
                if closing.last() == Some(&open) {
                    closing.pop();
                    put(&[Token::RParen]);
                }
                open = open.saturating_sub(1);
            }
            word if is_keyword(word, Keyword::VALUES)
                && before(1) == Some(&Token::LParen)
                && is_before(2, &BEFORE) =>
            {
                put(&[word_of("SELECT"), Token::Mul, word_of("FROM"), Token::LParen]);
                closing.push(open);
            }
            // `.* AS (a, b)`
            word if is_keyword(word, Keyword::AS)
                && before(1) == Some(&Token::Mul)
                && before(2) == Some(&Token::Period)
                && tokens.get(at + 1).is_some_and(|next| next.token == Token::LParen) =>
            {
                put(&[word_of("EXCLUDE")]);
                continue;
            }
            word if is_keyword(word, Keyword::EXCLUDE) && before(1) == Some(&Token::Mul) => {
                put(&[Token::make_word("EXCLUDE", Some('"'))]);
                continue;
            }
            word if is_keyword(word, Keyword::TABLE)
                && (before(1) == Some(&Token::LParen) || is_before(1, &SETS))
                && matches!(tokens.get(at + 1).map(|next| &next.token), Some(Token::Word(_))) =>
            {
                put(&[word_of("SELECT"), Token::Mul, word_of("FROM")]);
                continue;
            }
            word if is_before(1, &[Keyword::BY]) && is_before(2, &[Keyword::GROUP]) => {
                if is_keyword(word, Keyword::DISTINCT) {
                    let mark = Token::make_word(super::rewrite::GROUP_BY_DISTINCT, Some('"'));
                    put(&[mark, Token::Comma]);
                    continue;
                }
                if is_keyword(word, Keyword::ALL) {
                    continue;
                }
            }
            _ => {}
        }
        found.push(token.clone());
    }
    found
}

fn word_of(word: &str) -> Token {
    Token::make_keyword(word)
}

pub(super) fn is_keyword(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword)
}

pub(super) fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}
