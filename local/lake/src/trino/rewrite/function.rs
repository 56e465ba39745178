//! Calls whose meaning is another expression.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, WindowType,
};

use super::{aggregate, window};
use crate::sql::Failure;
use crate::trino::ast::{call, function_name, plain_arguments, quoted, text, thunk};

/// Most arguments of a call, as the user guide says.
const ARGUMENTS: usize = 127;

pub(super) fn rewritten(mut function: Function) -> Result<Expr, Failure> {
    if let Some(WindowType::WindowSpec(over)) = &mut function.over {
        window::plain_bounds(over);
        window::constant_bounds(over)?;
    }
    let Some(name) = function_name(&function) else {
        return Ok(Expr::Function(function));
    };
    let arguments: Option<Vec<Expr>> =
        plain_arguments(&function).map(|found| found.into_iter().cloned().collect());
    let count = arguments.as_ref().map_or(0, Vec::len);
    if count > ARGUMENTS && name != "$array" {
        return Err(Failure::new(
            "TOO_MANY_ARGUMENTS",
            format!("Too many arguments for function call {name}()"),
        ));
    }
    let arguments = arguments.unwrap_or_default();
    refuse_subqueries(&name, &arguments)?;
    if name == "array_agg" && window::is_arranged(&function) && count == 1 {
        return Ok(window::arranged(function, arguments[0].clone()));
    }
    if aggregate::is_another(&name, &arguments) {
        return aggregate::rewritten(function, &name, arguments);
    }
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("if", [condition, then]) => case(condition, then, None),
        ("if", [condition, then, otherwise]) => case(condition, then, Some(otherwise)),
        ("try", [body]) => call("try", vec![thunk(body.clone())]),
        ("regexp_replace", [_, _, Expr::Lambda(_)]) => call("$regexp_replace_by", arguments),
        ("map", []) => call("map", vec![call("$array", Vec::new()), call("$array", Vec::new())]),
        ("map", [keys, values]) if is_null(keys) || is_null(values) => call("$map", arguments),
        ("array_sort", [_, Expr::Lambda(_)]) => call("$array_sort_by", arguments),
        ("typeof", [Expr::Value(literal)]) if text_of(&literal.value).is_some() => {
            let length = text_of(&literal.value).map_or(0, |text| text.chars().count());
            text(&format!("varchar({length})"))
        }
        ("codepoint", [Expr::Value(literal)])
            if text_of(&literal.value).is_some_and(|text| text.chars().count() > 1) =>
        {
            return Err(Failure::new(
                "FUNCTION_NOT_FOUND",
                "Unexpected parameters for function codepoint. Expected: codepoint(varchar(1))",
            ));
        }
        ("normalize", [value]) => call("$normalize", vec![value.clone(), text("NFC")]),
        ("normalize", [value, Expr::Identifier(form)]) => {
            call("$normalize", vec![value.clone(), text(&form.value.to_uppercase())])
        }
        ("current_date", []) => call("$cast", vec![call("now", Vec::new()), text("date")]),
        ("current_timestamp" | "localtimestamp" | "current_time" | "localtime", _) => {
            current(&name, &arguments)?
        }
        ("current_user", []) => text("local"),
        _ => {
            lower_name(&mut function, &name);
            Expr::Function(function)
        }
    })
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) => Some(text),
        _ => None,
    }
}

/// `current_timestamp(p)` and its kin; without a precision they have milliseconds.
fn current(name: &str, arguments: &[Expr]) -> Result<Expr, Failure> {
    let precision = match arguments {
        [] => 3,
        [precision] => whole(precision).filter(|precision| *precision <= 12).ok_or_else(|| {
            Failure::new("TYPE_MISMATCH", format!("Invalid precision of {name}: {precision}"))
        })?,
        _ => return Err(Failure::new("SYNTAX_ERROR", format!("{name} takes a precision alone"))),
    };
    let now = call("now", Vec::new());
    let kind = match name {
        "current_timestamp" if precision == 3 => return Ok(now),
        "current_timestamp" => format!("timestamp({precision}) with time zone"),
        "localtimestamp" => format!("timestamp({precision})"),
        "current_time" => format!("time({precision}) with time zone"),
        _ => format!("time({precision})"),
    };
    Ok(call("$cast", vec![now, text(&kind)]))
}

/// A whole number as it is written, or as the rewriter left it.
fn whole(expr: &Expr) -> Option<u8> {
    match expr {
        Expr::Cast { expr, .. } => whole(expr),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn lower_name(function: &mut Function, name: &str) {
    function.name = vec![quoted(name)].into();
}

pub(super) fn rename(function: &mut Function, name: &str, arguments: Vec<Expr>) {
    lower_name(function, name);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = arguments
            .into_iter()
            .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
            .collect();
    }
}

pub(super) fn case(condition: &Expr, then: &Expr, otherwise: Option<&Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: condition.clone(), result: then.clone() }],
        else_result: otherwise.map(|expr| Box::new(expr.clone())),
    }
}

/// The defaults of `json_value` are no places for subqueries.
fn refuse_subqueries(name: &str, arguments: &[Expr]) -> Result<(), Failure> {
    if name == "$json_default" && arguments.iter().skip(2).any(has_subquery) {
        return Err(Failure::new(
            "UNSUPPORTED_SUBQUERY",
            "Subqueries are not supported in JSON_VALUE default expressions",
        ));
    }
    Ok(())
}

fn has_subquery(expr: &Expr) -> bool {
    use std::ops::ControlFlow;
    let found = datafusion::sql::sqlparser::ast::visit_expressions(expr, |expr| match expr {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
