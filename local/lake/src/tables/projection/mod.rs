//! Partition projection: partitions by rule, from the properties of a table, in place of those in
//! the catalog.
//!
//! Source: <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>

mod dates;
mod key;

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, Operator};

use super::TableDefinition;
use super::partitions::{self, Candidate};
use crate::S3Url;
use crate::sql::Failure;
use key::Rule;

/// Most partitions a query may ask for. Athena has no such limit, but would not end either.
const MOST: usize = 1_000_000;

/// Whether a table's partitions are projected.
pub(super) fn is_enabled(definition: &TableDefinition) -> bool {
    property(&definition.parameters, "projection.enabled")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// A property, whatever the case of its name.
fn property<'a>(properties: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    properties
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_TABLE_PROPERTY", message)
}

/// The partitions that the filters may let through. Each key is filtered by what is asked of it
/// alone before they are combined.
pub(super) fn partitions(
    state: &dyn Session,
    definition: &TableDefinition,
    filters: &[Expr],
) -> Result<Vec<Candidate>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for (at, (name, _)) in definition.partition_keys.iter().enumerate() {
        let values = match Rule::of(&definition.parameters, name)? {
            Rule::Injected => injected(definition, name, filters)?,
            rule => rule.values(crate::clock::now())?,
        };
        let only = TableDefinition {
            partition_keys: vec![definition.partition_keys[at].clone()],
            ..definition.clone()
        };
        let keys = Schema::new(only.partition_fields());
        let asked: Vec<Expr> =
            filters.iter().filter(|filter| partitions::is_about(filter, &keys)).cloned().collect();
        let candidates = values
            .into_iter()
            .map(|value| Candidate { values: vec![value], location: None })
            .collect();
        let values: Vec<String> = partitions::choose(state, &only, candidates, &asked)?
            .into_iter()
            .filter_map(|chosen| chosen.candidate.values.into_iter().next())
            .collect();
        if all.len().saturating_mul(values.len()) > MOST {
            return Err(Failure::new(
                "EXCEEDED_PARTITION_LIMIT",
                format!(
                    "Table {} projects more than {MOST} partitions for this query: ask for fewer values of its keys",
                    definition.full_name()
                ),
            )
            .into());
        }
        all = all
            .iter()
            .flat_map(|before| {
                values
                    .iter()
                    .map(move |value| [before.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    all.into_iter()
        .map(|values| {
            let location = Some(location(definition, &values)?);
            Ok(Candidate { values, location })
        })
        .collect()
}

/// The values an injected key is compared with.
fn injected(definition: &TableDefinition, name: &str, filters: &[Expr]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for filter in filters {
        equals(filter, name, &mut found);
    }
    if found.is_empty() {
        return Err(Failure::new(
            "CONSTRAINT_VIOLATION",
            format!(
                "For the injected projected partition column {name}, the WHERE clause must contain only static equality conditions, and at least one such condition must be present. (table {})",
                definition.full_name()
            ),
        )
        .into());
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Collects the constants of `name = 'x'`, `name IN ('x', 'y')` and of these joined by OR.
fn equals(filter: &Expr, name: &str, found: &mut Vec<String>) {
    let is_key = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == name);
    let constant = |expr: &Expr| match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value.to_string()),
        _ => None,
    };
    match filter {
        Expr::BinaryExpr(both) if both.op == Operator::Eq => {
            let value = match (is_key(&both.left), is_key(&both.right)) {
                (true, _) => constant(&both.right),
                (_, true) => constant(&both.left),
                _ => None,
            };
            found.extend(value);
        }
        Expr::BinaryExpr(both) if both.op == Operator::Or => {
            equals(&both.left, name, found);
            equals(&both.right, name, found);
        }
        Expr::InList(list) if !list.negated && is_key(&list.expr) => {
            found.extend(list.list.iter().filter_map(constant));
        }
        _ => {}
    }
}

/// Where a partition's files are: by the template, or as Hive names folders.
fn location(definition: &TableDefinition, values: &[String]) -> Result<S3Url, Failure> {
    let keys = || definition.partition_keys.iter().map(|(name, _)| name).zip(values);
    if let Some(template) = property(&definition.parameters, "storage.location.template") {
        let text = keys().fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        });
        return text
            .parse::<S3Url>()
            .map(|url| url.folder())
            .map_err(|error| invalid(format!("storage.location.template: {error}")));
    }
    let Some(location) = &definition.location else {
        return Err(invalid(format!("Table {} has no location", definition.full_name())));
    };
    Ok(keys()
        .fold(location.clone(), |folder, (name, value)| folder.join(&format!("{name}={value}/"))))
}
