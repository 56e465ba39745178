//! A Parquet file's footer: its columns with their types, and its rows.
//!
//! Source: the Parquet format, "File format" (footer) and "Logical types".

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use crate::file_schema::{FileColumn, FileSchema, FileType, Layout, Unreadable};
use crate::footer_shape;

/// The footer's own tail: its length in four bytes, and `PAR1`.
const TAIL: usize = 8;

/// No footer longer than this is read. That of a month of Uber and Lyft, 22 row groups of 25
/// columns, has about 100 kB.
const FOOTER_LIMIT: u64 = 8 * 1024 * 1024;

/// No month has so many rows: one of Uber and Lyft has 25 million. A page of one value can claim
/// any number of them.
const MOST_ROWS: u64 = 1_000_000_000;

/// How many bytes at the end of a file of `size` bytes hold its footer; `tail` is its end.
pub fn length(tail: &[u8], size: u64) -> Result<u64, Unreadable> {
    let footer = FooterTail::try_new(last(tail)?).map_err(|_| {
        Unreadable::because(
            "it does not end as a Parquet file: it is cut short, or is none".to_owned(),
        )
    })?;
    if footer.is_encrypted_footer() {
        return Err(Unreadable::because("its footer is encrypted".to_owned()));
    }
    let length = footer.metadata_length() as u64 + TAIL as u64;
    if length + 4 > size {
        let reason = format!("its footer says it has {length} bytes, the whole file has {size}");
        return Err(Unreadable::because(reason));
    }
    if length > FOOTER_LIMIT {
        let reason =
            format!("its footer has {length} bytes, more than the limit of {FOOTER_LIMIT}");
        return Err(Unreadable::because(reason));
    }
    Ok(length)
}

fn last(tail: &[u8]) -> Result<&[u8; TAIL], Unreadable> {
    tail.last_chunk().ok_or_else(|| {
        Unreadable::because(format!("it has {} bytes, too few for a Parquet file", tail.len()))
    })
}

/// Reads the footer; `tail` is the file's end and holds all of it.
pub fn parse(tail: &[u8], size: u64) -> Result<FileSchema, Unreadable> {
    let length = usize::try_from(length(tail, size)?).expect("the limit fits");
    let start = tail.len().checked_sub(length).ok_or_else(|| {
        Unreadable::because(format!("{} of {length} bytes of its footer were read", tail.len()))
    })?;
    let footer = &tail[start..tail.len() - TAIL];
    footer_shape::check(footer).map_err(corrupt)?;
    let metadata = ParquetMetaDataReader::decode_metadata(footer)
        .map_err(|error| corrupt(error.to_string()))?;
    let rows = rows(&metadata, size - length as u64)?;
    let schema = metadata.file_metadata().schema_descr();
    let mut columns = Vec::new();
    for root in schema.root_schema().get_fields() {
        let leaf = schema.columns().iter().find(|leaf| leaf.path().parts() == [root.name()]);
        let file_type = match leaf {
            Some(leaf) if leaf.max_rep_level() > 0 => FileType::Other("repeated value".to_owned()),
            Some(leaf) => file_type(leaf),
            None => FileType::Other("nested group".to_owned()),
        };
        columns.push(FileColumn { name: root.name().to_owned(), file_type });
    }
    Ok(FileSchema { layout: Layout::Named, columns, rows: Some(rows) })
}

/// The rows of all row groups, which must agree with the footer's own count and lie in the file.
fn rows(metadata: &ParquetMetaData, data_bytes: u64) -> Result<u64, Unreadable> {
    let mut rows = 0_u64;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let group_rows = u64::try_from(group.num_rows())
            .map_err(|_| corrupt(format!("row group {number} has {} rows", group.num_rows())))?;
        rows = rows.saturating_add(group_rows);
        for chunk in group.columns() {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, length)| start.checked_add(length));
            if end.is_none_or(|end| end > data_bytes) {
                let column = chunk.column_path().string();
                return Err(corrupt(format!(
                    "column {column} of row group {number} lies beyond the file's {data_bytes} bytes of data"
                )));
            }
        }
    }
    let said = metadata.file_metadata().num_rows();
    if u64::try_from(said) != Ok(rows) {
        return Err(corrupt(format!("it says {said} rows, its row groups have {rows}")));
    }
    if rows > MOST_ROWS {
        return Err(corrupt(format!("it says {rows} rows, more than the limit of {MOST_ROWS}")));
    }
    Ok(rows)
}

fn corrupt(reason: String) -> Unreadable {
    Unreadable::because(format!("its footer is corrupt: {reason}"))
}

/// The logical type where there is one, else the converted type of older writers, else the
/// physical type.
fn file_type(column: &ColumnDescriptor) -> FileType {
    let physical = column.physical_type();
    let decimal =
        || FileType::Decimal { precision: column.type_precision(), scale: column.type_scale() };
    match (column.logical_type_ref(), column.converted_type(), physical) {
        (Some(LogicalType::Unknown), _, _) => FileType::Null,
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _, _)
        | (None, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON, _) => {
            FileType::Text
        }
        (Some(LogicalType::Timestamp(timestamp)), _, Physical::INT64) => {
            FileType::Timestamp { utc: timestamp.is_adjusted_to_u_t_c }
        }
        (
            None,
            ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS,
            Physical::INT64,
        ) => FileType::Timestamp { utc: true },
        (Some(LogicalType::Date), _, Physical::INT32)
        | (None, ConvertedType::DATE, Physical::INT32) => FileType::Date,
        (Some(LogicalType::Decimal(_)), _, _) | (None, ConvertedType::DECIMAL, _) => decimal(),
        (Some(LogicalType::Integer(integer)), _, Physical::INT32)
            if integer.is_signed || integer.bit_width < 32 =>
        {
            FileType::Int
        }
        (Some(LogicalType::Integer(integer)), _, Physical::INT64) if integer.is_signed => {
            FileType::Bigint
        }
        (
            None,
            ConvertedType::NONE
            | ConvertedType::INT_8
            | ConvertedType::INT_16
            | ConvertedType::INT_32
            | ConvertedType::UINT_8
            | ConvertedType::UINT_16,
            Physical::INT32,
        ) => FileType::Int,
        (None, ConvertedType::NONE | ConvertedType::INT_64, Physical::INT64) => FileType::Bigint,
        (None, ConvertedType::NONE, Physical::BOOLEAN) => FileType::Boolean,
        (None, ConvertedType::NONE, Physical::FLOAT) => FileType::Float,
        (None, ConvertedType::NONE, Physical::DOUBLE) => FileType::Double,
        (None, ConvertedType::NONE, Physical::BYTE_ARRAY) => FileType::Text,
        // Only ever used for timestamps, by Impala and older Spark; wall clock as it was written.
        (None, ConvertedType::NONE, Physical::INT96) => FileType::Timestamp { utc: false },
        (logical, converted, physical) => match logical {
            Some(logical) => FileType::Other(format!("{physical} {logical:?}")),
            None => FileType::Other(format!("{physical} {converted}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::Int64Type;
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A file without rows, of these columns.
    fn file(columns: &str) -> Vec<u8> {
        let schema = parse_message_type(&format!("message schema {{ {columns} }}")).unwrap();
        let mut bytes = Vec::new();
        let writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default());
        writer.unwrap().close().unwrap();
        bytes
    }

    /// A file of one column with three rows.
    fn file_with_rows() -> Vec<u8> {
        let schema = parse_message_type("message schema { REQUIRED INT64 a; }").unwrap();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[1, 2, 3], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    fn parse_all(bytes: &[u8]) -> Result<FileSchema, Unreadable> {
        parse(bytes, bytes.len() as u64)
    }

    #[test]
    fn reads_types_old_and_new() {
        let check = |column: &str, expected: &str| {
            let schema = parse_all(&file(column)).unwrap();
            assert_eq!(schema.columns[0].file_type.describe(), expected, "{column}");
        };
        check("OPTIONAL INT32 a;", "int");
        check("OPTIONAL INT32 a (UNKNOWN);", "null");
        check("OPTIONAL INT32 a (INTEGER(16,true));", "int");
        check(
            "OPTIONAL INT32 a (INTEGER(32,false));",
            "INT32 Integer(IntType { bit_width: 32, is_signed: false })",
        );
        check("OPTIONAL INT64 a;", "bigint");
        check("OPTIONAL INT64 a (INTEGER(64,true));", "bigint");
        check("OPTIONAL DOUBLE a;", "double");
        check("OPTIONAL FLOAT a;", "float");
        check("OPTIONAL BOOLEAN a;", "boolean");
        check("OPTIONAL BYTE_ARRAY a (UTF8);", "string");
        check("OPTIONAL BYTE_ARRAY a (STRING);", "string");
        check("OPTIONAL BYTE_ARRAY a;", "string");
        check("OPTIONAL INT64 a (TIMESTAMP(MICROS,false));", "timestamp");
        check("OPTIONAL INT64 a (TIMESTAMP(NANOS,false));", "timestamp");
        check("OPTIONAL INT64 a (TIMESTAMP(MILLIS,true));", "timestamp in UTC");
        check("OPTIONAL INT64 a (TIMESTAMP_MILLIS);", "timestamp in UTC");
        check("OPTIONAL INT96 a;", "timestamp");
        check("OPTIONAL INT32 a (DATE);", "date");
        check("OPTIONAL INT64 a (DECIMAL(18,2));", "decimal(18,2)");
        check(
            "OPTIONAL INT64 a (TIME(MICROS,false));",
            "INT64 Time(TimestampType { is_adjusted_to_u_t_c: false, unit: MICROS })",
        );
        check("REPEATED INT32 a;", "repeated value");
        check("OPTIONAL GROUP a { OPTIONAL INT32 b; }", "nested group");
    }

    #[test]
    fn counts_rows_and_finds_a_footer_by_its_tail() {
        let bytes = file_with_rows();
        let size = bytes.len() as u64;
        assert_eq!(parse_all(&bytes).unwrap().rows, Some(3));
        let length = usize::try_from(length(&bytes[bytes.len() - 8..], size).unwrap()).unwrap();
        assert_eq!(parse(&bytes[bytes.len() - length..], size).unwrap().rows, Some(3));
    }

    #[test]
    fn refuses_what_is_no_whole_parquet_file() {
        let whole = file_with_rows();
        let check = |bytes: &[u8], expected: &str| {
            let error = parse_all(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"PAR1", "too few");
        check(b"vendorid,total\n1,2\n", "does not end as a Parquet file");
        check(&whole[..whole.len() - 1], "does not end as a Parquet file");
        check(&[b"PAR1".as_slice(), &[255, 255, 0, 0], b"PAR1"].concat(), "the whole file has");
        check(&[b"PAR1".as_slice(), &[0, 0, 0, 0], b"PARE"].concat(), "encrypted");
        // The middle of the file is missing: the footer is whole, its columns are not.
        let footer =
            whole.len() - usize::try_from(length(&whole, whole.len() as u64).unwrap()).unwrap();
        check(&[&whole[..4], &whole[footer..]].concat(), "lies beyond");
    }

    /// `data` with another footer.
    fn refooted(data: &[u8], footer: &[u8]) -> Vec<u8> {
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        [data, footer, &length, b"PAR1"].concat()
    }

    /// The decoder would reserve room for all of them, and abort.
    #[test]
    fn two_thousand_million_row_groups_are_refused_before_there_is_room_for_them() {
        let whole = file_with_rows();
        let size = whole.len();
        let start = size - usize::try_from(length(&whole, size as u64).unwrap()).unwrap();
        let mut footer = whole[start..size - TAIL].to_vec();
        // Field 4 is a list of one structure: 0x19 0x1c.
        let list = footer.windows(2).rposition(|bytes| bytes == [0x19, 0x1c]).unwrap();
        for claimed in [[0xff, 0xff, 0xff, 0xff, 0x07], [0x80, 0x80, 0x80, 0x80, 0x08]] {
            footer.splice(list + 1..list + 2, [&[0xfc], claimed.as_slice()].concat());
            let error = parse_all(&refooted(&whole[..start], &footer)).unwrap_err().to_string();
            assert!(error.contains("a list says it has 21474836"), "{error}");
        }
    }

    #[test]
    fn more_rows_than_any_month_has_are_refused() {
        let whole = file_with_rows();
        let size = whole.len();
        let start = size - usize::try_from(length(&whole, size as u64).unwrap()).unwrap();
        // Three rows, in zigzag, of the row group and of the file: 0x16 0x06.
        let mut footer = Vec::new();
        let mut rest = &whole[start..size - TAIL];
        while let Some(at) = rest.windows(2).position(|bytes| bytes == [0x16, 0x06]) {
            footer.extend([&rest[..at], &[0x16, 0x82, 0xa8, 0xd6, 0xb9, 0x07]].concat());
            rest = &rest[at + 2..];
        }
        footer.extend(rest);
        let error = parse_all(&refooted(&whole[..start], &footer)).unwrap_err().to_string();
        assert!(error.contains("rows, more than the limit of 1000000000"), "{error}");
    }

    /// What Arrow's writers add is none of the format's: Athena does not read it, and nor do we.
    #[test]
    fn a_corrupt_arrow_schema_is_passed_over() {
        let schema = parse_message_type("message schema { OPTIONAL INT64 a; }").unwrap();
        let corrupt = KeyValue::new("ARROW:schema".to_owned(), "/////no schema".to_owned());
        let properties =
            WriterProperties::builder().set_key_value_metadata(Some(vec![corrupt])).build();
        let mut bytes = Vec::new();
        let writer =
            SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties)).unwrap();
        writer.close().unwrap();
        assert_eq!(parse_all(&bytes).unwrap().columns[0].name, "a");
    }

    /// A footer with any one byte changed is read or refused, and brings nothing down.
    #[test]
    fn survives_any_wrong_byte() {
        let whole = file_with_rows();
        let start =
            whole.len() - usize::try_from(length(&whole, whole.len() as u64).unwrap()).unwrap();
        let mut refused = 0;
        for place in start..whole.len() {
            for change in [0x01, 0x02, 0x10, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[place] ^= change;
                refused += usize::from(parse_all(&bytes).is_err());
            }
        }
        assert!(refused > 0);
    }
}
