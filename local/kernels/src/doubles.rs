//! Doubles compared, and made whole without a call per value: every double of at least 2^52 is whole.

use arrow_buffer::BooleanBuffer;

const WHOLE: f64 = 4_503_599_627_370_496.0;
/// Below this a double fits 64 bits.
const LONG: f64 = 9.0e18;

/// The largest whole numbers that are not larger. NaN, infinities and the sign of zero stay.
#[expect(clippy::cast_precision_loss, reason = "less than 2^52")]
pub fn floor(values: &[f64]) -> Vec<f64> {
    let of = |value: &f64| {
        let value = *value;
        if value.abs() < WHOLE {
            let towards_zero = value as i64 as f64;
            (towards_zero - f64::from(towards_zero > value)).copysign(value)
        } else {
            value
        }
    };
    values.iter().map(of).collect()
}

/// The nearest whole numbers, halves away from zero; `None` where one of them is none, or too large.
#[expect(clippy::cast_precision_loss, reason = "looked at before")]
pub fn rounded(values: &[f64]) -> Option<Vec<i64>> {
    let of = |value: &f64| {
        let towards_zero = *value as i64;
        // Exact: below 2^52 nothing is lost, from there on nothing is left.
        let rest = *value - towards_zero as f64;
        towards_zero + i64::from(rest >= 0.5) - i64::from(rest <= -0.5)
    };
    let fit = values.iter().fold(true, |fit, value| fit & (value.abs() < LONG));
    fit.then(|| values.iter().map(of).collect())
}

/// The whole numbers nearest to values times a power of ten, as which decimals are kept; `None` where the shortest text of
/// one might have another: close to a half, or so large that more than a thousandth is lost in the product.
#[expect(clippy::cast_precision_loss, reason = "less than 2^40")]
pub fn decimals(values: &[f64], factor: f64) -> Option<Vec<i128>> {
    const SMALL: f64 = (1_u64 << 40) as f64;
    let mut fit = true;
    let found = values.iter().map(|value| {
        let scaled = value * factor;
        let towards_zero = scaled as i64;
        let rest = scaled - towards_zero as f64;
        let far = (rest.abs() - 0.5).abs();
        fit &= scaled.abs() < SMALL && far > 0.001;
        i128::from(towards_zero) + i128::from(rest >= 0.5) - i128::from(rest <= -0.5)
    });
    let found = found.collect();
    fit.then_some(found)
}

/// Which values are equal as SQL has it: NaN is not its own equal, and zeros are equal whatever their sign.
#[expect(clippy::float_cmp, reason = "as SQL does")]
pub fn equal(left: &[f64], right: &[f64]) -> BooleanBuffer {
    left.iter().zip(right).map(|(left, right)| left == right).collect()
}

#[cfg(test)]
mod tests {
    use super::{decimals, equal, floor, rounded};

    #[test]
    fn nan_is_not_equal_and_zeros_are() {
        let equal = equal(&[f64::NAN, 0.0, 1.5, 1.0], &[f64::NAN, -0.0, 1.5, 2.0]);
        assert_eq!(equal.iter().collect::<Vec<_>>(), [false, true, true, false]);
    }

    fn doubles() -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(7);
        let odd = [
            0.0,
            -0.0,
            0.5,
            -0.5,
            1.5,
            -1.5,
            0.499_999_999_999_999_94,
            4.5e15,
            -4.5e15,
            4_503_599_627_370_495.5,
        ];
        let random = (0..2_000).map(|at| (random.f64() - 0.5) * 2_f64.powi(at % 64));
        odd.into_iter().chain(random).collect()
    }

    #[test]
    fn floors_are_those_of_the_standard_library_to_the_bit() {
        let mut values = doubles();
        values.extend([
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE,
            -f64::MIN_POSITIVE,
        ]);
        for (value, found) in values.iter().zip(floor(&values)) {
            assert_eq!(found.to_bits(), value.floor().to_bits(), "floor of {value:e}");
        }
    }

    #[test]
    fn halves_go_away_from_zero() {
        let values = doubles();
        for (value, found) in values.iter().zip(rounded(&values).unwrap()) {
            assert_eq!(found, value.round() as i64, "{value:e}");
        }
    }

    #[test]
    fn decimals_are_nearest_or_none() {
        let found = decimals(&[0.0, 12.34, -12.34, 0.1 + 0.2, 17.499], 100.0);
        assert_eq!(found, Some(vec![0, 1_234, -1_234, 30, 1_750]));
        for value in [0.125, 1.005, 2e10, f64::NAN, f64::INFINITY] {
            assert_eq!(decimals(&[1.0, value], 100.0), None, "{value}");
        }
    }

    #[test]
    fn what_is_no_whole_number_of_64_bits_is_left_to_others() {
        for value in [f64::NAN, f64::INFINITY, 9.3e18, -9.3e18] {
            assert_eq!(rounded(&[1.0, value]), None);
        }
    }
}
