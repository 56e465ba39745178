//! Comparing a metric: with plain numbers, with arithmetic, and with what the metric was before.

use crate::condition::{Comparison, Operator};
use crate::number::Number;

/// One number or several: what `last` answers.
enum Value {
    One(f64),
    Many(Vec<f64>),
}

impl Number {
    /// Its value, with the metric's earlier values, the oldest first.
    ///
    /// # Errors
    /// When it is not one number: too little history, an unknown function, `NULL`.
    pub fn evaluate(&self, history: &[f64]) -> Result<f64, String> {
        match self.value(history)? {
            Value::One(value) => Ok(value),
            Value::Many(values) => match values[..] {
                [value] => Ok(value),
                [] => Err(format!("{self}: the metric has no history yet")),
                _ => Err(format!("{self} is {} numbers, and one is asked for", values.len())),
            },
        }
    }

    fn value(&self, history: &[f64]) -> Result<Value, String> {
        Ok(match self {
            Self::Literal(text) => {
                Value::One(text.parse().map_err(|_| format!("{text} is no number"))?)
            }
            Self::Null => return Err("NULL is no number".to_owned()),
            Self::Group(inner) => return inner.value(history),
            Self::Arithmetic { left, operator, right } => {
                let (left, right) = (left.evaluate(history)?, right.evaluate(history)?);
                Value::One(match operator {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    _ => left / right,
                })
            }
            Self::Call { function, arguments } => return self.call(function, arguments, history),
        })
    }

    fn call(&self, function: &str, arguments: &[Self], history: &[f64]) -> Result<Value, String> {
        match function {
            "last" => return self.last(arguments, history),
            "index" => return self.index(arguments, history),
            _ => {}
        }
        let mut values = Vec::new();
        for argument in arguments {
            match argument.value(history)? {
                Value::One(value) => values.push(value),
                Value::Many(many) => values.extend(many),
            }
        }
        if values.is_empty() {
            return Err(format!("{self}: the metric has no history yet"));
        }
        Ok(Value::One(match function {
            "avg" | "average" | "mean" => mean(&values),
            "sum" | "add" => values.iter().sum(),
            "multiply" => values.iter().product(),
            "min" => values.into_iter().fold(f64::INFINITY, f64::min),
            "max" => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
            "median" => median(values),
            "std" => deviation(&values),
            "abs" if values.len() == 1 => values[0].abs(),
            "abs" => return Err(format!("{self}: abs takes one number")),
            _ => return Err(format!("there is no function {function}")),
        }))
    }

    /// `last(3)`: the latest values, the oldest first; `last()` is `last(1)`.
    fn last(&self, arguments: &[Self], history: &[f64]) -> Result<Value, String> {
        let count = match arguments {
            [] => 1.0,
            [count] => count.evaluate(history)?,
            _ => return Err(format!("{self}: last takes one number")),
        };
        if count < 1.0 || count.fract() != 0.0 {
            return Err(format!("{self}: last takes a whole number from 1 on"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole and positive"
        )]
        let count = count as usize;
        Ok(Value::Many(history[history.len().saturating_sub(count)..].to_vec()))
    }

    /// `index(last(3), 0)`.
    fn index(&self, arguments: &[Self], history: &[f64]) -> Result<Value, String> {
        let [list, place] = arguments else {
            return Err(format!("{self}: index takes a list and a place"));
        };
        let Value::Many(values) = list.value(history)? else {
            return Err(format!("{list} is no list"));
        };
        let place = place.evaluate(history)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no place is none of the list's"
        )]
        let found =
            (place >= 0.0 && place.fract() == 0.0).then(|| values.get(place as usize)).flatten();
        found
            .map(|value| Value::One(*value))
            .ok_or_else(|| format!("{self}: the metric has no history there"))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a history is short")]
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of all there is.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    self::mean(&squares).sqrt()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

impl Comparison<Number> {
    /// Whether `value` satisfies it.
    ///
    /// # Errors
    /// When an operand cannot be evaluated.
    pub fn holds(&self, value: f64, history: &[f64]) -> Result<bool, String> {
        let operands: Vec<f64> = self
            .operands
            .iter()
            .map(|operand| operand.evaluate(history))
            .collect::<Result<_, _>>()?;
        Ok(holds(self.operator, value, &operands))
    }
}

/// Whether `value` satisfies the operator. `between` excludes its ends, so `not between` includes them.
#[expect(clippy::float_cmp, reason = "equality is what the rule asks for")]
pub fn holds(operator: Operator, value: f64, operands: &[f64]) -> bool {
    let first = operands.first().copied().unwrap_or(f64::NAN);
    let last = operands.last().copied().unwrap_or(f64::NAN);
    match operator {
        Operator::Between => value > first && value < last,
        Operator::NotBetween => value <= first || value >= last,
        Operator::Greater => value > first,
        Operator::GreaterOrEqual => value >= first,
        Operator::Less => value < first,
        Operator::LessOrEqual => value <= first,
        Operator::Equal => value == first,
        Operator::NotEqual => value != first,
        Operator::In => operands.contains(&value),
        Operator::NotIn => !operands.contains(&value),
        Operator::Matches | Operator::NotMatches => false,
    }
}
