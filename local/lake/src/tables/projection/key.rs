//! The values of one key.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::dates::Dates;
use super::{invalid, property};
use crate::sql::Failure;

/// How a key's values are made.
pub(super) enum Rule {
    Enum(Vec<String>),
    Integer {
        first: i64,
        last: i64,
        step: i64,
        digits: usize,
    },
    Date(Dates),
    /// From the query.
    Injected,
}

impl Rule {
    pub fn of(properties: &BTreeMap<String, String>, key: &str) -> Result<Self, Failure> {
        let of = |part: &str| property(properties, &format!("projection.{key}.{part}"));
        let wanted = |part: &str| {
            of(part).ok_or_else(|| {
                invalid(format!("Table property 'projection.{key}.{part}' is missing"))
            })
        };
        let wrong = |part: &str, value: &str| {
            invalid(format!(
                "Table property 'projection.{key}.{part}' has a wrong value: '{value}'"
            ))
        };
        Ok(match wanted("type")?.to_lowercase().as_str() {
            "enum" => Self::Enum(wanted("values")?.split(',').map(str::to_owned).collect()),
            "integer" => {
                let range = wanted("range")?;
                let ends = range.split_once(',').and_then(|(first, last)| {
                    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
                });
                let (first, last) = ends.ok_or_else(|| wrong("range", range))?;
                let number = |part: &str, default: i64| match of(part) {
                    None => Ok(default),
                    Some(text) => text.trim().parse::<i64>().map_err(|_| wrong(part, text)),
                };
                let step = number("interval", 1)?;
                let digits = number("digits", 0)?;
                if step < 1 {
                    return Err(wrong("interval", &step.to_string()));
                }
                let digits =
                    usize::try_from(digits).map_err(|_| wrong("digits", &digits.to_string()))?;
                Self::Integer { first, last, step, digits }
            }
            "date" => {
                let range = wanted("range")?;
                let (first, last) = range.split_once(',').ok_or_else(|| wrong("range", range))?;
                let step = match of("interval") {
                    None => None,
                    Some(text) => {
                        let step = text.trim().parse::<i64>().ok().filter(|step| *step > 0);
                        Some(step.ok_or_else(|| wrong("interval", text))?)
                    }
                };
                Self::Date(
                    Dates::new(wanted("format")?, first, last, step, of("interval.unit"))
                        .map_err(|why| invalid(format!("projection.{key}: {why}")))?,
                )
            }
            "injected" => Self::Injected,
            other => return Err(wrong("type", other)),
        })
    }

    /// The values in their order; none of an injected key.
    pub fn values(&self, now: Timestamp) -> Result<Vec<String>, Failure> {
        match self {
            Self::Enum(values) => Ok(values.clone()),
            Self::Integer { first, last, step, digits } => {
                let count = (i128::from(*last) - i128::from(*first)) / i128::from(*step) + 1;
                if count > super::MOST as i128 {
                    return Err(invalid(format!("a range of {count} values is too wide")));
                }
                let steps = 0..i64::try_from(count.max(0)).unwrap_or(0);
                Ok(steps
                    .map(|at| format!("{:0width$}", first + at * step, width = digits))
                    .collect())
            }
            Self::Date(dates) => dates.values(now).map_err(invalid),
            Self::Injected => Ok(Vec::new()),
        }
    }
}
