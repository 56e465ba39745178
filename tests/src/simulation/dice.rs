//! The jitter of a simulation: numbers that only its own parts draw, in one order. (Libraries draw from fastrand's
//! own generator, some of them as often as threads happen to meet.)

use std::cell::RefCell;

thread_local! {
    /// A simulation has its thread to itself.
    static DICE: RefCell<fastrand::Rng> = const { RefCell::new(fastrand::Rng::with_seed(0)) };
}

/// Begins the order that belongs to a seed.
pub fn seed(seed: u64) {
    DICE.with_borrow_mut(|dice| dice.seed(seed));
}

/// Any number.
pub fn number() -> u64 {
    DICE.with_borrow_mut(|dice| dice.u64(..))
}

/// A number from 0 to 1.
pub fn fraction() -> f64 {
    DICE.with_borrow_mut(fastrand::Rng::f64)
}
