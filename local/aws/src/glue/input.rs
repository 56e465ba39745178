//! Members of an operation's input.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::wire::{self, ServiceError};

/// An input whose members are taken out one by one. A member that is null is one that is missing.
pub struct Input(Map<String, Value>);

/// How a client wants a listing: at most so many, after the page this token came with.
pub struct Paging {
    size: Option<u64>,
    token: Option<String>,
}

impl Input {
    pub fn of(input: Value) -> Result<Self, ServiceError> {
        match input {
            Value::Object(mut members) => {
                members.retain(|_, value| !value.is_null());
                Ok(Self(members))
            }
            Value::Null => Ok(Self(Map::new())),
            _ => Err(ServiceError::new("SerializationException", "expected a JSON object")),
        }
    }

    /// A text that stays.
    pub fn peek(&self, member: &str) -> Option<&str> {
        self.0.get(member)?.as_str()
    }

    pub fn optional<T: DeserializeOwned>(
        &mut self,
        member: &str,
    ) -> Result<Option<T>, ServiceError> {
        let Some(value) = self.0.remove(member) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|error| {
            ServiceError::new("SerializationException", format!("{member}: {error}"))
        })
    }

    pub fn required<T: DeserializeOwned>(&mut self, member: &str) -> Result<T, ServiceError> {
        self.optional(member)?.ok_or_else(|| {
            ServiceError::new("InvalidInputException", format!("The member {member} is required."))
        })
    }

    /// A list of at most `most` items.
    pub fn list<T: DeserializeOwned>(
        &mut self,
        member: &str,
        most: usize,
    ) -> Result<Vec<T>, ServiceError> {
        let items: Vec<T> = self.required(member)?;
        if items.len() > most {
            let message =
                format!("The member {member} has at most {most} items, found {}.", items.len());
            return Err(ServiceError::new("InvalidInputException", message));
        }
        Ok(items)
    }

    pub fn paging(&mut self) -> Result<Paging, ServiceError> {
        Ok(Paging { size: self.optional("MaxResults")?, token: self.optional("NextToken")? })
    }
}

impl Paging {
    /// One page, as the output's member and its `NextToken`.
    pub fn answer(
        self,
        member: &str,
        items: Vec<Value>,
        largest: usize,
    ) -> Result<Value, ServiceError> {
        let (page, next) = wire::page(items, self.size, largest, self.token.as_deref())
            .map_err(|error| ServiceError::new("InvalidInputException", error.message))?;
        let mut output = Map::new();
        output.insert(member.to_owned(), Value::Array(page));
        if let Some(next) = next {
            output.insert("NextToken".to_owned(), next.into());
        }
        Ok(Value::Object(output))
    }
}
