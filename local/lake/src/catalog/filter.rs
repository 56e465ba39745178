//! The `Expression` of Glue's `GetPartitions`: an SQL condition over partition keys.
//!
//! `=`, `<>`, `!=`, `<`, `>`, `<=`, `>=`, `BETWEEN`, `IN`, `LIKE`, `IS NULL`, each but
//! the last also with NOT, joined by AND, OR, NOT and parentheses.
//! Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html>

use std::cmp::Ordering;

use super::CatalogError;
use super::storage::Column;

/// How Hive writes the partition value NULL.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// How deep parentheses and NOTs may nest.
const DEEPEST: usize = 100;

/// A parsed expression over the keys it was parsed for.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Condition);

/// What is wrong with an expression, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("partition expression, byte {at}: expected {expected}, found {found}")]
pub struct FilterError {
    pub at: usize,
    pub expected: String,
    pub found: String,
}

impl From<FilterError> for CatalogError {
    fn from(error: FilterError) -> Self {
        Self::InvalidInput(error.to_string())
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Key, Comparison, String),
    Between(Key, String, String),
    In(Key, Vec<String>),
    Like(Key, String),
    IsNull(Key),
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    index: usize,
    kind: Kind,
}

/// How the values of a key compare. Dates and times are written so that their texts
/// are in their order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Integer,
    Decimal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filter {
    /// Parses an expression over these partition keys.
    ///
    /// # Errors
    /// Where the text is no condition, or names what is no partition key.
    pub fn parse(text: &str, keys: &[Column]) -> Result<Self, FilterError> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens, at: 0, end: text.len(), keys, depth: 0 };
        let condition = parser.or()?;
        match parser.peek() {
            None => Ok(Self(condition)),
            Some(_) => Err(parser.expected("AND, OR or the end")),
        }
    }

    /// Whether a partition with these values, one for each key, is let through.
    /// Unknown, as in SQL, is not.
    pub fn matches(&self, values: &[String]) -> bool {
        self.0.holds(values) == Some(true)
    }
}

impl Condition {
    fn holds(&self, values: &[String]) -> Option<bool> {
        match self {
            Self::And(a, b) => match (a.holds(values), b.holds(values)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.holds(values), b.holds(values)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(condition) => condition.holds(values).map(|holds| !holds),
            Self::Compare(key, comparison, literal) => {
                key.compare(key.value(values)?, literal).map(|order| comparison.holds(order))
            }
            Self::Between(key, low, high) => {
                let value = key.value(values)?;
                Some(key.compare(value, low)?.is_ge() && key.compare(value, high)?.is_le())
            }
            Self::In(key, literals) => {
                let value = key.value(values)?;
                Some(
                    literals
                        .iter()
                        .any(|literal| key.compare(value, literal) == Some(Ordering::Equal)),
                )
            }
            Self::Like(key, pattern) => Some(like(key.value(values)?, pattern)),
            Self::IsNull(key) => Some(key.value(values).is_none()),
        }
    }
}

impl Key {
    fn value<'a>(&self, values: &'a [String]) -> Option<&'a str> {
        values.get(self.index).map(String::as_str).filter(|value| *value != NULL)
    }

    fn compare(&self, value: &str, literal: &str) -> Option<Ordering> {
        match self.kind {
            Kind::Text => Some(value.cmp(literal)),
            Kind::Integer => match (value.trim().parse::<i128>(), literal.trim().parse::<i128>()) {
                (Ok(value), Ok(literal)) => Some(value.cmp(&literal)),
                _ => compare_numbers(value, literal),
            },
            Kind::Decimal => compare_numbers(value, literal),
        }
    }
}

fn compare_numbers(value: &str, literal: &str) -> Option<Ordering> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    number(value)?.partial_cmp(&number(literal)?)
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// `%` is any text, `_` any character; there is no escape.
fn like(value: &str, pattern: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let mut reached = vec![false; value.len() + 1];
    reached[0] = true;
    for symbol in pattern.chars() {
        let mut next = vec![false; value.len() + 1];
        for (i, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            match symbol {
                '%' => next[i..].fill(true),
                _ if i < value.len() && (symbol == '_' || symbol == value[i]) => next[i + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached[value.len()]
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
