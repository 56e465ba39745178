//! `contains(network, address)` and `uuid()`.

use std::net::IpAddr;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::cast::{from_sixteen, sixteen};
use super::function::{Function, Plan, exactly};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::volatile("uuid", |given| exactly("uuid", given, &[], TrinoType::Uuid), random)];

fn random(call: &Call) -> Result<ArrayRef> {
    let values = (0..call.rows).map(|_| Ok(Some(uuid::Uuid::new_v4().into_bytes())));
    from_sixteen(values, &TrinoType::Uuid)
}

/// The types of `contains` when its second argument is an address.
pub(super) fn contains_types(given: &[TrinoType]) -> Option<Plan> {
    match given {
        [TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Unknown, TrinoType::IpAddress] => {
            Some(Plan::new(
                vec![TrinoType::Varchar(None), TrinoType::IpAddress],
                TrinoType::Boolean,
            ))
        }
        _ => None,
    }
}

/// Whether a network such as `10.0.0.0/8` contains an address.
pub(super) fn contains(call: &Call) -> Result<ArrayRef> {
    let (networks, addresses) = (call.texts(0)?, call.array(1)?);
    call.each_boolean(|row| {
        let Some(address) = sixteen(&addresses, row) else { return Ok(None) };
        Ok(Some(Network::parse(networks.value(row))?.contains(address)))
    })
}

struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = || Failure::invalid_argument("Invalid CIDR");
        let (base, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let base: IpAddr =
            base.parse().map_err(|_| Failure::invalid_argument("Invalid network IP address"))?;
        let base = base.to_canonical();
        let prefix: u32 = prefix.parse().map_err(|_| invalid())?;
        let network = Self { base, prefix };
        match base {
            // No bit of a host is set in a network of IPv4.
            IpAddr::V4(base) if prefix > 32 || base.to_bits() & !mask(prefix) != 0 => {
                Err(invalid())
            }
            IpAddr::V6(_) if prefix > 128 => Err(invalid()),
            _ => Ok(network),
        }
    }

    fn contains(&self, address: [u8; 16]) -> bool {
        match (self.base, IpAddr::from(address).to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()) & mask(self.prefix) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

/// The bits of a network of IPv4.
fn mask(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
}
