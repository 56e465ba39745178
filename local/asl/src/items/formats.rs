//! JSON, JSONL and CSV files to items.

use serde_json::{Map, Value};

use super::ReaderConfig;
use crate::failure::{Failure, error_name};

/// The items in a file's bytes, as `InputType` says: JSON (an array, or what
/// `ItemsPointer` points at), JSONL, or CSV with its values as texts.
pub fn parse_items(bytes: &[u8], config: &ReaderConfig) -> Result<Vec<Value>, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| failed("Attempting to read a file that is not UTF-8."))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut items = match config.input_type.as_deref() {
        Some("CSV") => csv_items(text, config)?,
        Some("JSONL") => text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                serde_json::from_str(line)
                    .map_err(|error| failed(format!("Unable to parse the line as JSON: {error}")))
            })
            .collect::<Result<_, _>>()?,
        _ => json_items(text, config)?,
    };
    if let Some(limit) = config.max_items {
        items.truncate(limit);
    }
    Ok(items)
}

fn failed(cause: impl Into<String>) -> Failure {
    Failure::new(error_name::ITEM_READER_FAILED, cause)
}

fn json_items(text: &str, config: &ReaderConfig) -> Result<Vec<Value>, Failure> {
    let mut document: Value = serde_json::from_str(text)
        .map_err(|error| failed(format!("Unable to parse the file as JSON: {error}")))?;
    let pointed = match &config.items_pointer {
        Some(pointer) => document.pointer_mut(pointer).map(Value::take),
        None => Some(document),
    };
    match pointed {
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Object(members)) => Ok(members
            .into_iter()
            .map(|(key, value)| serde_json::json!({"Key": key, "Value": value}))
            .collect()),
        _ => Err(failed("Attempting to map over non-iterable node.")),
    }
}

fn csv_items(text: &str, config: &ReaderConfig) -> Result<Vec<Value>, Failure> {
    let mut rows = Rows { text, delimiter: config.csv_delimiter };
    let headers = match &config.csv_headers {
        Some(headers) => headers.clone(),
        None => rows.next().unwrap_or_default(),
    };
    let mut seen = std::collections::HashSet::new();
    if !headers.iter().all(|header| seen.insert(header)) {
        return Err(failed("CSV headers cannot contain duplicates."));
    }
    let limit = config.max_items.unwrap_or(usize::MAX);
    let items = rows.take(limit).map(|row| {
        let mut cells = row.into_iter();
        let members = headers.iter().map(|header| {
            let cell = cells.next().unwrap_or_default();
            (header.clone(), Value::String(cell))
        });
        Value::Object(members.collect::<Map<_, _>>())
    });
    Ok(items.collect())
}

/// The rows of a CSV text: quotes may hold delimiters and line ends, a doubled
/// quote is a quote, empty lines are none.
struct Rows<'a> {
    text: &'a str,
    delimiter: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if self.text.is_empty() {
                return None;
            }
            let row = self.row();
            if row != [""] {
                return Some(row);
            }
        }
    }
}

impl Rows<'_> {
    fn row(&mut self) -> Vec<String> {
        let mut row = vec![String::new()];
        let mut quoted = false;
        let mut chars = self.text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let cell = row.last_mut().expect("a row has at least one cell");
            match c {
                '"' if quoted => {
                    if chars.next_if(|(_, next)| *next == '"').is_some() {
                        cell.push('"');
                    } else {
                        quoted = false;
                    }
                }
                '"' if cell.is_empty() => quoted = true,
                '\n' if !quoted => {
                    self.text = &self.text[at + 1..];
                    if cell.ends_with('\r') {
                        cell.pop();
                    }
                    return row;
                }
                c if c == self.delimiter && !quoted => row.push(String::new()),
                c => cell.push(c),
            }
        }
        self.text = "";
        row
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn csv_rows_become_objects_of_texts() {
        let config = ReaderConfig {
            input_type: Some("CSV".into()),
            csv_delimiter: ',',
            max_items: Some(2),
            ..ReaderConfig::default()
        };
        let text = "a,b\r\n1,\"x,\"\"y\"\"\n\"\r\n\n2\r\n3,4\r\n";
        assert_eq!(
            parse_items(text.as_bytes(), &config).unwrap(),
            [json!({"a": "1", "b": "x,\"y\"\n"}), json!({"a": "2", "b": ""})]
        );
    }
}
