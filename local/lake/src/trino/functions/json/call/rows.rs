//! A path over the rows of a call.

use std::sync::Arc;

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::clauses::{Format, PathClauses};
use super::encoding::{Texts, check_input};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::cast::{OnFailure, cast_array, is_castable};
use crate::trino::functions::json::document::{Fractions, Json};
use crate::trino::functions::json::path::{
    Item, Path, Place, Value, Variable, check, evaluate, is_moment, parse,
};

/// Reads and checks a call's path and the types of its arguments: the input, and what is
/// passed.
pub(super) fn planned(clauses: &PathClauses, kinds: &[TrinoType]) -> Result<Path, Failure> {
    let (input, passed) = kinds
        .split_first()
        .ok_or_else(|| Failure::type_mismatch("a JSON function needs an input"))?;
    check_input(input, clauses.input)?;
    for (passed, kind) in clauses.passed.iter().zip(passed) {
        if passed.format == Format::Plain {
            passed_as(kind)?;
        } else {
            check_input(kind, passed.format)?;
        }
    }
    let path = parse(&clauses.path, Place { line: clauses.line, column: clauses.column })?;
    let names: Vec<String> = clauses.passed.iter().map(|passed| passed.name.clone()).collect();
    check(&path, &names)?;
    Ok(path)
}

/// The type a value goes into a path as.
fn passed_as(kind: &TrinoType) -> Result<TrinoType, Failure> {
    let text = TrinoType::Varchar(None);
    match kind {
        TrinoType::Unknown | TrinoType::Boolean | TrinoType::Varchar(_) | TrinoType::Char(_) => {
            Ok(kind.clone())
        }
        kind if kind.is_numeric() || is_moment(kind) => Ok(kind.clone()),
        kind if *kind != TrinoType::Json && is_castable(kind, &text) => Ok(text),
        kind => {
            Err(Failure::not_supported(format!("Unsupported type of JSON path parameter: {kind}")))
        }
    }
}

/// What a path finds in a row.
pub(super) enum Found<'a> {
    Null,
    Items(Vec<Item<'a>>),
    Failed(Failure),
}

/// What is passed under a name.
struct Column {
    name: String,
    values: Values,
}

enum Values {
    Json(Texts),
    Plain(datafusion::arrow::array::ArrayRef, TrinoType),
}

/// Evaluates a path in every row of a call and tells what is found.
pub(super) fn each(
    clauses: &PathClauses,
    arguments: &ScalarFunctionArgs,
    mut tell: impl FnMut(Found<'_>) -> Result<()>,
) -> Result<usize> {
    let kinds: Vec<TrinoType> =
        arguments.arg_fields[1..].iter().map(|field| TrinoType::of_field(field)).collect();
    let path = planned(clauses, &kinds)?;
    let scalar = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let rows = if scalar { 1 } else { arguments.number_rows };
    let input = Texts::new(arguments.args[1].to_array(rows)?, clauses.input);
    let columns = columns(clauses, &arguments.args[2..], &kinds[1..], rows)?;
    // An input that is the same for all rows is read once.
    let constant = match &arguments.args[1] {
        ColumnarValue::Scalar(_) if rows > 0 && !input.is_null(0) => Some(document(&input, 0)),
        _ => None,
    };
    for row in 0..rows {
        if input.is_null(row) {
            tell(Found::Null)?;
            continue;
        }
        let read;
        let document = if let Some(document) = &constant {
            document
        } else {
            read = document(&input, row);
            &read
        };
        let (document, variables) = match (document, variables(&columns, row)?) {
            (Ok(document), Ok(variables)) => (document, variables),
            (Err(failure), _) => {
                tell(Found::Failed(failure.clone()))?;
                continue;
            }
            (_, Err(failure)) => {
                tell(Found::Failed(failure))?;
                continue;
            }
        };
        tell(match evaluate(&path, document, &variables) {
            Ok(items) => Found::Items(items),
            Err(error) => Found::Failed(error.into()),
        })?;
    }
    Ok(rows)
}

/// The document of a row.
pub(super) fn document(texts: &Texts, row: usize) -> Result<Json, Failure> {
    texts
        .text(row)
        .and_then(|text| Json::read(&text, Fractions::Doubles))
        .ok_or_else(|| Failure::new("JSON_INPUT_CONVERSION_ERROR", "conversion to JSON failed: "))
}

fn columns(
    clauses: &PathClauses,
    values: &[ColumnarValue],
    kinds: &[TrinoType],
    rows: usize,
) -> Result<Vec<Column>> {
    let mut columns = Vec::with_capacity(values.len());
    for ((passed, value), kind) in clauses.passed.iter().zip(values).zip(kinds) {
        let array = value.to_array(rows)?;
        let values = if passed.format == Format::Plain {
            plain(array, kind)?
        } else {
            Values::Json(Texts::new(array, passed.format))
        };
        columns.push(Column { name: passed.name.clone(), values });
    }
    Ok(columns)
}

fn plain(array: datafusion::arrow::array::ArrayRef, kind: &TrinoType) -> Result<Values> {
    let to = passed_as(kind)?;
    let array = if to == *kind { array } else { cast_array(&array, kind, &to, OnFailure::Fail)? };
    Ok(Values::Plain(array, to))
}

/// The variables of a row.
fn variables(
    columns: &[Column],
    row: usize,
) -> Result<std::result::Result<Vec<(String, Variable)>, Failure>> {
    let mut variables = Vec::with_capacity(columns.len());
    for column in columns {
        let variable = match &column.values {
            Values::Json(texts) if texts.is_null(row) => Variable::Nothing,
            Values::Json(texts) => match document(texts, row) {
                Ok(json) => Variable::Json(json),
                Err(failure) => return Ok(Err(failure)),
            },
            Values::Plain(array, kind) => {
                let value = ScalarValue::try_from_array(array, row)?;
                Value::of_scalar(kind, &value).map_or(Variable::Json(Json::Null), Variable::Value)
            }
        };
        variables.push((column.name.clone(), variable));
    }
    Ok(Ok(variables))
}

/// One value for all rows where every argument is one.
pub(super) fn answer(
    array: datafusion::arrow::array::ArrayRef,
    arguments: &ScalarFunctionArgs,
) -> Result<ColumnarValue> {
    let scalar = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    Ok(if scalar {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
    } else {
        ColumnarValue::Array(Arc::clone(&array))
    })
}
