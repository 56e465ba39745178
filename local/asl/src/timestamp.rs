//! Timestamps as the States Language takes them: RFC 3339 with a capital `T`
//! and an offset or `Z`.

use jiff::Timestamp;

pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':')]
            .iter()
            .all(|(at, mark)| bytes[*at] == *mark);
    let offset = shaped && (text.ends_with('Z') || text[11..].contains(['+', '-']));
    if offset { text.parse().ok() } else { None }
}
