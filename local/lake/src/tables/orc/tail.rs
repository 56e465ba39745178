//! The end of an ORC file, looked at before the library reads it: its types must be a tree of bounded depth, which the
//! library's recursion takes for granted. Source: <https://orc.apache.org/specification/ORCv1/>.

use std::io::Read as _;

use bytes::Bytes;
use orc_rust::compression::{Compression, Decompressor};
use orc_rust::reader::ChunkReader as _;
use orc_rust::reader::metadata::{FileMetadata, read_metadata};

use super::protobuf::{Value, fields, write_number};
use super::source::Source;
use crate::tables::caught::caught;

/// Types within types.
const DEEPEST: usize = 64;
/// Bytes of a footer once it is unpacked.
const LARGEST_FOOTER: u64 = 256 * 1024 * 1024;
/// ORC's number for a struct.
const STRUCT: u64 = 12;

/// What a postscript says.
#[derive(Default)]
struct Postscript {
    footer: u64,
    compression: u64,
    block: Option<u64>,
}

/// The file's metadata; what is wrong with it otherwise.
pub(super) fn read(source: &mut Source) -> Result<FileMetadata, String> {
    check(source)?;
    let read = caught(|| read_metadata(source));
    read?.map_err(|error| error.to_string())
}

fn check(source: &mut Source) -> Result<(), String> {
    let unread = |error: std::io::Error| error.to_string();
    let size = source.len();
    let last = source.get_bytes(size.saturating_sub(1), 1).map_err(unread)?;
    let length = u64::from(last[0]);
    let end = size - 1;
    let Some(start) = end.checked_sub(length) else {
        return Err(format!("Invalid postscript length {length}"));
    };
    let bytes = source.get_bytes(start, length).map_err(unread)?;
    let postscript = postscript(&bytes).ok_or("Not an ORC file")?;
    let Some(footer) = start.checked_sub(postscript.footer) else {
        return Err(format!("Invalid footer length {}", postscript.footer));
    };
    let footer = source.get_bytes(footer, postscript.footer).map_err(unread)?;
    let compression = compression(&postscript)?;
    let unpacked = caught(|| {
        let mut unpacked = Vec::new();
        let packed = Decompressor::new(footer, compression, Vec::new());
        packed.take(LARGEST_FOOTER).read_to_end(&mut unpacked).map(|_| unpacked)
    });
    check_types(&unpacked?.map_err(unread)?)
}

fn postscript(bytes: &[u8]) -> Option<Postscript> {
    let mut found = Postscript::default();
    let mut is_orc = false;
    for (number, value) in fields(bytes)? {
        match (number, value) {
            (1, Value::Number(length)) => found.footer = length,
            (2, Value::Number(kind)) => found.compression = kind,
            (3, Value::Number(size)) => found.block = Some(size),
            (8000, Value::Bytes(magic)) => is_orc = magic == b"ORC",
            _ => {}
        }
    }
    is_orc.then_some(found)
}

/// The library makes what unpacks from a whole file alone: from one without rows, packed like this one.
fn compression(postscript: &Postscript) -> Result<Option<Compression>, String> {
    // One type, a struct without fields; in a chunk that says of itself, where there are chunks, that it is not packed.
    let types: &[u8] = &[0x22, 2, 0x08, 12];
    let chunk: &[u8] = if postscript.compression == 0 { &[] } else { &[9, 0, 0] };
    let footer = [chunk, types].concat();
    let mut end = Vec::new();
    write_number(&mut end, 1, footer.len() as u64);
    write_number(&mut end, 2, postscript.compression);
    if let Some(block) = postscript.block {
        write_number(&mut end, 3, block);
    }
    write_number(&mut end, 5, 0);
    let length = u8::try_from(end.len()).expect("four numbers have at most 48 bytes");
    let file = [b"ORC", &footer[..], &end, &[length]].concat();
    let read = caught(|| read_metadata(&mut Bytes::from(file)));
    Ok(read?.map_err(|error| error.to_string())?.compression())
}

/// Each type but the first is a part of exactly one other before it.
fn check_types(footer: &[u8]) -> Result<(), String> {
    let unreadable = || "the footer cannot be read".to_owned();
    let mut depths: Vec<Option<usize>> = Vec::new();
    let mut types = Vec::new();
    for (number, value) in fields(footer).ok_or_else(unreadable)? {
        if let (4, Value::Bytes(kind)) = (number, value) {
            types.push(kind);
        }
    }
    depths.resize(types.len(), None);
    let Some(root) = depths.first_mut() else { return Err("File has no columns".to_owned()) };
    *root = Some(0);
    for (at, kind) in types.iter().enumerate() {
        let Some(depth) = depths[at] else { return Err(format!("type {at} is part of no other")) };
        if depth > DEEPEST {
            return Err(format!("types are nested deeper than {DEEPEST}"));
        }
        let mut is_struct = false;
        for (number, value) in fields(kind).ok_or_else(unreadable)? {
            let parts = match (number, value) {
                (1, Value::Number(kind)) => {
                    is_struct = kind == STRUCT;
                    continue;
                }
                (2, Value::Number(part)) => vec![part],
                (2, Value::Bytes(packed)) => {
                    super::protobuf::numbers(packed).ok_or_else(unreadable)?
                }
                _ => continue,
            };
            for part in parts {
                let place = usize::try_from(part).ok().filter(|place| *place > at);
                match place.and_then(|place| depths.get_mut(place)) {
                    Some(free @ None) => *free = Some(depth + 1),
                    _ => return Err(format!("type {part} cannot be a part of type {at}")),
                }
            }
        }
        if at == 0 && !is_struct {
            return Err("the file's columns are no struct".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_types;

    fn footer(types: &[&[u8]]) -> Vec<u8> {
        let with_length = |kind: &&[u8]| {
            let length = u8::try_from(kind.len()).unwrap();
            [&[0x22, length], *kind].concat()
        };
        types.iter().flat_map(with_length).collect()
    }

    #[test]
    fn types_that_are_no_tree_are_refused() {
        let root = [0x08, 12, 0x12, 1, 1];
        let list = |item: u8| [0x08, 10, 0x12, 1, item];
        let long: &[u8] = &[0x08, 4];
        assert_eq!(check_types(&footer(&[&root, long])), Ok(()));
        assert_eq!(check_types(&footer(&[&root, &list(2), long])), Ok(()));
        let itself = check_types(&footer(&[&root, &list(1)])).unwrap_err();
        assert_eq!(itself, "type 1 cannot be a part of type 1");
        let shared = [0x08, 12, 0x12, 2, 1, 1];
        assert!(check_types(&footer(&[&shared, long])).is_err());
        assert!(check_types(&footer(&[&root, &list(9)])).is_err());
        assert!(check_types(&footer(&[&list(1), long])).is_err());
        assert!(check_types(&footer(&[])).is_err());
        let mut deep: Vec<[u8; 5]> = (2..=70).map(list).collect();
        deep.insert(0, root);
        let mut deep: Vec<&[u8]> = deep.iter().map(|kind| &kind[..]).collect();
        deep.push(long);
        assert!(check_types(&footer(&deep)).unwrap_err().contains("deeper than 64"));
    }
}
