//! A small generator of pseudo-random numbers, our own so that no crate's
//! next version changes the sample's bytes. Integers only: floating-point
//! functions differ between platforms.

/// `SplitMix64` (Steele, Lea, Flood 2014): every seed is a good seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for every text.
    pub fn from_text(text: &str) -> Self {
        // FNV-1a
        let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `0..below`; 0 when `below` is 0.
    pub fn below(&mut self, below: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(below);
        u64::try_from(wide >> 64).expect("the upper half of 128 bits is 64 bits")
    }

    /// Uniform in `from..=to`.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = to.abs_diff(from) + 1;
        from.wrapping_add_unsigned(self.below(width))
    }

    /// True `permille` times in a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of the values, by their weights.
    pub fn pick<T: Copy>(&mut self, weighted: &[(u64, T)]) -> T {
        let total = weighted.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for (weight, value) in weighted {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        weighted[weighted.len() - 1].1
    }

    /// A value of a measured distribution, given as (per mille of the values
    /// that are not above, value) from 0 to 1000, straight lines between.
    pub fn quantile(&mut self, points: &[(i64, i64)]) -> i64 {
        let at = self.between(0, 999_999);
        let upper = points
            .iter()
            .position(|(permille, _)| at < permille * 1000)
            .unwrap_or(points.len() - 1)
            .max(1);
        let ((from, low), (to, high)) = (points[upper - 1], points[upper]);
        low + (high - low) * (at - from * 1000) / ((to - from) * 1000).max(1)
    }
}

/// Decides which rows carry a defect so that a file of any length has it at
/// its rate: one row in every stretch of `1 / rate`, and at least one in the file.
#[derive(Clone, Debug)]
pub struct Due {
    next: Option<u64>,
    stretch: u64,
}

impl Due {
    /// `count` rows in `of`; never when `count` is 0.
    pub fn new(random: &mut Random, count: u64, of: u64, rows: u64) -> Self {
        if count == 0 || rows == 0 {
            return Self { next: None, stretch: 1 };
        }
        let stretch = (of / count).clamp(1, rows);
        Self { next: Some(random.below(stretch)), stretch }
    }

    /// Whether it is the turn of this row or of one before it that was let pass.
    pub fn take(&mut self, random: &mut Random, row: u64) -> bool {
        match self.next {
            Some(next) if row >= next => {
                let start = next - next % self.stretch + self.stretch;
                self.next = Some(start + random.below(self.stretch));
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_stay_between_their_ends() {
        let mut random = Random::from_text("quantiles");
        let points = [(0, 10), (500, 20), (1000, 100)];
        let mut drawn: Vec<i64> = (0..10_001).map(|_| random.quantile(&points)).collect();
        drawn.sort_unstable();
        assert!(drawn[0] >= 10 && drawn[10_000] <= 100);
        assert!((19..=21).contains(&drawn[5_000]), "median {}", drawn[5_000]);
    }

    #[test]
    fn a_defect_comes_at_its_rate_and_at_least_once() {
        for (count, of, rows, expected) in [
            (210, 46_621, 46_621, 208..=212),
            (2, 3_000_000, 500, 1..=1),
            (0, 100, 500, 0..=0),
            (60_000, 100_000, 1000, 990..=1000),
        ] {
            let mut random = Random::from_text("due");
            let mut due = Due::new(&mut random, count, of, rows);
            let taken = (0..rows).filter(|row| due.take(&mut random, *row)).count();
            assert!(expected.contains(&taken), "{count} of {of} in {rows} rows: {taken}");
        }
    }
}
