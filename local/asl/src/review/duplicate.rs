//! Names that stand twice in one object: JSON's readers take the last and forget the others.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::outline::escaped;
use super::remark::Remark;

/// Names that are written twice, at the place of the last. (A text that is not JSON has been told
/// of.)
pub(super) fn remarks(text: &str) -> Vec<Remark> {
    let found = RefCell::new(Vec::new());
    let reader = Reader { at: String::new(), found: &found };
    let mut json = serde_json::Deserializer::from_str(text);
    if reader.deserialize(&mut json).is_err() {
        return Vec::new();
    }
    found.into_inner().into_iter().map(|at| remark(&at)).collect()
}

fn remark(at: &str) -> Remark {
    let (holder, name) = at.rsplit_once('/').unwrap_or_default();
    if holder.ends_with("/States") {
        return Remark::error("duplicate-name", at, format!("two states are called {name}"))
            .expected("state names that are unique in the whole state machine")
            .advice("rename the one, and what leads to it");
    }
    Remark::warning("duplicate-name", at, format!("{name} stands here twice"))
        .expected("each name once in an object")
        .advice("remove one of them: only the last is read")
}

/// Reads a value for the names in it.
struct Reader<'a> {
    /// JSON pointer.
    at: String,
    found: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let at = format!("{}/{}", self.at, escaped(&name));
            if seen.contains(&name) {
                self.found.borrow_mut().push(at.clone());
            }
            map.next_value_seed(Reader { at, found: self.found })?;
            seen.push(name);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        let item = |index: usize| Reader { at: format!("{}/{index}", self.at), found: self.found };
        while items.next_element_seed(item(index))?.is_some() {
            index += 1;
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_told_at_its_last_place() {
        for (text, expected) in [
            (r#"{"a": 1, "b": [{"c": 1, "c": 2.5}], "a": "x"}"#, &["/b/0/c", "/a"][..]),
            (r#"{"States": {"A": {"X": true}, "A": {"X": null}}}"#, &["/States/A"]),
            (r#"{"a": {"x": -1}, "b": {"x": 2}}"#, &[]),
            (r#"{"a": 1, "a": "#, &[]),
        ] {
            let found = remarks(text);
            let places: Vec<_> = found.iter().map(|remark| remark.location.as_str()).collect();
            assert_eq!(places, expected, "{text}");
        }
    }
}
