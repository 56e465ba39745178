//! Trino's grammar where it differs from what sqlparser reads by itself.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{BinaryOperator, DateTimeField, Expr, Interval, Value};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::ast::{call, text};
use super::json_call;
use super::operators::EXTRACT;
use super::tokens::{is_keyword, is_word};

/// Trino's dialect, as the engine of Athena reads it.
#[derive(Debug)]
pub(super) struct TrinoDialect;

impl Dialect for TrinoDialect {
    /// Grammar points that sqlparser ties to a list of dialects (such as `UNNEST` as a
    /// table) are open to the generic one.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_boolean_literals(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_select_expr_star(&self) -> bool {
        true
    }

    /// For the names of `.* AS (a, b)`; the tokens have no other EXCLUDE.
    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    /// `x AT LOCAL` binds as `x AT TIME ZONE z` does. No operator begins with a colon, which stands
    /// between the names and values of `json_object`.
    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        let [at, local] = parser.peek_tokens::<2>();
        if at == Token::Colon {
            return Some(Ok(self.prec_unknown()));
        }
        (is_keyword(&at, Keyword::AT) && is_word(&local, "local"))
            .then(|| Ok(self.prec_value(Precedence::AtTz)))
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &Expr,
        _: u8,
    ) -> Option<Result<Expr, ParserError>> {
        let [at, local] = parser.peek_tokens::<2>();
        if !is_keyword(&at, Keyword::AT) || !is_word(&local, "local") {
            return None;
        }
        parser.next_token();
        parser.next_token();
        Some(Ok(call("$at_local", vec![expr.clone()])))
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let word = match &parser.peek_token_ref().token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => return None,
        };
        let [_, second, third] = parser.peek_tokens::<3>();
        if second == Token::LParen {
            return match word.as_str() {
                "cast" => Some(parse_cast(parser, "$cast")),
                "try_cast" => Some(parse_cast(parser, "$try_cast")),
                "extract" => Some(parse_extract(parser)),
                "trim" => parse_trim(parser, &third),
                name => json_call::parse(parser, name),
            };
        }
        if let Token::SingleQuotedString(value) = &second
            && LITERAL_TYPES.contains(&word.as_str())
        {
            parser.next_token();
            parser.next_token();
            return Some(Ok(match word.as_str() {
                "json" => call("$json_literal", vec![text(value)]),
                _ => call("$literal", vec![text(value), text(&word)]),
            }));
        }
        if word == "interval" {
            return parse_interval(parser);
        }
        if word == "double"
            && is_word(&second, "precision")
            && let Token::SingleQuotedString(value) = &third
        {
            (0..3).for_each(|_| {
                parser.next_token();
            });
            return Some(Ok(call("$literal", vec![text(value), text("double")])));
        }
        None
    }
}

/// `TRIM(LEADING FROM expr)`, of blanks.
fn parse_trim(parser: &mut Parser, side: &Token) -> Option<Result<Expr, ParserError>> {
    let function = [("leading", "ltrim"), ("trailing", "rtrim"), ("both", "trim")]
        .into_iter()
        .find_map(|(word, function)| is_word(side, word).then_some(function))?;
    let [_, _, _, from] = parser.peek_tokens::<4>();
    if !is_word(&from, "from") {
        return None;
    }
    (0..4).for_each(|_| {
        parser.next_token();
    });
    Some(parser.parse_expr().and_then(|expr| {
        parser.expect_token(&Token::RParen)?;
        Ok(call(function, vec![expr]))
    }))
}

/// `INTERVAL [+|-] '1 12' DAY TO HOUR`, its sign within the text.
fn parse_interval(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let [_, second, third] = parser.peek_tokens::<3>();
    let (signs, value) = match (&second, &third) {
        (Token::SingleQuotedString(value), _) => (0, value.clone()),
        (Token::Plus, Token::SingleQuotedString(value)) => (1, value.clone()),
        (Token::Minus, Token::SingleQuotedString(value)) => (
            1,
            match value.strip_prefix('-') {
                Some(rest) => rest.to_owned(),
                None => format!("-{value}"),
            },
        ),
        _ => return None,
    };
    (0..2 + signs).for_each(|_| {
        parser.next_token();
    });
    Some(interval_fields(parser).map(|(from, to)| {
        Expr::Interval(Interval {
            value: Box::new(text(&value)),
            leading_field: Some(from),
            leading_precision: None,
            last_field: to,
            fractional_seconds_precision: None,
        })
    }))
}

/// `DAY` or `DAY TO HOUR`.
fn interval_fields(
    parser: &mut Parser,
) -> Result<(DateTimeField, Option<DateTimeField>), ParserError> {
    let from = interval_field(parser)?;
    let to = if parser.parse_keyword(Keyword::TO) { Some(interval_field(parser)?) } else { None };
    Ok((from, to))
}

fn interval_field(parser: &mut Parser) -> Result<DateTimeField, ParserError> {
    let token = parser.next_token();
    Ok(match &token.token {
        word if is_word(word, "year") => DateTimeField::Year,
        word if is_word(word, "month") => DateTimeField::Month,
        word if is_word(word, "day") => DateTimeField::Day,
        word if is_word(word, "hour") => DateTimeField::Hour,
        word if is_word(word, "minute") => DateTimeField::Minute,
        word if is_word(word, "second") => DateTimeField::Second,
        _ => return parser.expected("a field of an interval", token),
    })
}

/// Types whose name before a string makes a literal: `DATE '2024-01-01'`.
const LITERAL_TYPES: [&str; 18] = [
    "bigint",
    "integer",
    "int",
    "smallint",
    "tinyint",
    "real",
    "double",
    "decimal",
    "varchar",
    "char",
    "boolean",
    "date",
    "timestamp",
    "time",
    "json",
    "varbinary",
    "uuid",
    "ipaddress",
];

/// `CAST(expr AS type)`, with Trino's own types.
fn parse_cast(parser: &mut Parser, name: &str) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let expr = parser.parse_expr()?;
    if !parser.parse_keyword(Keyword::AS) {
        return parser.expected_ref("AS", parser.peek_token_ref());
    }
    let kind = type_text(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(call(name, vec![expr, text(&kind)]))
}

/// The text of a type up to the parenthesis that closes what it stands in.
fn type_text(parser: &mut Parser) -> Result<String, ParserError> {
    let mut kind = String::new();
    let mut depth = 0_usize;
    loop {
        let token = parser.peek_token();
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 && kind.is_empty() => {
                return parser.expected("a type", token);
            }
            Token::RParen if depth == 0 => return Ok(kind),
            Token::RParen => depth -= 1,
            Token::Word(_) | Token::Number(..) | Token::Comma | Token::Lt | Token::Gt => {}
            _ => return parser.expected("a type", token),
        }
        parser.next_token();
        if matches!(token.token, Token::Word(_)) && !kind.is_empty() && !kind.ends_with('(') {
            kind.push(' ');
        }
        kind.push_str(&token.token.to_string());
    }
}

/// Fields of `EXTRACT`.
const EXTRACTED: [&str; 14] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "year_of_week",
    "hour",
    "minute",
    "second",
    "timezone_minute",
    "timezone_hour",
];

/// `EXTRACT(field FROM expr)`.
fn parse_extract(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let field = parser.parse_identifier()?.value.to_lowercase();
    let function = match field.as_str() {
        "dow" => "day_of_week",
        "doy" => "day_of_year",
        "yow" => "year_of_week",
        other if EXTRACTED.contains(&other) => other,
        other => {
            return Err(ParserError::ParserError(format!(
                "Invalid EXTRACT field {}, valid fields are: {}",
                other.to_uppercase(),
                EXTRACTED.join(", ").to_uppercase()
            )));
        }
    };
    if !parser.parse_keyword(Keyword::FROM) {
        return parser.expected_ref("FROM", parser.peek_token_ref());
    }
    let expr = parser.parse_expr()?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::BinaryOp {
        left: Box::new(expr),
        op: BinaryOperator::Custom(format!("{EXTRACT}{function}")),
        right: Box::new(Expr::Value(Value::Null.into())),
    })
}
