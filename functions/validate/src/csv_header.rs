//! A CSV file's header: the names of its columns, in their order.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::file_schema::{FileColumn, FileSchema, FileType, Layout, Unreadable};

/// No header is longer: the longest of the TLC has 400 bytes.
const HEADER_LIMIT: usize = 16 * 1024;

/// Reads the header; `head` is the file's beginning, packed with gzip or not.
///
/// Blanks around a name, a byte-order mark and quotes are not part of it. Line ends are LF or CRLF.
pub fn parse(head: &[u8], gzip: bool) -> Result<FileSchema, Unreadable> {
    let packed = head.starts_with(&[0x1f, 0x8b]);
    let text = match (gzip, packed) {
        (true, true) => unpack(head)?,
        (false, false) => head[..head.len().min(HEADER_LIMIT)].to_vec(),
        (true, false) => return Err(because("it is named .csv.gz, but is not packed with gzip")),
        (false, true) => return Err(because("it is named .csv, but is packed with gzip")),
    };
    if text.starts_with(b"PAR1") {
        return Err(because("it is named as a CSV file, but is a Parquet file"));
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let line = match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => &text[..end],
        None if text.len() < HEADER_LIMIT => text,
        None => return Err(because("its first line is longer than 16 kB: it has no header")),
    };
    if line.contains(&0) {
        return Err(because("its header holds NUL bytes: it is not UTF-8 text"));
    }
    let names = split(line)?;
    if names.iter().all(String::is_empty) {
        return Err(because("its first line is blank: it has no header"));
    }
    let column = |name| FileColumn { name, file_type: FileType::Text };
    let columns = names.into_iter().map(column).collect();
    Ok(FileSchema { layout: Layout::Positional, columns, rows: None })
}

/// The beginning of the packed text. The head of a packed file ends anywhere, so that only what
/// fails before there is a line is an error.
fn unpack(head: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut text = Vec::new();
    let limit = HEADER_LIMIT as u64;
    match GzDecoder::new(head).take(limit).read_to_end(&mut text) {
        Err(error) if !text.contains(&b'\n') => {
            Err(Unreadable::because(format!("it does not unpack: {error}")))
        }
        _ => Ok(text),
    }
}

fn split(line: &[u8]) -> Result<Vec<String>, Unreadable> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(line);
    let mut record = csv::StringRecord::new();
    reader
        .read_record(&mut record)
        .map_err(|error| Unreadable::because(format!("its header is not CSV: {error}")))?;
    Ok(record.iter().map(str::to_owned).collect())
}

fn because(reason: &str) -> Unreadable {
    Unreadable::because(reason.to_owned())
}
