//! Numbers for the groups of rows that have the same keys, found by address where keys are dense.
//!
//! Keys people group by have few values near each other: passengers, years, whole miles, codes. A window is laid over the
//! values of each key, and a row's place in all windows is an address in one table that fits the processor's cache: no
//! hash, no comparison. The few rows outside the windows are looked up in a map.

use std::collections::HashMap;

use arrow_buffer::NullBuffer;

/// Addresses of the table, at most: 256 KiB of group numbers.
const MOST: u64 = 1 << 16;
/// Addresses up to which windows are laid wider than needed.
const ROOM: u64 = 1 << 12;
/// One in so many values at each end may stay outside when windows are laid.
const STRAYS: usize = 64;
/// Windows are laid anew when more than one in so many rows of a batch is outside.
const OUTSIDE: usize = 8;
/// An address that has no group yet.
const NONE: u32 = u32::MAX;
/// Added to addresses of rows outside, once for each key: 16 keys at most have an address at all.
const BEYOND: u32 = 1 << 20;

/// The values of one key in a batch of rows.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    pub values: &'a [i64],
    pub nulls: Option<&'a NullBuffer>,
}

impl Key<'_> {
    fn get(&self, row: usize) -> Option<i64> {
        self.nulls.is_none_or(|nulls| nulls.is_valid(row)).then(|| self.values[row])
    }
}

/// The values of one key of all groups, in the groups' order.
pub type Keys = Vec<Option<i64>>;

/// The groups met so far.
pub struct Groups {
    windows: Vec<Window>,
    table: Vec<u32>,
    strays: HashMap<Box<[Option<i64>]>, u32>,
    keys: Vec<Keys>,
    /// Room for the addresses of a batch.
    addresses: Vec<u32>,
    /// Room for the keys of a row.
    key: Vec<Option<i64>>,
}

impl Groups {
    /// Windows that suit a first batch; `None` if its keys are not dense. One key at least.
    pub fn laid_over(keys: &[Key]) -> Option<Self> {
        let (windows, addresses) = laid(keys.iter().map(core).collect())?;
        Some(Self {
            windows,
            table: vec![NONE; addresses],
            strays: HashMap::new(),
            keys: vec![Vec::new(); keys.len()],
            addresses: Vec::new(),
            key: Vec::new(),
        })
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.keys[0].len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the groups take, in bytes.
    pub fn size(&self) -> usize {
        let key = size_of::<Option<i64>>() * self.keys.len();
        self.table.len() * size_of::<u32>() + self.len() * key + self.strays.len() * (key + 32)
    }

    /// Puts the number of each row's group into `numbers`, which it empties first; new groups get the next numbers.
    /// Answers whether that remains the way to go: not when most rows stray, or groups get too many.
    pub fn number(&mut self, keys: &[Key], numbers: &mut Vec<usize>) -> bool {
        let rows = keys[0].values.len();
        self.addresses.clear();
        self.addresses.resize(rows, 0);
        for (window, key) in self.windows.iter().zip(keys) {
            window.place(key, &mut self.addresses);
        }
        // Most rows are of groups that are known: these take no branch.
        let table = &self.table;
        let known = |address: &u32| table.get(*address as usize).copied().unwrap_or(NONE) as usize;
        numbers.clear();
        numbers.extend(self.addresses.iter().map(known));
        let addresses = std::mem::take(&mut self.addresses);
        let mut outside = 0;
        if numbers.iter().fold(false, |any, number| any | (*number == NONE as usize)) {
            for (row, number) in numbers.iter_mut().enumerate() {
                if *number == NONE as usize {
                    outside += usize::from(addresses[row] >= BEYOND);
                    *number = self.meet(keys, row, addresses[row]);
                }
            }
        }
        self.addresses = addresses;
        self.len() < MOST as usize && (outside * OUTSIDE <= rows || self.lay_anew(keys))
    }

    /// The group of a row that is outside, or was not known before its batch.
    fn meet(&mut self, keys: &[Key], row: usize, address: u32) -> usize {
        let next = self.len() as u32;
        if let Some(known) = self.table.get(address as usize)
            && *known != NONE
        {
            return *known as usize;
        }
        self.key.clear();
        self.key.extend(keys.iter().map(|key| key.get(row)));
        if let Some(place) = self.table.get_mut(address as usize) {
            *place = next;
        } else if let Some(known) = self.strays.get(self.key.as_slice()) {
            return *known as usize;
        } else {
            self.strays.insert(self.key.as_slice().into(), next);
        }
        for (keys, value) in self.keys.iter_mut().zip(&self.key) {
            keys.push(*value);
        }
        next as usize
    }

    /// Lays wider windows, over the old ones and most values of a batch.
    fn lay_anew(&mut self, keys: &[Key]) -> bool {
        let mut wider = false;
        let ranges = self.windows.iter().zip(keys).map(|(window, key)| {
            let (low, high) = core(key).unwrap_or((window.low, window.high()));
            wider |= low < window.low || high > window.high();
            Some((low.min(window.low), high.max(window.high())))
        });
        let laid = laid(ranges.collect());
        let (true, Some((windows, addresses))) = (wider, laid) else { return false };
        self.windows = windows;
        self.table = vec![NONE; addresses];
        self.strays.clear();
        for group in 0..self.len() {
            let key: Box<[Option<i64>]> = self.keys.iter().map(|keys| keys[group]).collect();
            let address = self
                .windows
                .iter()
                .zip(&key)
                .map(|(window, value)| window.address(*value))
                .sum::<Option<u32>>();
            match address.and_then(|address| self.table.get_mut(address as usize)) {
                Some(place) => *place = group as u32,
                None => drop(self.strays.insert(key, group as u32)),
            }
        }
        true
    }

    /// The keys of all groups.
    pub fn into_keys(self) -> Vec<Keys> {
        self.keys
    }
}

/// The values of a key that have an address; that of NULL comes before them.
struct Window {
    low: i64,
    width: u64,
    stride: u32,
}

impl Window {
    fn high(&self) -> i64 {
        self.low.saturating_add_unsigned(self.width - 1)
    }

    fn address(&self, value: Option<i64>) -> Option<u32> {
        let Some(value) = value else { return Some(0) };
        let place = value.wrapping_sub(self.low).cast_unsigned();
        (value >= self.low && place < self.width).then(|| (place as u32 + 1) * self.stride)
    }

    /// Adds each row's place to its address; those outside are beyond the table.
    fn place(&self, key: &Key, addresses: &mut [u32]) {
        let (low, width, stride) = (self.low, self.width, self.stride);
        let of = |value: i64| {
            let place = value.wrapping_sub(low).cast_unsigned();
            if place < width { (place as u32 + 1) * stride } else { BEYOND }
        };
        let Some(nulls) = key.nulls else {
            for (address, value) in addresses.iter_mut().zip(key.values) {
                *address += of(*value);
            }
            return;
        };
        let rows = addresses.chunks_mut(64).zip(key.values.chunks(64));
        for ((addresses, values), valid) in rows.zip(nulls.inner().bit_chunks().iter_padded()) {
            for (row, (address, value)) in addresses.iter_mut().zip(values).enumerate() {
                // All bits where the value is there, and none where it is not.
                let mask = 0_u32.wrapping_sub((valid >> row) as u32 & 1);
                *address += of(*value) & mask;
            }
        }
    }
}

/// The least and the largest value of a key but for strays; `None` where all are NULL.
fn core(key: &Key) -> Option<(i64, i64)> {
    let mut values: Vec<i64> = (0..key.values.len()).filter_map(|row| key.get(row)).collect();
    values.sort_unstable();
    let strays = values.len() / STRAYS;
    Some((*values.get(strays)?, *values.get(values.len().checked_sub(strays + 1)?)?))
}

/// Windows over ranges, and how many addresses they make; `None` if these are too many.
fn laid(ranges: Vec<Option<(i64, i64)>>) -> Option<(Vec<Window>, usize)> {
    let mut windows = Vec::with_capacity(ranges.len());
    let mut addresses = 1_u64;
    for range in ranges {
        let (low, high) = range.unwrap_or((0, 0));
        let width = high.abs_diff(low).checked_add(1)?;
        addresses = addresses.checked_mul(width.checked_add(1)?).filter(|all| *all <= MOST)?;
        windows.push(Window { low, width, stride: 0 });
    }
    // Room on both sides for what later batches bring.
    let mut grown = true;
    while grown {
        grown = false;
        for window in &mut windows {
            let wider = window.width * 2;
            let more = addresses / (window.width + 1) * (wider + 1);
            let low = window.low.checked_sub_unsigned(window.width / 2);
            // A window ends where the numbers end: past it, places would begin again at the least of them.
            let low = low.filter(|low| low.checked_add_unsigned(wider - 1).is_some());
            if let (true, Some(low)) = (more <= ROOM, low) {
                (window.low, window.width, addresses, grown) = (low, wider, more, true);
            }
        }
    }
    let mut stride = 1;
    for window in &mut windows {
        window.stride = stride;
        stride *= window.width as u32 + 1;
    }
    Some((windows, addresses as usize))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow_buffer::NullBuffer;

    use super::{Groups, Key};

    /// Batches of columns; a column's value and whether it is there.
    type Column = (Vec<i64>, Option<NullBuffer>);

    fn column(rows: usize, mut value: impl FnMut() -> Option<i64>) -> Column {
        let found: Vec<Option<i64>> = (0..rows).map(|_| value()).collect();
        let nulls = NullBuffer::from(found.iter().map(Option::is_some).collect::<Vec<_>>());
        let values = found.iter().map(|value| value.unwrap_or(i64::MAX)).collect();
        (values, (nulls.null_count() > 0).then_some(nulls))
    }

    fn keys(batch: &[Column]) -> Vec<Key<'_>> {
        batch.iter().map(|(values, nulls)| Key { values, nulls: nulls.as_ref() }).collect()
    }

    /// Numbers all rows as a map would. Answers the groups, and how many batches were taken before it gave up.
    fn agrees_with_a_map(batches: &[Vec<Column>]) -> (usize, usize) {
        let mut groups = Groups::laid_over(&keys(&batches[0])).unwrap();
        let mut expected: HashMap<Vec<Option<i64>>, usize> = HashMap::new();
        let mut numbers = vec![99];
        let mut taken = 0;
        for batch in batches {
            let keys = keys(batch);
            let goes_on = groups.number(&keys, &mut numbers);
            assert_eq!(numbers.len(), batch[0].0.len());
            for (row, number) in numbers.iter().enumerate() {
                let next = expected.len();
                let key: Vec<Option<i64>> = keys.iter().map(|key| key.get(row)).collect();
                assert_eq!(number, expected.entry(key).or_insert(next));
            }
            taken += 1;
            if !goes_on {
                break;
            }
        }
        assert!(groups.size() >= 4 * groups.len());
        assert_eq!(groups.len(), expected.len());
        let found = groups.into_keys();
        for (key, number) in expected {
            assert_eq!(key, found.iter().map(|keys| keys[number]).collect::<Vec<_>>());
        }
        (found[0].len(), taken)
    }

    #[test]
    fn dense_keys_have_the_groups_of_a_map() {
        let mut random = fastrand::Rng::with_seed(1);
        let batches: Vec<Vec<Column>> = (0..20)
            .map(|_| {
                vec![
                    column(1_000, || (random.u8(..) > 9).then(|| i64::from(random.u8(0..7)))),
                    column(1_000, || Some(2_024)),
                    column(1_000, || {
                        Some(if random.u16(..) < 100 { random.i64(..) } else { random.i64(-3..50) })
                    }),
                ]
            })
            .collect();
        let (groups, taken) = agrees_with_a_map(&batches);
        assert!(groups > 300 && taken == 20, "{groups} {taken}");
    }

    #[test]
    fn windows_follow_keys_that_move() {
        let batches: Vec<Vec<Column>> = (0..200_i64)
            .map(|day| {
                let mut row = 0;
                vec![column(500, || {
                    row += 1;
                    Some(19_000 + day + row / 400)
                })]
            })
            .collect();
        assert_eq!(agrees_with_a_map(&batches), (201, 200));
    }

    #[test]
    fn the_ends_of_the_numbers_are_keys_like_others() {
        let mut random = fastrand::Rng::with_seed(2);
        for ends in [[i64::MAX, i64::MAX - 3], [i64::MIN, i64::MIN + 1], [0, -1]] {
            let mut value = || {
                let strays = [i64::MAX, i64::MIN, 0];
                Some(if random.u8(..) < 3 {
                    strays[random.usize(..3)]
                } else {
                    ends[random.usize(..2)]
                })
            };
            let batches: Vec<Vec<Column>> = (0..5).map(|_| vec![column(800, &mut value)]).collect();
            assert_eq!(agrees_with_a_map(&batches).1, 5);
        }
    }

    #[test]
    fn nulls_alone_are_a_group() {
        assert_eq!(agrees_with_a_map(&[vec![column(10, || None), column(10, || None)]]), (1, 1));
    }

    #[test]
    fn keys_that_are_not_dense_are_given_up() {
        let mut random = fastrand::Rng::with_seed(3);
        let wide = vec![column(1_000, || Some(random.i64(..)))];
        assert!(Groups::laid_over(&keys(&wide)).is_none());
        // Dense first, and then no more.
        let batches = [vec![column(1_000, || Some(1))], wide, vec![column(1_000, || Some(2))]];
        assert_eq!(agrees_with_a_map(&batches).1, 2);
    }
}
