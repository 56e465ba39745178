//! Rows out of a result object: read in pieces from any row's first byte, never whole.

use std::io;

use bytes::Bytes;
use lake::store::BlobReader;

/// Bytes read at a time.
const PIECE: u64 = 64 * 1024;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Values in quotes; nothing between two commas is NULL, `""` is an empty text.
    Csv,
    /// One value a line, whatever is in it.
    Lines,
}

/// The rows of a result object from a place on.
pub(super) struct ResultRows<S> {
    source: S,
    size: u64,
    format: Format,
    /// Where the next unread byte is.
    offset: u64,
    /// Bytes from `offset` on that have been read already.
    piece: Bytes,
}

/// Bytes by their place, which tests have in memory.
pub(super) trait Source {
    fn read(&mut self, range: std::ops::Range<u64>) -> io::Result<Bytes>;
}

impl Source for BlobReader {
    fn read(&mut self, range: std::ops::Range<u64>) -> io::Result<Bytes> {
        BlobReader::read(self, range)
    }
}

impl<S: Source> ResultRows<S> {
    pub fn new(source: S, size: u64, offset: u64, format: Format) -> Self {
        ResultRows { source, size, format, offset: offset.min(size), piece: Bytes::new() }
    }

    /// The place of the next row.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next row; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Vec<Option<String>>>> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        match self.format {
            Format::Lines => {
                let mut line = Vec::new();
                while let Some(byte) = self.take()? {
                    if byte == b'\n' {
                        break;
                    }
                    line.push(byte);
                }
                Ok(Some(vec![Some(text(line))]))
            }
            Format::Csv => self.record().map(Some),
        }
    }

    fn record(&mut self) -> io::Result<Vec<Option<String>>> {
        let mut values = Vec::new();
        loop {
            values.push(self.value()?);
            match self.take()? {
                Some(b',') => {}
                None | Some(_) => return Ok(values),
            }
        }
    }

    /// A value, up to the comma or line end behind it.
    fn value(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.peek()? != Some(b'"') {
            while let Some(byte) = self.peek()?
                && byte != b','
                && byte != b'\n'
            {
                bytes.push(byte);
                self.take()?;
            }
            return Ok((!bytes.is_empty()).then(|| text(bytes)));
        }
        self.take()?;
        while let Some(byte) = self.take()? {
            if byte == b'"' {
                if self.peek()? != Some(b'"') {
                    break;
                }
                self.take()?;
            }
            bytes.push(byte);
        }
        Ok(Some(text(bytes)))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.piece.is_empty() {
            if self.offset >= self.size {
                return Ok(None);
            }
            let end = self.size.min(self.offset + PIECE);
            self.piece = self.source.read(self.offset..end)?;
        }
        Ok(self.piece.first().copied())
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            let _ = self.piece.split_to(1);
            self.offset += 1;
        }
        Ok(byte)
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Source for Bytes {
        fn read(&mut self, range: std::ops::Range<u64>) -> io::Result<Bytes> {
            let place = |at: u64| usize::try_from(at).unwrap();
            Ok(self.slice(place(range.start)..place(range.end)))
        }
    }

    fn rows(body: &str, offset: u64, format: Format) -> Vec<(Vec<Option<String>>, u64)> {
        let source = Bytes::copy_from_slice(body.as_bytes());
        let mut rows = ResultRows::new(source, body.len() as u64, offset, format);
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push((row, rows.offset()));
        }
        all
    }

    fn values<const N: usize>(values: [Option<&str>; N]) -> Vec<Option<String>> {
        values.into_iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn null_is_nothing_and_empty_is_quotes() {
        let body = "\"a\",\"b\"\n\"1\",\n,\"\"\n\"x\"\"y,\nz\",\"ü\"\n";
        let read: Vec<_> = rows(body, 0, Format::Csv).into_iter().map(|(row, _)| row).collect();
        assert_eq!(
            read,
            [
                values([Some("a"), Some("b")]),
                values([Some("1"), None]),
                values([None, Some("")]),
                values([Some("x\"y,\nz"), Some("ü")]),
            ]
        );
        let one = rows("\"a\"\n\n\"\"\n", 0, Format::Csv);
        let one: Vec<_> = one.into_iter().map(|(row, _)| row).collect();
        assert_eq!(one, [values([Some("a")]), values([None]), values([Some("")])]);
    }

    #[test]
    fn reading_goes_on_at_every_row() {
        let long = "y".repeat(70_000);
        let body = format!("\"a\"\n\"{long}\"\n\n\"b\"\"c\"\n");
        let all = rows(&body, 0, Format::Csv);
        assert_eq!(all.len(), 4);
        for (at, (_, offset)) in all.iter().enumerate() {
            let rest = rows(&body, *offset, Format::Csv);
            assert_eq!(rest, all[at + 1..]);
        }
    }

    #[test]
    fn a_line_is_one_value() {
        let read = rows("a\tb\n\n\"c\"", 0, Format::Lines);
        let read: Vec<_> = read.into_iter().map(|(row, _)| row).collect();
        assert_eq!(read, [values([Some("a\tb")]), values([Some("")]), values([Some("\"c\"")])]);
    }
}
