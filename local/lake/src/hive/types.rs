//! Hive's type texts: parsed, brought to one canonical spelling, and said in Trino's words.

use super::cursor::Cursor;
use super::token::Kind;
use crate::sql::SyntaxError;

const SIMPLE: [&str; 14] = [
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "string",
    "binary",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
    "void",
];

/// Parses a type of a column definition into its canonical text.
pub(super) fn parse(cursor: &mut Cursor) -> Result<String, SyntaxError> {
    let place = cursor.unexpected("<type>");
    let Kind::Word(word) = cursor.peek().kind.clone() else { return Err(place) };
    cursor.take();
    let word = word.to_lowercase();
    match word.as_str() {
        "integer" => Ok("int".to_owned()),
        "real" => Ok("float".to_owned()),
        "numeric" | "decimal" => {
            if !cursor.symbol_if('(') {
                return Ok("decimal(10,0)".to_owned());
            }
            let precision = cursor.number()?;
            let scale = if cursor.symbol_if(',') { cursor.number()? } else { 0 };
            cursor.symbol(')')?;
            Ok(format!("decimal({precision},{scale})"))
        }
        "char" | "varchar" => {
            cursor.symbol('(')?;
            let length = cursor.number()?;
            cursor.symbol(')')?;
            Ok(format!("{word}({length})"))
        }
        "array" => {
            cursor.symbol('<')?;
            let item = parse(cursor)?;
            cursor.symbol('>')?;
            Ok(format!("array<{item}>"))
        }
        "map" => {
            cursor.symbol('<')?;
            let key = parse(cursor)?;
            cursor.symbol(',')?;
            let value = parse(cursor)?;
            cursor.symbol('>')?;
            Ok(format!("map<{key},{value}>"))
        }
        "struct" => structure(cursor),
        "uniontype" => {
            cursor.symbol('<')?;
            let mut members = vec![parse(cursor)?];
            while cursor.symbol_if(',') {
                members.push(parse(cursor)?);
            }
            cursor.symbol('>')?;
            Ok(format!("uniontype<{}>", members.join(",")))
        }
        simple if SIMPLE.contains(&simple) => Ok(word),
        _ => Err(place),
    }
}

fn structure(cursor: &mut Cursor) -> Result<String, SyntaxError> {
    cursor.symbol('<')?;
    let mut fields = Vec::new();
    loop {
        let name = cursor.name()?;
        cursor.symbol_if(':');
        let field = parse(cursor)?;
        if cursor.word_if("COMMENT") {
            cursor.text()?;
        }
        fields.push(format!("{name}:{field}"));
        if !cursor.symbol_if(',') {
            break;
        }
    }
    cursor.symbol('>')?;
    Ok(format!("struct<{}>", fields.join(",")))
}

/// The canonical spelling of a type text, if it is one of Hive's.
pub fn normalise(text: &str) -> Option<String> {
    let mut cursor = Cursor::new(text).ok()?;
    let found = parse(&mut cursor).ok()?;
    cursor.end().ok()?;
    Some(found)
}

/// Hive's type text in Trino's words: `array<string>` → `array(varchar)`.
/// A text that is none of Hive's comes back as it is.
pub fn trino_type_text(hive: &str) -> String {
    let Ok(mut cursor) = Cursor::new(hive) else { return hive.to_owned() };
    match say(&mut cursor) {
        Some(text) if cursor.end().is_ok() => text,
        _ => hive.to_owned(),
    }
}

fn say(cursor: &mut Cursor) -> Option<String> {
    let Kind::Word(word) = cursor.take().kind else { return None };
    let word = word.to_lowercase();
    Some(match word.as_str() {
        "int" | "integer" => "integer".to_owned(),
        "float" => "real".to_owned(),
        "string" => "varchar".to_owned(),
        "binary" => "varbinary".to_owned(),
        "timestamp" => "timestamp(3)".to_owned(),
        "decimal" | "varchar" | "char" => {
            if !cursor.symbol_if('(') {
                return Some(if word == "decimal" { "decimal(10,0)".to_owned() } else { word });
            }
            let mut numbers = vec![cursor.number().ok()?.to_string()];
            if cursor.symbol_if(',') {
                numbers.push(cursor.number().ok()?.to_string());
            } else if word == "decimal" {
                numbers.push("0".to_owned());
            }
            cursor.symbol_if(')').then_some(())?;
            format!("{word}({})", numbers.join(","))
        }
        "array" => {
            cursor.symbol_if('<').then_some(())?;
            let item = say(cursor)?;
            cursor.symbol_if('>').then_some(())?;
            format!("array({item})")
        }
        "map" => {
            cursor.symbol_if('<').then_some(())?;
            let key = say(cursor)?;
            cursor.symbol_if(',').then_some(())?;
            let value = say(cursor)?;
            cursor.symbol_if('>').then_some(())?;
            format!("map({key}, {value})")
        }
        "struct" => {
            cursor.symbol_if('<').then_some(())?;
            let mut fields = Vec::new();
            loop {
                let name = cursor.name().ok()?;
                cursor.symbol_if(':').then_some(())?;
                fields.push(format!("{name} {}", say(cursor)?));
                if !cursor.symbol_if(',') {
                    break;
                }
            }
            cursor.symbol_if('>').then_some(())?;
            format!("row({})", fields.join(", "))
        }
        _ => word,
    })
}
