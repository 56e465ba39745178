//! Windows: bounds DataFusion reads, and aggregates it does not order there.

use datafusion::sql::sqlparser::ast::{
    DateTimeField, DuplicateTreatment, Expr, Function, FunctionArgumentClause, FunctionArguments,
    Interval, OrderByExpr, Value, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
};

use super::function::rename;
use crate::sql::Failure;
use crate::trino::ast::{call, function_name, number, plain_arguments, text};

/// Rows or groups no window has.
const FAR: u64 = 1 << 62;
/// From here on a bound is as good as none.
const FAR_AS_UNBOUNDED: u128 = 1 << 30;

/// The bounds of a window's frame as numbers again: DataFusion takes no casts there.
pub(super) fn plain_bounds(window: &mut WindowSpec) {
    let Some(frame) = &mut window.window_frame else { return };
    let mut fraction = false;
    for bound in [Some(&mut frame.start_bound), frame.end_bound.as_mut()].into_iter().flatten() {
        if let WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) =
            bound
        {
            if let Some(digits) = constant(bound) {
                fraction |= digits.contains(['.', 'e', 'E']);
                **bound = number(digits);
            } else if let Expr::Function(literal) = bound.as_ref()
                && let Some(interval) = plain_interval(literal)
            {
                **bound = interval;
            }
        }
    }
    if frame.units == WindowFrameUnits::Range {
        let backwards = turned(frame);
        if (fraction || backwards)
            && let [key, ..] = window.order_by.as_mut_slice()
        {
            // Whole keys at fractions of them: both as doubles.
            key.expr = call("$cast", vec![key.expr.clone(), text("double")]);
        }
    } else {
        near(frame);
    }
}

/// Refuses bounds that are another for each row.
pub(super) fn constant_bounds(window: &WindowSpec) -> Result<(), Failure> {
    let Some(frame) = &window.window_frame else { return Ok(()) };
    let varies = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) => {
            !matches!(bound.as_ref(), Expr::Value(_) | Expr::Interval(_))
        }
        _ => false,
    };
    if varies(&frame.start_bound) || frame.end_bound.as_ref().is_some_and(varies) {
        return Err(Failure::not_supported("window frame bounds that are not constants"));
    }
    Ok(())
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

/// The digits of a constant number.
fn constant(expr: &Expr) -> Option<String> {
    let literal = |expr: &Expr| match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(digits.clone()),
            Value::SingleQuotedString(digits) => Some(digits.trim().to_owned()),
            _ => None,
        },
        _ => None,
    };
    match expr {
        Expr::Value(value) if matches!(value.value, Value::Number(..)) => literal(expr),
        Expr::Cast { expr, .. } => literal(expr),
        Expr::Function(function) if function_name(function).as_deref() == Some("$literal") => {
            let digits = plain_arguments(function)?.first().and_then(|digits| literal(digits))?;
            digits.parse::<f64>().is_ok().then_some(digits)
        }
        _ => None,
    }
}

/// Whether bounds in values end before they begin; they become one beyond all values, where
/// a NULL alone has a frame: its peers.
fn turned(frame: &mut WindowFrame) -> bool {
    let distance = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) => {
            constant(bound)?.parse::<f64>().ok()
        }
        _ => None,
    };
    let Some(end) = &frame.end_bound else { return false };
    let Some((from, to)) = distance(&frame.start_bound).zip(distance(end)) else { return false };
    let backwards = is_backwards(&frame.start_bound, end, from < to, from > to);
    if backwards {
        let beyond = || Some(Box::new(number("1e300")));
        frame.start_bound = WindowFrameBound::Following(beyond());
        frame.end_bound = Some(WindowFrameBound::Following(beyond()));
    }
    backwards
}

/// Whether a frame's end comes before its start, whose distance is less or more than its.
fn is_backwards(from: &WindowFrameBound, to: &WindowFrameBound, less: bool, more: bool) -> bool {
    let is_following = |bound: &WindowFrameBound| matches!(bound, WindowFrameBound::Following(_));
    match (is_following(from), is_following(to)) {
        (true, true) => more,
        (false, false) => less,
        _ => false,
    }
}

/// Bounds in rows or groups: farther than any is as far as the farthest, and a frame that
/// ends before it begins is one beyond all rows.
fn near(frame: &mut WindowFrame) {
    let distance = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(Some(bound)) | WindowFrameBound::Following(Some(bound)) => {
            constant(bound)?.parse::<u128>().ok()
        }
        _ => None,
    };
    let is_following = |bound: &WindowFrameBound| matches!(bound, WindowFrameBound::Following(_));
    let far = || Some(Box::new(number(FAR)));
    for bound in [Some(&mut frame.start_bound), frame.end_bound.as_mut()].into_iter().flatten() {
        if distance(bound).is_some_and(|distance| distance > FAR_AS_UNBOUNDED) {
            *bound = if is_following(bound) {
                WindowFrameBound::Following(None)
            } else {
                WindowFrameBound::Preceding(None)
            };
        }
    }
    let Some(end) = &frame.end_bound else { return };
    let Some((from, to)) = distance(&frame.start_bound).zip(distance(end)) else { return };
    if is_backwards(&frame.start_bound, end, from < to, from > to) {
        frame.start_bound = WindowFrameBound::Following(far());
        frame.end_bound = Some(WindowFrameBound::Following(far()));
    }
}

/// Whether an aggregate over a window has what DataFusion refuses or forgets there.
pub(super) fn is_arranged(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else { return false };
    let ordered = !function.within_group.is_empty()
        || list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    function.over.is_some() && (ordered || distinct)
}

/// The values such an aggregate takes, as an array in their order: `array_agg(value ORDER BY
/// key) OVER w`.
pub(super) fn arranged(mut function: Function, value: Expr) -> Expr {
    let mut order = std::mem::take(&mut function.within_group);
    let mut distinct = false;
    if let FunctionArguments::List(list) = &mut function.args {
        distinct = list.duplicate_treatment.take() == Some(DuplicateTreatment::Distinct);
        for clause in std::mem::take(&mut list.clauses) {
            if let FunctionArgumentClause::OrderBy(keys) = clause {
                order.extend(keys);
            }
        }
    }
    let values = if order.is_empty() {
        rename(&mut function, "array_agg", vec![value]);
        Expr::Function(function)
    } else {
        let keys = order.iter().map(|key| key.expr.clone());
        let row = call("row", std::iter::once(value).chain(keys).collect());
        rename(&mut function, "array_agg", vec![row]);
        let spec: Vec<&str> = order.iter().map(direction).collect();
        call("$in_order", vec![Expr::Function(function), text(&spec.join(" "))])
    };
    if distinct { call("array_distinct", vec![values]) } else { values }
}

fn direction(key: &OrderByExpr) -> &'static str {
    match (key.options.asc != Some(false), key.options.nulls_first == Some(true)) {
        (true, true) => "af",
        (true, false) => "al",
        (false, true) => "df",
        (false, false) => "dl",
    }
}
