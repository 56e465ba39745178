//! Paths and query strings of the REST services.

use serde_json::{Map, Value};

/// The decoded segments of a path, without empty ones at its end.
pub fn segments(path: &str) -> Vec<String> {
    let path = path.trim_start_matches('/').trim_end_matches('/');
    path.split('/').map(|segment| decode(segment, false)).collect()
}

/// The parameters of a query string, as text.
pub fn query(query: Option<&str>) -> Map<String, Value> {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true);
            let value = typed(&name, decode(value, true));
            (name, value)
        })
        .collect()
}

/// `MaxItems=10` is a number in the API's shapes; everything else here is text.
fn typed(name: &str, text: String) -> Value {
    match text.parse::<u64>() {
        Ok(number) if name.starts_with("Max") => Value::from(number),
        _ => Value::String(text),
    }
}

/// `%XX` undone once, and `+` where it means a space (forms and queries).
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = (byte == b'%').then(|| tail.split_at_checked(2)).flatten().and_then(
            |(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            },
        );
        match escaped {
            Some((decoded, after)) => {
                bytes.push(decoded);
                rest = after;
            }
            None if byte == b'+' && plus_is_space => bytes.push(b' '),
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_once() {
        for (text, decoded) in [
            ("a%2Bb", "a+b"),
            ("a+b", "a b"),
            ("%2525", "%25"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%E2%98%83", "☃"),
        ] {
            assert_eq!(decode(text, true), decoded);
        }
        assert_eq!(segments("/2015-03-31/functions/a%3Ab/"), ["2015-03-31", "functions", "a:b"]);
    }
}
