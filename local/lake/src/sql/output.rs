//! What a query is asked with and what it answers.

use datafusion::arrow::datatypes::{Field, Schema};

use super::{StatementKind, TrinoType};
use crate::S3Url;
use crate::store::Meter;

/// Where and as whom a query runs.
#[derive(Clone, Debug)]
pub struct QueryContext {
    /// The execution's id: names the result object and a CTAS's own folder.
    pub query_id: String,
    /// The database of unqualified names; `default` when absent.
    pub database: Option<String>,
    /// The catalog of unqualified names, any case; only `AwsDataCatalog` has data.
    pub catalog: String,
    /// The folder of the result objects.
    pub output_location: S3Url,
    /// `ExecutionParameters`: SQL literal texts for the `?` of the statement, in order.
    pub parameters: Vec<String>,
    /// Whether the workgroup forces its own location (a CTAS may not name another).
    pub enforced: bool,
    /// `BytesScannedCutoffPerQuery` of the workgroup.
    pub scan_limit: Option<u64>,
    /// Counts what the query takes from the store, however it ends.
    pub meter: Meter,
}

/// A column as `GetQueryResults` describes it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ColumnInfo {
    pub name: String,
    /// Athena's type name: `varchar`, `bigint`, `decimal` …
    pub type_name: String,
    pub precision: i32,
    pub scale: i32,
    /// Values of this type compare by case.
    pub case_sensitive: bool,
}

impl ColumnInfo {
    pub fn new(name: &str, kind: &TrinoType) -> Self {
        let (type_name, precision, scale) = kind.column_info();
        Self {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            precision,
            scale,
            case_sensitive: matches!(kind, TrinoType::Varchar(_) | TrinoType::Char(_)),
        }
    }

    pub fn of_field(field: &Field) -> Self {
        Self::new(field.name(), &TrinoType::of_field(field))
    }

    pub fn of_schema(schema: &Schema) -> Vec<Self> {
        schema.fields().iter().map(|field| Self::of_field(field)).collect()
    }

    /// A column of a `.txt` result.
    pub(crate) fn text(name: &str) -> Self {
        Self { type_name: "string".to_owned(), ..Self::new(name, &TrinoType::Varchar(None)) }
    }

    /// The one column of statements that write rows.
    pub(crate) fn rows() -> Vec<Self> {
        vec![Self::new("rows", &TrinoType::Bigint)]
    }
}

/// A finished query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryOutput {
    pub kind: StatementKind,
    pub columns: Vec<ColumnInfo>,
    /// The result object in full, `s3://…/<id>.csv`; of a CTAS the table's folder.
    pub output_location: String,
    /// The manifest of written files, where the statement writes any.
    pub manifest: Option<String>,
    /// Rows written by CTAS, INSERT and UNLOAD.
    pub update_count: Option<u64>,
    /// Rows of the result.
    pub rows: u64,
    /// Bytes read from tables, as they are stored.
    pub scanned_bytes: u64,
    /// Bytes of the files written.
    pub written_bytes: u64,
    pub planning_milliseconds: u64,
    pub execution_milliseconds: u64,
}

/// A `.txt` result: lines under columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextRows {
    pub columns: Vec<ColumnInfo>,
    pub lines: Vec<String>,
}

impl TextRows {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn one_column(name: &str, lines: Vec<String>) -> Self {
        Self { columns: vec![ColumnInfo::text(name)], lines }
    }
}
