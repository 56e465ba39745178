//! Fields that may stand in quotes, as OpenCSV reads them.
//!
//! A field missing at the end of a line is null, an empty one is an empty text, more fields than wanted are passed over.
//! A line is a record: no field holds a line end.

use memchr::memchr3;

use crate::column::{Column, Kind, Values};

/// Cuts lines into texts and keeps those that are wanted.
#[derive(Debug)]
pub struct Quoted {
    separator: u8,
    quote: u8,
    escape: u8,
    /// Of each field up to the last that is wanted: its column.
    columns: Vec<Option<Column>>,
    field: Vec<u8>,
}

impl Quoted {
    /// `wanted` says of each field whether it is.
    pub fn new(separator: u8, quote: u8, escape: u8, wanted: &[bool]) -> Self {
        let count = wanted.iter().rposition(|wanted| *wanted).map_or(0, |last| last + 1);
        let column = |wanted: &bool| wanted.then(|| Column::new(Kind::Text));
        let columns = wanted[..count].iter().map(column).collect();
        Self { separator, quote, escape, columns, field: Vec::new() }
    }

    /// Reads a line.
    pub fn line(&mut self, line: &[u8]) {
        // Most lines have neither quotes nor escapes.
        let special = line.iter().any(|byte| *byte == self.quote || *byte == self.escape);
        let mut rest = Some(line);
        for column in &mut self.columns {
            let Some(text) = rest else {
                if let Some(column) = column {
                    column.push_null();
                }
                continue;
            };
            let end = if special {
                memchr3(self.separator, self.quote, self.escape, text)
            } else {
                text.iter().position(|byte| *byte == self.separator)
            };
            let field = match end {
                None => {
                    rest = None;
                    text
                }
                Some(end) if text[end] == self.separator => {
                    rest = Some(&text[end + 1..]);
                    &text[..end]
                }
                Some(_) => {
                    let marks = (self.separator, self.quote, self.escape);
                    rest = unquoted(text, marks, &mut self.field);
                    &self.field
                }
            };
            if let Some(column) = column {
                column.push(field);
            }
        }
    }

    /// The texts of a field, which is wanted; it begins anew.
    pub fn finish(&mut self, field: usize) -> Option<Values> {
        self.columns.get_mut(field)?.as_mut().map(Column::finish)
    }
}

/// Reads a field with quotes or escapes, from its first byte; what follows its separator, if there is one.
fn unquoted<'a>(
    mut rest: &'a [u8],
    (separator, quote, escape): (u8, u8, u8),
    field: &mut Vec<u8>,
) -> Option<&'a [u8]> {
    field.clear();
    let mut inside = false;
    while let Some((byte, after)) = rest.split_first() {
        let next = after.first().copied();
        if inside && *byte == escape && next.is_some_and(|next| next == quote || next == escape) {
            field.extend(next);
            rest = &after[1..];
        } else if *byte == quote {
            if inside && next == Some(quote) {
                field.push(quote);
                rest = &after[1..];
            } else {
                inside = !inside;
                rest = after;
            }
        } else if !inside && *byte == separator {
            return Some(after);
        } else if !inside && *byte == escape && escape != quote && next.is_some() {
            field.extend(next);
            rest = &after[1..];
        } else {
            field.push(*byte);
            rest = after;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;

    use super::*;

    fn read(escape: u8, line: &str) -> Vec<Option<String>> {
        let mut reader = Quoted::new(b',', b'"', escape, &[true, true, true, false]);
        reader.line(line.as_bytes());
        assert!(reader.finish(3).is_none());
        let text = |field| {
            let values = reader.finish(field).unwrap().array;
            values.as_string::<i32>().iter().next().unwrap().map(str::to_owned)
        };
        (0..3).map(text).collect()
    }

    #[test]
    fn quotes_hold_separators_and_quotes() {
        let cases: &[(u8, &str, [Option<&str>; 3])] = &[
            (b'"', "a,b,c,d", [Some("a"), Some("b"), Some("c")]),
            (b'"', "", [Some(""), None, None]),
            (b'"', "a,", [Some("a"), Some(""), None]),
            (b'"', r#""a,b","c ""d""",e"#, [Some("a,b"), Some("c \"d\""), Some("e")]),
            (b'"', r#"a"b,c"d,e"#, [Some("ab,cd"), Some("e"), None]),
            (b'"', r#""open,x"#, [Some("open,x"), None, None]),
            (b'\\', r#""a\"b",c\,d,e\"#, [Some("a\"b"), Some("c,d"), Some("e\\")]),
            (b'\\', r#""a\nb",\\,"""#, [Some("a\\nb"), Some("\\"), Some("")]),
        ];
        for (escape, line, expected) in cases {
            let expected: Vec<Option<String>> =
                expected.iter().map(|text| text.map(str::to_owned)).collect();
            assert_eq!(read(*escape, line), expected, "{line}");
        }
    }
}
