//! Object container files: a header, and blocks of records.

use std::io::{Read, Write};

use super::datum::{Reader, write_bytes, write_long};
use super::{Datum, Record, Schema};
use crate::FormatError;

const MAGIC: &[u8; 4] = b"Obj\x01";
/// Bytes between blocks; any 16 will do, as long as readers find the same ones.
const MARKER: [u8; 16] = *b"\x8d\x1fIceberg blocks";
/// Bytes of records that a block holds before the next begins.
const BLOCK: usize = 64 * 1024;
/// Most bytes one block may unpack to.
const LARGEST_BLOCK: usize = 256 * 1024 * 1024;

/// The records of a file, and the texts of its header.
pub(crate) struct Contents {
    pub header: Vec<(String, Vec<u8>)>,
    pub records: Vec<Record>,
}

impl Contents {
    pub fn text(&self, name: &str) -> Option<String> {
        let (_, found) = self.header.iter().find(|(known, _)| known == name)?;
        String::from_utf8(found.clone()).ok()
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Contents, FormatError> {
    let mut reader = Reader { rest: bytes };
    if reader.take(4).ok() != Some(MAGIC) {
        return Err(FormatError::malformed("Avro file", "an object container", "other bytes"));
    }
    let mut header = Vec::new();
    loop {
        let mut count = reader.long()?;
        if count == 0 {
            break;
        }
        if count < 0 {
            reader.long()?;
            count = count.saturating_neg();
        }
        for _ in 0..count {
            header.push((reader.text()?, reader.bytes()?.to_vec()));
        }
    }
    let marker = reader.take(16)?;
    let mut found = Contents { header, records: Vec::new() };
    let schema = Schema::parse(&found.text("avro.schema").unwrap_or_default())?;
    let codec = found.text("avro.codec").unwrap_or_else(|| "null".to_owned());
    while !reader.rest.is_empty() {
        let count = reader.size()?;
        let block = unpacked(reader.bytes()?, &codec)?;
        if reader.take(16)? != marker {
            return Err(FormatError::malformed("Avro file", "the end of a block", "other bytes"));
        }
        let mut block = Reader { rest: &block };
        for _ in 0..count {
            if block.rest.is_empty() {
                return Err(FormatError::malformed("Avro file", "a record", "the block's end"));
            }
            match block.datum(&schema)? {
                Datum::Record(record) => found.records.push(record),
                _ => return Err(FormatError::malformed("Avro file", "records", "other values")),
            }
        }
    }
    Ok(found)
}

fn unpacked(block: &[u8], codec: &str) -> Result<Vec<u8>, FormatError> {
    let broken = |_| FormatError::malformed("Avro file", codec, "other bytes");
    let within = |reader: &mut dyn Read| -> Result<Vec<u8>, FormatError> {
        let mut out = Vec::new();
        let limit = LARGEST_BLOCK as u64 + 1;
        reader.take(limit).read_to_end(&mut out).map_err(broken)?;
        if out.len() > LARGEST_BLOCK {
            return Err(FormatError::unsupported(format!("a block of over {LARGEST_BLOCK} bytes")));
        }
        Ok(out)
    };
    match codec {
        "null" => Ok(block.to_vec()),
        "deflate" => within(&mut flate2::read::DeflateDecoder::new(block)),
        "zstandard" => within(&mut zstd::stream::read::Decoder::new(block).map_err(broken)?),
        "snappy" => {
            // Four bytes of a checksum follow.
            let packed = block.get(..block.len().saturating_sub(4)).unwrap_or_default();
            let cut = |_| FormatError::malformed("Avro file", "snappy", "other bytes");
            if snap::raw::decompress_len(packed).map_err(cut)? > LARGEST_BLOCK {
                return Err(FormatError::unsupported(format!(
                    "a block of over {LARGEST_BLOCK} bytes"
                )));
            }
            snap::raw::Decoder::new().decompress_vec(packed).map_err(cut)
        }
        other => Err(FormatError::unsupported(format!("Avro's codec {other}"))),
    }
}

/// A file of records of a schema, packed by deflate.
pub(crate) fn write(
    schema: &serde_json::Value,
    header: &[(&str, String)],
    records: impl Iterator<Item = Record>,
) -> Vec<u8> {
    let parsed = Schema::of_json(schema).expect("schemas of this crate are schemas");
    let mut out = MAGIC.to_vec();
    let entries = i64::try_from(header.len() + 2).unwrap_or(2);
    write_long(entries, &mut out);
    let own = [("avro.schema", schema.to_string()), ("avro.codec", "deflate".to_owned())];
    for (name, text) in own.iter().chain(header) {
        write_bytes(name.as_bytes(), &mut out);
        write_bytes(text.as_bytes(), &mut out);
    }
    out.push(0);
    out.extend(MARKER);
    let (mut block, mut count) = (Vec::new(), 0);
    for record in records {
        Datum::Record(record).write(&parsed, &mut block);
        count += 1;
        if block.len() >= BLOCK {
            write_block(&block, count, &mut out);
            block.clear();
            count = 0;
        }
    }
    if count > 0 {
        write_block(&block, count, &mut out);
    }
    out
}

fn write_block(block: &[u8], count: i64, out: &mut Vec<u8>) {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let packed = packer.write_all(block).and_then(|()| packer.finish());
    write_long(count, out);
    write_bytes(&packed.expect("memory takes all bytes"), out);
    out.extend(MARKER);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_written_and_read() {
        let schema = json!({"type": "record", "name": "r", "fields": [
            {"name": "a", "type": "long", "field-id": 1},
            {"name": "b", "type": ["null", {"type": "array", "items": "string"}], "field-id": 2},
            {"name": "c", "type": {"type": "fixed", "name": "f", "size": 2}},
        ]});
        let record = |at: i64| {
            let texts = Datum::Array(vec![Datum::String(format!("text {at}")); 3]);
            let second = if at % 2 == 0 { Datum::Null } else { texts };
            Record(vec![
                (Some(1), "a".to_owned(), Datum::Long(at * -1_000_000_007)),
                (Some(2), "b".to_owned(), second),
                (None, "c".to_owned(), Datum::Bytes(vec![1, 2])),
            ])
        };
        let bytes = write(&schema, &[("k", "v".to_owned())], (0..9_999).map(record));
        let found = read(&bytes).unwrap();
        assert_eq!(found.text("k").as_deref(), Some("v"));
        assert_eq!(found.records.len(), 9_999);
        assert_eq!(found.records[9_998], record(9_998));
        assert_eq!(found.records[9_997].items(2, "b").len(), 3);
        for end in [0, 3, 40, bytes.len() / 2, bytes.len() - 1] {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
    }
}
