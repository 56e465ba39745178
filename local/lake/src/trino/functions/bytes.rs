//! Bytes as numbers and the other way about, keyed digests, and base 32.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{AsArray, Float32Array, Float64Array};
use datafusion::arrow::datatypes::Float32Type;
use datafusion::common::Result;
use sha2::Digest;
use std::sync::Arc;

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const BYTES: TrinoType = TrinoType::Varbinary;
const TEXT: TrinoType = TrinoType::Varchar(None);
const LONG: TrinoType = TrinoType::Bigint;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

macro_rules! function {
    ($name:literal, [$($given:expr),*], $result:expr, $body:expr) => {
        Function::new($name, |given| exactly($name, given, &[$($given),*], $result), $body)
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    function!("sha1", [BYTES], BYTES, |call| each(call, |bytes| sha1::Sha1::digest(bytes)
        .to_vec())),
    function!("hmac_md5", [BYTES, BYTES], BYTES, |call| keyed::<md5::Md5>(call, 64)),
    function!("hmac_sha1", [BYTES, BYTES], BYTES, |call| keyed::<sha1::Sha1>(call, 64)),
    function!("hmac_sha256", [BYTES, BYTES], BYTES, |call| keyed::<sha2::Sha256>(call, 64)),
    function!("hmac_sha512", [BYTES, BYTES], BYTES, |call| keyed::<sha2::Sha512>(call, 128)),
    function!("to_base32", [BYTES], TEXT, to_base32),
    Function::new(
        "from_base32",
        |given| super::digest::from_text("from_base32", given),
        from_base32,
    ),
    function!("to_big_endian_32", [TrinoType::Integer], BYTES, to_big_endian_32),
    function!("to_big_endian_64", [LONG], BYTES, to_big_endian_64),
    function!("from_big_endian_32", [BYTES], TrinoType::Integer, from_big_endian_32),
    function!("from_big_endian_64", [BYTES], LONG, from_big_endian_64),
    function!("to_ieee754_32", [TrinoType::Real], BYTES, to_ieee754_32),
    function!("to_ieee754_64", [TrinoType::Double], BYTES, to_ieee754_64),
    function!("from_ieee754_32", [BYTES], TrinoType::Real, from_ieee754_32),
    function!("from_ieee754_64", [BYTES], TrinoType::Double, from_ieee754_64),
];

fn each(call: &Call, body: fn(&[u8]) -> Vec<u8>) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_bytes(|row| Ok(Some(body(values.value(row)))))
}

/// HMAC: RFC 2104 over any digest of that block size.
fn keyed<D: Digest>(call: &Call, block: usize) -> Result<ArrayRef> {
    let (values, keys) = (call.bytes(0)?, call.bytes(1)?);
    call.each_bytes(|row| {
        let mut key = keys.value(row).to_vec();
        if key.len() > block {
            key = D::digest(&key).to_vec();
        }
        key.resize(block, 0);
        let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
        let inner = D::new().chain_update(padded(0x36)).chain_update(values.value(row)).finalize();
        Ok(Some(D::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()))
    })
}

fn to_base32(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_text(|row| {
        let mut text = String::new();
        for group in values.value(row).chunks(5) {
            let mut bits = [0_u8; 8];
            bits[3..3 + group.len()].copy_from_slice(group);
            let bits = u64::from_be_bytes(bits);
            let letters = (group.len() * 8).div_ceil(5);
            for at in 0..8 {
                let [.., digit] = (bits >> (35 - 5 * at)).to_be_bytes();
                let letter = char::from(ALPHABET[usize::from(digit & 31)]);
                text.push(if at < letters { letter } else { '=' });
            }
        }
        Ok(Some(text))
    })
}

fn from_base32(call: &Call) -> Result<ArrayRef> {
    let texts = super::digest::text_of(call)?;
    call.each_bytes(|row| {
        let Some(text) = &texts[row] else { return Ok(None) };
        let letters = text.trim_end_matches('=');
        if matches!(letters.len() % 8, 1 | 3 | 6) {
            return Err(Failure::invalid_argument(format!(
                "Invalid input length {}",
                letters.len()
            ))
            .into());
        }
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
        for letter in letters.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == letter);
            let digit = digit.and_then(|digit| u32::try_from(digit).ok()).ok_or_else(|| {
                Failure::invalid_argument(format!("Unrecognized character: {}", char::from(letter)))
            })?;
            bits = bits << 5 | digit;
            held += 5;
            if held >= 8 {
                held -= 8;
                let [.., byte] = (bits >> held).to_be_bytes();
                bytes.push(byte);
            }
        }
        Ok(Some(bytes))
    })
}

/// The bytes of one value, of which there must be just so many.
fn exact<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| {
        Failure::invalid_argument(format!("{what} input must be a byte array of length {N}")).into()
    })
}

fn floating<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| {
        Failure::invalid_argument(format!(
            "Input floating-point value must be exactly {N} bytes long"
        ))
        .into()
    })
}

fn to_big_endian_32(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let values = array.as_primitive::<datafusion::arrow::datatypes::Int32Type>();
    call.each_bytes(|row| Ok(Some(values.value(row).to_be_bytes().to_vec())))
}

fn to_big_endian_64(call: &Call) -> Result<ArrayRef> {
    let values = call.longs(0)?;
    call.each_bytes(|row| Ok(Some(values.value(row).to_be_bytes().to_vec())))
}

fn from_big_endian_32(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    let numbers: datafusion::arrow::array::Int32Array = values
        .iter()
        .map(|bytes| {
            bytes.map(|bytes| exact(bytes, "expected 4-byte").map(i32::from_be_bytes)).transpose()
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(numbers))
}

fn from_big_endian_64(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_long(|row| {
        exact(values.value(row), "expected 8-byte").map(i64::from_be_bytes).map(Some)
    })
}

fn to_ieee754_32(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let values = array.as_primitive::<Float32Type>();
    call.each_bytes(|row| Ok(Some(values.value(row).to_be_bytes().to_vec())))
}

fn to_ieee754_64(call: &Call) -> Result<ArrayRef> {
    let values = call.doubles(0)?;
    call.each_bytes(|row| Ok(Some(values.value(row).to_be_bytes().to_vec())))
}

fn from_ieee754_32(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    let numbers: Float32Array = values
        .iter()
        .map(|bytes| bytes.map(|bytes| floating(bytes).map(f32::from_be_bytes)).transpose())
        .collect::<Result<_>>()?;
    Ok(Arc::new(numbers))
}

fn from_ieee754_64(call: &Call) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    let numbers: Float64Array = values
        .iter()
        .map(|bytes| bytes.map(|bytes| floating(bytes).map(f64::from_be_bytes)).transpose())
        .collect::<Result<_>>()?;
    Ok(Arc::new(numbers))
}
