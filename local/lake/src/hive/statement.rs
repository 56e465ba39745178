//! The statements of Hive's DDL, and the production that chooses among them.

use super::cursor::Cursor;
use super::{alter, create, show};
use crate::sql::SyntaxError;

/// A table's name as written, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    pub database: Option<String>,
    pub name: String,
}

/// Partition keys with their values as text.
pub type PartitionSpec = Vec<(String, String)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HiveStatement {
    CreateDatabase {
        name: String,
        if_not_exists: bool,
        comment: Option<String>,
        location: Option<String>,
        properties: Vec<(String, String)>,
    },
    AlterDatabase {
        name: String,
        properties: Vec<(String, String)>,
    },
    DropDatabase {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    CreateTable(Box<CreateTable>),
    DropTable {
        name: TableName,
        if_exists: bool,
    },
    AlterTable {
        name: TableName,
        action: AlterAction,
    },
    Repair {
        name: TableName,
    },
    ShowDatabases {
        pattern: Option<String>,
    },
    ShowTables {
        database: Option<String>,
        pattern: Option<String>,
    },
    ShowViews {
        database: Option<String>,
        pattern: Option<String>,
    },
    ShowColumns {
        name: TableName,
    },
    ShowPartitions {
        name: TableName,
        partition: PartitionSpec,
    },
    ShowCreateTable {
        name: TableName,
    },
    ShowCreateView {
        name: TableName,
    },
    ShowProperties {
        name: TableName,
        property: Option<String>,
    },
    Describe {
        name: TableName,
        style: DescribeStyle,
        partition: PartitionSpec,
        column: Option<String>,
    },
    /// Any of these about another catalog.
    Elsewhere {
        catalog: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DescribeStyle {
    Plain,
    Extended,
    Formatted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    pub name: String,
    /// Hive's canonical type text: `decimal(10,2)`, `array<string>`.
    pub hive_type: String,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionField {
    /// `month string`
    Typed(ColumnDefinition),
    /// Iceberg: `month` or `day(ts)`, as written.
    Transform(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    /// `serde parameter` → value, such as `field.delim`.
    Delimited(Vec<(String, String)>),
    Serde {
        class: String,
        properties: Vec<(String, String)>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredAs {
    Format(String),
    Classes { input: String, output: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    pub name: TableName,
    pub external: bool,
    pub if_not_exists: bool,
    pub columns: Vec<ColumnDefinition>,
    pub comment: Option<String>,
    pub partitions: Vec<PartitionField>,
    pub bucketed_by: Vec<String>,
    pub buckets: Option<u64>,
    pub row_format: Option<RowFormat>,
    pub stored_as: Option<StoredAs>,
    pub location: Option<String>,
    pub properties: Vec<(String, String)>,
}

/// Where a changed column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnPlace {
    First,
    After(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlterAction {
    AddColumns { partition: PartitionSpec, columns: Vec<ColumnDefinition> },
    ReplaceColumns { partition: PartitionSpec, columns: Vec<ColumnDefinition> },
    ChangeColumn { from: String, to: ColumnDefinition, place: Option<ColumnPlace> },
    DropColumn { name: String },
    AddPartitions { if_not_exists: bool, partitions: Vec<(PartitionSpec, Option<String>)> },
    DropPartitions { if_exists: bool, partitions: Vec<PartitionSpec> },
    RenamePartition { from: PartitionSpec, to: PartitionSpec },
    SetLocation { partition: PartitionSpec, location: String },
    SetProperties { properties: Vec<(String, String)> },
    UnsetProperties { names: Vec<String> },
    RenameTable { to: TableName },
}

pub(super) fn parse(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    if cursor.word_if("CREATE") {
        return create::parse(cursor);
    }
    if cursor.word_if("ALTER") {
        return alter::parse(cursor);
    }
    if cursor.word_if("DROP") {
        return drop(cursor);
    }
    if cursor.words_if(&["MSCK", "REPAIR", "TABLE"]) {
        return Ok(HiveStatement::Repair { name: cursor.table()? });
    }
    if cursor.word_if("SHOW") {
        return show::parse(cursor);
    }
    if cursor.word_if("DESCRIBE") || cursor.word_if("DESC") {
        return show::describe(cursor);
    }
    Err(cursor.unexpected("'ALTER', 'CREATE', 'DESCRIBE', 'DROP', 'MSCK', 'SHOW'"))
}

fn drop(cursor: &mut Cursor) -> Result<HiveStatement, SyntaxError> {
    if cursor.word_if("TABLE") {
        let if_exists = cursor.words_if(&["IF", "EXISTS"]);
        return Ok(HiveStatement::DropTable { name: cursor.table()?, if_exists });
    }
    if cursor.word_if("DATABASE") || cursor.word_if("SCHEMA") {
        let if_exists = cursor.words_if(&["IF", "EXISTS"]);
        let name = cursor.name()?;
        let cascade = cursor.word_if("CASCADE");
        if !cascade {
            cursor.word_if("RESTRICT");
        }
        return Ok(HiveStatement::DropDatabase { name, if_exists, cascade });
    }
    Err(cursor.unexpected("'DATABASE', 'SCHEMA', 'TABLE', 'VIEW'"))
}
