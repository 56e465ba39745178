//! The grammar of partition expressions.

use super::{Comparison, Condition, FilterError, Key, Kind};
use crate::catalog::storage::Column;

/// How deep parentheses and NOTs may nest.
const DEEPEST: usize = 100;

/// Reads a whole text as one condition over these keys.
pub fn condition(text: &str, keys: &[Column]) -> Result<Condition, FilterError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens, at: 0, end: text.len(), keys, depth: 0 };
    let condition = parser.or()?;
    match parser.peek() {
        None => Ok(condition),
        Some(_) => Err(parser.expected("AND, OR or the end")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word as it stands: a key, a keyword, `true`.
    Word(String),
    /// A key in backticks or double quotes.
    Quoted(String),
    Text(String),
    Number(String),
    Symbol(&'static str),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(keyword),
            Self::Symbol(symbol) => *symbol == keyword,
            Self::Quoted(_) | Self::Text(_) | Self::Number(_) => false,
        }
    }
}

const SYMBOLS: [&str; 10] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if let '\'' | '"' | '`' = first {
            let (content, length) = quoted(rest, first).ok_or_else(|| FilterError {
                at: text.len(),
                expected: format!("a closing {first}"),
                found: "the end".to_owned(),
            })?;
            (if first == '\'' { Token::Text(content) } else { Token::Quoted(content) }, length)
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            let word = |c: char| !(c.is_alphanumeric() || "_.-+$".contains(c));
            let length = rest.find(word).unwrap_or(rest.len());
            if length == 0 {
                let expected = "a key, a literal or an operator".to_owned();
                return Err(FilterError { at, expected, found: format!("{first:?}") });
            }
            let word = rest[..length].to_owned();
            let number = word.parse::<f64>().is_ok() && !first.is_alphabetic();
            (if number { Token::Number(word) } else { Token::Word(word) }, length)
        };
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

/// The text between quotes, and how many bytes it took. A doubled quote is one.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            content.push(c);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            content.push(quote);
            characters.next();
        } else {
            return Some((content, at + 1));
        }
    }
    None
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    keys: &'a [Column],
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn accept(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(keyword));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, keyword: &'static str) -> Result<(), FilterError> {
        if self.accept(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
    }

    fn expected(&self, expected: &str) -> FilterError {
        let (at, found) = match self.tokens.get(self.at) {
            Some((at, token)) => (*at, format!("{token:?}")),
            None => (self.end, "the end".to_owned()),
        };
        FilterError { at, expected: expected.to_owned(), found }
    }

    fn or(&mut self) -> Result<Condition, FilterError> {
        let mut condition = self.and()?;
        while self.accept("or") {
            condition = Condition::Or(Box::new(condition), Box::new(self.and()?));
        }
        Ok(condition)
    }

    fn and(&mut self) -> Result<Condition, FilterError> {
        let mut condition = self.not()?;
        while self.accept("and") {
            condition = Condition::And(Box::new(condition), Box::new(self.not()?));
        }
        Ok(condition)
    }

    fn not(&mut self) -> Result<Condition, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.expected("fewer nested conditions"));
        }
        let condition = if self.accept("not") {
            Condition::Not(Box::new(self.not()?))
        } else if self.accept("(") {
            let condition = self.or()?;
            self.expect(")")?;
            condition
        } else {
            self.predicate()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn predicate(&mut self) -> Result<Condition, FilterError> {
        let key = self.key()?;
        if self.accept("is") {
            let negated = self.accept("not");
            self.expect("null")?;
            return Ok(negate(Condition::IsNull(key), negated));
        }
        let negated = self.accept("not");
        let condition = if self.accept("between") {
            let low = self.literal()?;
            self.expect("and")?;
            Condition::Between(key, low, self.literal()?)
        } else if self.accept("in") {
            self.expect("(")?;
            let mut literals = vec![self.literal()?];
            while self.accept(",") {
                literals.push(self.literal()?);
            }
            self.expect(")")?;
            Condition::In(key, literals)
        } else if self.accept("like") {
            Condition::Like(key, self.literal()?)
        } else if negated {
            return Err(self.expected("BETWEEN, IN or LIKE"));
        } else {
            Condition::Compare(key, self.comparison()?, self.literal()?)
        };
        Ok(negate(condition, negated))
    }

    fn key(&mut self) -> Result<Key, FilterError> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => name.to_lowercase(),
            _ => return Err(self.expected("a partition key")),
        };
        let Some(index) = self.keys.iter().position(|key| key.name == name) else {
            let names: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
            return Err(self.expected(&format!("one of the partition keys {}", names.join(", "))));
        };
        self.at += 1;
        Ok(Key { index, kind: kind(self.keys[index].r#type.as_deref().unwrap_or("string")) })
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        let comparison = match self.peek() {
            Some(Token::Symbol("=")) => Comparison::Equal,
            Some(Token::Symbol("<>" | "!=")) => Comparison::NotEqual,
            Some(Token::Symbol("<")) => Comparison::Less,
            Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
            Some(Token::Symbol(">")) => Comparison::Greater,
            Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
            _ => return Err(self.expected("a comparison")),
        };
        self.at += 1;
        Ok(comparison)
    }

    /// A text or a number. `DATE '…'` and `TIMESTAMP '…'` are their texts.
    fn literal(&mut self) -> Result<String, FilterError> {
        if !self.accept("date") {
            self.accept("timestamp");
        }
        let literal = match self.peek() {
            Some(Token::Text(text) | Token::Number(text)) => text.clone(),
            Some(Token::Word(word))
                if ["true", "false"].contains(&word.to_lowercase().as_str()) =>
            {
                word.to_lowercase()
            }
            _ => return Err(self.expected("a literal")),
        };
        self.at += 1;
        Ok(literal)
    }
}

fn negate(condition: Condition, negated: bool) -> Condition {
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

fn kind(hive_type: &str) -> Kind {
    let name = hive_type.split('(').next().unwrap_or_default().trim().to_lowercase();
    match name.as_str() {
        "tinyint" | "smallint" | "int" | "integer" | "bigint" | "long" => Kind::Integer,
        "decimal" | "numeric" | "double" | "float" | "real" => Kind::Decimal,
        _ => Kind::Text,
    }
}
