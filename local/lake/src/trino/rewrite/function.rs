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
        ("current_timestamp", _) => call("now", Vec::new()),
        ("localtimestamp", _) => call("$cast", vec![call("now", Vec::new()), text("timestamp(3)")]),
        ("current_timezone", []) => text("UTC"),
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
