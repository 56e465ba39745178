//! What a rule says about a single row, as SQL that is true or false and never NULL.

use crate::condition::{Comparison, Condition, Date, Duration, Operator, Text};
use crate::number::Number;
use crate::rule_type::RuleType;
use crate::ruleset::Check;
use crate::sql;
use crate::table::{Column, ColumnKind, Table};

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

fn values(
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

/// NULL has the length 0 where lengths are compared by order. Around 0 the lists are as Glue's executor has them.
fn length(column: &Column, comparison: &Comparison<Number>) -> Result<String, String> {
    let operands: Vec<_> = comparison.operands.iter().map(literal).collect::<Result<_, _>>()?;
    let name = column.sql();
    let length = format!("LENGTH({})", column.text());
    let with_zero = comparison.operands.iter().any(|operand| operand.literal() == Some(0.0));
    let list = operands.join(", ");
    Ok(match comparison.operator {
        Operator::In if with_zero => format!("({name} IS NULL OR {length} IN ({list}))"),
        Operator::In => format!("COALESCE({length} IN ({list}), FALSE)"),
        Operator::NotIn if with_zero => {
            format!("({name} IS NOT NULL OR COALESCE({length} NOT IN ({list}), FALSE))")
        }
        Operator::NotIn => format!("({name} IS NULL OR {length} NOT IN ({list}))"),
        Operator::NotBetween if with_zero => format!("{name} IS NOT NULL"),
        Operator::NotBetween => {
            format!(
                "({name} IS NULL OR {length} <= {} OR {length} >= {})",
                operands[0],
                operands[operands.len() - 1]
            )
        }
        operator => {
            compared(&format!("COALESCE({length}, 0)"), "FALSE", operator, &operands, false)
        }
    })
}

fn data_type(
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

/// Ages in hours, to the hundredth.
fn freshness(
    column: &Column,
    comparison: &Comparison<Duration>,
    now: jiff::civil::DateTime,
) -> String {
    let moment = match column.kind {
        ColumnKind::Timestamp => column.sql(),
        ColumnKind::Date => format!("CAST({} AS timestamp)", column.sql()),
        _ => format!("TRY_CAST({} AS timestamp)", column.text()),
    };
    let now = now.strftime("%Y-%m-%d %H:%M:%S");
    let age = format!("ROUND(DATE_DIFF('second', {moment}, TIMESTAMP '{now}') / 3600e0, 2)");
    let hours = |duration: &Duration| {
        #[expect(clippy::cast_precision_loss, reason = "minutes of 32 bits")]
        let hours = (duration.minutes() as f64 / 60.0 * 10_000.0).round() / 10_000.0;
        format!("{hours:?}e0")
    };
    let operands: Vec<_> = comparison.operands.iter().map(hours).collect();
    match comparison.operator {
        // NULL is of no age.
        Operator::NotEqual => format!("COALESCE({age} <> {}, FALSE)", operands[0]),
        Operator::NotIn => format!("COALESCE({age} NOT IN ({}), FALSE)", operands.join(", ")),
        operator => compared(&age, "FALSE", operator, &operands, false),
    }
}
