//! Calls whose meaning is another expression.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    CaseWhen, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Interval, NullTreatment, OrderByExpr, OrderByOptions, Value, WindowFrameBound, WindowSpec,
    WindowType,
};

use crate::sql::Failure;
use crate::trino::ast::{call, function_name, plain_arguments, quoted, text, thunk};

/// Most arguments of a call, as the user guide says.
const ARGUMENTS: usize = 127;

pub(super) fn rewritten(mut function: Function) -> Result<Expr, Failure> {
    if let Some(WindowType::WindowSpec(window)) = &mut function.over {
        plain_bounds(window);
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
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("if", [condition, then]) => case(condition, then, None),
        ("if", [condition, then, otherwise]) => case(condition, then, Some(otherwise)),
        ("try", [body]) => call("try", vec![thunk(body.clone())]),
        ("regexp_replace", [_, _, Expr::Lambda(_)]) => call("$regexp_replace_by", arguments),
        ("map", []) => call("map", vec![call("$array", Vec::new()), call("$array", Vec::new())]),
        ("array_sort", [_, Expr::Lambda(_)]) => call("$array_sort_by", arguments),
        ("current_date", []) => call("$cast", vec![call("now", Vec::new()), text("date")]),
        ("current_timestamp" | "localtimestamp" | "current_time" | "localtime", _) => {
            current(&name, &arguments)?
        }
        ("current_user", []) => text("local"),
        ("count_if", [condition]) => {
            rename(&mut function, "count", vec![condition_count(condition)]);
            Expr::Function(function)
        }
        ("approx_percentile", [value, share]) => {
            function.within_group = vec![ordered(value)];
            rename(&mut function, "approx_percentile_cont", vec![share.clone()]);
            Expr::Function(function)
        }
        ("arbitrary" | "any_value", [value]) => {
            function.null_treatment = Some(NullTreatment::IgnoreNulls);
            rename(&mut function, "first_value", vec![value.clone()]);
            Expr::Function(function)
        }
        ("every", [_]) => {
            rename(&mut function, "bool_and", arguments);
            Expr::Function(function)
        }
        ("listagg", [value, separator]) => {
            let value = value.clone();
            rename(&mut function, "string_agg", vec![value, separator.clone()]);
            order_inside(&mut function);
            Expr::Function(function)
        }
        ("listagg", [value]) => {
            let value = value.clone();
            rename(&mut function, "string_agg", vec![value, text("")]);
            order_inside(&mut function);
            Expr::Function(function)
        }
        ("geometric_mean", [value]) => {
            let value = value.clone();
            rename(&mut function, "avg", vec![call("ln", vec![value])]);
            call("exp", vec![Expr::Function(function)])
        }
        _ => {
            lower_name(&mut function, &name);
            Expr::Function(function)
        }
    })
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

/// The bounds of a window's frame as numbers again: DataFusion takes no casts there.
pub(super) fn plain_bounds(window: &mut WindowSpec) {
    let Some(frame) = &mut window.window_frame else { return };
    for bound in [Some(&mut frame.start_bound), frame.end_bound.as_mut()].into_iter().flatten() {
        if let WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) =
            bound
        {
            match bound.as_mut() {
                Expr::Cast { expr: number, .. } if matches!(number.as_ref(), Expr::Value(_)) => {
                    let null = Expr::Value(Value::Null.into());
                    let number = std::mem::replace(number.as_mut(), null);
                    **bound = number;
                }
                Expr::Function(literal) => {
                    if let Some(interval) = plain_interval(literal) {
                        **bound = interval;
                    }
                }
                _ => {}
            }
        }
    }
}

/// The interval of one field that a literal's call was made of.
fn plain_interval(function: &Function) -> Option<Expr> {
    let name = function_name(function)?;
    let arguments = plain_arguments(function)?;
    let [amount, from, to] = arguments.as_slice() else { return None };
    let field = match from {
        Expr::Value(value) => value.value.clone().into_string()?,
        _ => return None,
    };
    if !name.starts_with("$interval_") || from != to {
        return None;
    }
    let field = match field.as_str() {
        "year" => DateTimeField::Year,
        "month" => DateTimeField::Month,
        "day" => DateTimeField::Day,
        "hour" => DateTimeField::Hour,
        "minute" => DateTimeField::Minute,
        _ => DateTimeField::Second,
    };
    Some(Expr::Interval(Interval {
        value: Box::new((*amount).clone()),
        leading_field: Some(field),
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

fn lower_name(function: &mut Function, name: &str) {
    function.name = vec![quoted(name)].into();
}

fn rename(function: &mut Function, name: &str, arguments: Vec<Expr>) {
    lower_name(function, name);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = arguments
            .into_iter()
            .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
            .collect();
    }
}

/// `WITHIN GROUP (ORDER BY …)` of an aggregate that DataFusion orders inside.
fn order_inside(function: &mut Function) {
    use datafusion::sql::sqlparser::ast::FunctionArgumentClause;
    let order = std::mem::take(&mut function.within_group);
    if let FunctionArguments::List(list) = &mut function.args
        && !order.is_empty()
    {
        list.clauses.push(FunctionArgumentClause::OrderBy(order));
    }
}

/// `CASE WHEN condition THEN TRUE END`: counted where the condition holds.
fn condition_count(condition: &Expr) -> Expr {
    case(condition, &Expr::Value(Value::Boolean(true).into()), None)
}

fn case(condition: &Expr, then: &Expr, otherwise: Option<&Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: condition.clone(), result: then.clone() }],
        else_result: otherwise.map(|expr| Box::new(expr.clone())),
    }
}

fn ordered(value: &Expr) -> OrderByExpr {
    OrderByExpr { expr: value.clone(), options: OrderByOptions::default(), with_fill: None }
}
