//! Aggregates that are other aggregates, or a function of one.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, LambdaFunction,
    LambdaFunctionParameter, LambdaSyntax, NullTreatment, OneOrManyWithParens, OrderByExpr,
    OrderByOptions, Value,
};

use super::function::{case, lower_name, rename};
use super::window;
use crate::sql::Failure;
use crate::trino::ast::{call, number, quoted, text};

/// Whether a call is one of these.
pub(super) fn is_another(name: &str, arguments: &[Expr]) -> bool {
    match name {
        "count_if" | "arbitrary" | "any_value" | "every" | "geometric_mean" => arguments.len() == 1,
        "approx_percentile" => arguments.len() == 2,
        "listagg" | "reduce_agg" | "multimap_agg" => true,
        "max" | "min" => arguments.len() > 1,
        _ => false,
    }
}

pub(super) fn rewritten(
    mut function: Function,
    name: &str,
    arguments: Vec<Expr>,
) -> Result<Expr, Failure> {
    Ok(match (name, arguments.as_slice()) {
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
        ("listagg", _) if function.within_group.is_empty() => {
            return Err(Failure::new("SYNTAX_ERROR", "mismatched input. Expecting: 'WITHIN'"));
        }
        ("listagg", [value, rest @ ..]) => {
            let separator = rest.first().cloned().unwrap_or_else(|| text(""));
            let listed = call("$listed", vec![value.clone()]);
            if window::is_arranged(&function) {
                return Ok(call("array_join", vec![window::arranged(function, listed), separator]));
            }
            // Distinct values are ordered by themselves, as they are written.
            let value = if is_distinct(&function) { value.clone() } else { listed };
            rename(&mut function, "string_agg", vec![value, separator]);
            order_inside(&mut function);
            Expr::Function(function)
        }
        ("reduce_agg" | "multimap_agg" | "max" | "min", [_, _, ..]) => {
            gathered(function, name, arguments)
        }
        ("geometric_mean", [value]) => {
            let value = value.clone();
            rename(&mut function, "avg", vec![call("ln", vec![value])]);
            call("exp", vec![Expr::Function(function)])
        }
        _ => {
            lower_name(&mut function, name);
            Expr::Function(function)
        }
    })
}

/// Aggregates that are a function of all values in an array: `reduce_agg`, `multimap_agg`,
/// and the greatest or least several.
fn gathered(mut function: Function, name: &str, arguments: Vec<Expr>) -> Expr {
    let mut arguments = arguments.into_iter();
    let Some(first) = arguments.next() else { return Expr::Function(function) };
    let present = Expr::IsNotNull(Box::new(first.clone()));
    let filter = match function.filter.take() {
        Some(filter) => Expr::BinaryOp {
            left: Box::new(Expr::Nested(filter)),
            op: BinaryOperator::And,
            right: Box::new(present),
        },
        None => present,
    };
    function.filter = Some(Box::new(filter));
    let rest: Vec<Expr> = arguments.collect();
    let gather = |mut function: Function, value: Expr| {
        rename(&mut function, "array_agg", vec![value]);
        Expr::Function(function)
    };
    match (name, rest.as_slice()) {
        ("reduce_agg", [initial, step, ..]) => {
            let state = LambdaFunctionParameter { name: quoted("state"), data_type: None };
            let last = Expr::Lambda(LambdaFunction {
                params: OneOrManyWithParens::One(state),
                body: Box::new(Expr::Identifier(quoted("state"))),
                syntax: LambdaSyntax::Arrow,
            });
            let values = gather(function, first);
            call("reduce", vec![values, initial.clone(), step.clone(), last])
        }
        ("multimap_agg", [value]) => {
            let pairs = gather(function, call("row", vec![first, value.clone()]));
            call("multimap_from_entries", vec![pairs])
        }
        (name, [count]) => {
            let sorted = call("array_sort", vec![gather(function, first)]);
            let sorted = if name == "max" { call("reverse", vec![sorted]) } else { sorted };
            call("slice", vec![sorted, number(1), count.clone()])
        }
        _ => {
            let all = std::iter::once(first).chain(rest.iter().cloned()).collect();
            rename(&mut function, name, all);
            Expr::Function(function)
        }
    }
}

fn is_distinct(function: &Function) -> bool {
    matches!(&function.args, FunctionArguments::List(list)
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
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

fn ordered(value: &Expr) -> OrderByExpr {
    OrderByExpr { expr: value.clone(), options: OrderByOptions::default(), with_fill: None }
}
