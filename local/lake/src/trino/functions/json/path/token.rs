//! The words of a path.

/// A word and where it begins, in characters from the path's start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub token: Token,
    pub text: String,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword; no keyword is reserved.
    Name(String),
    /// `$name`
    Variable(String),
    Text(String),
    Integer,
    Decimal,
    Double,
    Symbol(&'static str),
    /// What begins no word.
    Unknown,
    End,
}

/// Longer ones before those they begin with.
const SYMBOLS: [&str; 26] = [
    "==", "<>", "!=", "<=", ">=", "&&", "||", "..", "$", "@", ".", "*", "[", "]", "(", ")", ",",
    "?", "+", "-", "/", "%", "!", "<", ">", "=",
];

/// Cuts a path into words; the last one is its end.
pub(super) fn words(path: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = path;
    let mut at = 0;
    while let Some(first) = rest.chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            rest = &rest[1..];
            at += 1;
            continue;
        }
        let (token, length) = word(rest, first);
        let (text, after) = rest.split_at(length);
        words.push(Word { token, text: text.to_owned(), at });
        at += text.chars().count();
        rest = after;
    }
    words.push(Word { token: Token::End, text: "<EOF>".to_owned(), at });
    words
}

/// The first word and its length in bytes.
fn word(text: &str, first: char) -> (Token, usize) {
    if is_name_start(first) {
        let length = name_length(text);
        return (Token::Name(text[..length].to_owned()), length);
    }
    if first == '$' && text[1..].starts_with(is_name_start) {
        let length = 1 + name_length(&text[1..]);
        return (Token::Variable(text[1..length].to_owned()), length);
    }
    if first == '"' {
        return quoted(text).unwrap_or((Token::Unknown, 1));
    }
    if let Some(number) = number(text) {
        return number;
    }
    match SYMBOLS.iter().find(|symbol| text.starts_with(**symbol)) {
        Some(symbol) => (Token::Symbol(symbol), symbol.len()),
        None => (Token::Unknown, first.len_utf8()),
    }
}

fn is_name_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len())
}

/// A text in double quotes, in which two mean one.
fn quoted(text: &str) -> Option<(Token, usize)> {
    let mut value = String::new();
    let mut from = 1;
    loop {
        let end = from + text[from..].find('"')?;
        value.push_str(&text[from..end]);
        if !text[end + 1..].starts_with('"') {
            return Some((Token::Text(value), end + 1));
        }
        value.push('"');
        from = end + 2;
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn number(text: &str) -> Option<(Token, usize)> {
    let whole = digits(text);
    let mut length = whole;
    let mut token = Token::Integer;
    // `1..name` is the number 1 and a descendant.
    if text[length..].starts_with('.') && !text[length..].starts_with("..") {
        let fraction = digits(&text[length + 1..]);
        if whole > 0 || fraction > 0 {
            length += 1 + fraction;
            token = Token::Decimal;
        }
    }
    if length == 0 {
        return None;
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[length + 1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
            token = Token::Double;
        }
    }
    Some((token, length))
}
