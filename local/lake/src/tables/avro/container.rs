//! Avro's object container files: a header, then blocks of rows that end with the file's marker. Read here and not by
//! the library, which takes a file that is cut within a block, or has other markers, for one that ends.
//! Source: <https://avro.apache.org/docs/1.11.1/specification/#object-container-files>.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::tables::varint::{read_varint, write_varint};

const MAGIC: &[u8; 4] = b"Obj\x01";
/// Bytes of a marker.
const MARKER: usize = 16;
/// Bytes a header's values have at most.
const LARGEST_VALUE: u64 = 64 * 1024 * 1024;

pub(super) struct Container<R> {
    input: R,
    /// Bytes of the file not read yet.
    left: u64,
    pub metadata: BTreeMap<String, Vec<u8>>,
    marker: [u8; MARKER],
}

/// Rows, still packed.
pub(super) struct Block {
    pub rows: u64,
    pub data: Vec<u8>,
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl<R: Read> Container<R> {
    /// Reads the header of a file of so many bytes.
    pub fn open(input: R, size: u64) -> io::Result<Self> {
        let mut file = Self { input, left: size, metadata: BTreeMap::new(), marker: [0; MARKER] };
        let magic = file.take(MAGIC.len() as u64).ok().filter(|magic| magic == MAGIC);
        magic.ok_or_else(|| wrong("Not an Avro data file."))?;
        loop {
            let mut pairs = file.long()?;
            if pairs == 0 {
                break;
            }
            if pairs < 0 {
                file.long()?;
                pairs = pairs.saturating_neg();
            }
            for _ in 0..pairs {
                let key = file.value()?;
                let value = file.value()?;
                let key = String::from_utf8(key).map_err(|_| wrong("a key is no text"))?;
                file.metadata.insert(key, value);
            }
        }
        let marker = file.take(MARKER as u64)?;
        file.marker.copy_from_slice(&marker);
        Ok(file)
    }

    /// The next block; `None` at the end of the file.
    pub fn block(&mut self) -> io::Result<Option<Block>> {
        if self.left == 0 {
            return Ok(None);
        }
        let rows = u64::try_from(self.long()?).map_err(|_| wrong("Block count invalid"))?;
        let size = u64::try_from(self.long()?).map_err(|_| wrong("Block size invalid"))?;
        let data = self.take(size)?;
        if self.take(MARKER as u64)? != self.marker {
            return Err(wrong("Invalid sync!"));
        }
        Ok(Some(Block { rows, data }))
    }

    fn value(&mut self) -> io::Result<Vec<u8>> {
        let length = u64::try_from(self.long()?).ok().filter(|length| *length <= LARGEST_VALUE);
        self.take(length.ok_or_else(|| wrong("the header has a value of no length"))?)
    }

    fn take(&mut self, count: u64) -> io::Result<Vec<u8>> {
        if count > self.left {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is cut"));
        }
        let length = usize::try_from(count).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(length);
        (&mut self.input).take(count).read_to_end(&mut bytes)?;
        self.left -= bytes.len() as u64;
        if bytes.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    fn long(&mut self) -> io::Result<i64> {
        let read = read_varint(|| Ok::<_, io::Error>(self.take(1)?[0]))?;
        let value = read.ok_or_else(|| wrong("Invalid long encoding"))?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

/// A number that is not negative.
fn write_long(out: &mut Vec<u8>, value: u64) {
    write_varint(out, value << 1);
}

/// What a file begins with.
pub(in crate::tables) fn header(schema: &str, codec: &[u8], marker: &[u8; MARKER]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    write_long(&mut file, 2);
    for (key, value) in [("avro.schema", schema.as_bytes()), ("avro.codec", codec)] {
        write_long(&mut file, key.len() as u64);
        file.extend(key.as_bytes());
        write_long(&mut file, value.len() as u64);
        file.extend(value);
    }
    write_long(&mut file, 0);
    file.extend(marker);
    file
}

/// A file of one block, for the library: with this schema, packed by this codec.
pub(super) fn file_of(schema: &str, codec: &[u8], block: &Block) -> Vec<u8> {
    let marker = [0; MARKER];
    let mut file = header(schema, codec, &marker);
    write_long(&mut file, block.rows);
    write_long(&mut file, block.data.len() as u64);
    file.extend(&block.data);
    file.extend(marker);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        file_of("\"long\"", b"null", &Block { rows: 2, data: vec![2, 4] })
    }

    #[test]
    fn a_file_has_its_blocks() {
        let bytes = file();
        let mut read = Container::open(&bytes[..], bytes.len() as u64).unwrap();
        assert_eq!(read.metadata["avro.schema"], b"\"long\"");
        let block = read.block().unwrap().unwrap();
        assert_eq!((block.rows, block.data), (2, vec![2, 4]));
        assert!(read.block().unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_cut_or_has_other_markers_is_an_error() {
        let whole = file();
        for length in 0..whole.len() {
            let bytes = &whole[..length];
            let read = Container::open(bytes, length as u64).and_then(|mut file| file.block());
            // Right after the header there is a file without blocks.
            let header = whole.len() - (1 + 1 + 2 + MARKER);
            assert_eq!(read.is_ok(), length == header, "{length} of {} bytes", whole.len());
        }
        let mut other = file();
        *other.last_mut().unwrap() = 1;
        let mut read = Container::open(&other[..], other.len() as u64).unwrap();
        assert_eq!(read.block().err().unwrap().to_string(), "Invalid sync!");
        let no_avro = Container::open(&b"id,name\n1,x\n"[..], 12).err().unwrap();
        assert_eq!(no_avro.to_string(), "Not an Avro data file.");
    }
}
