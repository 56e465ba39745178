//! Moments counted from the epoch in ticks: to coarser ticks, and what their days have in common.

/// Microseconds as milliseconds, halves up.
pub fn microseconds_to_milliseconds(values: &[i64]) -> Vec<i64> {
    coarser::<1_000>(values)
}

/// Nanoseconds as milliseconds, halves up.
pub fn nanoseconds_to_milliseconds(values: &[i64]) -> Vec<i64> {
    coarser::<1_000_000>(values)
}

/// The divisor is a constant, so that no division is left of it.
fn coarser<const TICKS: i64>(values: &[i64]) -> Vec<i64> {
    let of = |value: &i64| {
        let whole = value.div_euclid(TICKS);
        whole + i64::from(value.rem_euclid(TICKS) * 2 >= TICKS)
    };
    values.iter().map(of).collect()
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Days from the epoch whose microseconds fit 64 bits.
const FAR: i32 = 106_751_990;

/// The days of milliseconds, counted from the epoch; `None` where one is past 32 bits.
pub fn days(millis: &[i64]) -> Option<Vec<i32>> {
    let bound = i64::from(i32::MAX) * DAY;
    let fit = millis.iter().fold(true, |fit, value| fit & (-bound < *value) & (*value < bound));
    fit.then(|| millis.iter().map(|value| value.div_euclid(DAY) as i32).collect())
}

/// The milliseconds at which days begin; `None` where the microseconds of one are past 64 bits.
pub fn midnights(days: &[i32]) -> Option<Vec<i64>> {
    let fit = days.iter().fold(true, |fit, day| fit & (-FAR < *day) & (*day < FAR));
    fit.then(|| days.iter().map(|day| i64::from(*day) * DAY).collect())
}

/// What `part` says of each tick's day, counted from the epoch; a day has `day` ticks. Rows of one day mostly follow each
/// other: it is asked again only when the day is another.
pub fn by_day(ticks: &[i64], day: i64, part: fn(i64) -> i64) -> Vec<i64> {
    let mut known = 0..0;
    let mut found = 0;
    let of = |tick: &i64| {
        if !known.contains(tick) {
            let number = tick.div_euclid(day);
            // The first and the last day of all begin and end beyond the ticks there are.
            known = number.saturating_mul(day)..number.saturating_add(1).saturating_mul(day);
            found = part(number);
        }
        found
    };
    ticks.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        by_day, days, microseconds_to_milliseconds, midnights, nanoseconds_to_milliseconds,
    };

    #[test]
    fn half_a_millisecond_is_one_before_and_after_the_epoch() {
        let values = [1_499, 1_500, -1_500, -1_501, 0, i64::MAX, i64::MIN];
        let expected = [1, 2, -1, -2, 0, i64::MAX / 1_000 + 1, i64::MIN / 1_000 - 1];
        assert_eq!(microseconds_to_milliseconds(&values), expected);
        assert_eq!(
            nanoseconds_to_milliseconds(&[499_999, 500_000, -500_000, -500_001]),
            [0, 1, 0, -1]
        );
    }

    #[test]
    fn days_begin_where_they_begin_before_the_epoch_too() {
        let ticks = [-1, 0, 9, 10, 19, 5, -10, -11, i64::MIN, i64::MAX, i64::MIN];
        let expected = ticks.map(|tick: i64| tick.div_euclid(10));
        assert_eq!(by_day(&ticks, 10, |day| day), expected);
        assert_eq!(by_day(&[3, 3, -4], 1, |day| day), [3, 3, -4]);
    }

    #[test]
    fn days_and_their_midnights_go_as_far_as_their_types() {
        assert_eq!(days(&[-1, 0, 86_399_999, 86_400_000]), Some(vec![-1, 0, 0, 1]));
        assert_eq!(days(&[i64::MAX]), None);
        assert_eq!(days(&[i64::MIN]), None);
        assert_eq!(midnights(&[-1, 0, 2]), Some(vec![-86_400_000, 0, 172_800_000]));
        assert_eq!(midnights(&[106_751_991]), None);
        assert_eq!(midnights(&[i32::MIN]), None);
    }
}
