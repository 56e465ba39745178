//! Hive's tokens, each with the place it stands at.

use crate::sql::SyntaxError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: keyword or identifier.
    Word(String),
    /// A name in back quotes, unquoted.
    Quoted(String),
    /// A string literal, unquoted and unescaped.
    Text(String),
    Number(String),
    Symbol(char),
    End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    /// Of a text: whether its quotes are double.
    pub double_quoted: bool,
    /// One-based line and zero-based column, as Athena counts them.
    pub line: u64,
    pub column: u64,
}

impl Token {
    /// The token as messages show it.
    pub fn shown(&self) -> String {
        match &self.kind {
            Kind::Word(word) | Kind::Number(word) => word.clone(),
            Kind::Quoted(name) => format!("`{name}`"),
            Kind::Text(text) => format!("'{text}'"),
            Kind::Symbol(symbol) => symbol.to_string(),
            Kind::End => "<EOF>".to_owned(),
        }
    }
}

/// Cuts the text into tokens; the last one is always `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut scanner = Scanner { rest: text.chars().collect(), at: 0, line: 1, column: 0 };
    let mut found = Vec::new();
    loop {
        let token = scanner.token()?;
        let last = token.kind == Kind::End;
        found.push(token);
        if last {
            return Ok(found);
        }
    }
}

struct Scanner {
    rest: Vec<char>,
    at: usize,
    line: u64,
    column: u64,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn second(&self) -> Option<char> {
        self.rest.get(self.at + 1).copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        if next == '\n' {
            self.line += 1;
            self.column = 0;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn skip_blanks(&mut self) {
        loop {
            match (self.peek(), self.second()) {
                (Some(blank), _) if blank.is_whitespace() => {
                    self.take();
                }
                (Some('-'), Some('-')) => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.take();
                    }
                }
                (Some('/'), Some('*')) => {
                    self.take();
                    self.take();
                    while let Some(c) = self.take() {
                        if c == '*' && self.peek() == Some('/') {
                            self.take();
                            break;
                        }
                    }
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks();
        let (line, column) = (self.line, self.column);
        let double_quoted = self.peek() == Some('"');
        let kind = match self.peek() {
            None => Kind::End,
            Some(quote @ ('\'' | '"')) => Kind::Text(self.text(quote, line, column)?),
            Some('`') => Kind::Quoted(self.back_quoted(line, column)?),
            Some(c) if c.is_alphanumeric() || c == '_' => self.word(),
            Some(c) => {
                self.take();
                Kind::Symbol(c)
            }
        };
        Ok(Token { kind, double_quoted, line, column })
    }

    fn word(&mut self) -> Kind {
        let mut word = String::new();
        let mut number = self.peek().is_some_and(|c| c.is_ascii_digit());
        while let Some(c) = self.peek() {
            let fraction = number && c == '.' && self.second().is_some_and(|d| d.is_ascii_digit());
            if !(c.is_alphanumeric() || c == '_' || fraction) {
                break;
            }
            number &= c.is_ascii_digit() || fraction;
            word.push(c);
            self.take();
        }
        if number { Kind::Number(word) } else { Kind::Word(word) }
    }

    fn back_quoted(&mut self, line: u64, column: u64) -> Result<String, SyntaxError> {
        self.take();
        let mut name = String::new();
        loop {
            match self.take() {
                None => return Err(SyntaxError::at(line, column, "missing closing '`'")),
                Some('`') if self.peek() == Some('`') => {
                    self.take();
                    name.push('`');
                }
                Some('`') => return Ok(name),
                Some(c) => name.push(c),
            }
        }
    }

    /// A string with Hive's escapes: `\n`, `\001` (octal), `\u0001`, `\'`.
    fn text(&mut self, quote: char, line: u64, column: u64) -> Result<String, SyntaxError> {
        self.take();
        let mut text = String::new();
        loop {
            match self.take() {
                None => {
                    return Err(SyntaxError::at(
                        line,
                        column,
                        "missing the closing quote of a string",
                    ));
                }
                Some('\\') => self.escape(&mut text),
                Some(c) if c == quote => {
                    if self.peek() == Some(quote) {
                        self.take();
                        text.push(quote);
                    } else {
                        return Ok(text);
                    }
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) {
        let Some(c) = self.take() else { return };
        let code = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            '0'..='3' => {
                let digits: String = std::iter::once(c)
                    .chain(self.rest[self.at..].iter().take(2).copied())
                    .collect();
                if digits.len() == 3
                    && let Ok(code) = u8::from_str_radix(&digits, 8)
                {
                    self.take();
                    self.take();
                    text.push(char::from(code));
                    return;
                }
                if c == '0' { '\0' } else { c }
            }
            'u' => {
                let digits: String = self.rest[self.at..].iter().take(4).collect();
                if digits.len() == 4
                    && let Some(code) =
                        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
                {
                    (0..4).for_each(|_| {
                        self.take();
                    });
                    text.push(code);
                    return;
                }
                c
            }
            // Kept: patterns such as '\\d' and '\%' are Java's business.
            '%' | '_' | '.' | 'd' | 'w' | 's' | 'S' | 'D' | 'W' | '[' | ']' | '(' | ')' => {
                text.push('\\');
                c
            }
            other => other,
        };
        text.push(code);
    }
}
