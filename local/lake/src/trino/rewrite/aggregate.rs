//! Aggregates that are other aggregates, or a function of one.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, LambdaFunction,
    LambdaFunctionParameter, LambdaSyntax, NullTreatment, OneOrManyWithParens, OrderByExpr,
    OrderByOptions, Value,
};

use super::function::{case, lower_name, rename};
use super::window;
use crate::sql::Failure;
use crate::trino::ast::{call, function_name, number, plain_arguments, quoted, text};

/// The aggregates that are known by these rewrites alone.
pub(in crate::trino) const NAMES: [&str; 12] = [
    "any_value",
    "approx_percentile",
    "arbitrary",
    "bitwise_and_agg",
    "bitwise_or_agg",
    "bitwise_xor_agg",
    "count_if",
    "every",
    "geometric_mean",
    "listagg",
    "multimap_agg",
    "reduce_agg",
];

/// Whether a call is one of these.
pub(super) fn is_another(name: &str, arguments: &[Expr]) -> bool {
    match name {
        "max" | "min" => arguments.len() == 2,
        "approx_distinct" => (1..=2).contains(&arguments.len()),
        "max_by" | "min_by" => arguments.len() == 3,
        name => NAMES.contains(&name),
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
        ("approx_percentile", [value, rest @ .., share]) if rest.len() < 2 => {
            percentile(&function, value, rest.first(), share)
        }
        ("approx_distinct", [value, ..]) => {
            rename(&mut function, name, vec![call("$distinct_key", vec![value.clone()])]);
            Expr::Function(function)
        }
        ("bitwise_and_agg" | "bitwise_or_agg" | "bitwise_xor_agg", [value]) => {
            let native = match name {
                "bitwise_and_agg" => "bit_and",
                "bitwise_or_agg" => "bit_or",
                _ => "bit_xor",
            };
            let long = call("$cast", vec![value.clone(), text("bigint")]);
            rename(&mut function, native, vec![long]);
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
        ("reduce_agg" | "multimap_agg" | "max" | "min" | "max_by" | "min_by", [_, _, ..]) => {
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

/// `approx_percentile(value[, weight], share)`; of an array of shares an array.
fn percentile(function: &Function, value: &Expr, weight: Option<&Expr>, share: &Expr) -> Expr {
    if let Expr::Function(array) = share
        && function_name(array).as_deref() == Some("$array")
        && let Some(shares) = plain_arguments(array)
    {
        let each = shares.into_iter().map(|share| percentile(function, value, weight, share));
        return call("$array", each.collect());
    }
    let mut function = function.clone();
    function.within_group = vec![ordered(value)];
    match weight {
        None => rename(&mut function, "approx_percentile_cont", vec![share.clone()]),
        Some(weight) => {
            let arguments = vec![weight.clone(), share.clone()];
            rename(&mut function, "approx_percentile_cont_with_weight", arguments);
        }
    }
    Expr::Function(function)
}

/// Aggregates that are a function of all values in an array: `reduce_agg`, `multimap_agg`,
/// and the greatest or least several.
fn gathered(mut function: Function, name: &str, arguments: Vec<Expr>) -> Expr {
    let by_key = matches!(name, "max_by" | "min_by");
    let key = arguments.get(usize::from(by_key)).cloned();
    let mut arguments = arguments.into_iter();
    let (Some(first), Some(key)) = (arguments.next(), key) else {
        return Expr::Function(function);
    };
    let present = Expr::IsNotNull(Box::new(key.clone()));
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
        ("max_by" | "min_by", [_, count]) => {
            let rows = gather(function, call("row", vec![first, key]));
            let order = text(if name == "max_by" { "dl" } else { "al" });
            call("slice", vec![call("$in_order", vec![rows, order]), number(1), count.clone()])
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
