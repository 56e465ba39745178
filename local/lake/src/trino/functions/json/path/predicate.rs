//! What a filter says of an item: true, false, or unknown.

use std::cmp::Ordering;

use super::error::PathError;
use super::evaluate::{Evaluation, Item, Scope};
use super::tree::{Comparison, Node, Predicate};
use super::value::Value;
use crate::trino::functions::json::document::Json;

impl<'a> Evaluation<'a> {
    /// `None` is unknown.
    pub(super) fn holds(&self, predicate: &'a Predicate, scope: Scope<'_, 'a>) -> Option<bool> {
        match predicate {
            Predicate::Compare(comparison, left, right) => {
                self.compares(*comparison, left, right, scope)
            }
            Predicate::StartsWith(whole, prefix) => self.starts_with(whole, prefix, scope),
            Predicate::Exists(path) => {
                self.sequence(path, scope).ok().map(|found| !found.is_empty())
            }
            Predicate::Not(inner) => self.holds(inner, scope).map(|holds| !holds),
            Predicate::IsUnknown(inner) => Some(self.holds(inner, scope).is_none()),
            Predicate::All(parts) => self.first(parts, false, scope),
            Predicate::Any(parts) => self.first(parts, true, scope),
        }
    }

    /// Whether one of some predicates is so, else whether all are the opposite.
    fn first(&self, parts: &'a [Predicate], so: bool, scope: Scope<'_, 'a>) -> Option<bool> {
        let mut found = Some(!so);
        for part in parts {
            match self.holds(part, scope) {
                Some(holds) if holds == so => return Some(so),
                Some(_) => {}
                None => found = None,
            }
        }
        found
    }

    /// Every item of the one side beside every item of the other: the first pair that cannot
    /// be compared makes it unknown, and in lax mode the first that holds makes it true.
    fn compares(
        &self,
        comparison: Comparison,
        left: &'a Node,
        right: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Option<bool> {
        let left = Sides::of(&self.opened(left, scope).ok()?);
        let right = Sides::of(&self.opened(right, scope).ok()?);
        if left.is_empty() || right.is_empty() {
            return Some(false);
        }
        if left.structured && (right.structured || right.has_scalars())
            || right.structured && left.has_scalars()
        {
            return None;
        }
        let others = |sides: &Sides| sides.structured || sides.has_scalars();
        let mut found = match comparison {
            Comparison::Equal => left.null && right.null,
            Comparison::NotEqual => left.null && others(&right) || right.null && others(&left),
            _ => false,
        };
        if found && !self.strict {
            return Some(true);
        }
        if !left.has_scalars() || !right.has_scalars() {
            return Some(found);
        }
        let (left, right) = (left.scalars.ok()?, right.scalars.ok()?);
        for left in &left {
            for right in &right {
                if holds(comparison, left.compare(right).ok()?) {
                    found = true;
                    if !self.strict {
                        return Some(true);
                    }
                }
            }
        }
        Some(found)
    }

    fn starts_with(&self, whole: &'a Node, prefix: &'a Node, scope: Scope<'_, 'a>) -> Option<bool> {
        let whole = self.opened(whole, scope).ok()?;
        let prefix = self.sequence(prefix, scope).ok()?;
        let [prefix] = prefix.as_slice() else { return None };
        let prefix = text_of(prefix)?;
        let mut found = false;
        for item in &whole {
            if text_of(item)?.starts_with(prefix) {
                found = true;
                if !self.strict {
                    return Some(true);
                }
            }
        }
        Some(found)
    }
}

fn text_of<'i>(item: &'i Item<'_>) -> Option<&'i str> {
    match item {
        Item::Json(json) => match json.as_ref() {
            Json::Text(text) => Some(text),
            _ => None,
        },
        Item::Value(Value::Text(text)) => Some(text),
        Item::Value(_) => None,
    }
}

/// The items of one side of a comparison, by what they compare with.
struct Sides {
    null: bool,
    structured: bool,
    scalars: Result<Vec<Value>, PathError>,
}

impl Sides {
    fn of(items: &[Item<'_>]) -> Self {
        let mut sides = Self { null: false, structured: false, scalars: Ok(Vec::new()) };
        for item in items {
            let value = match item {
                Item::Value(value) => Ok(Some(value.clone())),
                Item::Json(json) => match json.as_ref() {
                    Json::Null => {
                        sides.null = true;
                        continue;
                    }
                    Json::Array(_) | Json::Object(_) => {
                        sides.structured = true;
                        continue;
                    }
                    scalar => Value::of_json(scalar),
                },
            };
            sides.scalars = sides.scalars.and_then(|mut scalars| {
                scalars.extend(value?);
                Ok(scalars)
            });
        }
        sides
    }

    fn has_scalars(&self) -> bool {
        self.scalars.as_ref().map_or(true, |scalars| !scalars.is_empty())
    }

    fn is_empty(&self) -> bool {
        !self.null && !self.structured && !self.has_scalars()
    }
}

fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}
