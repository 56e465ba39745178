//! The functions Step Functions adds to `JSONata`, and the one it takes away.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use std::cell::Cell;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::convert;
use crate::digest;
use crate::host::Host;
use crate::random;

type Outcome = Result<JValue, EvaluatorError>;

/// Registers what the expression names; the evaluator starts empty each time.
pub(super) fn register(evaluator: &mut Evaluator, names: &[String], host: &dyn Host) {
    for name in names {
        let registered = match name.as_str() {
            "partition" => evaluator.register_fn("partition", partition),
            "range" => evaluator.register_fn("range", range),
            "hash" => evaluator.register_fn("hash", hash),
            "parse" => evaluator.register_fn("parse", parse),
            "uuid" => {
                let bits = Cell::new(random::Sequence::new(host.random()));
                evaluator.register_fn("uuid", move |_: &[JValue]| {
                    let mut sequence = bits.get();
                    let uuid = random::uuid(sequence.next(), sequence.next());
                    bits.set(sequence);
                    Ok(JValue::from(uuid))
                })
            }
            "random" => {
                let bits = Cell::new(random::Sequence::new(host.random()));
                evaluator.register_fn_override("random", move |args: &[JValue]| {
                    if let Some(seed) = args.first().and_then(JValue::as_f64) {
                        #[expect(clippy::cast_possible_truncation, reason = "as Java does")]
                        let seed = seed as i64;
                        return Ok(JValue::from(random::JavaRandom::new(seed).next_double()));
                    }
                    let mut sequence = bits.get();
                    let number = random::unit(sequence.next());
                    bits.set(sequence);
                    Ok(JValue::from(number))
                })
            }
            "eval" => evaluator.register_fn_override("eval", |_: &[JValue]| {
                Err(fail("T1006: Attempted to invoke a non-function"))
            }),
            "millis" => {
                let millis = host.now().as_millisecond();
                evaluator
                    .register_fn_override("millis", move |_: &[JValue]| Ok(JValue::from(millis)))
            }
            _ => Ok(()),
        };
        registered.expect("none of these names is a built-in that cannot be replaced");
    }
}

fn fail(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

fn argument<'a>(
    args: &'a [JValue],
    at: usize,
    function: &str,
) -> Result<&'a JValue, EvaluatorError> {
    args.get(at).ok_or_else(|| {
        fail(format!(
            "T0410: Argument {} of function \"{function}\" does not match function signature",
            at + 1
        ))
    })
}

fn number(args: &[JValue], at: usize, function: &str) -> Result<f64, EvaluatorError> {
    argument(args, at, function)?.as_f64().ok_or_else(|| {
        fail(format!(
            "T0410: Argument {} of function \"{function}\" does not match function signature",
            at + 1
        ))
    })
}

/// `$partition(array, size)`: the array in chunks.
fn partition(args: &[JValue]) -> Outcome {
    let array = argument(args, 0, "partition")?;
    let size = number(args, 1, "partition")?.floor();
    if size < 1.0 {
        return Err(fail("D3137: chunk size must be positive"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be positive; anything above an array's length is one chunk"
    )]
    let size = size as usize;
    let items = match array.as_array() {
        Some(items) => items.clone(),
        None => vec![array.clone()],
    };
    let chunks = items.chunks(size).map(|chunk| JValue::array(chunk.to_vec()));
    Ok(JValue::array(chunks.collect()))
}

/// `$range(first, last, step)`: both ends included, at most 1,000 numbers.
fn range(args: &[JValue]) -> Outcome {
    let (first, last) = (number(args, 0, "range")?, number(args, 1, "range")?);
    let step = number(args, 2, "range")?;
    if step == 0.0 {
        return Err(fail("D3137: range step must not be zero"));
    }
    let mut numbers = Vec::new();
    let mut next = first;
    while (step > 0.0 && next <= last) || (step < 0.0 && next >= last) {
        numbers.push(JValue::from(next));
        if numbers.len() > crate::intrinsic::MAX_RANGE {
            return Err(fail("D2014: range exceeds 1000 items"));
        }
        next += step;
    }
    // A sequence, so that one number alone is not an array: recorded case
    // intrinsic_jsonata/array_jsonata.test_array_range.exec_hist_resp_2.
    Ok(JValue::sequence(numbers).unwrap_sequence())
}

/// `$hash(text, algorithm)`
fn hash(args: &[JValue]) -> Outcome {
    let text = argument(args, 0, "hash")?;
    let algorithm = argument(args, 1, "hash")?.as_str().unwrap_or_default();
    let text = match text.as_str() {
        Some(text) => text.to_owned(),
        None => convert::to_json(text).unwrap_or_default().to_string(),
    };
    digest::hex(algorithm, text.as_bytes())
        .map(JValue::from)
        .ok_or_else(|| fail(format!("D3137: unknown hash algorithm {algorithm}")))
}

/// `$parse(text)`: JSON text to a value, since `$eval` is not there.
fn parse(args: &[JValue]) -> Outcome {
    let text = argument(args, 0, "parse")?.as_str().unwrap_or_default();
    serde_json::from_str(text)
        .map(|value: serde_json::Value| convert::of(&value))
        .map_err(|error| fail(format!("D3137: invalid JSON: {error}")))
}
