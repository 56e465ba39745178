//! Named queries: texts kept for people, with the database they are meant for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Athena;
use super::refusal::{invalid, page, read, text};
use super::submission::check_query;
use super::workgroup::PRIMARY;
use crate::wire::ServiceError;

/// Stored under its id, a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedQuery {
    pub name: String,
    pub description: Option<String>,
    pub database: String,
    pub query: String,
    pub work_group: String,
    /// ClientRequestToken.
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateNamedQuery {
    name: String,
    description: Option<String>,
    database: String,
    query_string: String,
    client_request_token: Option<String>,
    work_group: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateNamedQuery {
    named_query_id: String,
    name: String,
    description: Option<String>,
    query_string: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetNamedQuery {
    named_query_ids: Vec<String>,
}

impl NamedQuery {
    fn shape(&self, id: &str) -> Value {
        let mut shape = json!({
            "Name": self.name,
            "Database": self.database,
            "QueryString": self.query,
            "NamedQueryId": id,
            "WorkGroup": self.work_group,
        });
        if let Some(description) = &self.description {
            shape["Description"] = description.as_str().into();
        }
        shape
    }
}

fn not_found(id: &str) -> ServiceError {
    invalid(format!("NamedQuery {id} was not found"))
}

impl Athena {
    pub(super) fn create_named_query(&self, input: Value) -> Result<Value, ServiceError> {
        let create: CreateNamedQuery = read(input)?;
        check_query(&create.query_string, "queryString")?;
        let group = self.work_group(create.work_group.as_deref().unwrap_or(PRIMARY))?;
        let query = NamedQuery {
            name: create.name,
            description: create.description,
            database: create.database,
            query: create.query_string,
            work_group: group.name,
            token: create.client_request_token,
        };
        // The same token gives the same id, whichever process is asked.
        let id = match &query.token {
            Some(token) => Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes()),
            None => Uuid::new_v4(),
        }
        .to_string();
        if !self.named.insert(&id, &query)? && self.named.get(&id)?.as_ref() != Some(&query) {
            return Err(invalid("Idempotent parameters do not match"));
        }
        Ok(json!({"NamedQueryId": id}))
    }

    pub(super) fn get_named_query(&self, input: &Value) -> Result<Value, ServiceError> {
        let id = text(input, "NamedQueryId")?;
        let query = self.named.get(id)?.ok_or_else(|| not_found(id))?;
        Ok(json!({"NamedQuery": query.shape(id)}))
    }

    pub(super) fn batch_get_named_query(&self, input: Value) -> Result<Value, ServiceError> {
        let asked: BatchGetNamedQuery = read(input)?;
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for id in asked.named_query_ids {
            match self.named.get(&id)? {
                Some(query) => found.push(query.shape(&id)),
                None => unprocessed.push(json!({
                    "NamedQueryId": id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": not_found(&id).message,
                })),
            }
        }
        Ok(json!({"NamedQueries": found, "UnprocessedNamedQueryIds": unprocessed}))
    }

    pub(super) fn list_named_queries(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = self.work_group_of(input)?.name;
        let all = self.named.list("")?.into_iter();
        let ids = all.filter(|(_, query)| query.work_group == group).map(|(id, _)| id).collect();
        let (ids, next) = page::<String>(ids, input, 0, 50)?;
        Ok(json!({"NamedQueryIds": ids, "NextToken": next}))
    }

    pub(super) fn update_named_query(&self, input: Value) -> Result<Value, ServiceError> {
        let change: UpdateNamedQuery = read(input)?;
        check_query(&change.query_string, "queryString")?;
        let updated = self.named.update(&change.named_query_id, |query| {
            query.name = change.name;
            query.query = change.query_string;
            if change.description.is_some() {
                query.description = change.description;
            }
            Ok(())
        })?;
        updated.map(|()| json!({})).ok_or_else(|| not_found(&change.named_query_id))
    }

    pub(super) fn delete_named_query(&self, input: &Value) -> Result<Value, ServiceError> {
        let id = text(input, "NamedQueryId")?;
        if self.named.delete(id)? { Ok(json!({})) } else { Err(not_found(id)) }
    }
}
