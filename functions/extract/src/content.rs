//! Looks at a file's bytes as they pass: fingerprint, size, lines, and whether the file is whole
//! and what its name says.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use sha2::{Digest, Sha256};
use shared::event::FileFormat;
use shared::run::hex;

/// The first and the last bytes of a Parquet file (Apache Parquet format specification).
const PARQUET_MAGIC: [u8; 4] = *b"PAR1";
/// The first bytes of a gzip member (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The TLC's largest CSV, a yellow month of 2012, has 2.6 GB.
const MOST_EXPANDED_BYTES: u64 = 16 << 30;
/// The TLC's CSV shrinks to a fifth. A bomb shrinks to a thousandth.
const HIGHEST_RATIO: u64 = 200;
/// A month of Uber and Lyft has 25 million rows.
const MOST_LINES: u64 = 1_000_000_000;
/// Below this the ratio says nothing.
const RATIO_COUNTS_FROM: u64 = 64 << 20;

/// What was learned from a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub fingerprint: String,
    /// Lines after the first that hold at least one byte; of CSV only.
    pub lines: Option<u64>,
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ContentError {
    #[error("the file is empty")]
    Empty,
    #[error("the file ends too early: expected {expected}")]
    Truncated { expected: &'static str },
    #[error("expected {expected} by the file's name, found {found}")]
    NotTheFormat { expected: &'static str, found: String },
    #[error("the gzip stream is corrupt: {reason}")]
    Corrupt { reason: String },
    #[error("the file expands to more than {limit}: not a file of the TLC")]
    Expands { limit: String },
}

/// Takes a file chunk by chunk, in constant memory.
pub struct Inspector {
    format: FileFormat,
    hash: Sha256,
    bytes: u64,
    first: Vec<u8>,
    last: Vec<u8>,
    lines: Lines,
}

enum Lines {
    None,
    Plain(LineCounter),
    Gzip(Box<MultiGzDecoder<LineCounter>>),
}

impl Inspector {
    pub fn new(format: FileFormat) -> Self {
        let lines = match format {
            FileFormat::Parquet => Lines::None,
            FileFormat::Csv => Lines::Plain(LineCounter::default()),
            FileFormat::CsvGz => Lines::Gzip(Box::new(MultiGzDecoder::new(LineCounter::default()))),
        };
        let (first, last) = (Vec::with_capacity(4), Vec::with_capacity(8));
        Self { format, hash: Sha256::new(), bytes: 0, first, last, lines }
    }

    pub fn update(&mut self, chunk: &[u8]) -> Result<(), ContentError> {
        let starting = self.first.len() < 4;
        if starting {
            self.first.extend(chunk.iter().take(4 - self.first.len()));
            if self.first.len() == 4 {
                self.check_first()?;
            }
        }
        self.last.extend(&chunk[chunk.len().saturating_sub(4)..]);
        self.last.drain(..self.last.len().saturating_sub(4));
        self.hash.update(chunk);
        self.bytes += chunk.len() as u64;
        match &mut self.lines {
            Lines::None => {}
            Lines::Plain(counter) => {
                counter.count(chunk);
                check_lines(counter.lines)?;
            }
            Lines::Gzip(decoder) => {
                decoder
                    .write_all(chunk)
                    .map_err(|error| ContentError::Corrupt { reason: error.to_string() })?;
                check_expansion(decoder.get_ref().bytes, self.bytes)?;
                check_lines(decoder.get_ref().lines)?;
            }
        }
        Ok(())
    }

    pub fn finish(self) -> Result<Content, ContentError> {
        if self.bytes == 0 {
            return Err(ContentError::Empty);
        }
        if self.first.len() < 4 {
            self.check_first()?;
        }
        if self.format == FileFormat::Parquet && (self.last != PARQUET_MAGIC || self.bytes < 12) {
            return Err(ContentError::Truncated { expected: "PAR1 at the end of a Parquet file" });
        }
        let lines = match self.lines {
            Lines::None => None,
            Lines::Plain(counter) => Some(counter.finish()),
            Lines::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|_| ContentError::Truncated {
                    expected: "a gzip stream that ends, with the checksum of its bytes",
                })?;
                let counter = std::mem::take(decoder.get_mut());
                Some(counter.finish())
            }
        };
        Ok(Content { bytes: self.bytes, fingerprint: hex(&self.hash.finalize()), lines })
    }

    /// A suffix can lie; the first bytes do not.
    fn check_first(&self) -> Result<(), ContentError> {
        let is_parquet = self.first == PARQUET_MAGIC;
        let is_gzip = self.first.starts_with(&GZIP_MAGIC);
        let (fits, expected) = match self.format {
            FileFormat::Parquet => (is_parquet, "Parquet"),
            FileFormat::CsvGz => (is_gzip, "gzip"),
            FileFormat::Csv => (!is_parquet && !is_gzip, "plain CSV"),
        };
        if fits {
            return Ok(());
        }
        let found = match (is_parquet, is_gzip) {
            (true, _) => "Parquet".to_owned(),
            (_, true) => "gzip".to_owned(),
            _ => format!("a file that begins with {:?}", self.first.escape_ascii().to_string()),
        };
        Err(ContentError::NotTheFormat { expected, found })
    }
}

fn check_lines(lines: u64) -> Result<(), ContentError> {
    if lines > MOST_LINES {
        return Err(ContentError::Expands { limit: format!("{MOST_LINES} rows") });
    }
    Ok(())
}

fn check_expansion(expanded: u64, packed: u64) -> Result<(), ContentError> {
    if expanded > MOST_EXPANDED_BYTES {
        return Err(ContentError::Expands { limit: format!("{MOST_EXPANDED_BYTES} bytes") });
    }
    if expanded > RATIO_COUNTS_FROM && expanded / packed.max(1) > HIGHEST_RATIO {
        return Err(ContentError::Expands { limit: format!("{HIGHEST_RATIO} times its size") });
    }
    Ok(())
}

/// Counts lines as Hadoop's text reader splits them: by LF, CR or CRLF.
#[derive(Debug, Default)]
struct LineCounter {
    bytes: u64,
    lines: u64,
    /// The first line, the header, is over.
    past_header: bool,
    /// The present line holds something.
    filled: bool,
}

impl LineCounter {
    fn count(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        for byte in chunk {
            if *byte == b'\n' || *byte == b'\r' {
                self.lines += u64::from(self.filled && self.past_header);
                self.past_header = true;
                self.filled = false;
            } else {
                self.filled = true;
            }
        }
    }

    /// A last line without its end is a line.
    fn finish(self) -> u64 {
        self.lines + u64::from(self.filled && self.past_header)
    }
}

impl Write for LineCounter {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        self.count(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Inspects `bytes` whole, then in chunks of every small size: the answers must agree.
    fn inspect(format: FileFormat, bytes: &[u8]) -> Result<Content, ContentError> {
        let run = |size: usize| {
            let mut inspector = Inspector::new(format);
            bytes.chunks(size).try_for_each(|chunk| inspector.update(chunk))?;
            inspector.finish()
        };
        let whole = run(bytes.len().max(1));
        for size in 1..9 {
            assert_eq!(run(size), whole, "in chunks of {size}");
        }
        whole
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn counts_the_lines_that_hold_rows() {
        let check = |text: &str, expected| {
            let plain = inspect(FileFormat::Csv, text.as_bytes()).unwrap();
            assert_eq!(plain.lines, Some(expected), "{text:?}");
            let packed = inspect(FileFormat::CsvGz, &gzip(text.as_bytes())).unwrap();
            assert_eq!(packed.lines, Some(expected), "{text:?} in gzip");
        };
        check("a,b\n1,2\n3,4\n", 2);
        check("a,b\n1,2\n3,4", 2);
        check("a,b\r\n\r\n1,2\r\n\r\n", 1);
        check("a,b", 0);
        check("a,b\n", 0);
        check("\n1,2\n", 1);
        check("a,b\r1,2\r3,4", 2);
        check("\u{feff}a\n \n,\n", 2);
    }

    #[test]
    fn joined_gzip_members_are_one_file() {
        let joined = [gzip(b"a,b\n1,"), gzip(b"2\n3,4\n")].concat();
        assert_eq!(inspect(FileFormat::CsvGz, &joined).unwrap().lines, Some(2));
    }

    #[test]
    fn a_file_that_is_cut_is_not_a_file() {
        let truncated = |format, bytes: &[u8]| {
            let error = inspect(format, bytes).unwrap_err();
            assert!(matches!(error, ContentError::Truncated { .. }), "{error}");
        };
        let packed = gzip(&b"a,b\n1,2\n".repeat(100));
        for cut in [5, 11, packed.len() / 2, packed.len() - 9, packed.len() - 4, packed.len() - 1] {
            truncated(FileFormat::CsvGz, &packed[..cut]);
        }
        truncated(FileFormat::Parquet, b"PAR1PAR");
        truncated(FileFormat::Parquet, b"PAR1PAR1");
        truncated(FileFormat::Parquet, b"PAR1 a footer that never came");
        assert_eq!(inspect(FileFormat::Parquet, b""), Err(ContentError::Empty));
    }

    #[test]
    fn a_suffix_that_lies_is_found_out() {
        let found = |format, bytes: &[u8]| match inspect(format, bytes).unwrap_err() {
            ContentError::NotTheFormat { found, .. } => found,
            other => panic!("{other}"),
        };
        assert_eq!(found(FileFormat::Csv, b"PAR1....PAR1"), "Parquet");
        assert_eq!(found(FileFormat::Csv, &gzip(b"a\n1\n")), "gzip");
        assert_eq!(found(FileFormat::Parquet, b"<?"), "a file that begins with \"<?\"");
        assert_eq!(found(FileFormat::CsvGz, b"VendorID,"), "a file that begins with \"Vend\"");
    }

    #[test]
    fn corrupt_and_swollen_gzip_is_refused() {
        let garbage_after = [gzip(b"a,b\n1,2\n"), b"garbage and more".to_vec()].concat();
        let error = inspect(FileFormat::CsvGz, &garbage_after).unwrap_err();
        assert!(matches!(error, ContentError::Corrupt { .. }), "{error}");
        let mut wrong_sum = gzip(&b"a,b\n1,2\n".repeat(1000));
        let end = wrong_sum.len();
        wrong_sum[end - 6] ^= 0xff;
        assert!(inspect(FileFormat::CsvGz, &wrong_sum).is_err());
        let bomb = gzip(&vec![b'0'; 80 << 20]);
        let mut inspector = Inspector::new(FileFormat::CsvGz);
        let error = bomb.chunks(8192).try_for_each(|chunk| inspector.update(chunk)).unwrap_err();
        assert!(matches!(error, ContentError::Expands { .. }), "{error}");
    }

    #[test]
    fn what_is_larger_than_any_month_is_refused() {
        let refused = |checked: Result<(), ContentError>, expected: &str| {
            let error = checked.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        assert_eq!(check_lines(MOST_LINES), Ok(()));
        refused(check_lines(MOST_LINES + 1), "1000000000 rows");
        assert_eq!(check_expansion(MOST_EXPANDED_BYTES, MOST_EXPANDED_BYTES / 5), Ok(()));
        refused(check_expansion(MOST_EXPANDED_BYTES + 1, MOST_EXPANDED_BYTES), "17179869184 bytes");
        refused(check_expansion(RATIO_COUNTS_FROM + 1, 1000), "200 times its size");
        let mut inspector = Inspector::new(FileFormat::Csv);
        inspector.lines = Lines::Plain(LineCounter { lines: MOST_LINES, ..LineCounter::default() });
        inspector.update(b"header\n1\n").map_or_else(|error| refused(Err(error), "rows"), drop);
    }

    #[test]
    fn a_fingerprint_is_the_sha256_of_the_bytes() {
        let content = inspect(FileFormat::Csv, b"abc").unwrap();
        assert_eq!(content.bytes, 3);
        assert!(content.fingerprint.starts_with("ba7816bf8f01cfea"), "{}", content.fingerprint);
    }
}
