//! `ColumnDataType`: whether a value can be read as a type.

use crate::condition::{Comparison, Operator, Text};
use crate::ruleset::Check;
use crate::sql;
use crate::table::{Column, ColumnKind};

pub(super) fn data_type(
    check: &Check,
    column: &Column,
    comparison: &Comparison<Text>,
) -> Result<String, String> {
    let Some(Text::Quoted { value: expected, .. }) = comparison.operands.first() else {
        return Err("ColumnDataType takes the name of a type".to_owned());
    };
    let is = readable(column, expected, check.tag("format"))?;
    match comparison.operator {
        Operator::Equal => Ok(format!("COALESCE({is}, FALSE)")),
        Operator::NotEqual => Ok(format!("NOT COALESCE({is}, FALSE)")),
        _ => Err("ColumnDataType takes = and != and nothing else".to_owned()),
    }
}

/// Whether a value can be read as `type_name`, as Spark casts.
fn readable(column: &Column, type_name: &str, format: Option<&str>) -> Result<String, String> {
    let upper = type_name.to_ascii_uppercase();
    let base = upper.split('(').next().unwrap_or_default();
    let name = column.sql();
    if !matches!(
        base,
        "BOOLEAN" | "DATE" | "TIMESTAMP" | "INTEGER" | "DOUBLE" | "FLOAT" | "LONG" | "DECIMAL"
    ) {
        return Err(format!("there is no data type {type_name}"));
    }
    if column.kind != ColumnKind::Text {
        let time = matches!(column.kind, ColumnKind::Date | ColumnKind::Timestamp);
        let fits = match base {
            "DATE" | "TIMESTAMP" => time,
            "DECIMAL" if !time => return Ok(format!("TRY_CAST({name} AS {upper}) IS NOT NULL")),
            _ => !time || base != "BOOLEAN",
        };
        return Ok(if fits { format!("{name} IS NOT NULL") } else { "FALSE".to_owned() });
    }
    let trimmed = format!("TRIM({name})");
    let whole = |target: &str| {
        let number = sql::text("^[+-]?[0-9]+([.][0-9]*)?$");
        let digits = sql::text("^[+-]?[0-9]+");
        format!(
            "REGEXP_LIKE({trimmed}, {number}) AND TRY_CAST(REGEXP_EXTRACT({trimmed}, {digits}) AS {target}) IS NOT NULL"
        )
    };
    Ok(match base {
        "BOOLEAN" => format!(
            "LOWER({trimmed}) IN ('t', 'true', 'y', 'yes', '1', 'f', 'false', 'n', 'no', '0')"
        ),
        "INTEGER" => whole("integer"),
        "LONG" => whole("bigint"),
        "DOUBLE" | "FLOAT" => format!("TRY_CAST({trimmed} AS double) IS NOT NULL"),
        "DECIMAL" => format!("TRY_CAST({trimmed} AS {upper}) IS NOT NULL"),
        "TIMESTAMP" => format!("TRY_CAST({trimmed} AS timestamp) IS NOT NULL"),
        _ => match format {
            None => format!("TRY_CAST(SUBSTR({trimmed}, 1, 10) AS date) IS NOT NULL"),
            Some(format) => formatted_day(&name, format)?,
        },
    })
}

/// A day written as `format`: day, month and year in any order, or two of them.
fn formatted_day(name: &str, format: &str) -> Result<String, String> {
    let separator = if format.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = format.split(separator).collect();
    let known = ["dd", "MM", "yyyy"];
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|part| !known.contains(part)) {
        return Ok("FALSE".to_owned());
    }
    let pattern = parts.iter().map(|part| if *part == "yyyy" { "[0-9]{4}" } else { "[0-9]{1,2}" });
    let pattern = format!("^{}$", pattern.collect::<Vec<_>>().join(&separator.to_string()));
    let part = |wanted: &str, missing: &str| match parts.iter().position(|part| *part == wanted) {
        None => sql::text(missing),
        Some(index) => {
            let part = format!("SPLIT_PART({name}, '{separator}', {})", index + 1);
            if wanted == "yyyy" { part } else { format!("LPAD({part}, 2, '0')") }
        }
    };
    let day = format!(
        "{} || '-' || {} || '-' || {}",
        part("yyyy", "2000"),
        part("MM", "01"),
        part("dd", "01")
    );
    Ok(format!(
        "REGEXP_LIKE({name}, {}) AND TRY_CAST({day} AS date) IS NOT NULL",
        sql::text(&pattern)
    ))
}
