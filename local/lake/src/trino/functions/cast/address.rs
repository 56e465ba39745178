//! UUIDs and addresses, from texts and bytes and to bytes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryBuilder};
use datafusion::common::Result;

use super::OnFailure;
use crate::sql::{ADDRESS_WIDTH, Failure, TrinoType, UUID_WIDTH};

/// The 16 bytes of a value in its Arrow form.
pub(in crate::trino) fn sixteen(array: &ArrayRef, row: usize) -> Option<[u8; 16]> {
    let array = array.as_fixed_size_binary_opt()?;
    (!array.is_null(row)).then(|| array.value(row).first_chunk::<16>().copied()).flatten()
}

/// Values of 16 bytes in their Arrow form.
pub(in crate::trino) fn from_sixteen(
    values: impl Iterator<Item = Result<Option<[u8; 16]>>>,
    kind: &TrinoType,
) -> Result<ArrayRef> {
    let width = if *kind == TrinoType::Uuid { UUID_WIDTH } else { ADDRESS_WIDTH };
    let mut builder = FixedSizeBinaryBuilder::with_capacity(values.size_hint().0, width);
    let mut whole = vec![0_u8; usize::try_from(width).unwrap_or(0)];
    for value in values {
        match value? {
            Some(value) => {
                whole[..16].copy_from_slice(&value);
                builder.append_value(&whole)?;
            }
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn invalid(message: String) -> Failure {
    Failure::new("INVALID_CAST_ARGUMENT", message)
}

fn settled<T>(
    value: Option<T>,
    on_failure: OnFailure,
    read: impl Fn(T) -> Result<[u8; 16], Failure>,
) -> Result<Option<[u8; 16]>> {
    match value {
        None => Ok(None),
        Some(value) => on_failure.settle(read(value)),
    }
}

pub(super) fn from_text(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let read = |text: &str| {
        if *to == TrinoType::Uuid {
            uuid_of(text).ok_or_else(|| invalid(format!("Cannot cast value to UUID: {text}")))
        } else {
            address_of(text)
                .ok_or_else(|| invalid(format!("Cannot cast value to IPADDRESS: {text}")))
        }
    };
    let texts = array.as_string::<i32>();
    from_sixteen(texts.iter().map(|text| settled(text, on_failure, read)), to)
}

pub(super) fn from_bytes(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let read = |bytes: &[u8]| match (<[u8; 16]>::try_from(bytes), <[u8; 4]>::try_from(bytes)) {
        (Ok(bytes), _) => Ok(bytes),
        (_, Ok(bytes)) if *to == TrinoType::IpAddress => {
            Ok(Ipv4Addr::from(bytes).to_ipv6_mapped().octets())
        }
        _ if *to == TrinoType::Uuid => {
            Err(invalid(format!("Invalid UUID binary length: {}", bytes.len())))
        }
        _ => Err(invalid(format!("Invalid InetAddress binary length: {}", bytes.len()))),
    };
    let bytes = array.as_binary::<i32>();
    from_sixteen(bytes.iter().map(|bytes| settled(bytes, on_failure, read)), to)
}

pub(super) fn to_bytes(array: &ArrayRef) -> ArrayRef {
    let bytes: BinaryArray = (0..array.len()).map(|row| sixteen(array, row)).collect();
    Arc::new(bytes)
}

fn uuid_of(text: &str) -> Option<[u8; 16]> {
    (text.len() == 36).then(|| uuid::Uuid::try_parse(text).ok())?.map(uuid::Uuid::into_bytes)
}

/// An address of either version as one of IPv6.
fn address_of(text: &str) -> Option<[u8; 16]> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    })
}
