//! `ColumnValues`: values as numbers, texts and dates.

use super::{compared, literal};
use crate::condition::{Comparison, Condition, Date, Duration, Operator, Text};
use crate::number::Number;
use crate::ruleset::Check;
use crate::sql;
use crate::table::{Column, ColumnKind};

pub(super) fn values(
    check: &Check,
    column: &Column,
    condition: &Condition,
    now: jiff::civil::DateTime,
) -> Result<String, String> {
    match condition {
        Condition::Number(comparison) => numbers(column, comparison),
        Condition::Text(comparison) => {
            let ignore_case =
                check.tag("ignoreCase").is_some_and(|tag| tag.eq_ignore_ascii_case("true"));
            texts(column, comparison, ignore_case)
        }
        Condition::Date(comparison) => dates(column, comparison, now),
        Condition::Duration(_) | Condition::Size(_) => {
            Err(format!("ColumnValues takes no {condition}"))
        }
    }
}

fn numbers(column: &Column, comparison: &Comparison<Number>) -> Result<String, String> {
    let with_null = comparison.operands.contains(&Number::Null);
    let plain = comparison.operands.iter().filter(|operand| **operand != Number::Null);
    let operands: Vec<_> = plain.map(literal).collect::<Result<_, _>>()?;
    let is_null = format!("{} IS NULL", column.sql());
    let needed = match comparison.operator {
        Operator::Between | Operator::NotBetween => 2,
        Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn => 0,
        _ => 1,
    };
    if operands.len() < needed {
        return Err(format!("NULL is neither larger nor smaller: {comparison}"));
    }
    if column.kind == ColumnKind::Other
        || column.kind == ColumnKind::Timestamp
        || column.kind == ColumnKind::Date
    {
        return Err(format!("{} is of type {} and no number", column.name, column.type_name));
    }
    let value = match column.kind {
        ColumnKind::Boolean => format!("CAST({} AS bigint)", column.sql()),
        _ => column.number(),
    };
    Ok(compared(&value, &is_null, comparison.operator, &operands, with_null))
}

/// What a list of texts means: each of NULL, EMPTY, WHITESPACES_ONLY and the quoted ones by its own.
fn texts(
    column: &Column,
    comparison: &Comparison<Text>,
    ignore_case: bool,
) -> Result<String, String> {
    let (name, value) = (column.sql(), column.text());
    let folded = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
    let value_folded = if ignore_case { format!("LOWER({value})") } else { value.clone() };
    let quoted: Vec<String> = comparison
        .operands
        .iter()
        .flat_map(|text| match text {
            Text::Quoted { value, .. } => vec![value.as_str()],
            Text::Variable { values, .. } => values.iter().map(String::as_str).collect(),
            Text::Null | Text::Empty | Text::WhitespacesOnly => Vec::new(),
        })
        .map(folded)
        .collect();
    let has = |keyword: &Text| comparison.operands.contains(keyword);
    let list = quoted.iter().map(|text| sql::text(text)).collect::<Vec<_>>().join(", ");
    let blank = format!("LENGTH(TRIM({value})) = 0 AND LENGTH({value}) > 0");
    match comparison.operator {
        Operator::Matches | Operator::NotMatches => pattern(&value, comparison),
        Operator::Equal | Operator::In => {
            let mut any = Vec::new();
            any.extend(has(&Text::Null).then(|| format!("{name} IS NULL")));
            any.extend(has(&Text::Empty).then(|| format!("COALESCE({value} = '', FALSE)")));
            any.extend(has(&Text::WhitespacesOnly).then(|| format!("COALESCE({blank}, FALSE)")));
            any.extend(
                (!quoted.is_empty())
                    .then(|| format!("COALESCE({value_folded} IN ({list}), FALSE)")),
            );
            Ok(format!("({})", any.join(" OR ")))
        }
        Operator::NotEqual | Operator::NotIn => {
            let mut all = Vec::new();
            all.extend(has(&Text::Null).then(|| format!("{name} IS NOT NULL")));
            // In Spark as in Athena NULL is neither the empty text nor another: such a row does not pass.
            all.extend(has(&Text::Empty).then(|| format!("COALESCE({value} <> '', FALSE)")));
            all.extend(
                has(&Text::WhitespacesOnly).then(|| format!("COALESCE(NOT ({blank}), FALSE)")),
            );
            all.extend(
                (!quoted.is_empty())
                    .then(|| format!("COALESCE({value_folded} NOT IN ({list}), TRUE)")),
            );
            Ok(format!("({})", all.join(" AND ")))
        }
        _ => Err(format!("texts are not compared by {comparison}")),
    }
}

/// The whole text matches, and is not empty. `not matches`: it does not begin with a match.
fn pattern(value: &str, comparison: &Comparison<Text>) -> Result<String, String> {
    let pattern = match comparison.operands.first() {
        Some(Text::Quoted { written, .. }) => written.as_str(),
        Some(Text::Variable { values, .. }) if values.len() == 1 => values[0].as_str(),
        _ => return Err("matches takes one pattern".to_owned()),
    };
    let (negated, anchored) = match comparison.operator {
        Operator::NotMatches => ("NOT ", format!("^(?:\\b{pattern}\\b)")),
        _ => ("", format!("^{pattern}$")),
    };
    Ok(format!(
        "COALESCE({value} <> '' AND {negated}REGEXP_LIKE({value}, {}), FALSE)",
        sql::text(&anchored)
    ))
}

/// Days are compared, whatever the time.
fn dates(
    column: &Column,
    comparison: &Comparison<Date>,
    now: jiff::civil::DateTime,
) -> Result<String, String> {
    if matches!(
        column.kind,
        ColumnKind::Whole | ColumnKind::Real | ColumnKind::Boolean | ColumnKind::Other
    ) {
        return Err(format!("{} is of type {} and no date", column.name, column.type_name));
    }
    let with_null = comparison.operands.contains(&Date::Null);
    let days = comparison.operands.iter().filter(|operand| **operand != Date::Null);
    let operands: Vec<_> = days
        .map(|date| date.day(now).map(|day| format!("DATE '{day}'")))
        .collect::<Result<_, _>>()?;
    let is_null = format!("{} IS NULL", column.sql());
    if operands.is_empty()
        && !matches!(
            comparison.operator,
            Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn
        )
    {
        return Err(format!("NULL is neither before nor after: {comparison}"));
    }
    // As in Glue a missing date passes `!=`, and no `not in`.
    if comparison.operator == Operator::NotIn && !with_null {
        return Ok(format!("COALESCE({} NOT IN ({}), FALSE)", column.day(), operands.join(", ")));
    }
    Ok(compared(&column.day(), &is_null, comparison.operator, &operands, with_null))
}

impl Date {
    /// Its day in UTC.
    ///
    /// # Errors
    /// When there is no such day.
    pub fn day(&self, now: jiff::civil::DateTime) -> Result<jiff::civil::Date, String> {
        let minutes = |duration: &Duration| {
            jiff::Span::new().try_minutes(i64::try_from(duration.minutes()).unwrap_or(i64::MAX))
        };
        let far = |_| format!("{self} is out of range");
        match self {
            Self::Day(text) => text.parse().map_err(|_| format!("there is no day {text}")),
            Self::Time(_) | Self::Now => Ok(now.date()),
            Self::NowMinus(duration) => {
                Ok(now.checked_sub(minutes(duration).map_err(far)?).map_err(far)?.date())
            }
            Self::NowPlus(duration) => {
                Ok(now.checked_add(minutes(duration).map_err(far)?).map_err(far)?.date())
            }
            Self::Null => Err("NULL is no day".to_owned()),
        }
    }
}
