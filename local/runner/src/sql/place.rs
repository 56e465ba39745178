//! Where in a statement an error is.

use std::fmt::Write as _;

use aws::stepfunctions::review::nearest;

use super::names::Names;

/// What is wrong, with a caret below the place where the message names one (`line L:C:`).
pub fn refusal(message: &str, statement: &str) -> String {
    let mut text = format!("error: {message}\n");
    if let Some((line, column)) = place(message).or_else(|| place_of_name(message, statement))
        && let Some(found) = statement.lines().nth(line.saturating_sub(1))
    {
        // A tab stays one, so that the caret stands where the eye looks for it.
        let before = found.chars().take(column.saturating_sub(1));
        let pad: String = before.map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
        let missing = column.saturating_sub(1).saturating_sub(found.chars().count());
        let _ = writeln!(text, "  {found}\n  {pad}{}^", " ".repeat(missing));
    }
    text
}

/// The first line and column that a message names, from 1.
fn place(message: &str) -> Option<(usize, usize)> {
    message.split("line ").skip(1).find_map(|rest| {
        let (line, rest) = rest.split_once(':')?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((line.parse().ok()?, digits.parse().ok()?))
    })
}

/// Where the name stands that a message without a place is about, if it stands there once.
fn place_of_name(message: &str, statement: &str) -> Option<(usize, usize)> {
    let about = ["Column '", "Table '", "Schema '", "Function '"];
    let (_, rest) = about.iter().find_map(|about| message.split_once(about))?;
    let (name, _) = rest.split_once('\'')?;
    let name = name.rsplit('.').next()?.to_lowercase();
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let mut found = statement.lines().enumerate().flat_map(|(line, text)| {
        let small = text.to_lowercase();
        let places: Vec<(usize, usize)> = small
            .match_indices(name.as_str())
            .filter(|(at, _)| {
                let (before, after) = (&small[..*at], &small[at + name.len()..]);
                !before.ends_with(is_part) && !after.starts_with(is_part)
            })
            .map(|(at, _)| (line + 1, small[..at].chars().count() + 1))
            .collect();
        places
    });
    let first = found.next().filter(|_| !name.is_empty())?;
    found.next().is_none().then_some(first)
}

/// The same message about the text one line further down.
pub(super) fn one_line_up(message: &str) -> String {
    let mut parts = message.split("line ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("line ");
        let digits = part.find(|char: char| !char.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse::<usize>() {
            Ok(line) if part[digits..].starts_with(':') => {
                let _ = write!(text, "{}{}", line.saturating_sub(1), &part[digits..]);
            }
            _ => text.push_str(part),
        }
    }
    text
}

/// A name that may have been meant by the one that a message says is not there.
pub(super) fn meant(message: &str, names: &Names) -> Option<String> {
    let quoted = |after: &str| message.split_once(after)?.1.split_once('\'').map(|(name, _)| name);
    let column = quoted("Column '").filter(|_| message.contains("cannot be resolved"));
    let table = quoted("Table '").filter(|_| message.contains("does not exist"));
    let meant = match (column, table) {
        (Some(column), _) => {
            let column = column.rsplit('.').next().unwrap_or(column).to_lowercase();
            let tables = names.databases.get(&names.database).into_iter().flatten();
            nearest(&column, tables.flat_map(|(_, columns)| columns).map(String::as_str))
        }
        (None, Some(table)) => {
            let table = table.rsplit('.').next().unwrap_or(table).to_lowercase();
            nearest(&table, names.tables())
        }
        (None, None) => None,
    };
    meant.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_caret_stands_below_the_place() {
        let cases = [
            ("line 1:8: Column 'x'", "SELECT x", "  SELECT x\n         ^\n"),
            ("A: line 2:2: B line 1:1: C", "SELECT\n\tx\n", "  \tx\n  \t^\n"),
            ("line 1:9: mismatched input '<EOF>'", "SELECT 1", "  SELECT 1\n          ^\n"),
            ("line 1:5: é", "'é' x", "  'é' x\n      ^\n"),
            ("Column 'x' cannot be resolved", "SELECT a,\n  X", "    X\n    ^\n"),
            (
                "Table 'c.d.trip' does not exist",
                "SELECT trips\nFROM trip",
                "  FROM trip\n       ^\n",
            ),
            ("Column 'x' cannot be resolved", "SELECT x, x", ""),
            ("line 7:1: beyond", "SELECT 1", ""),
            ("in line with: nothing", "SELECT 1", ""),
        ];
        for (message, statement, expected) in cases {
            assert_eq!(refusal(message, statement), format!("error: {message}\n{expected}"));
        }
    }

    #[test]
    fn lines_are_counted_from_the_statement() {
        let message = "TYPE_MISMATCH: line 3:8: see line 12:1, not line x:1 or line 4";
        let expected = "TYPE_MISMATCH: line 2:8: see line 11:1, not line x:1 or line 4";
        assert_eq!(one_line_up(message), expected);
    }

    #[test]
    fn a_name_nearby_is_suggested() {
        let columns = vec!["fare_amount".to_owned(), "month".to_owned()];
        let names = Names {
            database: "taxi".to_owned(),
            databases: BTreeMap::from([(
                "taxi".to_owned(),
                BTreeMap::from([("green_trips".to_owned(), columns)]),
            )]),
        };
        let cases = [
            (
                "COLUMN_NOT_FOUND: line 1:8: Column 'fare_amont' cannot be resolved or",
                Some("fare_amount"),
            ),
            (
                "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.taxi.green_trip' does not exist",
                Some("green_trips"),
            ),
            ("COLUMN_NOT_FOUND: line 1:8: Column 'zone' cannot be resolved or", None),
            ("DIVISION_BY_ZERO: Division by zero", None),
        ];
        for (message, expected) in cases {
            assert_eq!(meant(message, &names).as_deref(), expected, "{message}");
        }
    }
}
