//! A schema: the columns of a table at a time.

use serde_json::{Value as Json, json};

use crate::json::Object;
use crate::{Field, FormatError, Type};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub id: i32,
    pub fields: Vec<Field>,
    /// Ids of the columns that tell a row from others, if the writer said so.
    pub identifier_field_ids: Vec<i32>,
}

impl Schema {
    pub(crate) fn read(json: &Json) -> Result<Self, FormatError> {
        let object = Object::of(json, "schema")?;
        let Type::Struct(fields) = Type::read(json, 0)? else {
            return Err(FormatError::malformed("schema", "a struct", "another type"));
        };
        let identifiers = object.items("identifier-field-ids")?.iter();
        Ok(Self {
            id: object.optional_int("schema-id")?.unwrap_or(0),
            fields,
            identifier_field_ids: identifiers
                .filter_map(|id| id.as_i64().and_then(|id| i32::try_from(id).ok()))
                .collect(),
        })
    }

    pub(crate) fn write(&self) -> Json {
        let mut json = json!({
            "type": "struct",
            "schema-id": self.id,
            "fields": self.fields.iter().map(Field::write).collect::<Vec<_>>(),
        });
        if !self.identifier_field_ids.is_empty() {
            json["identifier-field-ids"] = self.identifier_field_ids.clone().into();
        }
        json
    }

    /// A column by its name, whatever its case.
    pub fn column(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The type of a column or of a part of one.
    pub fn type_of(&self, id: i32) -> Option<&Type> {
        let mut found = None;
        self.visit(&mut |part, kind| {
            if part == id {
                found = Some(kind);
            }
        });
        found
    }

    /// The name of a column, also of one inside structs: `a.b`.
    pub fn name_of(&self, id: i32) -> Option<String> {
        fn within(fields: &[Field], id: i32) -> Option<String> {
            fields.iter().find_map(|field| {
                if field.id == id {
                    return Some(field.name.clone());
                }
                let Type::Struct(inner) = &field.kind else { return None };
                within(inner, id).map(|name| format!("{}.{name}", field.name))
            })
        }
        within(&self.fields, id)
    }

    /// The greatest id of a column or of a part of one; 0 of no columns.
    pub fn greatest_id(&self) -> i32 {
        let mut greatest = 0;
        self.visit(&mut |id, _| greatest = greatest.max(id));
        greatest
    }

    fn visit<'a>(&'a self, visit: &mut impl FnMut(i32, &'a Type)) {
        for field in &self.fields {
            visit(field.id, &field.kind);
            field.kind.parts(visit);
        }
    }
}
