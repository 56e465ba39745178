//! Statements that must not be tried twice.

use asl::{Remark, Resource, ResourceKind, StateOutline};
use serde_json::Value;

/// Errors by which Athena says that it did not start a statement.
const NOT_STARTED: [&str; 2] = ["Athena.TooManyRequestsException", "Athena.ThrottlingException"];

/// An INSERT that a retrier sends again though rows may be there already: Athena's INSERT is
/// neither atomic nor idempotent.
pub fn remarks(state: &StateOutline, resource: &Resource) -> Vec<Remark> {
    let ResourceKind::Service { service, action, .. } = &resource.kind else { return Vec::new() };
    let starts =
        ["athena", "aws-sdk:athena"].contains(&service.as_str()) && action == "startQueryExecution";
    let Some((_, arguments)) = state.arguments().filter(|_| starts) else { return Vec::new() };
    let statement = |name: &str| arguments[name].as_str();
    let query = statement("QueryString").or_else(|| statement("QueryString.$")).unwrap_or_default();
    let repeats = ["ClientRequestToken", "ClientRequestToken.$"]
        .iter()
        .all(|name| arguments.get(name).is_none());
    if !inserts(query) || !repeats {
        return Vec::new();
    }
    let retriers = state.handlers("Retry").filter_map(|(pointer, retrier)| {
        let names = retrier["ErrorEquals"].as_array()?.iter().filter_map(Value::as_str);
        let late: Vec<_> = names.filter(|name| !NOT_STARTED.contains(name)).collect();
        (!late.is_empty()).then(|| {
            Remark::warning(
                "insert-retried",
                format!("{pointer}/ErrorEquals"),
                format!("INSERT INTO is sent again after {}", late.join(", ")),
            )
            .expected(format!("a retry after {} alone", NOT_STARTED[0]))
            .advice(
                "rows may be there already: write to a new prefix by CTAS, check it, then switch",
            )
        })
    });
    retriers.collect()
}

/// `INSERT INTO …`, as it is or as a text within an expression.
fn inserts(query: &str) -> bool {
    let query = query.to_uppercase();
    let begins = |text: &str| {
        text.trim_start()
            .strip_prefix("INSERT")
            .is_some_and(|rest| rest.starts_with(char::is_whitespace))
    };
    begins(&query) || query.split(['\'', '"']).skip(1).any(begins)
}

#[cfg(test)]
mod tests {
    use super::inserts;

    #[test]
    fn an_insert_is_seen_in_any_clothes() {
        for (query, expected) in [
            ("INSERT INTO t SELECT 1", true),
            ("  insert into t values (1)", true),
            ("{% 'INSERT INTO ' & $table & ' SELECT 1' %}", true),
            ("States.Format('INSERT INTO {} SELECT 1', $.table)", true),
            ("SELECT 'a' AS inserted", false),
            ("{% $sql.insert %}", false),
        ] {
            assert_eq!(inserts(query), expected, "{query}");
        }
    }
}
