//! Takes secrets out of a text that goes to a queue, a mailbox and a log.

use serde_json::Value;

const MASK: &str = "[redacted]";
/// A word that ends in one of these is a secret's name.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "secretaccesskey",
    "secret_access_key",
    "accesskeyid",
    "access_key_id",
    "authorization",
    "x-amz-signature",
    "x-amz-credential",
    "api_key",
    "apikey",
];
/// AWS access key ids begin so (IAM user guide, "IAM identifiers: unique identifiers").
const KEY_ID_PREFIXES: &[&str] = &["AKIA", "ASIA", "ABIA", "ACCA"];
const KEY_ID_LENGTH: usize = 20;
/// `AWS4-HMAC-SHA256`, and the blank after it.
const LONGEST_SCHEME: usize = 17;

/// `text` without the values of secrets, at most `limit` bytes long.
pub fn redact(text: &str, limit: usize) -> String {
    let mut output = String::with_capacity(text.len().min(limit));
    let mut rest = text;
    while !rest.is_empty() && output.len() < limit {
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        if let Some(user) = user_of_url(rest) {
            let (scheme, after) = rest.split_at("://".len());
            output.push_str(scheme);
            output.push_str(MASK);
            rest = &after[user..];
            continue;
        }
        if word == 0 {
            let next = rest.chars().next().expect("rest is not empty");
            output.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (name, after) = rest.split_at(word);
        output.push_str(if is_key_id(name) { MASK } else { name });
        rest = after;
        if is_secret_name(name)
            && let Some(value) = value_after(after)
        {
            output.push_str(&after[..value.start]);
            output.push_str(MASK);
            rest = &after[value.end..];
        }
    }
    shorten(output, limit)
}

/// The same JSON, its texts redacted as [`redact`] does, and all that has a secret's name masked.
pub fn redact_value(value: &Value, limit: usize) -> Value {
    match value {
        Value::String(text) => redact(text, limit).into(),
        Value::Array(items) => items.iter().map(|item| redact_value(item, limit)).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let masked = is_secret_name(name) && !value.is_null();
                let value = if masked { MASK.into() } else { redact_value(value, limit) };
                (redact(name, limit), value)
            });
            Value::Object(members.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// What stands before `@` in the rest of a URL, from its `://` on.
fn user_of_url(rest: &str) -> Option<usize> {
    let authority = rest.strip_prefix("://")?;
    let ends = |c: char| c.is_whitespace() || "/?#\"'\\<>".contains(c);
    let authority = &authority[..authority.find(ends).unwrap_or(authority.len())];
    authority.rfind('@')
}

/// The first `limit` bytes, and how many are left out.
pub fn shorten(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        const ROOM: usize = 4;
        let cut = (0..=limit.saturating_sub(ROOM))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(cut);
        text.push_str(" ...");
    }
    text
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn is_key_id(word: &str) -> bool {
    // The `n` of an escaped line end may stand before it.
    let last = word.len().checked_sub(KEY_ID_LENGTH).map(|start| &word[start..]);
    last.is_some_and(|last| KEY_ID_PREFIXES.iter().any(|prefix| last.starts_with(prefix)))
}

fn is_secret_name(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|name| word.ends_with(name))
}

/// Where the value stands in what follows a name: after `=` or `:`, with or without quotes.
fn value_after(text: &str) -> Option<std::ops::Range<usize>> {
    let is_quote = |c: char| c == '"' || c == '\'' || c == '\\';
    let sign = text.find(|c: char| !is_quote(c) && c != ' ')?;
    if !text[sign..].starts_with(['=', ':']) {
        return None;
    }
    let start = sign + 1 + text[sign + 1..].find(|c: char| !is_quote(c) && c != ' ')?;
    let quoted = text[sign + 1..start].contains(is_quote);
    let is_scheme = |word: &str| ["bearer ", "basic ", "aws4-hmac-sha256 "].contains(&word);
    let value = &text[start..];
    let scheme = value.bytes().take(LONGEST_SCHEME).position(|byte| byte == b' ');
    let scheme = scheme.filter(|at| is_scheme(&value[..=*at].to_ascii_lowercase()));
    let from = scheme.map_or(0, |at| at + 1);
    let ends = |c: char| is_quote(c) || (!quoted && (c.is_whitespace() || "&,;}".contains(c)));
    let end = value[from..].find(ends).map_or(text.len(), |at| start + from + at);
    (end > start).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let cases = [
            ("no column total_amount", "no column total_amount"),
            ("password=abc user=x", "password=[redacted] user=x"),
            (r#"{"dbPassword": "a b", "n": 1}"#, r#"{"dbPassword": "[redacted]", "n": 1}"#),
            (r#"{\"token\":\"abc\"}"#, r#"{\"token\":\"[redacted]\"}"#),
            (
                "https://h/?X-Amz-Signature=0a1b&X-Amz-Date=2",
                "https://h/?X-Amz-Signature=[redacted]&X-Amz-Date=2",
            ),
            ("Authorization: Bearer a.b-c next", "Authorization: [redacted] next"),
            ("key AKIAIOSFODNN7EXAMPLE.", "key [redacted]."),
            (r"key\nAKIAIOSFODNN7EXAMPLE.", r"key\[redacted]."),
            ("the token is missing", "the token is missing"),
            ("token", "token"),
            ("token=", "token="),
            ("ftp://me:a@b@h/x?y=@ z", "ftp://[redacted]@h/x?y=@ z"),
            ("https://h/x@y", "https://h/x@y"),
            ("héllo secret: wörld!", "héllo secret: [redacted]"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text, 1000), expected);
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(redact(&"ü".repeat(100), 11), format!("{} ...", "ü".repeat(3)));
        assert!(redact(&"a ".repeat(20_000), 4096).len() <= 4096);
    }
}
