//! Rows with typed columns.

use aws_sdk_athena::types::ColumnInfo;

/// All rows of a result; the header row is not one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryResult {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    pub bytes_scanned: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Athena's name of the type.
    pub athena_type: String,
}

impl From<ColumnInfo> for Column {
    fn from(info: ColumnInfo) -> Self {
        Self { name: info.name, athena_type: info.r#type }
    }
}

/// The result is not that of the query it is said to be.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResultError {
    #[error("expected a column {column} in the result, found {found}")]
    NoColumn { column: String, found: String },
    #[error(
        "the statement does not measure {column}, which the rules ask for: another version of them has written it"
    )]
    OtherRules { column: String },
    #[error("column {column} of the result is {athena_type}: expected a number, found {found:?}")]
    NoNumber { column: String, athena_type: String, found: Option<String> },
}

impl QueryResult {
    /// The values of the first column, without blanks around; SHOW TABLES has one column.
    pub fn first_column(&self) -> Vec<&str> {
        let cells = self.rows.iter().filter_map(|row| row.first()?.as_deref());
        cells.map(str::trim).collect()
    }

    /// The place of the column `name`.
    pub fn column(&self, name: &str) -> Result<usize, ResultError> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let found: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
            ResultError::NoColumn { column: name.to_owned(), found: found.join(", ") }
        })
    }

    pub fn text(&self, row: usize, column: usize) -> Option<&str> {
        self.rows[row].get(column)?.as_deref()
    }

    /// A count; NULL, the sum of no rows, is 0.
    pub fn count(&self, row: usize, column: usize) -> Result<u64, ResultError> {
        let text = self.text(row, column);
        text.unwrap_or("0").parse().map_err(|_| self.no_number(row, column))
    }

    /// A number; none for NULL.
    pub fn number(&self, row: usize, column: usize) -> Result<Option<f64>, ResultError> {
        let number = self.text(row, column).map(str::parse).transpose();
        number.map_err(|_| self.no_number(row, column))
    }

    fn no_number(&self, row: usize, column: usize) -> ResultError {
        ResultError::NoNumber {
            column: self.columns[column].name.clone(),
            athena_type: self.columns[column].athena_type.clone(),
            found: self.text(row, column).map(str::to_owned),
        }
    }
}
