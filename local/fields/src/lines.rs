//! Lines of a stream of bytes.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

/// Bytes asked for at once; a longer line makes the buffer grow.
const BUFFER: usize = 256 * 1024;

/// Lines without their ends, `\n` or `\r\n`.
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is read in and not yet given out.
    unread: Range<usize>,
    line: Range<usize>,
}

impl<R: Read> Lines<R> {
    pub fn new(input: R) -> Self {
        Self { input, buffer: vec![0; BUFFER], unread: 0..0, line: 0..0 }
    }

    /// Moves to the next line: how many bytes it takes with its end, 0 after the last.
    pub fn advance(&mut self) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let start = self.unread.start;
            if let Some(at) = memchr(b'\n', &self.buffer[start + searched..self.unread.end]) {
                let end = start + searched + at;
                self.unread.start = end + 1;
                let has_return = end > start && self.buffer[end - 1] == b'\r';
                self.line = start..end - usize::from(has_return);
                return Ok(end + 1 - start);
            }
            searched = self.unread.len();
            if self.fill()? == 0 {
                self.line = self.unread.clone();
                self.unread.start = self.unread.end;
                return Ok(self.line.len());
            }
        }
    }

    pub fn line(&self) -> &[u8] {
        &self.buffer[self.line.clone()]
    }

    /// Reads on behind what is unread, which moves to the front for it.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        if self.unread.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.unread.end..]) {
                Ok(count) => {
                    self.unread.end += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out few bytes at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = out.len().min(self.0.len()).min(7);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn lines_come_without_their_ends() {
        let long = "x".repeat(3 * BUFFER);
        let text = format!("one\n\ntwo\r\n\r\n\rthree\n{long}\nlast");
        for slow in [false, true] {
            let input: Box<dyn Read> =
                if slow { Box::new(Slowly(text.as_bytes())) } else { Box::new(text.as_bytes()) };
            let mut lines = Lines::new(input);
            let (mut found, mut bytes) = (Vec::new(), 0);
            loop {
                match lines.advance().unwrap() {
                    0 => break,
                    count => bytes += count,
                }
                found.push(String::from_utf8(lines.line().to_vec()).unwrap());
            }
            assert_eq!(found, ["one", "", "two", "", "\rthree", &long, "last"]);
            assert_eq!(bytes, text.len());
        }
    }

    #[test]
    fn an_end_alone_is_an_empty_line_and_nothing_is_none() {
        let mut lines = Lines::new("\n".as_bytes());
        assert_eq!((lines.advance().unwrap(), lines.line()), (1, &b""[..]));
        assert_eq!(lines.advance().unwrap(), 0);
        assert_eq!(Lines::new("".as_bytes()).advance().unwrap(), 0);
    }
}
