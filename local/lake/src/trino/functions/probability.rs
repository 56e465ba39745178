//! Distributions: normal, beta, Student's t, and Wilson's interval.
#![expect(clippy::cast_precision_loss, reason = "counts of trials become doubles in Trino too")]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::common::Result;
use libm::{erfc, lgamma};

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const DOUBLE: TrinoType = TrinoType::Double;
const LONG: TrinoType = TrinoType::Bigint;

macro_rules! of_three {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[DOUBLE, DOUBLE, DOUBLE], DOUBLE),
            |call| three(call, $body),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_three!("normal_cdf", normal_cdf),
    of_three!("inverse_normal_cdf", inverse_normal_cdf),
    of_three!("beta_cdf", beta_cdf),
    of_three!("inverse_beta_cdf", inverse_beta_cdf),
    Function::new(
        "t_cdf",
        |given| exactly("t_cdf", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| two(call, t_cdf),
    ),
    Function::new(
        "t_pdf",
        |given| exactly("t_pdf", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| two(call, t_pdf),
    ),
    Function::new(
        "wilson_interval_lower",
        |given| exactly("wilson_interval_lower", given, &[LONG, LONG, DOUBLE], DOUBLE),
        |call| wilson(call, -1.0),
    ),
    Function::new(
        "wilson_interval_upper",
        |given| exactly("wilson_interval_upper", given, &[LONG, LONG, DOUBLE], DOUBLE),
        |call| wilson(call, 1.0),
    ),
];

fn three(call: &Call, body: fn(f64, f64, f64) -> Result<f64, Failure>) -> Result<ArrayRef> {
    let (first, second, third) = (call.doubles(0)?, call.doubles(1)?, call.doubles(2)?);
    let found = first
        .iter()
        .zip(&second)
        .zip(&third)
        .map(|((first, second), third)| match (first, second, third) {
            (Some(first), Some(second), Some(third)) => body(first, second, third).map(Some),
            _ => Ok(None),
        })
        .collect::<Result<Float64Array, Failure>>()?;
    Ok(Arc::new(found))
}

fn two(call: &Call, body: fn(f64, f64) -> Result<f64, Failure>) -> Result<ArrayRef> {
    let (first, second) = (call.doubles(0)?, call.doubles(1)?);
    let found = first
        .iter()
        .zip(&second)
        .map(|(first, second)| first.zip(second).map(|(a, b)| body(a, b)).transpose())
        .collect::<Result<Float64Array, Failure>>()?;
    Ok(Arc::new(found))
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::invalid_argument(otherwise)) }
}

fn normal_cdf(mean: f64, deviation: f64, value: f64) -> Result<f64, Failure> {
    check(deviation > 0.0, "standardDeviation must be > 0")?;
    Ok(0.5 * erfc((mean - value) / (deviation * std::f64::consts::SQRT_2)))
}

fn inverse_normal_cdf(mean: f64, deviation: f64, share: f64) -> Result<f64, Failure> {
    check(share > 0.0 && share < 1.0, "p must be 0 > p > 1")?;
    check(deviation > 0.0, "sd must be > 0")?;
    // The upper half by the lower one, whose shares are exact where they are small.
    let lower = |share: f64| {
        solved(-40.0, 0.0, share, |value| 0.5 * erfc(-value / std::f64::consts::SQRT_2))
    };
    let value = if share <= 0.5 { lower(share) } else { -lower(1.0 - share) };
    Ok(mean + deviation * value)
}

/// Where a growing function reaches a share, by halving to the last digit.
fn solved(mut low: f64, mut high: f64, share: f64, grows: impl Fn(f64) -> f64) -> f64 {
    loop {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            return high;
        }
        if grows(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The share of a beta distribution below a value between 0 and 1.
fn beta_share(a: f64, b: f64, value: f64) -> f64 {
    if value <= 0.0 {
        0.0
    } else if value >= 1.0 {
        1.0
    } else {
        let front = a * value.ln() + b * (-value).ln_1p() + lgamma(a + b) - lgamma(a) - lgamma(b);
        if value < (a + 1.0) / (a + b + 2.0) {
            front.exp() * fraction(a, b, value) / a
        } else {
            1.0 - front.exp() * fraction(b, a, 1.0 - value) / b
        }
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(a: f64, b: f64, value: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const TERMS: i32 = 10_000;
    let kept = |number: f64| if number.abs() < TINY { TINY } else { number };
    let mut below = 1.0 / kept(1.0 - (a + b) * value / (a + 1.0));
    let (mut above, mut found) = (1.0, below);
    for term in (1..TERMS).map(f64::from) {
        let twice = 2.0 * term;
        let even = term * (b - term) * value / ((a + twice - 1.0) * (a + twice));
        let odd = -(a + term) * (a + b + term) * value / ((a + twice) * (a + twice + 1.0));
        for coefficient in [even, odd] {
            below = 1.0 / kept(1.0 + coefficient * below);
            above = kept(1.0 + coefficient / above);
            found *= above * below;
        }
        if (above * below - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    found
}

fn beta_cdf(a: f64, b: f64, value: f64) -> Result<f64, Failure> {
    check((0.0..=1.0).contains(&value), "value must be 0 >= v >= 1")?;
    check(a > 0.0 && b > 0.0, "a, b must be > 0")?;
    Ok(beta_share(a, b, value))
}

fn inverse_beta_cdf(a: f64, b: f64, share: f64) -> Result<f64, Failure> {
    check((0.0..=1.0).contains(&share), "p must be 0 >= p >= 1")?;
    check(a > 0.0 && b > 0.0, "a, b must be > 0")?;
    if share <= 0.0 || share >= 1.0 {
        return Ok(share);
    }
    Ok(solved(0.0, 1.0, share, |value| beta_share(a, b, value)))
}

fn t_cdf(value: f64, freedom: f64) -> Result<f64, Failure> {
    check(freedom > 0.0, "df must be greater than 0")?;
    if value == 0.0 {
        return Ok(0.5);
    }
    let tail = 0.5 * beta_share(0.5 * freedom, 0.5, freedom / (freedom + value * value));
    Ok(if value < 0.0 { tail } else { 1.0 - tail })
}

fn t_pdf(value: f64, freedom: f64) -> Result<f64, Failure> {
    check(freedom > 0.0, "df must be greater than 0")?;
    let half = 0.5 * (freedom + 1.0);
    let scale =
        lgamma(half) - 0.5 * (std::f64::consts::PI.ln() + freedom.ln()) - lgamma(0.5 * freedom);
    Ok((scale - half * (value * value / freedom).ln_1p()).exp())
}

/// An end of Wilson's score interval.
fn wilson(call: &Call, side: f64) -> Result<ArrayRef> {
    let (successes, trials, scores) = (call.longs(0)?, call.longs(1)?, call.doubles(2)?);
    let found = successes
        .iter()
        .zip(&trials)
        .zip(&scores)
        .map(|((successes, trials), score)| {
            let (Some(successes), Some(trials), Some(score)) = (successes, trials, score) else {
                return Ok(None);
            };
            check(successes >= 0, "number of successes must not be negative")?;
            check(trials > 0, "number of trials must be positive")?;
            check(
                successes <= trials,
                "number of successes must not be larger than number of trials",
            )?;
            check(score >= 0.0, "z-score must not be negative")?;
            let (successes, trials) = (successes as f64, trials as f64);
            let share = successes / trials;
            let square = score * score;
            let spread =
                score * (share * (1.0 - share) / trials + square / (4.0 * trials * trials)).sqrt();
            let middle = share + square / (2.0 * trials);
            Ok(Some((middle + side * spread) / (1.0 + square / trials)))
        })
        .collect::<Result<Float64Array, Failure>>()?;
    Ok(Arc::new(found))
}
