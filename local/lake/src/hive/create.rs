//! `CREATE DATABASE` and `CREATE [EXTERNAL] TABLE`.

use super::cursor::Cursor;
use super::statement::{
    ColumnDefinition, CreateTable, HiveStatement, PartitionField, RowFormat, StoredAs,
};
use super::token::Kind;
use super::types;
use crate::sql::SyntaxError;

pub(super) fn parse(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    if cursor.word_if("DATABASE") || cursor.word_if("SCHEMA") {
        return database(cursor);
    }
    let external = cursor.word_if("EXTERNAL");
    if cursor.word_if("TABLE") {
        return table(cursor, external);
    }
    Err(cursor.unexpected("'DATABASE', 'EXTERNAL', 'OR', 'SCHEMA', 'TABLE', 'VIEW'"))
}

fn database(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    let if_not_exists = cursor.words_if(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name()?;
    let (mut comment, mut location, mut properties) = (None, None, Vec::new());
    loop {
        if cursor.word_if("COMMENT") {
            comment = Some(cursor.text()?);
        } else if cursor.word_if("LOCATION") {
            location = Some(cursor.text()?);
        } else if cursor.words_if(&["WITH", "DBPROPERTIES"]) {
            properties = cursor.properties()?;
        } else {
            return Ok(HiveStatement::CreateDatabase {
                name,
                if_not_exists,
                comment,
                location,
                properties,
            });
        }
    }
}

fn table(cursor: &mut Cursor, external: bool) -> Result<HiveStatement, SyntaxError> {
    let if_not_exists = cursor.words_if(&["IF", "NOT", "EXISTS"]);
    let mut table = CreateTable {
        name: cursor.table()?,
        external,
        if_not_exists,
        columns: Vec::new(),
        comment: None,
        partitions: Vec::new(),
        bucketed_by: Vec::new(),
        buckets: None,
        row_format: None,
        stored_as: None,
        location: None,
        properties: Vec::new(),
    };
    if cursor.peek().kind == Kind::Symbol('(') {
        table.columns = cursor.list(column)?;
    }
    while clause(cursor, &mut table)? {}
    Ok(HiveStatement::CreateTable(Box::new(table)))
}

/// One clause after the columns; false when none follows.
fn clause(cursor: &mut Cursor, table: &mut CreateTable) -> Result<bool, SyntaxError> {
    if cursor.word_if("COMMENT") {
        table.comment = Some(cursor.text()?);
    } else if cursor.words_if(&["PARTITIONED", "BY"]) {
        table.partitions = cursor.list(partition_field)?;
    } else if cursor.words_if(&["CLUSTERED", "BY"]) {
        table.bucketed_by = cursor.list(Cursor::name)?;
        if cursor.words_if(&["SORTED", "BY"]) {
            cursor.list(|cursor| {
                let name = cursor.name()?;
                let _ = cursor.word_if("ASC") || cursor.word_if("DESC");
                Ok(name)
            })?;
        }
        cursor.word("INTO")?;
        table.buckets = Some(cursor.number()?);
        cursor.word("BUCKETS")?;
    } else if cursor.words_if(&["ROW", "FORMAT"]) {
        table.row_format = Some(row_format(cursor)?);
    } else if cursor.words_if(&["WITH", "SERDEPROPERTIES"]) {
        let given = cursor.properties()?;
        match &mut table.row_format {
            Some(RowFormat::Serde { properties, .. } | RowFormat::Delimited(properties)) => {
                properties.extend(given);
            }
            None => table.row_format = Some(RowFormat::Delimited(given)),
        }
    } else if cursor.words_if(&["STORED", "AS"]) {
        table.stored_as = Some(stored_as(cursor)?);
    } else if cursor.word_if("LOCATION") {
        table.location = Some(cursor.text()?);
    } else if cursor.word_if("TBLPROPERTIES") {
        table.properties = cursor.properties()?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// `name type [COMMENT 'text']`; Iceberg's `name: type` colon is not Athena's.
pub(super) fn column(cursor: &mut Cursor) -> Result<ColumnDefinition, SyntaxError> {
    let name = cursor.name()?;
    let hive_type = types::parse(cursor)?;
    let comment = if cursor.word_if("COMMENT") { Some(cursor.text()?) } else { None };
    Ok(ColumnDefinition { name, hive_type, comment })
}

fn partition_field(cursor: &mut Cursor) -> Result<PartitionField, SyntaxError> {
    let name = cursor.name()?;
    match &cursor.peek().kind {
        Kind::Symbol(',' | ')') => Ok(PartitionField::Transform(name)),
        Kind::Symbol('(') => {
            let arguments = cursor.list(|cursor| Ok(cursor.take().shown()))?;
            Ok(PartitionField::Transform(format!("{name}({})", arguments.join(", "))))
        }
        _ => {
            let hive_type = types::parse(cursor)?;
            let comment = if cursor.word_if("COMMENT") { Some(cursor.text()?) } else { None };
            Ok(PartitionField::Typed(ColumnDefinition { name, hive_type, comment }))
        }
    }
}

fn row_format(cursor: &mut Cursor) -> Result<RowFormat, SyntaxError> {
    if cursor.word_if("SERDE") {
        let class = cursor.text()?;
        let properties = if cursor.words_if(&["WITH", "SERDEPROPERTIES"]) {
            cursor.properties()?
        } else {
            Vec::new()
        };
        return Ok(RowFormat::Serde { class, properties });
    }
    cursor.word("DELIMITED")?;
    let mut properties = Vec::new();
    loop {
        if cursor.words_if(&["FIELDS", "TERMINATED", "BY"]) {
            let delimiter = cursor.text()?;
            properties.push(("field.delim".to_owned(), delimiter.clone()));
            properties.push(("serialization.format".to_owned(), delimiter));
            if cursor.words_if(&["ESCAPED", "BY"]) {
                properties.push(("escape.delim".to_owned(), cursor.text()?));
            }
        } else if cursor.words_if(&["ESCAPED", "BY"]) {
            properties.push(("escape.delim".to_owned(), cursor.text()?));
        } else if cursor.words_if(&["COLLECTION", "ITEMS", "TERMINATED", "BY"]) {
            properties.push(("collection.delim".to_owned(), cursor.text()?));
        } else if cursor.words_if(&["MAP", "KEYS", "TERMINATED", "BY"]) {
            properties.push(("mapkey.delim".to_owned(), cursor.text()?));
        } else if cursor.words_if(&["LINES", "TERMINATED", "BY"]) {
            properties.push(("line.delim".to_owned(), cursor.text()?));
        } else if cursor.words_if(&["NULL", "DEFINED", "AS"]) {
            properties.push(("serialization.null.format".to_owned(), cursor.text()?));
        } else {
            return Ok(RowFormat::Delimited(properties));
        }
    }
}

/// What `STORED AS` may name.
const FORMATS: [&str; 8] =
    ["SEQUENCEFILE", "TEXTFILE", "RCFILE", "ORC", "PARQUET", "AVRO", "ION", "JSONFILE"];

fn stored_as(cursor: &mut Cursor) -> Result<StoredAs, SyntaxError> {
    if cursor.word_if("INPUTFORMAT") {
        let input = cursor.text()?;
        cursor.word("OUTPUTFORMAT")?;
        return Ok(StoredAs::Classes { input, output: cursor.text()? });
    }
    for format in FORMATS {
        if cursor.word_if(format) {
            return Ok(StoredAs::Format(format.to_owned()));
        }
    }
    Err(cursor.unexpected(
        "'AVRO', 'INPUTFORMAT', 'ION', 'ORC', 'PARQUET', 'RCFILE', 'SEQUENCEFILE', 'TEXTFILE'",
    ))
}
