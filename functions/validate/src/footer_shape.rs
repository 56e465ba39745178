//! A look over a footer before it is decoded: is it as large as it says, and no larger than any
//! real one?
//!
//! The decoder reserves room for as many row groups and columns as a footer claims, and follows its
//! schema as deep as it goes. A few bytes may claim two thousand million, and a process that
//! runs out of memory or stack says nothing. So every list is walked first, element by element.
//!
//! Source: Thrift compact protocol encoding, and the Parquet format's `parquet.thrift`.

/// Row groups, columns and everything else that stands in lists. A month of Uber and Lyft has
/// 22 row groups of 25 columns; each column takes about half a kilobyte when decoded.
const MOST_ELEMENTS: usize = 50_000;
/// Columns and groups of columns of the schema; no file of the TLC has more than 26.
const MOST_COLUMNS: usize = 4_096;
/// How deep columns nest. Those of the TLC do not.
const DEEPEST_COLUMN: usize = 32;
/// How deep a footer's structures nest: its statistics are the sixth.
const DEEPEST_STRUCTURE: usize = 24;

/// `FileMetaData.schema` and `SchemaElement.num_children`.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// Field and element types of the protocol.
mod kind {
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const BYTE: u8 = 3;
    pub const I16: u8 = 4;
    pub const I64: u8 = 6;
    pub const DOUBLE: u8 = 7;
    pub const BINARY: u8 = 8;
    pub const LIST: u8 = 9;
    pub const SET: u8 = 10;
    pub const MAP: u8 = 11;
    pub const STRUCT: u8 = 12;
}

/// Why `footer`, a serialized `FileMetaData`, is not to be decoded.
pub fn check(footer: &[u8]) -> Result<(), String> {
    let mut walk = Walk { rest: footer, elements: 0, children: Vec::new() };
    walk.structure(Place::File, DEEPEST_STRUCTURE)?;
    nesting(&walk.children)
}

/// What a structure is, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    Column,
    Other,
}

struct Walk<'a> {
    rest: &'a [u8],
    elements: usize,
    /// `num_children` of every element of the schema, in its order.
    children: Vec<u64>,
}

impl<'a> Walk<'a> {
    fn structure(&mut self, place: Place, depth: usize) -> Result<(), String> {
        let mut id = 0;
        let mut children = 0;
        loop {
            let header = self.byte()?;
            let (delta, kind) = (i64::from(header >> 4), header & 0x0f);
            if kind == 0 {
                break;
            }
            id = if delta == 0 { self.integer()? } else { id.wrapping_add(delta) };
            match (place, id, kind) {
                (Place::File, SCHEMA, kind::LIST) => self.list(Place::Column, depth)?,
                (Place::Column, CHILDREN, kind::I16..=kind::I64) => {
                    children = u64::try_from(self.integer()?)
                        .map_err(|_| "a group has fewer than no columns".to_owned())?;
                }
                (_, _, kind::TRUE | kind::FALSE) => {}
                _ => self.value(kind, depth)?,
            }
        }
        if place == Place::Column {
            self.children.push(children);
        }
        Ok(())
    }

    fn list(&mut self, of: Place, depth: usize) -> Result<(), String> {
        let header = self.byte()?;
        let kind = header & 0x0f;
        let size = match header >> 4 {
            15 => self.unsigned()?,
            size => u64::from(size),
        };
        self.count(size)?;
        for _ in 0..size {
            match kind {
                kind::STRUCT => self.structure(of, deeper(depth)?)?,
                _ => self.value(kind, depth)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<(), String> {
        match kind {
            kind::TRUE | kind::FALSE | kind::BYTE => self.skip(1),
            kind::I16..=kind::I64 => self.unsigned().map(drop),
            kind::DOUBLE => self.skip(8),
            kind::BINARY => {
                let length = self.unsigned()?;
                self.skip(usize::try_from(length).unwrap_or(usize::MAX))
            }
            kind::LIST | kind::SET => self.list(Place::Other, deeper(depth)?),
            kind::MAP => self.map(deeper(depth)?),
            kind::STRUCT => self.structure(Place::Other, deeper(depth)?),
            other => Err(format!("it holds a value of the unknown type {other}")),
        }
    }

    fn map(&mut self, depth: usize) -> Result<(), String> {
        let size = self.unsigned()?;
        self.count(size)?;
        let kinds = if size == 0 { 0 } else { self.byte()? };
        for _ in 0..size {
            self.value(kinds >> 4, depth)?;
            self.value(kinds & 0x0f, depth)?;
        }
        Ok(())
    }

    fn count(&mut self, size: u64) -> Result<(), String> {
        let left = self.rest.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > left {
            return Err(format!("a list says it has {size} elements, {left} bytes are left"));
        }
        self.elements += size;
        if self.elements > MOST_ELEMENTS {
            return Err(format!("its lists have more than {MOST_ELEMENTS} elements"));
        }
        Ok(())
    }

    /// A varint in zigzag.
    fn integer(&mut self) -> Result<i64, String> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn unsigned(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number has no end".to_owned())
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or_else(ended)?;
        self.rest = rest;
        Ok(*first)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), String> {
        let rest: &'a [u8] = self.rest;
        self.rest = rest.get(bytes..).ok_or_else(ended)?;
        Ok(())
    }
}

fn ended() -> String {
    "it ends in the middle".to_owned()
}

fn deeper(depth: usize) -> Result<usize, String> {
    depth
        .checked_sub(1)
        .ok_or_else(|| format!("its structures nest deeper than {DEEPEST_STRUCTURE}"))
}

/// The schema is its tree in depth-first order.
fn nesting(children: &[u64]) -> Result<(), String> {
    if children.len() > MOST_COLUMNS {
        return Err(format!("it has {} columns, more than {MOST_COLUMNS}", children.len()));
    }
    let mut open: Vec<u64> = Vec::new();
    for (place, count) in children.iter().enumerate() {
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if *count > 0 {
            open.push(*count);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > DEEPEST_COLUMN {
            return Err(format!("its columns nest deeper than {DEEPEST_COLUMN}"));
        }
        if *count > (children.len() - place) as u64 {
            return Err(format!("a group says it has {count} columns"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of type list that follows the field before it, and its first bytes.
    const ROW_GROUPS: u8 = 0x40 | kind::LIST;
    const LIST_OF_STRUCTURES: u8 = 0xf0 | kind::STRUCT;
    const SCHEMA_FIELD: u8 = 0x20 | kind::LIST;

    /// As a varint has it.
    fn number(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7f {
            bytes.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        bytes.push(value.to_le_bytes()[0]);
        bytes
    }

    /// A schema of groups that hold one group each.
    fn nested(depth: u64) -> Vec<u8> {
        let element = [0x50 | 5, 2, 0];
        [
            vec![SCHEMA_FIELD, LIST_OF_STRUCTURES],
            number(depth),
            element.repeat(usize::try_from(depth).unwrap()),
            vec![0],
        ]
        .concat()
    }

    #[test]
    fn what_a_footer_claims_must_stand_in_it() {
        let check = |footer: &[u8], expected: &str| {
            let error = check(footer).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        let claimed = [vec![ROW_GROUPS, LIST_OF_STRUCTURES], number(1 << 31), vec![0]].concat();
        check(&claimed, "a list says it has 2147483648 elements");
        let many = [vec![ROW_GROUPS, LIST_OF_STRUCTURES], number(60_000), vec![0; 70_000]].concat();
        check(&many, "more than 50000 elements");
        check(&nested(3_000), "nest deeper than 32");
        check(&nested(5_000), "more than 4096");
        let group = [SCHEMA_FIELD, 0x10 | kind::STRUCT, 0x50 | 5, 0x80, 0x01, 0, 0];
        check(&group, "a group says it has 64 columns");
        check(&[0x10 | kind::STRUCT].repeat(100_000), "structures nest deeper");
        check(&[0x10 | kind::LIST, 0x10 | kind::LIST].repeat(100_000), "nest deeper");
        check(&[0x10 | 5], "ends in the middle");
        check(&[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "no end");
        check(&[0x1d, 0], "unknown type 13");
        check(&[0x10 | kind::BINARY, 0xff, 0xff, 0xff, 0xff, 0x0f], "ends in the middle");
        check(&[0x10 | kind::MAP, 0xff, 0xff, 0xff, 0xff, 0x0f], "a list says");
    }
}
