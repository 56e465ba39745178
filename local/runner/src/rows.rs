//! A query's result for people and programs: table, CSV, JSON.
use std::io::{self, Write};

use serde_json::Value;

/// Athena's values: texts, or nothing for NULL.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// Athena's type name: `integer`, `varchar`, `decimal`…
    pub kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
}

impl Column {
    /// From GetQueryResults' `ColumnInfo`.
    pub fn of(info: &Value) -> Self {
        let text = |member: &str| info[member].as_str().unwrap_or_default().to_owned();
        Self { name: text("Name"), kind: text("Type") }
    }

    fn is_number(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "tinyint"
                | "smallint"
                | "integer"
                | "int"
                | "bigint"
                | "float"
                | "real"
                | "double"
                | "decimal"
        )
    }

    fn json(&self, value: Option<&String>) -> Value {
        let Some(text) = value else { return Value::Null };
        match self.kind.as_str() {
            "boolean" => text.parse().map_or_else(|_| Value::from(text.as_str()), Value::Bool),
            // NaN and Infinity stay texts.
            _ if self.is_number() => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            _ => Value::from(text.as_str()),
        }
    }
}

impl Rows {
    pub fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        match format {
            Format::Table => self.table(out)?,
            Format::Csv => self.csv(out)?,
            Format::Json => self.json(out)?,
        }
        out.flush()
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        self.grid(out)?;
        writeln!(out, "({})", counted(self.rows.len() as u64))
    }

    /// Names, a line, and the rows. Numbers to the right; NULL as nothing.
    pub fn grid(&self, out: &mut impl Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.columns.len()).map(|at| self.width(at)).collect();
        let mut line = |cells: Vec<&str>| {
            let cells = cells.into_iter().zip(&widths).zip(&self.columns);
            let padded = cells.map(|((cell, width), column)| {
                if column.is_number() {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        line(self.columns.iter().map(|column| column.name.as_str()).collect())?;
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        line(rules.iter().map(String::as_str).collect())?;
        for row in &self.rows {
            line((0..self.columns.len()).map(|at| cell(row, at)).collect())?;
        }
        Ok(())
    }

    /// Letters that a column takes.
    pub fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| cell(row, at).chars().count());
        cells.max().unwrap_or_default().max(self.columns[at].name.chars().count())
    }

    /// Always with a header; NULL is nothing, an empty text is `""`.
    fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        let header = self.columns.iter().map(|column| field(Some(&column.name)));
        writeln!(out, "{}", header.collect::<Vec<_>>().join(","))?;
        for row in &self.rows {
            let fields = row.iter().map(|value| field(value.as_ref()));
            writeln!(out, "{}", fields.collect::<Vec<_>>().join(","))?;
        }
        Ok(())
    }

    /// A list of objects.
    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "[")?;
        for (index, row) in self.rows.iter().enumerate() {
            let object = self
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| (column.name.clone(), column.json(value.as_ref())));
            let object: serde_json::Map<String, Value> = object.collect();
            let separator = if index == 0 { "\n" } else { ",\n" };
            write!(out, "{separator}{}", Value::Object(object))?;
        }
        writeln!(out, "\n]")
    }
}

fn cell(row: &[Option<String>], at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

/// `1 row`, `2 rows`
pub fn counted(rows: u64) -> String {
    format!("{rows} row{}", if rows == 1 { "" } else { "s" })
}

fn field(value: Option<&String>) -> String {
    match value {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let column =
            |name: &str, kind: &str| Column { name: name.to_owned(), kind: kind.to_owned() };
        let text = |text: &str| Some(text.to_owned());
        let rows = Rows {
            columns: vec![
                column("zone", "varchar"),
                column("trips", "bigint"),
                column("share", "double"),
                column("yellow", "boolean"),
            ],
            rows: vec![
                vec![text("Corona, \"old\""), text("12"), text("0.5"), text("true")],
                vec![text(""), None, text("NaN"), None],
            ],
        };
        let mut out = Vec::new();
        rows.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn results_are_written_in_three_ways() {
        let table = "zone           trips  share  yellow\n-------------  -----  -----  ------\nCorona, \"old\"     12    0.5  true\n                        NaN\n(2 rows)\n";
        assert_eq!(written(Format::Table), table);
        assert_eq!(
            written(Format::Csv),
            "zone,trips,share,yellow\n\"Corona, \"\"old\"\"\",12,0.5,true\n\"\",,NaN,\n"
        );
        let json = "[\n{\"zone\":\"Corona, \\\"old\\\"\",\"trips\":12,\"share\":0.5,\"yellow\":true},\n{\"zone\":\"\",\"trips\":null,\"share\":\"NaN\",\"yellow\":null}\n]\n";
        assert_eq!(written(Format::Json), json);
    }
}
