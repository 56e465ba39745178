//! Members of JSON objects, asked for by name and type.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::FormatError;

/// An object with the place it stands at, for errors.
pub(crate) struct Object<'a> {
    pub members: &'a Map<String, Json>,
    place: &'a str,
}

impl<'a> Object<'a> {
    pub fn of(json: &'a Json, place: &'a str) -> Result<Self, FormatError> {
        json.as_object()
            .map(|members| Self { members, place })
            .ok_or_else(|| FormatError::malformed(place, "an object", shown(json)))
    }

    fn wrong(&self, name: &str, expected: &str) -> FormatError {
        let found = self.members.get(name).map_or_else(|| "nothing".to_owned(), shown);
        FormatError::malformed(format!("{}/{name}", self.place), expected, found)
    }

    /// A member that is there and no null.
    pub fn get(&self, name: &str) -> Option<&'a Json> {
        self.members.get(name).filter(|member| !member.is_null())
    }

    pub fn required(&self, name: &str) -> Result<&'a Json, FormatError> {
        self.get(name).ok_or_else(|| self.wrong(name, "a member"))
    }

    pub fn text(&self, name: &str) -> Result<String, FormatError> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(name, "a text"))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<String>, FormatError> {
        self.get(name)
            .map(|member| {
                member.as_str().map(str::to_owned).ok_or_else(|| self.wrong(name, "a text"))
            })
            .transpose()
    }

    pub fn long(&self, name: &str) -> Result<i64, FormatError> {
        self.optional_long(name)?.ok_or_else(|| self.wrong(name, "a number"))
    }

    pub fn optional_long(&self, name: &str) -> Result<Option<i64>, FormatError> {
        self.get(name)
            .map(|member| member.as_i64().ok_or_else(|| self.wrong(name, "a whole number")))
            .transpose()
    }

    pub fn int(&self, name: &str) -> Result<i32, FormatError> {
        self.optional_int(name)?.ok_or_else(|| self.wrong(name, "a number"))
    }

    pub fn optional_int(&self, name: &str) -> Result<Option<i32>, FormatError> {
        self.optional_long(name)?
            .map(|found| i32::try_from(found).map_err(|_| self.wrong(name, "a number of 32 bits")))
            .transpose()
    }

    pub fn flag(&self, name: &str) -> Result<bool, FormatError> {
        self.required(name)?.as_bool().ok_or_else(|| self.wrong(name, "true or false"))
    }

    /// The items of an array; none where it is missing.
    pub fn items(&self, name: &str) -> Result<&'a [Json], FormatError> {
        self.get(name).map_or(Ok(&[]), |member| {
            member.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(name, "an array"))
        })
    }

    /// The members of an object whose values are texts; none where it is missing.
    pub fn texts(&self, name: &str) -> Result<BTreeMap<String, String>, FormatError> {
        let Some(member) = self.get(name) else { return Ok(BTreeMap::new()) };
        let members = member.as_object().ok_or_else(|| self.wrong(name, "an object"))?;
        members
            .iter()
            .map(|(key, value)| match value.as_str() {
                Some(text) => Ok((key.clone(), text.to_owned())),
                None => Err(self.wrong(name, "texts by names")),
            })
            .collect()
    }
}

/// A value cut to what fits a message.
fn shown(json: &Json) -> String {
    let text = json.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
