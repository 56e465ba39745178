//! Rules that hold the table against another one.

use super::{Formula, Judge, Metric, Obstacle, Planned, Planner, numeric};
use crate::rule_type::RuleType;
use crate::ruleset::Check;
use crate::table::{Column, ColumnKind, Table};

impl Planner<'_> {
    pub(super) fn reference(&mut self, check: &Check) -> Planned {
        let metrics = match check.rule_type {
            RuleType::RowCountMatch => self.row_counts(check)?,
            RuleType::ReferentialIntegrity => self.integrity(check)?,
            RuleType::AggregateMatch => self.aggregates(check)?,
            _ => self.records(check)?,
        };
        Ok((vec![metrics], Judge::Number(numeric(check))))
    }

    fn row_counts(&mut self, check: &Check) -> Result<Metric, Obstacle> {
        let alias = check.parameter(0);
        let from = self.reference_table(alias)?.from.clone();
        let part = self.rows_where(None);
        let [whole] = self.scans.scan(from, ["COUNT(*)".to_owned()]);
        Ok(Metric {
            name: format!("Dataset.{alias}.RowCountMatch"),
            formula: Formula::Share { part, whole },
        })
    }

    /// `"a,b" "reference.{c,d}"`: rows whose values are there; NULL is nowhere.
    fn integrity(&mut self, check: &Check) -> Result<Metric, Obstacle> {
        let (alias, columns) = check.parameter(1).split_once('.').ok_or_else(|| {
            Obstacle::Unsupported(format!(
                "{:?} must be of the form reference.column",
                check.parameter(1)
            ))
        })?;
        let primary = self.sources.primary.clone();
        let reference = self.reference_table(alias)?.clone();
        let own = listed(check.parameter(0), &primary)?;
        let others = listed(columns.trim_matches(['{', '}']), &reference)?;
        if own.len() != others.len() {
            let message = format!("{} columns are compared with {}", own.len(), others.len());
            return Err(Obstacle::Fails(message));
        }
        let same = own.iter().zip(&others).map(|(own, other)| equal(own, other));
        let same = same.collect::<Vec<_>>().join(" AND ");
        let body = format!(
            "{} AS \"p\" LEFT JOIN (SELECT DISTINCT {}, TRUE AS \"hit\" FROM {}) AS \"r\" ON {same}",
            primary.from,
            sql_names(&others),
            reference.from
        );
        let [part, whole] =
            self.scans.scan(body, ["COUNT(\"hit\")".to_owned(), "COUNT(*)".to_owned()]);
        Ok(Metric {
            name: format!("Column.{alias}.ReferentialIntegrity"),
            formula: Formula::Share { part, whole },
        })
    }

    /// `"sum(a)" "avg(reference.b)"`.
    fn aggregates(&mut self, check: &Check) -> Result<Metric, Obstacle> {
        let first = self.side(check.parameter(0))?;
        let second = self.side(check.parameter(1))?;
        let name = format!("Column.{},{}.AggregateMatch", check.parameter(0), check.parameter(1));
        Ok(Metric { name, formula: Formula::Quotient { first, second } })
    }

    fn side(&mut self, expression: &str) -> Result<String, Obstacle> {
        let wrong = || {
            Obstacle::Unsupported(format!(
                "{expression:?} must be sum(column) or avg(reference.column)"
            ))
        };
        let (function, argument) = expression
            .trim()
            .strip_suffix(')')
            .and_then(|e| e.split_once('('))
            .ok_or_else(wrong)?;
        let function = match function.trim().to_ascii_lowercase().as_str() {
            "sum" => "SUM",
            "avg" => "AVG",
            _ => return Err(wrong()),
        };
        let argument = argument.trim().trim_matches('"');
        let (table, column) = match argument.split_once('.') {
            Some((alias, column)) if alias != "primary" => {
                (Some(self.reference_table(alias)?.clone()), column)
            }
            Some((_, column)) => (None, column),
            None => (None, argument),
        };
        let of = table.as_ref().unwrap_or(&self.sources.primary);
        let found = of
            .column(column)
            .ok_or_else(|| Obstacle::Fails(format!("there is no column {column}")))?;
        if !found.is_number() {
            return Err(Obstacle::Fails(format!(
                "{column} is of type {} and no number",
                found.type_name
            )));
        }
        let aggregate = format!("{function}({})", found.double());
        Ok(match table {
            None => self.scans.measure(aggregate),
            Some(table) => {
                let [measure] = self.scans.scan(table.from, [aggregate]);
                measure
            }
        })
    }

    /// Records with the same key whose other columns are the same; two NULLs are the same. Keys must be unique.
    fn records(&mut self, check: &Check) -> Result<Metric, Obstacle> {
        let alias = check.parameter(0);
        let primary = self.sources.primary.clone();
        let reference = self.reference_table(alias)?.clone();
        let keys = mapped(check.parameter(1), &primary, &reference)?;
        let others = primary
            .columns
            .iter()
            .filter(|column| keys.iter().all(|(own, _)| own.name != column.name));
        let others = others.map(|column| column.name.as_str()).collect::<Vec<_>>().join(",");
        let matched =
            check.parameters.get(2).map_or(others.as_str(), |columns| columns.value.as_str());
        let matched =
            if matched.is_empty() { Vec::new() } else { mapped(matched, &primary, &reference)? };
        let on =
            keys.iter().map(|(own, other)| equal(own, other)).collect::<Vec<_>>().join(" AND ");
        let same = matched.iter().map(|(own, other)| {
            let (p, r) = (own.sql(), other.sql());
            format!("({} OR (\"p\".{p} IS NULL AND \"r\".{r} IS NULL))", equal(own, other))
        });
        let hit = format!("\"r\".{} IS NOT NULL", keys[0].1.sql());
        let same = std::iter::once(hit).chain(same).collect::<Vec<_>>().join(" AND ");
        let body =
            format!("{} AS \"p\" LEFT JOIN {} AS \"r\" ON {on}", primary.from, reference.from);
        // A key that is there twice would count a record twice, and gives no metric at all.
        let unique = |table: &Table, columns: Vec<&Column>| {
            let names = sql_names(&columns);
            format!(
                "(SELECT COUNT(*) FROM (SELECT {names} FROM {} GROUP BY {names} HAVING COUNT(*) > 1)) = 0",
                table.from
            )
        };
        let own_unique = unique(&primary, keys.iter().map(|(own, _)| *own).collect());
        let other_unique = unique(&reference, keys.iter().map(|(_, other)| *other).collect());
        let part = format!(
            "CASE WHEN {own_unique} AND {other_unique} THEN COUNT(*) FILTER (WHERE {same}) END"
        );
        let [part, whole] = self.scans.scan(body, [part, "COUNT(*)".to_owned()]);
        Ok(Metric {
            name: format!("Dataset.{alias}.DatasetMatch"),
            formula: Formula::Share { part, whole },
        })
    }
}

/// The columns of a list: `a,b`.
fn listed<'a>(list: &str, table: &'a Table) -> Result<Vec<&'a Column>, Obstacle> {
    let names = list.split(',').map(str::trim);
    let columns = names.map(|name| {
        table.column(name).ok_or_else(|| Obstacle::Fails(format!("there is no column {name}")))
    });
    columns.collect()
}

/// The columns on both sides: `a,b->c`.
fn mapped<'a>(
    list: &str,
    primary: &'a Table,
    reference: &'a Table,
) -> Result<Vec<(&'a Column, &'a Column)>, Obstacle> {
    let pairs = list.split(',').map(|pair| {
        let (own, other) = pair.split_once("->").unwrap_or((pair, pair));
        Ok((listed(own, primary)?[0], listed(other, reference)?[0]))
    });
    pairs.collect()
}

/// `"p"."a" = "r"."b"`. A text is read as a number where the other side is one, as Spark does it.
fn equal(own: &Column, other: &Column) -> String {
    let side = |alias: &str, column: &Column, against: &Column| {
        let value = format!("{alias}.{}", column.sql());
        match (column.kind, against.kind) {
            (ColumnKind::Text, ColumnKind::Whole | ColumnKind::Real) => {
                format!("TRY_CAST({value} AS double)")
            }
            (ColumnKind::Whole | ColumnKind::Real, ColumnKind::Text) => {
                format!("CAST({value} AS double)")
            }
            (kind, against)
                if kind == against || (column_is_time(kind) && column_is_time(against)) =>
            {
                value
            }
            (ColumnKind::Whole | ColumnKind::Real, ColumnKind::Whole | ColumnKind::Real) => value,
            _ => format!("CAST({value} AS varchar)"),
        }
    };
    format!("{} = {}", side("\"p\"", own, other), side("\"r\"", other, own))
}

fn column_is_time(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Date | ColumnKind::Timestamp)
}

fn sql_names(columns: &[&Column]) -> String {
    columns.iter().map(|column| column.sql()).collect::<Vec<_>>().join(", ")
}
