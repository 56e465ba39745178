//! Takes secrets out of a text that goes to a queue, a mailbox and a log.

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

/// `text` without the values of secrets, at most `limit` bytes long.
pub fn redact(text: &str, limit: usize) -> String {
    let mut output = String::with_capacity(text.len().min(limit));
    let mut rest = text;
    while !rest.is_empty() && output.len() < limit {
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
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
    word.len() == KEY_ID_LENGTH && KEY_ID_PREFIXES.iter().any(|prefix| word.starts_with(prefix))
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
    let scheme = value.find(' ').filter(|at| is_scheme(&value[..=*at].to_ascii_lowercase()));
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
            ("the token is missing", "the token is missing"),
            ("token", "token"),
            ("token=", "token="),
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
