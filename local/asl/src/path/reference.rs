//! Reference Paths: where `ResultPath` puts a result.

use serde_json::{Map, Value};

use super::{Path, Root, Step};

/// A path of names and indexes only, below `$`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReferencePath {
    pub text: String,
    steps: Vec<Place>,
}

#[derive(Debug, Clone, PartialEq)]
enum Place {
    Member(String),
    Index(usize),
}

impl ReferencePath {
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = Path::parse(text)?;
        if path.root != Root::Data {
            return Err(format!("'{text}' does not start with '$'"));
        }
        let place = |step: Step| match step {
            Step::Member(name) => Some(Place::Member(name)),
            Step::Index(index) => usize::try_from(index).ok().map(Place::Index),
            _ => None,
        };
        let steps = path.steps.into_iter().map(place).collect::<Option<_>>();
        Ok(Self {
            text: text.to_owned(),
            steps: steps.ok_or_else(|| format!("'{text}' names more than one node"))?,
        })
    }

    /// `$`: the result replaces the input.
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// Puts `value` into `target`, making objects on the way. `Err` when a
    /// node in between is neither absent nor a container.
    pub fn put(&self, target: &mut Value, value: Value) -> Result<(), ()> {
        let mut node = target;
        for place in &self.steps {
            node = match (place, node) {
                (Place::Member(name), Value::Object(members)) => {
                    if !members.contains_key(name) {
                        members.insert(name.clone(), Value::Object(Map::new()));
                    }
                    members.get_mut(name).ok_or(())?
                }
                (Place::Index(index), Value::Array(items)) => items.get_mut(*index).ok_or(())?,
                _ => return Err(()),
            };
        }
        *node = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_put_where_the_path_points() {
        let mut target = json!({"a": {"b": 1}, "l": [0]});
        let put = |target: &mut Value, path: &str| {
            ReferencePath::parse(path).unwrap().put(target, json!("x"))
        };
        assert_eq!(put(&mut target, "$.a.c.d"), Ok(()));
        assert_eq!(put(&mut target, "$.l[0]"), Ok(()));
        assert_eq!(target, json!({"a": {"b": 1, "c": {"d": "x"}}, "l": ["x"]}));
        assert_eq!(put(&mut target, "$.a.b.c"), Err(()));
        assert!(ReferencePath::parse("$.a[*]").is_err());
    }
}
