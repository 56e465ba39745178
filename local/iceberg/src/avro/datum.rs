//! Values of Avro files, to bytes and back.

use super::Schema;
use super::schema::Field;
use crate::FormatError;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Null,
    Boolean(bool),
    /// Ints and longs.
    Long(i64),
    Float(f32),
    Double(f64),
    /// Bytes, and those of a fixed number.
    Bytes(Vec<u8>),
    String(String),
    Record(Record),
    Array(Vec<Datum>),
    /// Keys are texts, and not looked at.
    Map(Vec<Datum>),
}

/// Values of fields by their ids and names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record(pub Vec<(Option<i32>, String, Datum)>);

impl Record {
    /// A field by its id, or by its name where it has none; no NULLs.
    pub fn get(&self, id: i32, name: &str) -> Option<&Datum> {
        let by_id = self.0.iter().find(|(found, _, _)| *found == Some(id));
        let by_name = || self.0.iter().find(|(found, known, _)| found.is_none() && known == name);
        by_id.or_else(by_name).map(|(_, _, datum)| datum).filter(|datum| **datum != Datum::Null)
    }

    pub fn long(&self, id: i32, name: &str) -> Result<i64, FormatError> {
        self.optional_long(id, name).ok_or_else(|| missing(name))
    }

    pub fn optional_long(&self, id: i32, name: &str) -> Option<i64> {
        match self.get(id, name) {
            Some(Datum::Long(found)) => Some(*found),
            _ => None,
        }
    }

    pub fn int(&self, id: i32, name: &str) -> Result<i32, FormatError> {
        i32::try_from(self.long(id, name)?).map_err(|_| missing(name))
    }

    pub fn text(&self, id: i32, name: &str) -> Result<String, FormatError> {
        match self.get(id, name) {
            Some(Datum::String(found)) => Ok(found.clone()),
            _ => Err(missing(name)),
        }
    }

    pub fn bytes(&self, id: i32, name: &str) -> Option<Vec<u8>> {
        match self.get(id, name) {
            Some(Datum::Bytes(found)) => Some(found.clone()),
            _ => None,
        }
    }

    pub fn record(&self, id: i32, name: &str) -> Option<&Record> {
        match self.get(id, name) {
            Some(Datum::Record(found)) => Some(found),
            _ => None,
        }
    }

    pub fn items(&self, id: i32, name: &str) -> &[Datum] {
        match self.get(id, name) {
            Some(Datum::Array(found)) => found,
            _ => &[],
        }
    }
}

fn missing(name: &str) -> FormatError {
    FormatError::malformed("manifest", format!("the field {name}"), "none of its type")
}

impl Datum {
    /// Appends a value as its schema says. The value must be one of the schema's.
    pub fn write(&self, schema: &Schema, out: &mut Vec<u8>) {
        match (schema, self) {
            (Schema::Union(members), datum) => {
                let is_null = *datum == Self::Null;
                let place = members.iter().position(|member| (*member == Schema::Null) == is_null);
                let place = place.expect("a union has a member for each value");
                write_long(i64::try_from(place).unwrap_or(0), out);
                datum.write(&members[place], out);
            }
            (Schema::Boolean, Self::Boolean(value)) => out.push(u8::from(*value)),
            (Schema::Int | Schema::Long, Self::Long(value)) => write_long(*value, out),
            (Schema::Float, Self::Float(value)) => out.extend(value.to_le_bytes()),
            (Schema::Double, Self::Double(value)) => out.extend(value.to_le_bytes()),
            (Schema::Fixed(_), Self::Bytes(bytes)) => out.extend(bytes),
            (Schema::Bytes, Self::Bytes(bytes)) => write_bytes(bytes, out),
            (Schema::String, Self::String(text)) => write_bytes(text.as_bytes(), out),
            (Schema::Record(fields), Self::Record(Record(values))) => {
                for (field, (_, _, value)) in fields.iter().zip(values) {
                    value.write(&field.kind, out);
                }
            }
            (Schema::Array(item), Self::Array(items)) => {
                if !items.is_empty() {
                    write_long(i64::try_from(items.len()).unwrap_or(0), out);
                    for datum in items {
                        datum.write(item, out);
                    }
                }
                out.push(0);
            }
            (Schema::Null, Self::Null) => {}
            (schema, datum) => unreachable!("{datum:?} is none of {schema:?}"),
        }
    }
}

pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while left >= 0x80 {
        out.push(u8::try_from(left & 0x7f).unwrap_or(0) | 0x80);
        left >>= 7;
    }
    out.push(u8::try_from(left).unwrap_or(0));
}

pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(i64::try_from(bytes.len()).unwrap_or(0), out);
    out.extend(bytes);
}

/// Reads values from bytes, and ends where the bytes do.
pub(super) struct Reader<'a> {
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn cut() -> FormatError {
        FormatError::malformed("Avro file", "more bytes", "its end")
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(Self::cut)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        self.take(N).map(|bytes| <[u8; N]>::try_from(bytes).expect("as many as were taken"))
    }

    pub fn long(&mut self) -> Result<i64, FormatError> {
        let mut found = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            found |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((found >> 1).cast_signed() ^ -(found & 1).cast_signed());
            }
        }
        Err(FormatError::malformed("Avro file", "a number of 64 bits", "a longer one"))
    }

    pub fn size(&mut self) -> Result<usize, FormatError> {
        usize::try_from(self.long()?)
            .map_err(|_| FormatError::malformed("Avro file", "a size", "a negative number"))
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], FormatError> {
        let size = self.size()?;
        self.take(size)
    }

    pub fn text(&mut self) -> Result<String, FormatError> {
        String::from_utf8(self.bytes()?.to_vec())
            .map_err(|_| FormatError::malformed("Avro file", "UTF-8", "other bytes"))
    }

    pub fn datum(&mut self, schema: &Schema) -> Result<Datum, FormatError> {
        Ok(match schema {
            Schema::Null => Datum::Null,
            Schema::Boolean => Datum::Boolean(self.take(1)?[0] != 0),
            Schema::Int | Schema::Long => Datum::Long(self.long()?),
            Schema::Float => Datum::Float(f32::from_le_bytes(self.array()?)),
            Schema::Double => Datum::Double(f64::from_le_bytes(self.array()?)),
            Schema::Bytes => Datum::Bytes(self.bytes()?.to_vec()),
            Schema::Fixed(size) => Datum::Bytes(self.take(*size)?.to_vec()),
            Schema::String => Datum::String(self.text()?),
            Schema::Record(fields) => Datum::Record(self.record(fields)?),
            Schema::Array(item) => Datum::Array(self.blocks(|reader| reader.datum(item))?),
            Schema::Map(value) => Datum::Map(self.blocks(|reader| {
                reader.bytes()?;
                reader.datum(value)
            })?),
            Schema::Union(members) => {
                let member = self.size()?;
                let member = members.get(member).ok_or_else(|| {
                    FormatError::malformed("Avro file", "a member of a union", member.to_string())
                })?;
                self.datum(member)?
            }
        })
    }

    fn record(&mut self, fields: &[Field]) -> Result<Record, FormatError> {
        let values =
            fields.iter().map(|field| Ok((field.id, field.name.clone(), self.datum(&field.kind)?)));
        values.collect::<Result<_, _>>().map(Record)
    }

    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<Datum, FormatError>,
    ) -> Result<Vec<Datum>, FormatError> {
        let mut found = Vec::new();
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(found);
            }
            if count < 0 {
                self.long()?;
                count = count.checked_neg().ok_or_else(Self::cut)?;
            }
            for _ in 0..count {
                // Items without bytes would have no end.
                if self.rest.is_empty() {
                    return Err(Self::cut());
                }
                found.push(item(self)?);
            }
        }
    }
}
