//! The `.metadata` object beside each result. Its layout is not documented and no
//! client reads it; what stands here is its columns, in protobuf's wire format.

use super::ColumnInfo;

/// Field 4, repeated: a column {1: catalog, 4: name, 5: label, 6: type, 7: precision,
/// 8: scale}.
pub(super) fn encode(columns: &[ColumnInfo]) -> Vec<u8> {
    let mut out = Vec::new();
    for column in columns {
        let mut message = Vec::new();
        text(&mut message, 1, "hive");
        text(&mut message, 4, &column.name);
        text(&mut message, 5, &column.name);
        text(&mut message, 6, &column.type_name);
        number(&mut message, 7, column.precision);
        number(&mut message, 8, column.scale);
        out.push(4 << 3 | 2);
        varint(&mut out, message.len() as u64);
        out.extend(message);
    }
    out
}

fn text(out: &mut Vec<u8>, field: u8, value: &str) {
    out.push(field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value.as_bytes());
}

fn number(out: &mut Vec<u8>, field: u8, value: i32) {
    out.push(field << 3);
    varint(out, u64::from(value.unsigned_abs()));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}
