//! What can go wrong with a statement: refused before it runs, or failed while running.

use std::fmt;

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

/// A statement Athena refuses at `StartQueryExecution` (`InvalidRequestException`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    pub message: String,
    /// Athena's own code beside the message: `MALFORMED_QUERY` or
    /// `INVALID_INPUT`.
    pub code: &'static str,
}

impl SyntaxError {
    /// `line` and `column` in Trino's count: from one.
    pub fn at(line: u64, column: u64, message: &str) -> Self {
        Self { message: format!("line {line}:{column}: {message}"), code: "MALFORMED_QUERY" }
    }

    pub fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: "MALFORMED_QUERY" }
    }

    /// The answer to statements Athena knows and does not run.
    pub fn unsupported() -> Self {
        Self::plain("Queries of this type are not supported")
    }
}

/// A failure inside a running query that has one of Trino's error names. It travels
/// through DataFusion as an external error and comes out as it went in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: &'static str,
    pub message: String,
}

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn not_supported(message: impl Into<String>) -> Self {
        Self::new("NOT_SUPPORTED", message)
    }

    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new("INVALID_FUNCTION_ARGUMENT", message)
    }

    pub fn cast(value: &str, target: &str) -> Self {
        Self::new(
            "INVALID_CAST_ARGUMENT",
            format!("Cannot cast '{value}' to {}", target.to_uppercase()),
        )
    }

    pub fn type_mismatch(message: impl Into<String>) -> Self {
        Self::new("TYPE_MISMATCH", message)
    }

    /// The one along the chain of an error's causes.
    pub fn within(error: &DataFusionError) -> Option<&Self> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(found) = cause {
            if let Some(failure) = found.downcast_ref::<Self>() {
                return Some(failure);
            }
            if let Some(DataFusionError::External(inner)) = found.downcast_ref::<DataFusionError>()
                && let Some(failure) = inner.downcast_ref::<Self>()
            {
                return Some(failure);
            }
            if let Some(DataFusionError::Collection(errors)) =
                found.downcast_ref::<DataFusionError>()
                && let Some(failure) = errors.iter().find_map(Self::within)
            {
                return Some(failure);
            }
            if let Some(datafusion::arrow::error::ArrowError::ExternalError(inner)) =
                found.downcast_ref::<datafusion::arrow::error::ArrowError>()
            {
                if let Some(failure) = inner.downcast_ref::<Self>() {
                    return Some(failure);
                }
                if let Some(inner) = inner.downcast_ref::<DataFusionError>() {
                    return Self::within(inner);
                }
            }
            cause = found.source();
        }
        None
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> Self {
        Self::External(Box::new(failure))
    }
}

impl From<Failure> for datafusion::arrow::error::ArrowError {
    fn from(failure: Failure) -> Self {
        Self::ExternalError(Box::new(failure))
    }
}

/// Athena's `ErrorCategory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCategory {
    System = 1,
    User = 2,
    Other = 3,
}

/// How a query ended that did not succeed. Displayed as its `StateChangeReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// `NAME: text`, NAME being Trino's or Hive connector's error name.
    Trino { code: String, message: String },
    /// Hive's own words, beginning with `FAILED: `.
    Hive { message: String },
    /// Stopped by its owner.
    Cancelled,
}

impl QueryError {
    pub fn trino(code: &str, message: impl Into<String>) -> Self {
        Self::Trino { code: code.to_owned(), message: message.into() }
    }

    pub fn hive(message: impl Into<String>) -> Self {
        Self::Hive { message: message.into() }
    }

    /// `FAILED: Execution Error, return code 1 …` around a metastore exception.
    pub fn ddl_task(exception: &str, message: impl fmt::Display) -> Self {
        Self::hive(format!(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. \
             {exception}(message:{message})"
        ))
    }

    pub fn hive_table_not_found(name: impl fmt::Display) -> Self {
        Self::hive(format!("FAILED: SemanticException [Error 10001]: Table not found {name}"))
    }

    /// Adds what Athena says after a failed CTAS, INSERT or UNLOAD.
    #[must_use]
    pub fn with_orphans(self, location: &str) -> Self {
        match self {
            Self::Trino { code, message } => Self::Trino {
                code,
                message: format!(
                    "{}. You may need to manually clean the data at location '{location}' \
                     before retrying. Athena will not delete data in your account.",
                    message.trim_end_matches('.')
                ),
            },
            other => other,
        }
    }

    pub fn category(&self) -> ErrorCategory {
        match self {
            Self::Trino { code, .. } if code.starts_with("GENERIC_INTERNAL") => {
                ErrorCategory::System
            }
            Self::Trino { .. } | Self::Hive { .. } | Self::Cancelled => ErrorCategory::User,
        }
    }

    /// Athena's `ErrorType` (user guide, error-reference.md).
    pub fn error_type(&self) -> u32 {
        let code = match self {
            Self::Cancelled => return 1011,
            Self::Hive { message } if message.contains("Table not found") => return 1110,
            Self::Hive { .. } => return 1003,
            Self::Trino { code, .. } => code.as_str(),
        };
        match code {
            "HIVE_BAD_DATA" | "HIVE_CURSOR_ERROR" | "HIVE_CANNOT_OPEN_SPLIT" => 1001,
            "HIVE_PARTITION_SCHEMA_MISMATCH" | "HIVE_INVALID_METADATA" => 1004,
            "SYNTAX_ERROR" => 1006,
            "INVALID_TABLE_PROPERTY" => 1103,
            "INVALID_FUNCTION_ARGUMENT" | "INVALID_CAST_ARGUMENT" => 1106,
            "VIEW_IS_STALE" | "INVALID_VIEW" => 1107,
            "TABLE_NOT_FOUND" => 1110,
            "NOT_SUPPORTED" => 1200,
            "SCHEMA_NOT_FOUND" | "CATALOG_NOT_FOUND" => 1300,
            "COLUMN_NOT_FOUND" => 1301,
            "FUNCTION_NOT_FOUND" => 1303,
            code if code.starts_with("GENERIC_INTERNAL") => 233,
            _ => 1009,
        }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trino { code, message } => write!(formatter, "{code}: {message}"),
            Self::Hive { message } => formatter.write_str(message),
            Self::Cancelled => formatter.write_str("Query cancelled by user"),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<Failure> for QueryError {
    fn from(failure: Failure) -> Self {
        Self::Trino { code: failure.code.to_owned(), message: failure.message }
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        if let Some(failure) = Failure::within(&error) {
            return failure.clone().into();
        }
        match error.find_root() {
            DataFusionError::SchemaError(schema, _) => from_schema(schema, &place_of(&error)),
            DataFusionError::Plan(message) => from_plan(message),
            DataFusionError::ArrowError(arrow, _) => from_arrow(arrow),
            DataFusionError::NotImplemented(message)
                if message.contains("Unsupported ast node in sqltorel: Lambda(") =>
            {
                Self::trino("FUNCTION_NOT_FOUND", "Unexpected parameters: a lambda expression")
            }
            DataFusionError::NotImplemented(message) => Self::trino("NOT_SUPPORTED", message),
            DataFusionError::ResourcesExhausted(message) => Self::trino(
                "EXCEEDED_LOCAL_MEMORY_LIMIT",
                format!("Query exceeded per-node memory limit: {message}"),
            ),
            DataFusionError::SQL(parser, _) => Self::trino("SYNTAX_ERROR", parser.to_string()),
            DataFusionError::Execution(message) => Self::trino("GENERIC_USER_ERROR", message),
            other => Self::trino("GENERIC_INTERNAL_ERROR", other.strip_backtrace()),
        }
    }
}

/// Where in its statement a planner's error is, as Trino begins a message with it; empty where that is not known.
fn place_of(error: &DataFusionError) -> String {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    span.map_or_else(String::new, |span| {
        format!("line {}:{}: ", span.start.line, span.start.column)
    })
}

/// `place` goes before the message.
fn from_schema(error: &SchemaError, place: &str) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, .. } => QueryError::trino(
            "COLUMN_NOT_FOUND",
            format!(
                "{place}Column '{}' cannot be resolved or requester is not authorized to access requested resources",
                field.flat_name()
            ),
        ),
        SchemaError::AmbiguousReference { field } => {
            let message = format!("{place}Column '{}' is ambiguous", field.name);
            QueryError::trino("AMBIGUOUS_NAME", message)
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            QueryError::trino("AMBIGUOUS_NAME", format!("Column '{name}' is ambiguous"))
        }
    }
}

/// A function's own refusal of its arguments, which DataFusion keeps as text alone.
fn refused_arguments(message: &str) -> Option<QueryError> {
    let (_, refusal) = message.split_once("user-defined coercion failed with: External error: ")?;
    let refusal = refusal.split(". No function matches the given name").next()?;
    let (code, message) = refusal.split_once(": ")?;
    let named = code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    named.then(|| QueryError::trino(code, message))
}

fn from_plan(message: &str) -> QueryError {
    if let Some(refused) = refused_arguments(message) {
        return refused;
    }
    if let Some(rest) = message.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or(rest);
        return QueryError::trino(
            "FUNCTION_NOT_FOUND",
            format!("Function '{name}' not registered"),
        );
    }
    if message.contains("must appear in the GROUP BY clause")
        || message.contains("could not be resolved from available columns")
        || message.contains("must be part of GROUP BY clause")
    {
        return QueryError::trino("EXPRESSION_NOT_AGGREGATE", message);
    }
    if message.contains("No field named") || message.contains("column '") {
        return QueryError::trino("COLUMN_NOT_FOUND", message);
    }
    QueryError::trino("TYPE_MISMATCH", message)
}

fn from_arrow(error: &datafusion::arrow::error::ArrowError) -> QueryError {
    use datafusion::arrow::error::ArrowError;
    match error {
        ArrowError::DivideByZero => QueryError::trino("DIVISION_BY_ZERO", "Division by zero"),
        ArrowError::ArithmeticOverflow(message) => {
            QueryError::trino("NUMERIC_VALUE_OUT_OF_RANGE", message)
        }
        ArrowError::CastError(message) => QueryError::trino("INVALID_CAST_ARGUMENT", message),
        other => QueryError::trino("GENERIC_INTERNAL_ERROR", other.to_string()),
    }
}
