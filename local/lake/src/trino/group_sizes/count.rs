//! How often keys occur: a table with open addressing.

/// Keys and the rows they have come with, beside each other. An empty place has no rows.
pub(super) struct Counts {
    places: Vec<(u64, u64)>,
    used: usize,
}

impl Counts {
    /// A table that holds `keys` without growing.
    pub fn with_room_for(keys: usize) -> Self {
        Self { places: vec![(0, 0); (keys * 4 / 3 + 1).next_power_of_two().max(64)], used: 0 }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    #[inline]
    pub fn add(&mut self, key: u64, rows: u64) {
        let mask = self.places.len() - 1;
        let mut at = low_bits(hash(key)) & mask;
        loop {
            let place = &mut self.places[at];
            if place.1 == 0 {
                *place = (key, rows);
                self.used += 1;
                if self.used * 4 > self.places.len() * 3 {
                    self.grow();
                }
                return;
            }
            if place.0 == key {
                place.1 += rows;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut wider = Self::with_room_for(self.places.len());
        for (key, rows) in self.drain() {
            wider.add(key, rows);
        }
        *self = wider;
    }

    /// Every key with its rows. The table is empty afterwards, and keeps its room.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, u64)> {
        self.used = 0;
        self.places.iter_mut().map(std::mem::take).filter(|(_, rows)| *rows > 0)
    }
}

/// As many bits as a place in memory has.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
pub(super) const fn low_bits(hash: u64) -> usize {
    hash as usize
}

/// Spreads all bits of a key over all bits of the hash; different keys have different hashes.
#[inline]
pub(super) fn hash(key: u64) -> u64 {
    let mixed = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn keys_are_counted_as_by_a_map_whatever_their_bits() {
        let mut counts = Counts::with_room_for(8);
        let mut expected = BTreeMap::new();
        for at in 0..20_000_u64 {
            for key in [at % 977, at << 40, u64::MAX - at % 3, 0] {
                counts.add(key, at % 5 + 1);
                *expected.entry(key).or_insert(0) += at % 5 + 1;
            }
        }
        assert_eq!(counts.len(), expected.len());
        assert_eq!(counts.drain().collect::<BTreeMap<_, _>>(), expected);
        assert_eq!(counts.drain().count(), 0);
    }
}
