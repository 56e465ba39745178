//! Bytes: digests, encodings, and texts as UTF-8.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::common::Result;
use sha2::Digest;

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const BYTES: TrinoType = TrinoType::Varbinary;
const TEXT: TrinoType = TrinoType::Varchar(None);

macro_rules! of_bytes {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[BYTES], BYTES),
            |call| bytes(call, $body),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_bytes!("md5", |bytes| md5::Md5::digest(bytes).to_vec()),
    of_bytes!("sha256", |bytes| sha2::Sha256::digest(bytes).to_vec()),
    of_bytes!("sha512", |bytes| sha2::Sha512::digest(bytes).to_vec()),
    Function::new("to_hex", |given| exactly("to_hex", given, &[BYTES], TEXT), to_hex),
    Function::new("from_hex", |given| from_text("from_hex", given), from_hex),
    Function::new("to_utf8", |given| exactly("to_utf8", given, &[TEXT], BYTES), to_utf8),
    Function::new("from_utf8", from_utf8_types, from_utf8),
    Function::new(
        "to_base64",
        |given| exactly("to_base64", given, &[BYTES], TEXT),
        |call| encoded(call, false),
    ),
    Function::new(
        "to_base64url",
        |given| exactly("to_base64url", given, &[BYTES], TEXT),
        |call| encoded(call, true),
    ),
    Function::new(
        "from_base64",
        |given| from_text("from_base64", given),
        |call| decoded(call, false),
    ),
    Function::new(
        "from_base64url",
        |given| from_text("from_base64url", given),
        |call| decoded(call, true),
    ),
    Function::new("crc32", |given| exactly("crc32", given, &[BYTES], TrinoType::Bigint), crc32),
];

fn bytes(call: &Call, body: fn(&[u8]) -> Vec<u8>) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_bytes(|row| Ok(Some(body(values.value(row)))))
}

pub(super) fn from_text(name: &str, given: &[TrinoType]) -> Result<super::function::Plan, Failure> {
    match given {
        [TrinoType::Varbinary] => Ok(super::function::Plan::given(given, BYTES)),
        _ => exactly(name, given, &[TEXT], BYTES),
    }
}

/// The text of an argument that may come as bytes.
pub(super) fn text_of(call: &Call) -> Result<Vec<Option<String>>> {
    if *call.kind(0) == BYTES {
        let values = call.bytes(0)?;
        return Ok(values
            .iter()
            .map(|bytes| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
            .collect());
    }
    Ok(call.texts(0)?.iter().map(|text| text.map(str::to_owned)).collect())
}

fn to_hex(call: &Call) -> Result<ArrayRef> {
    use std::fmt::Write as _;
    let values = call.bytes(0)?;
    call.each_text(|row| {
        let mut text = String::new();
        for byte in values.value(row) {
            let _ = write!(text, "{byte:02X}");
        }
        Ok(Some(text))
    })
}

fn from_hex(call: &Call) -> Result<ArrayRef> {
    let texts = text_of(call)?;
    call.each_bytes(|row| {
        let Some(text) = &texts[row] else { return Ok(None) };
        let refused = || Failure::invalid_argument(format!("invalid input length {}", text.len()));
        if !text.len().is_multiple_of(2) {
            return Err(refused().into());
        }
        text.as_bytes()
            .chunks(2)
            .map(|pair| {
                std::str::from_utf8(pair)
                    .ok()
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                    .ok_or_else(|| Failure::invalid_argument("invalid hex character").into())
            })
            .collect::<Result<Vec<u8>>>()
            .map(Some)
    })
}

fn to_utf8(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_bytes(|row| Ok(Some(texts.value(row).as_bytes().to_vec())))
}

fn from_utf8_types(given: &[TrinoType]) -> Result<super::function::Plan, Failure> {
    match given {
        [_] => exactly("from_utf8", given, &[BYTES], TEXT),
        [_, TrinoType::Varchar(_)] => exactly("from_utf8", given, &[BYTES, TEXT], TEXT),
        _ => exactly("from_utf8", given, &[BYTES, TrinoType::Bigint], TEXT),
    }
}

/// What takes the place of bytes that are no text: a character, its code point, or nothing.
fn replacement(call: &Call, row: usize) -> Result<String> {
    if call.count() < 2 {
        return Ok('\u{fffd}'.to_string());
    }
    if *call.kind(1) == TEXT || matches!(call.kind(1), TrinoType::Varchar(_)) {
        let text = call.texts(1)?.value(row).to_owned();
        if text.chars().count() > 1 {
            return Err(Failure::invalid_argument(
                "Replacement character string must empty or a single character",
            )
            .into());
        }
        return Ok(text);
    }
    let code = datafusion::arrow::compute::cast(
        &call.array(1)?,
        &datafusion::arrow::datatypes::DataType::Int64,
    )?;
    let code = code.as_primitive::<datafusion::arrow::datatypes::Int64Type>().value(row);
    let found = u32::try_from(code).ok().and_then(char::from_u32);
    found
        .map(String::from)
        .ok_or_else(|| Failure::invalid_argument("Invalid replacement character".to_owned()).into())
}

fn from_utf8(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_text(|row| {
        let replacement = replacement(call, row)?;
        let mut text = String::new();
        for chunk in values.value(row).utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push_str(&replacement);
            }
        }
        Ok(Some(text))
    })
}

fn encoded(call: &Call, url: bool) -> Result<ArrayRef> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let values = call.bytes(0)?;
    call.each_text(|row| {
        let bytes = values.value(row);
        Ok(Some(if url { URL_SAFE.encode(bytes) } else { STANDARD.encode(bytes) }))
    })
}

fn decoded(call: &Call, url: bool) -> Result<ArrayRef> {
    use base64::Engine as _;
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let texts = text_of(call)?;
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(if url { &URL_SAFE } else { &STANDARD }, lenient);
    call.each_bytes(|row| {
        let Some(text) = &texts[row] else { return Ok(None) };
        engine
            .decode(text)
            .map(Some)
            .map_err(|error| Failure::invalid_argument(error.to_string()).into())
    })
}

fn crc32(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_long(|row| {
        let mut hash = flate2::Crc::new();
        hash.update(values.value(row));
        Ok(Some(i64::from(hash.sum())))
    })
}
