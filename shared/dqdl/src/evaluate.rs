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
        let one = |index: usize| {
            arguments.get(index).ok_or(format!("{self} needs more arguments"))?.evaluate(history)
        };
        let all = || -> Result<Vec<f64>, String> {
            let mut all = Vec::new();
            for argument in arguments {
                match argument.value(history)? {
                    Value::One(value) => all.push(value),
                    Value::Many(values) => all.extend(values),
                }
            }
            if all.is_empty() {
                Err(format!("{self}: the metric has no history yet"))
            } else {
                Ok(all)
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a history is short")]
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Ok(match function {
            "last" => {
                let count = if arguments.is_empty() { 1.0 } else { one(0)? };
                if count < 1.0 || count.fract() != 0.0 {
                    return Err(format!("{self}: last takes a whole number from 1 on"));
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it is whole and positive"
                )]
                let count = count as usize;
                Value::Many(history[history.len().saturating_sub(count)..].to_vec())
            }
            "index" => {
                let [list, place] = arguments else {
                    return Err(format!("{self}: index takes a list and a place"));
                };
                let Value::Many(values) = list.value(history)? else {
                    return Err(format!("{list} is no list"));
                };
                let place = place.evaluate(history)?;
                #[expect(clippy::cast_precision_loss, reason = "a history is short")]
                let found = values.iter().enumerate().find(|(index, _)| *index as f64 == place);
                Value::One(*found.ok_or(format!("{self}: the metric has no history there"))?.1)
            }
            "avg" | "average" | "mean" => Value::One(mean(&all()?)),
            "sum" | "add" => Value::One(all()?.iter().sum()),
            "multiply" => Value::One(all()?.iter().product()),
            "min" => Value::One(all()?.into_iter().fold(f64::INFINITY, f64::min)),
            "max" => Value::One(all()?.into_iter().fold(f64::NEG_INFINITY, f64::max)),
            "median" => {
                let mut values = all()?;
                values.sort_by(f64::total_cmp);
                let middle = values.len() / 2;
                let even = values.len().is_multiple_of(2);
                Value::One(if even {
                    f64::midpoint(values[middle - 1], values[middle])
                } else {
                    values[middle]
                })
            }
            "std" => {
                let values = all()?;
                let mean = mean(&values);
                #[expect(clippy::cast_precision_loss, reason = "a history is short")]
                let count = values.len() as f64;
                Value::One(
                    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt(),
                )
            }
            "abs" => Value::One(one(0)?.abs()),
            _ => return Err(format!("there is no function {function}")),
        })
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
