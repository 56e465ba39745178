//! A cursor over tokens: what every production of the parser asks of them.

use super::token::{Kind, Token, tokens};
use super::{PartitionSpec, TableName};
use crate::sql::SyntaxError;

/// How deep types nest: `array<array<…>>`. The parser follows them by recursion.
const DEEPEST: usize = 100;

fn refuse_deep(tokens: &[Token]) -> Result<(), SyntaxError> {
    let mut depth = 0_usize;
    for token in tokens {
        match token.kind {
            Kind::Symbol('<') => depth += 1,
            Kind::Symbol('>') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            let reason = format!("types nest deeper than {DEEPEST} levels");
            return Err(SyntaxError::at(token.line, token.column, &reason));
        }
    }
    Ok(())
}

/// The one catalog that has data here.
const CATALOG: &str = "awsdatacatalog";

pub(super) struct Cursor {
    tokens: Vec<Token>,
    at: usize,
    /// A catalog that a name has named, other than [`CATALOG`].
    pub other_catalog: Option<String>,
}

impl Cursor {
    pub fn new(text: &str) -> Result<Self, SyntaxError> {
        let tokens = tokens(text)?;
        refuse_deep(&tokens)?;
        Ok(Self { tokens, at: 0, other_catalog: None })
    }

    pub fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// Whether the next words are these, taking them if so.
    pub fn words_if(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.at += words.len();
        }
        found
    }

    pub fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| {
            matches!(self.tokens.get(self.at + offset).map(|t| &t.kind),
                Some(Kind::Word(found)) if found.eq_ignore_ascii_case(word))
        })
    }

    pub fn word_if(&mut self, word: &str) -> bool {
        self.words_if(&[word])
    }

    pub fn word(&mut self, word: &str) -> Result<(), SyntaxError> {
        if self.word_if(word) { Ok(()) } else { Err(self.unexpected(&format!("'{word}'"))) }
    }

    pub fn symbol_if(&mut self, symbol: char) -> bool {
        let found = self.peek().kind == Kind::Symbol(symbol);
        if found {
            self.at += 1;
        }
        found
    }

    pub fn symbol(&mut self, symbol: char) -> Result<(), SyntaxError> {
        if self.symbol_if(symbol) { Ok(()) } else { Err(self.unexpected(&format!("'{symbol}'"))) }
    }

    pub fn end(&mut self) -> Result<(), SyntaxError> {
        if self.peek().kind == Kind::End {
            return Ok(());
        }
        let token = self.peek();
        Err(SyntaxError::at(
            token.line,
            token.column,
            &format!("extraneous input '{}' expecting <EOF>", token.shown()),
        ))
    }

    /// The refusal of the next token.
    pub fn unexpected(&self, expected: &str) -> SyntaxError {
        let token = self.peek();
        SyntaxError::at(
            token.line,
            token.column,
            &format!("mismatched input '{}'. Expecting: {expected}", token.shown()),
        )
    }

    /// A name, in lower case as the catalog keeps it.
    pub fn name(&mut self) -> Result<String, SyntaxError> {
        match &self.peek().kind {
            Kind::Word(name) | Kind::Quoted(name) => {
                let name = name.to_lowercase();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("<identifier>")),
        }
    }

    /// `[[catalog.]database.]table`
    pub fn table(&mut self) -> Result<TableName, SyntaxError> {
        let mut parts = vec![self.name()?];
        while parts.len() < 3 && self.symbol_if('.') {
            parts.push(self.name()?);
        }
        let name = parts.pop().expect("one name was read");
        let database = parts.pop();
        if let Some(catalog) = parts.pop() {
            self.catalog(catalog);
        }
        Ok(TableName { database, name })
    }

    /// Notes the catalog that something is in.
    pub fn catalog(&mut self, name: String) {
        if name != CATALOG {
            self.other_catalog = Some(name);
        }
    }

    /// Takes a text in double quotes as the name that Trino would see in it.
    pub fn double_quoted_names(&mut self) {
        let mut at = self.at;
        while let Some(Token { kind: Kind::Text(name), double_quoted: true, .. }) =
            self.tokens.get(at)
        {
            self.tokens[at].kind = Kind::Quoted(name.clone());
            at += 1;
            if self.tokens.get(at).is_some_and(|token| token.kind == Kind::Symbol('.')) {
                at += 1;
            }
        }
    }

    pub fn text(&mut self) -> Result<String, SyntaxError> {
        match self.peek().kind.clone() {
            Kind::Text(text) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.unexpected("<string>")),
        }
    }

    pub fn number(&mut self) -> Result<u64, SyntaxError> {
        if let Kind::Number(digits) = &self.peek().kind
            && let Ok(number) = digits.parse()
        {
            self.at += 1;
            return Ok(number);
        }
        Err(self.unexpected("<integer>"))
    }

    /// `item, item, …` between parentheses.
    pub fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        self.symbol('(')?;
        let mut items = vec![item(self)?];
        while self.symbol_if(',') {
            items.push(item(self)?);
        }
        self.symbol(')')?;
        Ok(items)
    }

    /// `('key' = 'value', …)`; a number is kept as text.
    pub fn properties(&mut self) -> Result<Vec<(String, String)>, SyntaxError> {
        self.list(|cursor| {
            let key = cursor.text()?;
            cursor.symbol('=')?;
            if let Kind::Number(digits) = cursor.peek().kind.clone() {
                cursor.at += 1;
                return Ok((key, digits));
            }
            Ok((key, cursor.text()?))
        })
    }

    /// `(key = value, …)` of a partition; values are kept as text.
    pub fn partition(&mut self) -> Result<PartitionSpec, SyntaxError> {
        self.list(|cursor| {
            let key = cursor.name()?;
            cursor.symbol('=')?;
            Ok((key, cursor.constant()?))
        })
    }

    fn constant(&mut self) -> Result<String, SyntaxError> {
        let negative = self.symbol_if('-');
        match self.peek().kind.clone() {
            Kind::Text(text) => {
                self.at += 1;
                Ok(text)
            }
            Kind::Number(digits) => {
                self.at += 1;
                Ok(if negative { format!("-{digits}") } else { digits })
            }
            Kind::Word(word) => {
                self.at += 1;
                // DATE '2024-01-01'
                match self.peek().kind.clone() {
                    Kind::Text(text)
                        if matches!(word.to_lowercase().as_str(), "date" | "timestamp") =>
                    {
                        self.at += 1;
                        Ok(text)
                    }
                    _ => Ok(word),
                }
            }
            _ => Err(self.unexpected("<constant>")),
        }
    }
}
