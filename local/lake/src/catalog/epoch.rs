//! Times as AWS's JSON protocols write them: seconds since 1970, with a fraction.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double exactly")]
#[expect(clippy::ref_option, reason = "serde asks for it")]
pub fn serialize<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_f64(time.as_millisecond() as f64 / 1000.0),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked by Timestamp")]
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let seconds: Option<f64> = Option::deserialize(deserializer)?;
    seconds
        .map(|seconds| {
            Timestamp::from_millisecond((seconds * 1000.0).round() as i64)
                .map_err(serde::de::Error::custom)
        })
        .transpose()
}

/// Now, as precise as it will be read back.
pub fn now() -> Option<Timestamp> {
    Timestamp::from_millisecond(crate::clock::now().as_millisecond()).ok()
}
