//! `ALTER DATABASE` and `ALTER TABLE`.

use super::create::column;
use super::cursor::Cursor;
use super::statement::{AlterAction, ColumnPlace, HiveStatement};
use super::token::Kind;
use crate::sql::SyntaxError;

pub(super) fn parse(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    if cursor.word_if("DATABASE") || cursor.word_if("SCHEMA") {
        let name = cursor.name()?;
        cursor.word("SET")?;
        cursor.word("DBPROPERTIES")?;
        return Ok(HiveStatement::AlterDatabase { name, properties: cursor.properties()? });
    }
    cursor.word("TABLE")?;
    let name = cursor.table()?;
    let partition = if cursor.is(&["PARTITION"]) {
        cursor.word("PARTITION")?;
        cursor.partition()?
    } else {
        Vec::new()
    };
    let action = if partition.is_empty() {
        table_action(cursor)?
    } else if cursor.words_if(&["RENAME", "TO", "PARTITION"]) {
        AlterAction::RenamePartition { from: partition, to: cursor.partition()? }
    } else if cursor.words_if(&["SET", "LOCATION"]) {
        AlterAction::SetLocation { partition, location: cursor.text()? }
    } else if cursor.words_if(&["ADD", "COLUMNS"]) {
        AlterAction::AddColumns { partition, columns: cursor.list(column)? }
    } else if cursor.words_if(&["REPLACE", "COLUMNS"]) {
        AlterAction::ReplaceColumns { partition, columns: cursor.list(column)? }
    } else {
        return Err(cursor.unexpected("'ADD', 'RENAME', 'REPLACE', 'SET'"));
    };
    Ok(HiveStatement::AlterTable { name, action })
}

fn table_action(cursor: &mut Cursor) -> Result<AlterAction, SyntaxError> {
    if cursor.words_if(&["ADD", "COLUMNS"]) {
        return Ok(AlterAction::AddColumns {
            partition: Vec::new(),
            columns: cursor.list(column)?,
        });
    }
    if cursor.words_if(&["REPLACE", "COLUMNS"]) {
        return Ok(AlterAction::ReplaceColumns {
            partition: Vec::new(),
            columns: cursor.list(column)?,
        });
    }
    if cursor.word_if("ADD") {
        return add_partitions(cursor);
    }
    if cursor.words_if(&["DROP", "COLUMN"]) {
        return Ok(AlterAction::DropColumn { name: cursor.name()? });
    }
    if cursor.word_if("DROP") {
        return drop_partitions(cursor);
    }
    if cursor.words_if(&["SET", "LOCATION"]) {
        return Ok(AlterAction::SetLocation { partition: Vec::new(), location: cursor.text()? });
    }
    if cursor.words_if(&["SET", "TBLPROPERTIES"]) {
        return Ok(AlterAction::SetProperties { properties: cursor.properties()? });
    }
    if cursor.words_if(&["UNSET", "TBLPROPERTIES"]) {
        return Ok(AlterAction::UnsetProperties { names: cursor.list(Cursor::text)? });
    }
    if cursor.words_if(&["CHANGE", "COLUMN"]) || cursor.word_if("CHANGE") {
        let (from, to) = (cursor.name()?, column(cursor)?);
        let place = if cursor.word_if("FIRST") {
            Some(ColumnPlace::First)
        } else if cursor.word_if("AFTER") {
            Some(ColumnPlace::After(cursor.name()?))
        } else {
            None
        };
        return Ok(AlterAction::ChangeColumn { from, to, place });
    }
    if cursor.words_if(&["RENAME", "TO"]) {
        return Ok(AlterAction::RenameTable { to: cursor.table()? });
    }
    Err(cursor
        .unexpected("'ADD', 'CHANGE', 'DROP', 'PARTITION', 'RENAME', 'REPLACE', 'SET', 'UNSET'"))
}

fn add_partitions(cursor: &mut Cursor) -> Result<AlterAction, SyntaxError> {
    let if_not_exists = cursor.words_if(&["IF", "NOT", "EXISTS"]);
    let mut partitions = Vec::new();
    cursor.word("PARTITION")?;
    loop {
        let partition = cursor.partition()?;
        let location = if cursor.word_if("LOCATION") { Some(cursor.text()?) } else { None };
        partitions.push((partition, location));
        cursor.symbol_if(',');
        if !cursor.word_if("PARTITION") {
            return Ok(AlterAction::AddPartitions { if_not_exists, partitions });
        }
    }
}

fn drop_partitions(cursor: &mut Cursor) -> Result<AlterAction, SyntaxError> {
    let if_exists = cursor.words_if(&["IF", "EXISTS"]);
    let mut partitions = Vec::new();
    loop {
        cursor.word("PARTITION")?;
        partitions.push(cursor.partition()?);
        if cursor.peek().kind != Kind::Symbol(',') {
            return Ok(AlterAction::DropPartitions { if_exists, partitions });
        }
        cursor.symbol(',')?;
    }
}
