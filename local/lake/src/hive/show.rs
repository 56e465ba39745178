//! `SHOW …` and `DESCRIBE …`.

use super::cursor::Cursor;
use super::statement::{DescribeStyle, HiveStatement, TableName};
use super::token::Kind;
use crate::sql::SyntaxError;

pub(super) fn parse(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    if cursor.word_if("DATABASES") || cursor.word_if("SCHEMAS") {
        if cursor.word_if("IN") || cursor.word_if("FROM") {
            let catalog = cursor.name()?;
            cursor.catalog(catalog);
        }
        return Ok(HiveStatement::ShowDatabases { pattern: pattern(cursor)? });
    }
    if cursor.word_if("TABLES") {
        let database = within(cursor)?;
        return Ok(HiveStatement::ShowTables { database, pattern: pattern(cursor)? });
    }
    if cursor.word_if("VIEWS") {
        let database = within(cursor)?;
        return Ok(HiveStatement::ShowViews { database, pattern: pattern(cursor)? });
    }
    if cursor.word_if("COLUMNS") {
        if !(cursor.word_if("IN") || cursor.word_if("FROM")) {
            return Err(cursor.unexpected("'FROM', 'IN'"));
        }
        let table = cursor.table()?;
        let database = within(cursor)?.or(table.database);
        return Ok(HiveStatement::ShowColumns { name: TableName { database, name: table.name } });
    }
    if cursor.word_if("PARTITIONS") {
        let name = cursor.table()?;
        let partition = if cursor.word_if("PARTITION") { cursor.partition()? } else { Vec::new() };
        return Ok(HiveStatement::ShowPartitions { name, partition });
    }
    if cursor.words_if(&["CREATE", "TABLE"]) {
        return Ok(HiveStatement::ShowCreateTable { name: cursor.table()? });
    }
    if cursor.words_if(&["CREATE", "VIEW"]) {
        return Ok(HiveStatement::ShowCreateView { name: cursor.table()? });
    }
    if cursor.word_if("TBLPROPERTIES") {
        let name = cursor.table()?;
        let property = if cursor.symbol_if('(') {
            let property = cursor.text()?;
            cursor.symbol(')')?;
            Some(property)
        } else {
            None
        };
        return Ok(HiveStatement::ShowProperties { name, property });
    }
    Err(cursor.unexpected("'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'TBLPROPERTIES', 'VIEWS'"))
}

/// `{IN | FROM} [catalog.]database`
fn within(cursor: &mut Cursor) -> Result<Option<String>, SyntaxError> {
    if !(cursor.word_if("IN") || cursor.word_if("FROM")) {
        return Ok(None);
    }
    let name = cursor.name()?;
    if !cursor.symbol_if('.') {
        return Ok(Some(name));
    }
    cursor.catalog(name);
    cursor.name().map(Some)
}

fn pattern(cursor: &mut Cursor) -> Result<Option<String>, SyntaxError> {
    if cursor.word_if("LIKE") || matches!(cursor.peek().kind, Kind::Text(_)) {
        cursor.text().map(Some)
    } else {
        Ok(None)
    }
}

pub(super) fn describe(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    let style = if cursor.word_if("EXTENDED") {
        DescribeStyle::Extended
    } else if cursor.word_if("FORMATTED") {
        DescribeStyle::Formatted
    } else {
        DescribeStyle::Plain
    };
    // Source: user guide, security-athena-lake-formation-jdbc-okta-tutorial.md.
    cursor.double_quoted_names();
    let name = cursor.table()?;
    let partition = if cursor.word_if("PARTITION") { cursor.partition()? } else { Vec::new() };
    let column = match cursor.peek().kind {
        Kind::Word(_) | Kind::Quoted(_) => {
            let mut path = cursor.name()?;
            while cursor.symbol_if('.') {
                path = format!("{path}.{}", cursor.name()?);
            }
            Some(path)
        }
        _ => None,
    };
    Ok(HiveStatement::Describe { name, style, partition, column })
}
