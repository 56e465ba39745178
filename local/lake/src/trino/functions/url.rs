//! Parts of URLs, and text as URLs write it.

use std::fmt::Write as _;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

macro_rules! part {
    ($name:literal, $part:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[TEXT], TEXT),
            |call| extract(call, $part),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    part!("url_extract_protocol", |url| Some(url.scheme)),
    part!("url_extract_host", |url| url.host),
    part!("url_extract_path", |url| Some(url.path)),
    part!("url_extract_query", |url| Some(url.query.unwrap_or_default())),
    part!("url_extract_fragment", |url| Some(url.fragment.unwrap_or_default())),
    Function::new(
        "url_extract_port",
        |given| exactly("url_extract_port", given, &[TEXT], TrinoType::Bigint),
        port,
    ),
    Function::new(
        "url_extract_parameter",
        |given| exactly("url_extract_parameter", given, &[TEXT, TEXT], TEXT),
        parameter,
    ),
    Function::new("url_encode", |given| exactly("url_encode", given, &[TEXT], TEXT), encode),
    Function::new("url_decode", |given| exactly("url_decode", given, &[TEXT], TEXT), decode),
];

/// The parts of a URI as RFC 2396 names them; empty where there are none.
#[derive(Default)]
struct Parts<'a> {
    scheme: &'a str,
    host: Option<&'a str>,
    port: Option<i64>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn parts(text: &str) -> Option<Parts<'_>> {
    if text.contains([' ', '<', '>', '"', '{', '}', '|', '\\', '^', '`']) {
        return None;
    }
    let (rest, fragment) = split(text, '#');
    let (rest, query) = split(rest, '?');
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest))
            if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme, rest)
        }
        _ => ("", rest),
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return Some(Parts { scheme, path: rest, query, fragment, ..Parts::default() });
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    Some(Parts {
        scheme,
        host: Some(host).filter(|host| !host.is_empty()),
        port,
        path,
        query,
        fragment,
    })
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn extract(call: &Call, part: for<'a> fn(Parts<'a>) -> Option<&'a str>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| Ok(parts(texts.value(row)).and_then(part).and_then(decoded)))
}

fn port(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_long(|row| Ok(parts(texts.value(row)).and_then(|url| url.port)))
}

fn parameter(call: &Call) -> Result<ArrayRef> {
    let (texts, names) = (call.texts(0)?, call.texts(1)?);
    call.each_text(|row| {
        let Some(query) = parts(texts.value(row)).and_then(|url| url.query) else {
            return Ok(None);
        };
        let wanted = names.value(row);
        Ok(query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(name, _)| *name == wanted)
            .and_then(|(_, value)| decoded(value)))
    })
}

fn encode(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| {
        let mut out = String::new();
        for byte in texts.value(row).bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                    out.push(char::from(byte));
                }
                b' ' => out.push('+'),
                other => {
                    let _ = write!(out, "%{other:02X}");
                }
            }
        }
        Ok(Some(out))
    })
}

/// `%41` and `+` as what they stand for; `None` where that is no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn decode(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| {
        let text = texts.value(row);
        decoded(text).map(Some).ok_or_else(|| {
            Failure::invalid_argument(format!("Illegal hex characters in escape pattern: {text}"))
                .into()
        })
    })
}
