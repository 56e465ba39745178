//! Fields between single bytes, maybe escaped; no quotes.

use crate::column::{Column, Kind, Values};

/// Cuts lines into fields and reads those that are wanted.
#[derive(Debug)]
pub struct Delimited {
    separator: u8,
    escape: Option<u8>,
    /// What a field holds that stands for nothing.
    null: Vec<u8>,
    /// Of each field up to the last that is wanted: its column.
    columns: Vec<Option<Column>>,
    field: Vec<u8>,
}

impl Delimited {
    /// `kinds` says of each field what it is read as; `None` is not wanted.
    pub fn new(separator: u8, escape: Option<u8>, null: Vec<u8>, kinds: &[Option<Kind>]) -> Self {
        let wanted = kinds.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let columns = kinds[..wanted].iter().map(|kind| kind.map(Column::new)).collect();
        Self { separator, escape, null, columns, field: Vec::new() }
    }

    /// Reads a line; fields that it lacks are null.
    pub fn line(&mut self, line: &[u8]) {
        match self.escape {
            None => self.plain(line),
            Some(escape) => self.escaped(line, escape),
        }
    }

    fn plain(&mut self, line: &[u8]) {
        let mut rest = Some(line);
        for column in &mut self.columns {
            let Some(text) = rest else {
                if let Some(column) = column {
                    column.push_null();
                }
                continue;
            };
            let end = text.iter().position(|byte| *byte == self.separator);
            let field = &text[..end.unwrap_or(text.len())];
            rest = end.map(|end| &text[end + 1..]);
            if let Some(column) = column {
                if field == self.null { column.push_null() } else { column.push(field) }
            }
        }
    }

    fn escaped(&mut self, line: &[u8], escape: u8) {
        let mut rest = Some(line);
        for column in &mut self.columns {
            let Some(text) = rest else {
                if let Some(column) = column {
                    column.push_null();
                }
                continue;
            };
            self.field.clear();
            let mut end = text.len();
            let mut bytes = text.iter().enumerate();
            while let Some((at, byte)) = bytes.next() {
                if *byte == escape {
                    self.field.extend(bytes.next().map(|(_, byte)| byte));
                } else if *byte == self.separator {
                    end = at;
                    break;
                } else {
                    self.field.push(*byte);
                }
            }
            rest = text.get(end + 1..);
            if let Some(column) = column {
                // What stands for nothing does so before escapes are taken away.
                if text[..end] == self.null { column.push_null() } else { column.push(&self.field) }
            }
        }
    }

    /// The values of a field, which is wanted; it begins anew.
    pub fn finish(&mut self, field: usize) -> Option<Values> {
        self.columns.get_mut(field)?.as_mut().map(Column::finish)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;

    use super::*;

    fn read(escape: Option<u8>, lines: &[&str]) -> Vec<Vec<Option<String>>> {
        let kinds = [Some(Kind::Text), None, Some(Kind::Text), None];
        let mut reader = Delimited::new(b',', escape, b"\\N".to_vec(), &kinds);
        for line in lines {
            reader.line(line.as_bytes());
        }
        assert!(reader.finish(1).is_none() && reader.finish(3).is_none());
        [0, 2]
            .map(|field| {
                let values = reader.finish(field).unwrap().array;
                values.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
            })
            .to_vec()
    }

    #[test]
    fn fields_are_cut_at_separators() {
        let some = |text: &str| Some(text.to_owned());
        let found = read(None, &["a,b,c,d,e", "", ",,", "\\N,x,\\N", "a\\,b,c"]);
        assert_eq!(found[0], [some("a"), some(""), some(""), None, some("a\\")]);
        assert_eq!(found[1], [some("c"), None, some(""), None, some("c")]);
    }

    #[test]
    fn an_escape_takes_the_next_byte_as_it_is() {
        let some = |text: &str| Some(text.to_owned());
        let found = read(Some(b'\\'), &["a\\,b,x\\,y,c\\\\,d", "\\N,x,\\", "\\\\N,,z"]);
        assert_eq!(found[0], [some("a,b"), None, some("\\N")]);
        assert_eq!(found[1], [some("c\\"), some(""), some("z")]);
    }
}
