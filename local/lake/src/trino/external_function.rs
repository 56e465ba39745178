//! `USING EXTERNAL FUNCTION name(…) RETURNS type LAMBDA 'name' SELECT …`.
//! Source: user guide, querying-udf.md and querying-mlmodel.md.

use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::statement::{TrinoStatement, word, word_if};

/// Reads the functions and the query after them. Types are skipped: nothing here calls these functions.
pub(super) fn read(parser: &mut Parser) -> Result<TrinoStatement, ParserError> {
    word(parser, "USING")?;
    let mut names = Vec::new();
    loop {
        word(parser, "EXTERNAL")?;
        word(parser, "FUNCTION")?;
        names.push(parser.parse_identifier()?.value);
        parser.expect_token(&Token::LParen)?;
        let mut depth = 1;
        while depth > 0 {
            match parser.next_token().token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::EOF => return parser.expected_ref(")", parser.peek_token_ref()),
                _ => {}
            }
        }
        word(parser, "RETURNS")?;
        while !(word_if(parser, "LAMBDA") || word_if(parser, "SAGEMAKER")) {
            if parser.next_token().token == Token::EOF {
                return parser.expected_ref("LAMBDA or SAGEMAKER", parser.peek_token_ref());
            }
        }
        parser.parse_literal_string()?;
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.parse_query()?;
    Ok(TrinoStatement::ExternalFunctions { names })
}
