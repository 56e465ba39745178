//! What a rule says about a single row, as SQL that is true or false and never NULL.

use crate::condition::{Condition, Operator};
use crate::number::Number;
use crate::rule_type::RuleType;
use crate::ruleset::Check;
use crate::sql;
use crate::table::{Column, Table};

mod data_type;
mod freshness;
mod length;
mod value;

use data_type::data_type;
use freshness::freshness;
use length::length;
use value::values;

/// Whether a row passes `check`, its `where` left aside; none when the rule type is not about single rows.
///
/// # Errors
/// What cannot be said of a row by this rule, or there is no such column.
pub fn passes(
    check: &Check,
    table: &Table,
    now: jiff::civil::DateTime,
) -> Option<Result<String, String>> {
    let column = || {
        let name = check.parameter(0);
        table.column(name).ok_or_else(|| format!("there is no column {name}"))
    };
    Some(match (check.rule_type, &check.condition) {
        (RuleType::IsComplete, _) => column().map(|column| format!("{} IS NOT NULL", column.sql())),
        (RuleType::ColumnValues, Some(condition)) => {
            column().and_then(|column| values(check, column, condition, now))
        }
        (RuleType::ColumnLength, Some(Condition::Number(comparison))) => {
            column().and_then(|column| length(column, comparison))
        }
        (RuleType::ColumnDataType, Some(Condition::Text(comparison))) => {
            column().and_then(|column| data_type(check, column, comparison))
        }
        (RuleType::DataFreshness, Some(Condition::Duration(comparison))) => {
            column().map(|column| freshness(column, comparison, now))
        }
        _ => return None,
    })
}

/// Whether a row breaks `check`: it is chosen by its `where`, and does not pass. `RowCount = 0 where "…"` is broken by
/// every row there is. None when the rule is not about single rows.
///
/// # Errors
/// As [`passes`].
pub fn broken(
    check: &Check,
    table: &Table,
    now: jiff::civil::DateTime,
) -> Option<Result<String, String>> {
    let chosen = check.filter.as_deref().map(|filter| sql::authored(filter, &table.constants));
    if let (RuleType::RowCount, Some(Condition::Number(comparison)), Some(chosen)) =
        (check.rule_type, &check.condition, &chosen)
    {
        let none = comparison.operator == Operator::Equal
            && comparison.operands.first().and_then(Number::literal) == Some(0.0);
        return none.then(|| Ok(format!("COALESCE({chosen}, FALSE)")));
    }
    let passes = passes(check, table, now)?;
    Some(passes.map(|passes| match chosen {
        None => format!("NOT ({passes})"),
        Some(chosen) => format!("COALESCE({chosen}, FALSE) AND NOT ({passes})"),
    }))
}

/// The columns of `table` that `check` names, in their order; constant ones are left out.
pub fn columns<'a>(check: &Check, table: &'a Table) -> Vec<&'a Column> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let texts = check
        .parameters
        .iter()
        .map(|parameter| parameter.value.as_str())
        .chain(check.filter.as_deref());
    let words: Vec<&str> = texts.flat_map(|text| text.split(|c| !is_part(c))).collect();
    let varies = |column: &&Column| table.constants.iter().all(|(name, _)| *name != column.name);
    let named = |column: &&Column| words.iter().any(|word| column.name.eq_ignore_ascii_case(word));
    table.columns.iter().filter(varies).filter(named).collect()
}

/// A literal, as SQL compares it: a whole number as it is, any other as a double.
fn literal(number: &Number) -> Result<String, String> {
    let Number::Literal(text) = number else {
        return Err(format!("single rows are compared with plain numbers, and {number} is none"));
    };
    Ok(if text.contains('.') { format!("{text}e0") } else { text.clone() })
}

/// `value operator operand`, false for NULL. Whether NULL is among the operands decides about `=`, `!=` and `in`.
fn compared(
    value: &str,
    is_null: &str,
    operator: Operator,
    operands: &[String],
    with_null: bool,
) -> String {
    let list = operands.join(", ");
    let one = operands.first().map(String::as_str).unwrap_or_default();
    let symbol = |symbol: &str| format!("COALESCE({value} {symbol} {one}, FALSE)");
    match operator {
        Operator::Between => {
            format!(
                "COALESCE({value} > {one} AND {value} < {}, FALSE)",
                operands.last().map_or("", String::as_str)
            )
        }
        Operator::NotBetween => {
            format!(
                "COALESCE({value} <= {one} OR {value} >= {}, FALSE)",
                operands.last().map_or("", String::as_str)
            )
        }
        Operator::Greater => symbol(">"),
        Operator::GreaterOrEqual => symbol(">="),
        Operator::Less => symbol("<"),
        Operator::LessOrEqual => symbol("<="),
        Operator::Equal if with_null => is_null.to_owned(),
        Operator::Equal => symbol("="),
        Operator::NotEqual if with_null => format!("NOT ({is_null})"),
        Operator::NotEqual => format!("COALESCE({value} <> {one}, TRUE)"),
        Operator::In if operands.is_empty() => {
            if with_null {
                is_null.to_owned()
            } else {
                "FALSE".to_owned()
            }
        }
        Operator::In => {
            format!("COALESCE({value} IN ({list}), {})", if with_null { is_null } else { "FALSE" })
        }
        Operator::NotIn if operands.is_empty() => {
            if with_null {
                format!("NOT ({is_null})")
            } else {
                "TRUE".to_owned()
            }
        }
        Operator::NotIn => format!(
            "COALESCE({value} NOT IN ({list}), {})",
            if with_null { "FALSE" } else { "TRUE" }
        ),
        Operator::Matches | Operator::NotMatches => "FALSE".to_owned(),
    }
}
