//! `CustomSql`: one number, or with a threshold the rows that pass.

use super::{Formula, Judge, Metric, Obstacle, Planned, Planner, numeric};
use crate::ruleset::Check;
use crate::sql;
use crate::table::Table;

impl Planner<'_> {
    pub(super) fn own_sql(&mut self, check: &Check) -> Planned {
        let statement = sql::authored(check.parameter(0), &self.sources.primary.constants);
        let statement = statement.trim().trim_end_matches(';');
        if statement.is_empty() {
            return Err(Obstacle::Unsupported("the statement is empty".to_owned()));
        }
        // A rule without a condition is about rows, as one with a threshold; an analyzer's number has neither.
        if check.condition.is_some() {
            return self.one_number(check, statement);
        }
        self.passing_rows(check, statement)
    }

    /// The statement answers one row with one column.
    fn one_number(&mut self, check: &Check, statement: &str) -> Planned {
        let metric = |measure| Metric {
            name: "Dataset.*.CustomSQL".to_owned(),
            formula: Formula::Measure(measure),
        };
        if let Some(aggregate) = plain_aggregate(statement) {
            let measure = self.scans.measure(format!("CAST({aggregate} AS double)"));
            return Ok((vec![metric(measure)], Judge::Number(numeric(check))));
        }
        let with = self.with_sources();
        // More than one row or none gives no number.
        let value = "CASE WHEN COUNT(*) = 1 THEN CAST(MAX(\"value\") AS double) END".to_owned();
        let body = format!("({with}SELECT * FROM ({statement})) AS \"own\" (\"value\")");
        let [measure] = self.scans.scan(body, [value]);
        Ok((vec![metric(measure)], Judge::Number(numeric(check))))
    }

    /// The statement answers rows of the table, by some of its columns: the others do not pass.
    fn passing_rows(&mut self, check: &Check, statement: &str) -> Planned {
        let primary = &self.sources.primary;
        let columns = selected(statement, primary).map_err(Obstacle::Unsupported)?;
        let keys: Vec<_> = columns.iter().map(|name| sql::name(name)).collect();
        let same = keys.iter().map(|key| {
            format!(
                "COALESCE(CAST(\"p\".{key} AS varchar), '') = COALESCE(CAST(\"own\".{key} AS varchar), '') \
                 AND (\"p\".{key} IS NULL) = (\"own\".{key} IS NULL)"
            )
        });
        let same = same.collect::<Vec<_>>().join(" AND ");
        let with = self.with_sources();
        let distinct = keys.join(", ");
        let body = format!(
            "{} AS \"p\" LEFT JOIN ({with}SELECT DISTINCT {distinct}, TRUE AS \"hit\" FROM ({statement})) AS \"own\" ON {same}",
            primary.from
        );
        let [part, whole] =
            self.scans.scan(body, ["COUNT(\"hit\")".to_owned(), "COUNT(*)".to_owned()]);
        let metric = Metric {
            name: "Dataset.*.CustomSQL.Compliance".to_owned(),
            formula: Formula::Share { part, whole },
        };
        Ok((vec![metric], Judge::Share { threshold: check.threshold.clone(), of_none: false }))
    }

    /// `WITH "primary" AS (…), "zones" AS (…) `: the names that a rule has for the tables.
    pub(super) fn with_sources(&self) -> String {
        let named = |name: &str, table: &Table| {
            format!("{} AS (SELECT * FROM {})", sql::name(name), table.from)
        };
        let references = self.sources.references.iter().map(|(name, table)| named(name, table));
        let all: Vec<_> =
            std::iter::once(named("primary", &self.sources.primary)).chain(references).collect();
        format!("WITH {} ", all.join(", "))
    }
}

/// The one aggregate of `SELECT aggregate FROM primary`, which the common scan can take along.
fn plain_aggregate(statement: &str) -> Option<&str> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let [select, .., from, primary] = words[..] else { return None };
    let is_plain = select.eq_ignore_ascii_case("select")
        && from.eq_ignore_ascii_case("from")
        && primary == "primary";
    let end = statement.to_ascii_lowercase().rfind("from")?;
    let expression = statement[select.len()..end].trim();
    let lower = expression.to_ascii_lowercase();
    let starts = ["count(", "sum(", "avg(", "min(", "max("]
        .iter()
        .any(|function| lower.starts_with(function));
    let nested = ["select", "over", "distinct", "from"].iter().any(|word| {
        lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|found| found == *word)
    });
    (is_plain && starts && !nested && one_call(expression)).then_some(expression)
}

/// Whether the parenthesis that opens first closes last.
fn one_call(expression: &str) -> bool {
    let (mut depth, mut in_text) = (0_usize, false);
    for (at, c) in expression.char_indices() {
        match c {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => {
                depth = depth.saturating_sub(1);
                if depth == 0 && at + 1 < expression.len() {
                    return false;
                }
            }
            _ => {}
        }
    }
    depth == 0 && !in_text
}

/// The columns that a statement answers: it must name them, each as a column of the table, or all by `*`.
fn selected(statement: &str, primary: &Table) -> Result<Vec<String>, String> {
    let unclear = || {
        "the SELECT must name plain columns of the table, so that its rows can be found again"
            .to_owned()
    };
    let mut words = statement.splitn(2, char::is_whitespace);
    let (Some(select), Some(rest)) = (words.next(), words.next()) else { return Err(unclear()) };
    let lower = rest.to_ascii_lowercase();
    let end = lower.match_indices("from").find(|(at, _)| {
        let bounded = |c: Option<char>| c.is_some_and(|c| c.is_whitespace() || c == '"');
        bounded(lower[..*at].chars().next_back()) && bounded(lower[at + 4..].chars().next())
    });
    let (true, Some((end, _))) = (select.eq_ignore_ascii_case("select"), end) else {
        return Err(unclear());
    };
    let list = rest[..end].trim();
    if list == "*" {
        return Ok(primary.columns.iter().map(|column| column.name.clone()).collect());
    }
    let names = list.split(',').map(|item| {
        let name = item.trim().trim_matches('"');
        let column = primary.column(name.rsplit_once('.').map_or(name, |(_, name)| name));
        column.map(|column| column.name.clone()).ok_or_else(unclear)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_aggregates_along() {
        let check = |statement: &str, expected: Option<&str>| {
            assert_eq!(plain_aggregate(statement), expected);
        };
        check("SELECT avg(fare) FROM primary", Some("avg(fare)"));
        check(
            "select count(case when a = 'x)' then 1 end) from primary",
            Some("count(case when a = 'x)' then 1 end)"),
        );
        check("select a from primary", None);
        check("select count(*) from primary where a > 1", None);
        check("select sum(a) / sum(b) from primary", None);
        check("select max(n) from (select count(*) n from primary group by a) from primary", None);
    }
}
