//! Trino's grammar of `json_exists`, `json_value`, `json_query`, `json_object` and
//! `json_array`, which sqlparser does not know, and the refusal of `JSON_TABLE`.

use datafusion::sql::sqlparser::ast::{Expr, Value};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::ast::{call, function_name, text, thunk};
use super::functions::json::{
    Behavior, ConstructorClauses, Format, Passed, PathClauses, Quotes, Wrapper, written,
};
use super::tokens::is_word;
use crate::sql::SyntaxError;

/// Reads a call whose name is the next token, when it is one of these functions.
pub(super) fn parse(parser: &mut Parser, name: &str) -> Option<Result<Expr, ParserError>> {
    let read = match name {
        "json_exists" => json_exists,
        "json_value" => json_value,
        "json_query" => json_query,
        "json_object" => json_object,
        "json_array" => json_array,
        _ => return None,
    };
    parser.next_token();
    parser.next_token();
    Some(read(parser))
}

/// `JSON_TABLE` is not known to be in Athena's Trino.
pub(super) fn refuse_table(tokens: &[TokenWithSpan]) -> Result<(), SyntaxError> {
    let found = tokens
        .windows(2)
        .find(|pair| is_word(&pair[0].token, "json_table") && pair[1].token == Token::LParen);
    match found {
        Some([word, _]) => {
            let place = word.span.start;
            Err(SyntaxError::at(place.line, place.column, "JSON_TABLE is not supported"))
        }
        _ => Ok(()),
    }
}

/// Takes the next token when it is a word.
fn word(parser: &mut Parser, text: &str) -> bool {
    let found = is_word(&parser.peek_token_ref().token, text);
    if found {
        parser.next_token();
    }
    found
}

fn words(parser: &mut Parser, all: &[&str]) -> bool {
    let found =
        all.iter().enumerate().all(|(at, text)| is_word(&parser.peek_nth_token(at).token, text));
    if found {
        for _ in all {
            parser.next_token();
        }
    }
    found
}

fn expect(parser: &mut Parser, text: &str) -> Result<(), ParserError> {
    if word(parser, text) { Ok(()) } else { parser.expected(text, parser.peek_token()) }
}

/// `FORMAT JSON [ENCODING …]`, or what an expression's own form is.
fn format(parser: &mut Parser) -> Result<Option<Format>, ParserError> {
    if !words(parser, &["format", "json"]) {
        return Ok(None);
    }
    if !word(parser, "encoding") {
        return Ok(Some(Format::Json));
    }
    let encodings = [("utf8", Format::Utf8), ("utf16", Format::Utf16), ("utf32", Format::Utf32)];
    for (name, format) in encodings {
        if word(parser, name) {
            return Ok(Some(format));
        }
    }
    parser.expected("UTF8, UTF16 or UTF32", parser.peek_token())
}

/// An expression and its form. What a JSON function makes is JSON without saying so.
fn value(parser: &mut Parser) -> Result<(Expr, Format), ParserError> {
    let expr = parser.parse_expr()?;
    let format = format(parser)?.unwrap_or_else(|| own_format(&expr));
    Ok((expr, format))
}

fn own_format(expr: &Expr) -> Format {
    match expr {
        Expr::Nested(inner) => own_format(inner),
        Expr::Function(function) => match function_name(function).as_deref() {
            Some("$json_query" | "$json_object" | "$json_array") => Format::Json,
            _ => Format::Plain,
        },
        _ => Format::Plain,
    }
}

/// The input, the path and what is passed, up to the clauses of the one function.
fn invocation(parser: &mut Parser) -> Result<(PathClauses, Vec<Expr>), ParserError> {
    let (input, input_format) = value(parser)?;
    let mut arguments = vec![input];
    parser.expect_token(&Token::Comma)?;
    let place = parser.peek_token().span.start;
    let path = parser.parse_literal_string()?;
    let mut passed = Vec::new();
    if word(parser, "passing") {
        loop {
            let (expr, format) = value(parser)?;
            expect(parser, "as")?;
            let name = parser.parse_identifier()?;
            // As SQL has it: names without quotes are in capitals.
            let name =
                if name.quote_style.is_some() { name.value } else { name.value.to_uppercase() };
            passed.push(Passed { name, format });
            arguments.push(expr);
            if !parser.consume_token(&Token::Comma) {
                break;
            }
        }
    }
    let clauses = PathClauses {
        path,
        line: place.line,
        column: place.column,
        input: if input_format == Format::Plain { Format::Json } else { input_format },
        passed,
        returning: None,
        output: Format::Json,
        wrapper: Wrapper::Without,
        quotes: None,
        on_empty: Behavior::Null,
        on_error: Behavior::Null,
    };
    Ok((clauses, arguments))
}

/// The text of a type after `RETURNING`.
fn returning(parser: &mut Parser) -> Result<Option<String>, ParserError> {
    if !word(parser, "returning") {
        return Ok(None);
    }
    let mut kind = parser.parse_identifier()?.to_string();
    if parser.peek_token_ref().token == Token::LParen {
        let mut depth = 0_usize;
        loop {
            let token = parser.next_token().token;
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return parser.expected(")", parser.peek_token()),
                _ => {}
            }
            if matches!(token, Token::Word(_)) && !kind.ends_with('(') {
                kind.push(' ');
            }
            kind.push_str(&token.to_string());
            if depth == 0 {
                break;
            }
        }
    }
    for rest in [["with", "time", "zone"].as_slice(), &["without", "time", "zone"], &["precision"]]
    {
        if words(parser, rest) {
            kind = format!("{kind} {}", rest.join(" "));
        }
    }
    Ok(Some(kind))
}

fn output_format(parser: &mut Parser) -> Result<Format, ParserError> {
    Ok(format(parser)?.unwrap_or(Format::Json))
}

fn closed(parser: &mut Parser) -> Result<(), ParserError> {
    parser.expect_token(&Token::RParen).map(drop)
}

fn finished(name: &str, clauses: &PathClauses, mut arguments: Vec<Expr>) -> Expr {
    arguments.insert(0, text(&written(clauses)));
    call(name, arguments)
}

fn json_exists(parser: &mut Parser) -> Result<Expr, ParserError> {
    let (mut clauses, arguments) = invocation(parser)?;
    let behaviors = [
        ("true", Behavior::True),
        ("false", Behavior::False),
        ("unknown", Behavior::Null),
        ("error", Behavior::Error),
    ];
    clauses.on_error = Behavior::False;
    for (name, behavior) in behaviors {
        if words(parser, &[name, "on", "error"]) {
            clauses.on_error = behavior;
            break;
        }
    }
    closed(parser)?;
    Ok(finished("$json_exists", &clauses, arguments))
}

fn json_value(parser: &mut Parser) -> Result<Expr, ParserError> {
    let (mut clauses, arguments) = invocation(parser)?;
    clauses.returning = returning(parser)?;
    let mut defaults = [None, None];
    let mut seen = 0;
    while parser.peek_token_ref().token != Token::RParen {
        let (behavior, default) = if word(parser, "null") {
            (Behavior::Null, None)
        } else if word(parser, "error") {
            (Behavior::Error, None)
        } else if word(parser, "default") {
            (Behavior::Default, Some(parser.parse_expr()?))
        } else {
            return parser.expected(")", parser.peek_token());
        };
        expect(parser, "on")?;
        // `ON EMPTY` stands before `ON ERROR`, each at most once.
        if seen == 0 && word(parser, "empty") {
            seen = 1;
            clauses.on_empty = behavior;
            defaults[0] = default;
        } else if seen < 2 && word(parser, "error") {
            seen = 2;
            clauses.on_error = behavior;
            defaults[1] = default;
        } else {
            return parser.expected("ERROR", parser.peek_token());
        }
    }
    closed(parser)?;
    if defaults.iter().all(Option::is_none) {
        return Ok(finished("$json_value", &clauses, arguments));
    }
    let kind = clauses.returning.clone().unwrap_or_else(|| "varchar".to_owned());
    let rethrows = clauses.on_error == Behavior::Error;
    let outcome = finished("$json_outcome", &clauses, arguments);
    let mut whole = vec![outcome, Expr::Value(Value::Boolean(rethrows).into())];
    whole.extend(defaults.map(|default| {
        let default = default.unwrap_or_else(|| Expr::Value(Value::Null.into()));
        thunk(call("$cast", vec![default, text(&kind)]))
    }));
    Ok(call("$json_default", whole))
}

fn json_query(parser: &mut Parser) -> Result<Expr, ParserError> {
    let (mut clauses, arguments) = invocation(parser)?;
    clauses.returning = returning(parser)?;
    if clauses.returning.is_some() {
        clauses.output = output_format(parser)?;
    }
    if word(parser, "without") {
        word(parser, "array");
        expect(parser, "wrapper")?;
    } else if parser.parse_keyword(Keyword::WITH) {
        clauses.wrapper = if word(parser, "conditional") {
            Wrapper::Conditional
        } else {
            word(parser, "unconditional");
            Wrapper::Unconditional
        };
        word(parser, "array");
        expect(parser, "wrapper")?;
    }
    let keep = words(parser, &["keep", "quotes"]);
    if keep || words(parser, &["omit", "quotes"]) {
        clauses.quotes = Some(if keep { Quotes::Keep } else { Quotes::Omit });
        words(parser, &["on", "scalar", "string"]);
    }
    for (event, at) in [("empty", 0), ("error", 1)] {
        let behaviors: [(&[&str], Behavior); 4] = [
            (&["null", "on", event], Behavior::Null),
            (&["error", "on", event], Behavior::Error),
            (&["empty", "array", "on", event], Behavior::EmptyArray),
            (&["empty", "object", "on", event], Behavior::EmptyObject),
        ];
        for (said, behavior) in behaviors {
            if words(parser, said) {
                let place = if at == 0 { &mut clauses.on_empty } else { &mut clauses.on_error };
                *place = behavior;
                break;
            }
        }
    }
    closed(parser)?;
    Ok(finished("$json_query", &clauses, arguments))
}

/// `NULL ON NULL` or `ABSENT ON NULL`.
fn null_clause(parser: &mut Parser, null_on_null: &mut bool) {
    if words(parser, &["null", "on", "null"]) {
        *null_on_null = true;
    } else if words(parser, &["absent", "on", "null"]) {
        *null_on_null = false;
    }
}

fn constructed(
    parser: &mut Parser,
    name: &str,
    mut clauses: ConstructorClauses,
    mut arguments: Vec<Expr>,
) -> Result<Expr, ParserError> {
    clauses.returning = returning(parser)?;
    if clauses.returning.is_some() {
        clauses.output = output_format(parser)?;
    }
    closed(parser)?;
    arguments.insert(0, text(&written(&clauses)));
    Ok(call(name, arguments))
}

fn is_closed(parser: &Parser) -> bool {
    let next = &parser.peek_token_ref().token;
    *next == Token::RParen || is_word(next, "returning")
}

fn json_array(parser: &mut Parser) -> Result<Expr, ParserError> {
    let mut clauses = ConstructorClauses {
        formats: Vec::new(),
        null_on_null: false,
        unique_keys: false,
        returning: None,
        output: Format::Json,
    };
    let mut arguments = Vec::new();
    while !is_closed(parser) {
        let (expr, format) = value(parser)?;
        arguments.push(expr);
        clauses.formats.push(format);
        if !parser.consume_token(&Token::Comma) {
            null_clause(parser, &mut clauses.null_on_null);
            break;
        }
    }
    constructed(parser, "$json_array", clauses, arguments)
}

fn json_object(parser: &mut Parser) -> Result<Expr, ParserError> {
    let mut clauses = ConstructorClauses {
        formats: Vec::new(),
        null_on_null: true,
        unique_keys: false,
        returning: None,
        output: Format::Json,
    };
    let mut arguments = Vec::new();
    while !is_closed(parser) {
        if begins_with_key(parser) {
            parser.next_token();
        }
        arguments.push(parser.parse_expr()?);
        if !parser.consume_token(&Token::Colon) {
            expect(parser, "value")?;
        }
        let (expr, format) = value(parser)?;
        arguments.push(expr);
        clauses.formats.push(format);
        if !parser.consume_token(&Token::Comma) {
            null_clause(parser, &mut clauses.null_on_null);
            if words(parser, &["with", "unique"]) {
                clauses.unique_keys = true;
                word(parser, "keys");
            } else if words(parser, &["without", "unique"]) {
                word(parser, "keys");
            }
            break;
        }
    }
    constructed(parser, "$json_object", clauses, arguments)
}

/// Whether the next word is the keyword and no column of this name.
fn begins_with_key(parser: &Parser) -> bool {
    is_word(&parser.peek_token_ref().token, "key")
        && match &parser.peek_nth_token(1).token {
            Token::Word(word) => !word.value.eq_ignore_ascii_case("value"),
            Token::SingleQuotedString(_) | Token::UnicodeStringLiteral(_) | Token::LParen => true,
            Token::Number(..) => true,
            _ => false,
        }
}
