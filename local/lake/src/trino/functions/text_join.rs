//! Texts joined: `concat_ws`, and what `listagg` takes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, unexpected};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("concat_ws", concat_ws_types, concat_ws),
    Function::new("$listed", listed_types, |call| call.array(0)),
];

/// What `listagg` takes: texts alone.
fn listed_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Unknown] => {
            Ok(Plan::new(vec![TEXT], TEXT))
        }
        [kind] => Err(Failure::type_mismatch(format!(
            "Expected expression of varchar, but the argument of listagg has {kind} type"
        ))),
        _ => Err(unexpected("listagg", given, "listagg(varchar, varchar)")),
    }
}

fn concat_ws_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let refused = || {
        unexpected(
            "concat_ws",
            given,
            "concat_ws(varchar, varchar, ...), concat_ws(varchar, array(varchar))",
        )
    };
    let is_text = |kind: &TrinoType| {
        matches!(kind, TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Unknown)
    };
    match given {
        [_] => Err(Failure::invalid_argument("There must be two or more arguments")),
        [separator, TrinoType::Array(item)] if is_text(separator) && is_text(item) => {
            Ok(Plan::new(vec![TEXT, TrinoType::Array(Box::new(TEXT))], TEXT))
        }
        [separator, rest @ ..]
            if is_text(separator) && !rest.is_empty() && rest.iter().all(is_text) =>
        {
            Ok(Plan::new(vec![TEXT; given.len()], TEXT))
        }
        _ => Err(refused()),
    }
}

/// NULL parts are passed over; a NULL separator is NULL.
fn concat_ws(call: &Call) -> Result<ArrayRef> {
    let separators = call.texts(0)?;
    let arrays = call.arrays()?;
    let mut found = StringBuilder::new();
    for row in 0..call.rows {
        let nothing = separators.is_null(row)
            || (matches!(call.kind(1), TrinoType::Array(_)) && arrays[1].is_null(row));
        if nothing {
            found.append_null();
            continue;
        }
        let separator = separators.value(row);
        let parts: Vec<String> = if matches!(call.kind(1), TrinoType::Array(_)) {
            let items = arrays[1].as_list::<i32>().value(row);
            items.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
        } else {
            arrays[1..]
                .iter()
                .filter(|array| array.is_valid(row))
                .map(|array| array.as_string::<i32>().value(row).to_owned())
                .collect()
        };
        found.append_value(parts.join(separator));
    }
    Ok(Arc::new(found.finish()))
}
