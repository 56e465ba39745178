//! A CSV file's header: the names of its columns, in their order.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::file_schema::{FileColumn, FileSchema, FileType, Layout, Unreadable};

/// No header is longer: the longest of the TLC has 400 bytes.
const HEADER_LIMIT: usize = 16 * 1024;

/// Reads the header; `head` is the file's beginning, packed with gzip or not.
///
/// Blanks around a name, a byte-order mark and quotes are not part of it. Line ends are LF, CR
/// or CRLF, as Hadoop's text reader takes them.
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
    let line = match text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn names(head: &[u8], gzip: bool) -> Result<Vec<String>, String> {
        let schema = parse(head, gzip).map_err(|error| error.to_string())?;
        Ok(schema.columns.into_iter().map(|column| column.name).collect())
    }

    fn pack(text: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn reads_headers_of_all_kinds() {
        let check = |head: &[u8], expected: &[&str]| {
            assert_eq!(names(head, false).unwrap(), expected);
            assert_eq!(names(&pack(head), true).unwrap(), expected);
        };
        check(b"a,b\n1,2\n", &["a", "b"]);
        check(b"a,b\r\n\r\n1,2\r\n", &["a", "b"]);
        check(b"a,b\r1,2\r", &["a", "b"]);
        check(b"a,b", &["a", "b"]);
        check(b"\xef\xbb\xbfa,b\n", &["a", "b"]);
        check(b"\"a\",\"b, c\"\r\n", &["a", "b, c"]);
        check(b"a, b,c \n\r\n", &["a", "b", "c"]);
        check(b"a,,\n", &["a", "", ""]);
    }

    #[test]
    fn refuses_what_has_no_header() {
        let check = |head: &[u8], gzip, expected: &str| {
            let error = names(head, gzip).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(b"\n1,2\n", false, "first line is blank");
        check(b"a\0b\n", false, "NUL bytes");
        check(b"a,\xff\n", false, "not CSV");
        check(b"PAR1\x15\x04", false, "is a Parquet file");
        check(&vec![b'a'; HEADER_LIMIT * 2], false, "longer than 16 kB");
        check(b"a,b\n", true, "not packed");
        check(&pack(b"a,b\n"), false, "is packed");
        check(&pack(b"a,b\n")[..12], true, "does not unpack");
        check(b"\x1f\x8b\x08garbage that is no gzip", true, "does not unpack");
    }

    #[test]
    fn the_beginning_of_a_packed_file_is_enough() {
        let rows: Vec<u8> =
            (0..200_000_u32).flat_map(|n| format!("{n},{}\n", n * 77).into_bytes()).collect();
        let packed = pack(&[b"a,b\n".as_slice(), &rows].concat());
        assert!(packed.len() > 100_000);
        assert_eq!(names(&packed[..65_536], true).unwrap(), ["a", "b"]);
    }
}
