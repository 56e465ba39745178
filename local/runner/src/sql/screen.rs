//! Results on a terminal: as wide as it is, and not longer than is read.

use std::io::{self, Write};

use crate::rows::{Column, Format, Rows};

/// Rows that are shown of a result.
pub const ROWS: usize = 100;
/// Letters that are shown of a value where the table would be too wide with all.
const LETTERS: usize = 40;
const BETWEEN: usize = 2;

/// Writes rows, and answers the names of the columns for which there was no place.
pub fn write(
    rows: &Rows,
    format: Format,
    width: usize,
    out: &mut impl Write,
) -> io::Result<Vec<String>> {
    if format != Format::Table {
        rows.write(format, out)?;
        return Ok(Vec::new());
    }
    let mut rows = plain(rows);
    if total(&rows) > width {
        shorten(&mut rows);
    }
    let mut left = width;
    let mut fitting = 0;
    for at in 0..rows.columns.len() {
        let needed = rows.width(at) + if at == 0 { 0 } else { BETWEEN };
        if needed > left && at > 0 {
            break;
        }
        left = left.saturating_sub(needed);
        fitting += 1;
    }
    let hidden = rows.columns.split_off(fitting).into_iter().map(|column| column.name).collect();
    rows.grid(out)?;
    out.flush()?;
    Ok(hidden)
}

fn total(rows: &Rows) -> usize {
    (0..rows.columns.len())
        .map(|at| rows.width(at) + BETWEEN)
        .sum::<usize>()
        .saturating_sub(BETWEEN)
}

/// Without what moves a terminal's cursor: line ends and the like are shown as escapes.
fn plain(rows: &Rows) -> Rows {
    let text = |text: &String| {
        let escaped = |char: char| {
            if char.is_control() { char.escape_default().to_string() } else { char.to_string() }
        };
        if text.chars().any(char::is_control) {
            text.chars().map(escaped).collect()
        } else {
            text.clone()
        }
    };
    let column = |column: &Column| Column { name: text(&column.name), kind: column.kind.clone() };
    let row = |row: &Vec<Option<String>>| row.iter().map(|cell| cell.as_ref().map(text)).collect();
    Rows {
        columns: rows.columns.iter().map(column).collect(),
        rows: rows.rows.iter().map(row).collect(),
    }
}

fn shorten(rows: &mut Rows) {
    for cell in rows.rows.iter_mut().flatten().flatten() {
        if let Some((end, _)) = cell.char_indices().nth(LETTERS) {
            cell.truncate(end);
            cell.push('…');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &Rows, width: usize) -> (String, Vec<String>) {
        let mut out = Vec::new();
        let hidden = write(rows, Format::Table, width, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), hidden)
    }

    #[test]
    fn a_table_is_no_wider_than_the_terminal() {
        let column =
            |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        let text = |text: &str| Some(text.to_owned());
        let rows = Rows {
            columns: vec![
                column("zone", "varchar"),
                column("trips", "bigint"),
                column("note", "varchar"),
            ],
            rows: vec![vec![text("Co\nrona\u{1b}[2J"), text("7"), text(&"x".repeat(50))]],
        };
        let (table, hidden) = written(&rows, 100);
        assert!(
            table.starts_with("zone") && table.contains(r"Co\nrona\u{1b}[2J      7  xx"),
            "{table}"
        );
        assert!(hidden.is_empty() && table.contains(&"x".repeat(50)), "{table}");
        let (table, hidden) = written(&rows, 72);
        assert!(
            hidden.is_empty() && table.contains(&format!("  {}…\n", "x".repeat(40))),
            "{table}"
        );
        let (table, hidden) = written(&rows, 30);
        assert_eq!(hidden, ["note"]);
        assert_eq!(table.lines().next(), Some("zone               trips"));
        let (_, hidden) = written(&rows, 5);
        assert_eq!(hidden, ["trips", "note"]);
    }
}
