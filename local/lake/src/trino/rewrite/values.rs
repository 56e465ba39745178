//! `VALUES` whose columns have times or texts of several types.

use datafusion::sql::sqlparser::ast::{Expr, Query, SetExpr, Value};

use crate::sql::TrinoType;
use crate::trino::ast::{call, function_name, plain_arguments, text};
use crate::trino::functions::{common, literal_type};

/// Makes literals and casts of one column one type, as DataFusion asks for one before types are known.
pub(super) fn one_type(query: &mut Query) {
    let SetExpr::Values(values) = query.body.as_mut() else { return };
    let columns = values.rows.first().map_or(0, |row| row.len());
    for column in 0..columns {
        let mut kinds: Vec<TrinoType> = Vec::new();
        for row in &values.rows {
            let Some(cell) = row.get(column).filter(|cell| !is_null(cell)) else { continue };
            let Some(kind) = kind_of(cell) else {
                kinds.clear();
                break;
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if kinds.len() < 2 || !kinds.iter().any(|kind| kind.holds_time() || is_limited(kind)) {
            continue;
        }
        let Some(common) = common(&kinds) else { continue };
        for row in &mut values.rows {
            let Some(cell) = row.get_mut(column).filter(|cell| !is_null(cell)) else { continue };
            let value = std::mem::replace(cell, Expr::Value(Value::Null.into()));
            *cell = call("$cast", vec![value, text(&common.to_string())]);
        }
    }
}

fn is_null(cell: &Expr) -> bool {
    matches!(cell, Expr::Value(value) if value.value == Value::Null)
}

/// Whether it is told from other texts by its length.
fn is_limited(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Varchar(Some(_)) | TrinoType::Char(_))
}

/// The type of a literal or a cast.
fn kind_of(cell: &Expr) -> Option<TrinoType> {
    if let Expr::Value(value) = cell
        && matches!(value.value, Value::SingleQuotedString(_))
    {
        return Some(TrinoType::Varchar(None));
    }
    let Expr::Function(function) = cell else { return None };
    let name = function_name(function)?;
    let arguments = plain_arguments(function)?;
    let word = |at: usize| match arguments.get(at)? {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    };
    match name.as_str() {
        "$literal" => literal_type(&word(1)?, &word(0)?),
        "$cast" | "$try_cast" => TrinoType::parse(&word(1)?),
        _ => None,
    }
}
