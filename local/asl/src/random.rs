//! Chance, reproducible: one seed from the host makes every number of an evaluation.

/// `SplitMix64`: <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sequence(u64);

impl Sequence {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// 64 bits to a number in [0, 1).
pub(crate) fn unit(bits: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    let mantissa = (bits >> 11) as f64;
    mantissa / 9_007_199_254_740_992.0
}

/// A version 4 UUID of 128 random bits.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    let bits = (u128::from(high) << 64) | u128::from(low);
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
}

/// `java.util.Random`, which Step Functions uses for seeded numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JavaRandom(u64);

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl JavaRandom {
    pub fn new(seed: i64) -> Self {
        Self((seed.cast_unsigned() ^ MULTIPLIER) & MASK)
    }

    fn bits(&mut self, bits: u32) -> i32 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        #[expect(clippy::cast_possible_truncation, reason = "as java.util.Random.next")]
        let value = (self.0 >> (48 - bits)) as u32;
        value.cast_signed()
    }

    pub fn next_double(&mut self) -> f64 {
        let high = i64::from(self.bits(26)) << 27;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
        let sum = (high + i64::from(self.bits(27))) as f64;
        sum * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `nextInt(bound)` for a positive bound.
    pub fn next_int(&mut self, bound: i32) -> i32 {
        if bound & (bound - 1) == 0 {
            #[expect(clippy::cast_possible_truncation, reason = "as java.util.Random.nextInt")]
            return ((i64::from(bound) * i64::from(self.bits(31))) >> 31) as i32;
        }
        loop {
            let bits = self.bits(31);
            let value = bits % bound;
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_random_gives_java_s_numbers() {
        // new java.util.Random(42).nextInt() is -1170105035, then 234785527.
        let mut random = JavaRandom::new(42);
        assert_eq!((random.bits(32), random.bits(32)), (-1_170_105_035, 234_785_527));
        let mut random = JavaRandom::new(42);
        assert_eq!((random.next_int(100), random.next_int(100)), (30, 63));
        assert!((JavaRandom::new(42).next_double() - 0.727_563_680_032_868_1).abs() < 1e-15);
    }
}
