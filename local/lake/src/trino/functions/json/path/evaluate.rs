//! What a path finds in a document.

use std::borrow::Cow;
use std::cell::Cell;

use indexmap::IndexMap;

use super::error::PathError;
use super::tree::{Method, Node, Path, Subscript};
use super::value::Value;
use crate::trino::functions::json::document::Json;

/// A part of a document, or a value of SQL.
#[derive(Clone, Debug)]
pub(in crate::trino::functions::json) enum Item<'a> {
    Json(Cow<'a, Json>),
    Value(Value),
}

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(in crate::trino::functions::json) enum Variable {
    /// NULL where JSON was promised: no item at all.
    Nothing,
    Json(Json),
    Value(Value),
}

/// One evaluation of a path.
pub(super) struct Evaluation<'a> {
    pub strict: bool,
    input: &'a Json,
    variables: &'a [(String, Variable)],
    /// How many objects `keyvalue()` took apart.
    objects: Cell<u32>,
}

/// What `last` and `@` mean where they stand.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    pub last: Option<i64>,
    pub current: Option<&'s Item<'a>>,
}

/// The items a path finds in an input, in their order.
pub(in crate::trino::functions::json) fn evaluate<'a>(
    path: &'a Path,
    input: &'a Json,
    variables: &'a [(String, Variable)],
) -> Result<Vec<Item<'a>>, PathError> {
    let evaluation = Evaluation { strict: path.strict, input, variables, objects: Cell::new(0) };
    evaluation.sequence(&path.root, Scope { last: None, current: None })
}

impl<'a> Item<'a> {
    /// What Trino calls the item in a complaint.
    fn type_name(&self) -> String {
        match self {
            Self::Json(json) => match json.as_ref() {
                Json::Null => "NULL",
                Json::Boolean(_) => "BOOLEAN",
                Json::Number(_) => "NUMBER",
                Json::Text(_) => "STRING",
                Json::Array(_) => "ARRAY",
                Json::Object(_) => "OBJECT",
            }
            .to_owned(),
            Self::Value(value) => value.kind().to_string(),
        }
    }

    fn not(&self, expected: &str) -> PathError {
        PathError::item_type(expected, &self.type_name())
    }

    /// The number the item is.
    fn number(&self) -> Result<Value, PathError> {
        let value = match self {
            Self::Json(json) => match json.as_ref() {
                number @ Json::Number(_) => Value::of_json(number)?,
                _ => None,
            },
            Self::Value(value) => Some(value.clone()),
        };
        value.filter(Value::is_number).ok_or_else(|| self.not("NUMBER"))
    }

    fn place(&self) -> Result<i64, PathError> {
        self.number()?.place()
    }

    /// The items of an array; the item itself when it is none.
    fn items(self) -> Result<Vec<Item<'a>>, Self> {
        match self {
            Self::Json(Cow::Borrowed(Json::Array(items))) => {
                Ok(items.iter().map(|item| Self::Json(Cow::Borrowed(item))).collect())
            }
            Self::Json(Cow::Owned(Json::Array(items))) => {
                Ok(items.into_iter().map(|item| Self::Json(Cow::Owned(item))).collect())
            }
            other => Err(other),
        }
    }

    /// The member of a name, when the item is an object and has one.
    fn named(self, name: &str) -> Result<Option<Item<'a>>, Self> {
        match self {
            Self::Json(Cow::Borrowed(Json::Object(members))) => {
                Ok(members.get(name).map(|value| Self::Json(Cow::Borrowed(value))))
            }
            Self::Json(Cow::Owned(Json::Object(mut members))) => {
                Ok(members.swap_remove(name).map(|value| Self::Json(Cow::Owned(value))))
            }
            other => Err(other),
        }
    }

    /// The members of an object; the item itself when it is none.
    fn members(self) -> Result<Vec<(Cow<'a, str>, Item<'a>)>, Self> {
        match self {
            Self::Json(Cow::Borrowed(Json::Object(members))) => Ok(members
                .iter()
                .map(|(name, value)| {
                    (Cow::Borrowed(name.as_str()), Self::Json(Cow::Borrowed(value)))
                })
                .collect()),
            Self::Json(Cow::Owned(Json::Object(members))) => Ok(members
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name), Self::Json(Cow::Owned(value))))
                .collect()),
            other => Err(other),
        }
    }
}

impl<'a> Evaluation<'a> {
    pub fn sequence(
        &self,
        node: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Result<Vec<Item<'a>>, PathError> {
        Ok(match node {
            Node::Context => vec![Item::Json(Cow::Borrowed(self.input))],
            Node::Current => vec![
                scope
                    .current
                    .ok_or_else(|| {
                        PathError::new(
                            "accessing current filter item with no enclosing filter".to_owned(),
                        )
                    })?
                    .clone(),
            ],
            Node::Last => {
                let last = scope.last.ok_or_else(|| {
                    PathError::new(
                        "accessing the last array index with no enclosing array".to_owned(),
                    )
                })?;
                vec![Item::Value(Value::Integer(i32::try_from(last).unwrap_or(i32::MAX)))]
            }
            Node::Variable(name) => self.variable(name),
            Node::Literal(value) => vec![Item::Value(value.clone())],
            Node::Null => vec![Item::Json(Cow::Owned(Json::Null))],
            Node::Member(base, name) => self.member(self.opened(base, scope)?, Some(name))?,
            Node::Members(base) => self.member(self.opened(base, scope)?, None)?,
            Node::Descendants(base, name) => {
                let mut found = Vec::new();
                for item in self.sequence(base, scope)? {
                    descend(item, name, &mut found);
                }
                found
            }
            Node::Items(base) => {
                let bases = self.sequence(base, scope)?.into_iter();
                let items = bases.map(|item| self.items(item)).collect::<Result<Vec<_>, _>>()?;
                items.into_iter().flatten().collect()
            }
            Node::Subscripts(base, subscripts) => {
                let mut found = Vec::new();
                for item in self.sequence(base, scope)? {
                    self.chosen(&self.items(item)?, subscripts, scope, &mut found)?;
                }
                found
            }
            Node::Filter(base, predicate) => {
                let mut found = Vec::new();
                for item in self.opened(base, scope)? {
                    let inner = Scope { current: Some(&item), ..scope };
                    if self.holds(predicate, inner) == Some(true) {
                        found.push(item);
                    }
                }
                found
            }
            Node::Method(base, method) => self.method(*method, base, scope)?,
            Node::Sign { negative, of } => self.signed(*negative, of, scope)?,
            Node::Binary(operation, left, right) => {
                let (left, right) = (self.opened(left, scope)?, self.opened(right, scope)?);
                let ([left], [right]) = (left.as_slice(), right.as_slice()) else {
                    return Err(PathError::new(
                        "arithmetic binary expression requires singleton operands".to_owned(),
                    ));
                };
                let found = Value::compute(*operation, left.number()?, right.number()?)?;
                vec![Item::Value(found)]
            }
        })
    }

    fn signed(
        &self,
        negative: bool,
        of: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Result<Vec<Item<'a>>, PathError> {
        let items = self.opened(of, scope)?;
        let signed = items.iter().map(|item| {
            let number = item.number()?;
            Ok(Item::Value(if negative { number.negated()? } else { number }))
        });
        signed.collect()
    }

    /// The items a path finds, arrays among them opened once where the mode is lax.
    pub fn opened(&self, node: &'a Node, scope: Scope<'_, 'a>) -> Result<Vec<Item<'a>>, PathError> {
        let found = self.sequence(node, scope)?;
        if self.strict {
            return Ok(found);
        }
        Ok(found
            .into_iter()
            .flat_map(|item| item.items().unwrap_or_else(|item| vec![item]))
            .collect())
    }

    fn variable(&self, name: &str) -> Vec<Item<'a>> {
        match self.variables.iter().find(|(variable, _)| variable == name) {
            Some((_, Variable::Json(json))) => vec![Item::Json(Cow::Borrowed(json))],
            Some((_, Variable::Value(value))) => vec![Item::Value(value.clone())],
            Some((_, Variable::Nothing)) | None => Vec::new(),
        }
    }

    /// The items of an array; what is none counts as one of itself where the mode is lax.
    fn items(&self, item: Item<'a>) -> Result<Vec<Item<'a>>, PathError> {
        match item.items() {
            Ok(items) => Ok(items),
            Err(item) if self.strict => Err(item.not("ARRAY")),
            Err(item) => Ok(vec![item]),
        }
    }

    /// The members of a name, or all of them.
    fn member(&self, items: Vec<Item<'a>>, name: Option<&str>) -> Result<Vec<Item<'a>>, PathError> {
        let mut found = Vec::new();
        for item in items {
            let members = match name {
                None => item
                    .members()
                    .map(|members| members.into_iter().map(|(_, value)| value).collect()),
                Some(name) => item.named(name).map(Vec::from_iter),
            };
            match (members, name) {
                (Ok(members), Some(name)) if members.is_empty() && self.strict => {
                    return Err(PathError::structural(&format!(
                        "missing member '{name}' in JSON object"
                    )));
                }
                (Ok(members), _) => found.extend(members),
                (Err(item), _) if self.strict => return Err(item.not("OBJECT")),
                (Err(_), _) => {}
            }
        }
        Ok(found)
    }

    /// The items of an array that subscripts choose, in the subscripts' order.
    fn chosen(
        &self,
        items: &[Item<'a>],
        subscripts: &'a [Subscript],
        scope: Scope<'_, 'a>,
        found: &mut Vec<Item<'a>>,
    ) -> Result<(), PathError> {
        if items.is_empty() {
            return if self.strict {
                Err(PathError::structural("invalid array subscript for empty array"))
            } else {
                Ok(())
            };
        }
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let scope = Scope { last: Some(length - 1), ..scope };
        let place = |node: &'a Node, which: &str| match self.sequence(node, scope)?.as_slice() {
            [place] => place.place(),
            _ => Err(PathError::new(format!(
                "array subscript '{which}' value must be singleton numeric"
            ))),
        };
        for subscript in subscripts {
            let from = place(&subscript.from, "from")?;
            let to = subscript.to.as_ref().map_or(Ok(from), |to| place(to, "to"))?;
            let within = 0..length;
            if self.strict && (!within.contains(&from) || !within.contains(&to) || from > to) {
                return Err(PathError::structural(&format!(
                    "invalid array subscript: [{from}, {to}] for array of size {length}"
                )));
            }
            for at in from.max(0)..to.saturating_add(1).min(length) {
                found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
            }
        }
        Ok(())
    }

    fn method(
        &self,
        method: Method,
        base: &'a Node,
        scope: Scope<'_, 'a>,
    ) -> Result<Vec<Item<'a>>, PathError> {
        let whole = matches!(method, Method::Type | Method::Size);
        let items = if whole { self.sequence(base, scope)? } else { self.opened(base, scope)? };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let value = match method {
                Method::Type => Value::Text(type_of(&item).to_owned()),
                Method::Size => Value::Integer(self.size(&item)?),
                Method::Abs => item.number()?.absolute()?,
                Method::Ceiling => item.number()?.rounded(true)?,
                Method::Floor => item.number()?.rounded(false)?,
                Method::Double => match &item {
                    Item::Json(json) => {
                        let value = match json.as_ref() {
                            scalar @ (Json::Number(_) | Json::Text(_)) => Value::of_json(scalar)?,
                            _ => None,
                        };
                        value.ok_or_else(|| item.not("NUMBER or TEXT"))?.double()?
                    }
                    Item::Value(value) => value.clone().double()?,
                },
                Method::KeyValue => {
                    self.pairs(item, &mut found)?;
                    continue;
                }
            };
            found.push(Item::Value(value));
        }
        Ok(found)
    }

    fn size(&self, item: &Item<'_>) -> Result<i32, PathError> {
        match item {
            Item::Json(json) if let Json::Array(items) = json.as_ref() => {
                Ok(i32::try_from(items.len()).unwrap_or(i32::MAX))
            }
            item if self.strict => Err(item.not("ARRAY")),
            _ => Ok(1),
        }
    }

    /// The members of an object as objects of name, value and the object's number.
    fn pairs(&self, item: Item<'a>, found: &mut Vec<Item<'a>>) -> Result<(), PathError> {
        let members = item.members().map_err(|item| item.not("OBJECT"))?;
        let id = self.objects.replace(self.objects.get() + 1);
        for (name, value) in members {
            let value = match value {
                Item::Json(json) => json.into_owned(),
                Item::Value(value) => value.into_json().unwrap_or(Json::Null),
            };
            let pair = IndexMap::from([
                ("name".to_owned(), Json::Text(name.into_owned())),
                ("value".to_owned(), value),
                ("id".to_owned(), Json::Number(id.to_string())),
            ]);
            found.push(Item::Json(Cow::Owned(Json::Object(pair))));
        }
        Ok(())
    }
}

/// What `type()` says.
fn type_of(item: &Item<'_>) -> &'static str {
    match item {
        Item::Json(json) => match json.as_ref() {
            Json::Null => "null",
            Json::Boolean(_) => "boolean",
            Json::Number(_) => "number",
            Json::Text(_) => "string",
            Json::Array(_) => "array",
            Json::Object(_) => "object",
        },
        Item::Value(value) => value.type_name(),
    }
}

/// The members of a name of all objects within an item, outer ones first.
fn descend<'a>(item: Item<'a>, name: &str, found: &mut Vec<Item<'a>>) {
    match item.members() {
        Ok(members) => {
            found.extend(
                members.iter().find(|(member, _)| member == name).map(|(_, value)| value.clone()),
            );
            for (_, value) in members {
                descend(value, name, found);
            }
        }
        Err(item) => {
            for item in item.items().unwrap_or_default() {
                descend(item, name, found);
            }
        }
    }
}
