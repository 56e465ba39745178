//! Prepared statements of a workgroup, by the API and by PREPARE and DEALLOCATE.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::query::seconds;
use super::refusal::{constraint, invalid, missing, page, read, text};
use super::submission::check_query;
use super::{Athena, now};
use crate::wire::ServiceError;

/// A workgroup has at most so many.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html>
const MOST: usize = 1000;

/// Stored under `<workgroup>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedStatement {
    pub name: String,
    pub statement: String,
    pub work_group: String,
    pub description: Option<String>,
    /// Milliseconds since 1970.
    pub modified: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPreparedStatement {
    statement_name: String,
    work_group: String,
    query_statement: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetPreparedStatement {
    prepared_statement_names: Vec<String>,
    work_group: String,
}

pub(super) fn key(work_group: &str, name: &str) -> String {
    format!("{work_group}/{name}")
}

impl PreparedStatement {
    pub(super) fn new(
        work_group: &str,
        name: &str,
        statement: String,
        description: Option<String>,
    ) -> Self {
        PreparedStatement {
            name: name.to_owned(),
            statement,
            work_group: work_group.to_owned(),
            description,
            modified: now(),
        }
    }

    pub(super) fn key(&self) -> String {
        key(&self.work_group, &self.name)
    }

    fn shape(&self) -> Value {
        let mut shape = json!({
            "StatementName": self.name,
            "QueryStatement": self.statement,
            "WorkGroupName": self.work_group,
            "LastModifiedTime": seconds(self.modified),
        });
        if let Some(description) = &self.description {
            shape["Description"] = description.as_str().into();
        }
        shape
    }
}

impl PutPreparedStatement {
    fn check(&self) -> Result<(), ServiceError> {
        let mut characters = self.statement_name.chars();
        let valid = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && characters.all(|c| c.is_ascii_alphanumeric() || "_@:".contains(c))
            && self.statement_name.len() <= 256;
        if !valid {
            let pattern =
                "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_@:]{1,256}";
            return Err(constraint(&self.statement_name, "statementName", pattern));
        }
        check_query(&self.query_statement, "queryStatement")
    }
}

fn not_found(work_group: &str, name: &str) -> ServiceError {
    missing(name, format!("PreparedStatement {name} was not found in workGroup {work_group}"))
}

impl Athena {
    /// A statement for EXECUTE or DEALLOCATE.
    pub(super) fn prepared_statement(
        &self,
        work_group: &str,
        name: &str,
    ) -> Result<PreparedStatement, ServiceError> {
        self.prepared
            .get(&key(work_group, name))?
            .ok_or_else(|| invalid(not_found(work_group, name).message))
    }

    pub(super) fn create_prepared_statement(&self, input: Value) -> Result<Value, ServiceError> {
        let create: PutPreparedStatement = read(input)?;
        create.check()?;
        let group = self.work_group(&create.work_group)?.name;
        if self.prepared.list(&format!("{group}/"))?.len() >= MOST {
            return Err(invalid(format!(
                "A workgroup can have at most {MOST} prepared statements"
            )));
        }
        let name = create.statement_name;
        let statement =
            PreparedStatement::new(&group, &name, create.query_statement, create.description);
        if !self.prepared.insert(&statement.key(), &statement)? {
            return Err(invalid(format!(
                "PreparedStatement {name} already exists in workGroup {group}"
            )));
        }
        Ok(json!({}))
    }

    pub(super) fn get_prepared_statement(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "StatementName")?;
        let group = self.work_group(text(input, "WorkGroup")?)?.name;
        let statement = self.prepared.get(&key(&group, name))?;
        let statement = statement.ok_or_else(|| not_found(&group, name))?;
        Ok(json!({"PreparedStatement": statement.shape()}))
    }

    pub(super) fn batch_get_prepared_statement(&self, input: Value) -> Result<Value, ServiceError> {
        let asked: BatchGetPreparedStatement = read(input)?;
        let group = self.work_group(&asked.work_group)?.name;
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for name in asked.prepared_statement_names {
            match self.prepared.get(&key(&group, &name))? {
                Some(statement) => found.push(statement.shape()),
                None => unprocessed.push(json!({
                    "StatementName": name,
                    "ErrorCode": "STATEMENT_NOT_FOUND",
                    "ErrorMessage": not_found(&group, &name).message,
                })),
            }
        }
        Ok(json!({"PreparedStatements": found, "UnprocessedPreparedStatementNames": unprocessed}))
    }

    pub(super) fn list_prepared_statements(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = self.work_group(text(input, "WorkGroup")?)?.name;
        let statements = self.prepared.list(&format!("{group}/"))?;
        let (statements, next) = page(statements, input, 1, 50)?;
        let summaries: Vec<Value> = statements
            .iter()
            .map(|(_, statement)| {
                let modified = seconds(statement.modified);
                json!({"StatementName": statement.name, "LastModifiedTime": modified})
            })
            .collect();
        Ok(json!({"PreparedStatements": summaries, "NextToken": next}))
    }

    pub(super) fn update_prepared_statement(&self, input: Value) -> Result<Value, ServiceError> {
        let change: PutPreparedStatement = read(input)?;
        change.check()?;
        let group = self.work_group(&change.work_group)?.name;
        let updated = self.prepared.update(&key(&group, &change.statement_name), |statement| {
            statement.statement = change.query_statement;
            statement.description = change.description;
            statement.modified = now();
            Ok(())
        })?;
        updated.map(|()| json!({})).ok_or_else(|| not_found(&group, &change.statement_name))
    }

    pub(super) fn delete_prepared_statement(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "StatementName")?;
        let group = self.work_group(text(input, "WorkGroup")?)?.name;
        if self.prepared.delete(&key(&group, name))? {
            Ok(json!({}))
        } else {
            Err(not_found(&group, name))
        }
    }
}
