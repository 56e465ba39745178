//! Changes of a schema that leave its files as they are.

use crate::{Field, Primitive, Schema, Type};

/// Where a column goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    After(String),
}

/// Why a schema cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolutionError {
    #[error("Cannot find column: {0}")]
    Missing(String),
    #[error("Cannot add column, name already exists: {0}")]
    Exists(String),
    #[error("Cannot change column type: {column}: {from} -> {to}")]
    Type { column: String, from: String, to: String },
    #[error("Cannot delete the only column: {0}")]
    Last(String),
}

impl Schema {
    /// The schema with columns at its end. Their ids, and those of their parts, come after `last_id`.
    pub fn with_columns(
        &self,
        columns: &[(String, Type, Option<String>)],
        last_id: i32,
    ) -> Result<Self, EvolutionError> {
        let mut changed = self.clone();
        let mut last = last_id;
        for (name, kind, doc) in columns {
            if changed.column(name).is_some() {
                return Err(EvolutionError::Exists(name.clone()));
            }
            let mut next = || {
                last += 1;
                last
            };
            let id = next();
            let kind = kind.with_ids(&mut next);
            let doc = doc.clone();
            changed.fields.push(Field { id, name: name.clone(), required: false, kind, doc });
        }
        Ok(changed)
    }

    pub fn without_column(&self, name: &str) -> Result<Self, EvolutionError> {
        let at = self.position(name)?;
        if self.fields.len() == 1 {
            return Err(EvolutionError::Last(name.to_owned()));
        }
        let mut changed = self.clone();
        let gone = changed.fields.remove(at);
        changed.identifier_field_ids.retain(|id| *id != gone.id);
        Ok(changed)
    }

    /// The schema with a column renamed, widened, described and moved. Structs may get fields, whose
    /// ids come after `last_id`.
    pub fn with_changed(
        &self,
        name: &str,
        (new_name, kind): (&str, &Type),
        doc: Option<&str>,
        place: Option<&Place>,
        last_id: i32,
    ) -> Result<Self, EvolutionError> {
        let at = self.position(name)?;
        let mut changed = self.clone();
        let renamed = !name.eq_ignore_ascii_case(new_name);
        if renamed && self.column(new_name).is_some() {
            return Err(EvolutionError::Exists(new_name.to_owned()));
        }
        let field = &mut changed.fields[at];
        if renamed {
            new_name.clone_into(&mut field.name);
        }
        let mut last = last_id;
        let mut next = || {
            last += 1;
            last
        };
        field.kind =
            promoted(&field.kind, kind, &mut next).ok_or_else(|| EvolutionError::Type {
                column: name.to_owned(),
                from: field.kind.to_string(),
                to: kind.to_string(),
            })?;
        if let Some(doc) = doc {
            field.doc = Some(doc.to_owned());
        }
        let Some(place) = place else { return Ok(changed) };
        let field = changed.fields.remove(at);
        let to = match place {
            Place::First => 0,
            Place::After(other) => changed.position(other)? + 1,
        };
        changed.fields.insert(to, field);
        Ok(changed)
    }

    fn position(&self, name: &str) -> Result<usize, EvolutionError> {
        self.fields
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| EvolutionError::Missing(name.to_owned()))
    }
}

/// A type as another, where its values stay what they are: ids of parts are kept.
fn promoted(from: &Type, to: &Type, next: &mut impl FnMut() -> i32) -> Option<Type> {
    match (from, to) {
        (Type::Primitive(from), Type::Primitive(to)) => {
            widens(*from, *to).then_some(Type::Primitive(*to))
        }
        (Type::List(from), Type::List(to)) => {
            let element = promoted(&from.element, &to.element, next)?;
            let mut list = from.clone();
            list.element = element;
            Some(Type::List(list))
        }
        (Type::Map(from), Type::Map(to)) if same(&from.key, &to.key) => {
            let value = promoted(&from.value, &to.value, next)?;
            let mut map = from.clone();
            map.value = value;
            Some(Type::Map(map))
        }
        (Type::Struct(from), Type::Struct(to)) => {
            let named = |fields: &[Field], name: &str| {
                fields.iter().position(|field| field.name.eq_ignore_ascii_case(name))
            };
            if from.iter().any(|field| named(to, &field.name).is_none()) {
                return None;
            }
            let mut fields = Vec::with_capacity(to.len());
            for field in to {
                fields.push(match named(from, &field.name) {
                    Some(known) => {
                        let known = &from[known];
                        let kind = promoted(&known.kind, &field.kind, next)?;
                        Field { kind, ..known.clone() }
                    }
                    None => Field {
                        id: next(),
                        required: false,
                        kind: field.kind.with_ids(next),
                        ..field.clone()
                    },
                });
            }
            Some(Type::Struct(fields))
        }
        _ => None,
    }
}

fn same(one: &Type, other: &Type) -> bool {
    promoted(one, other, &mut || 0).is_some_and(|found| found == *one)
}

/// Source: the specification, "Schema Evolution".
fn widens(from: Primitive, to: Primitive) -> bool {
    match (from, to) {
        (Primitive::Int, Primitive::Long) | (Primitive::Float, Primitive::Double) => true,
        (Primitive::Decimal(from, scale), Primitive::Decimal(to, to_scale)) => {
            from <= to && scale == to_scale
        }
        (from, to) => from == to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ListType;

    fn schema() -> Schema {
        let column = |id, name: &str, kind| Field {
            id,
            name: name.to_owned(),
            required: false,
            kind,
            doc: None,
        };
        let list = ListType {
            element_id: 4,
            element_required: false,
            element: Type::Primitive(Primitive::Int),
        };
        Schema {
            id: 0,
            fields: vec![
                column(1, "a", Type::Primitive(Primitive::Int)),
                column(2, "b", Type::Primitive(Primitive::String)),
                column(3, "c", Type::List(Box::new(list))),
            ],
            identifier_field_ids: vec![1],
        }
    }

    fn shown(schema: &Schema) -> String {
        let columns = schema.fields.iter();
        columns
            .map(|field| format!("{}:{}:{}", field.id, field.name, field.kind))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn columns_come_go_and_change() {
        let schema = schema();
        let kind = schema.fields[2].kind.clone();
        let more = schema.with_columns(&[("d".to_owned(), kind, None)], 9).unwrap();
        assert_eq!(shown(&more), "1:a:int 2:b:string 3:c:array<int> 10:d:array<int>");
        assert_eq!(more.greatest_id(), 11);
        let less = schema.without_column("A").unwrap();
        assert_eq!(shown(&less), "2:b:string 3:c:array<int>");
        assert!(less.identifier_field_ids.is_empty());
        let long = Type::Primitive(Primitive::Long);
        let moved = schema
            .with_changed("a", ("z", &long), None, Some(&Place::After("b".to_owned())), 9)
            .unwrap();
        assert_eq!(shown(&moved), "2:b:string 1:z:bigint 3:c:array<int>");
        let wide = Type::List(Box::new(ListType {
            element_id: 0,
            element_required: false,
            element: long.clone(),
        }));
        let wider = schema.with_changed("c", ("c", &wide), None, Some(&Place::First), 9).unwrap();
        assert_eq!(shown(&wider), "3:c:array<bigint> 1:a:int 2:b:string");
        assert_eq!(wider.greatest_id(), 4);
        let refused = schema.with_changed("b", ("b", &long), None, None, 9).unwrap_err();
        assert_eq!(refused.to_string(), "Cannot change column type: b: string -> bigint");
        let taken = schema.with_changed("a", ("b", &long), None, None, 9).unwrap_err();
        assert_eq!(taken, EvolutionError::Exists("b".to_owned()));
        let part = |id, name: &str| Field { id, name: name.to_owned(), ..schema.fields[0].clone() };
        let mut nested = schema.clone();
        nested.fields[1].kind = Type::Struct(vec![part(7, "p")]);
        let more = Type::Struct(vec![part(0, "q"), part(0, "P")]);
        let more = nested.with_changed("b", ("b", &more), None, None, 9).unwrap();
        assert_eq!(more.fields[1].kind, Type::Struct(vec![part(10, "q"), part(7, "p")]));
        let less = Type::Struct(vec![part(0, "q")]);
        assert!(nested.with_changed("b", ("b", &less), None, None, 9).is_err());
        assert_eq!(schema.without_column("x"), Err(EvolutionError::Missing("x".to_owned())));
    }
}
