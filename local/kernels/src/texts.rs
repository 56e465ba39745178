//! Numbers for the different texts of a column, while these are few.

use arrow_buffer::NullBuffer;

/// Different texts, at most.
const MOST: usize = 4_096;
/// Places of the table: a quarter of them is taken at most.
const PLACES: usize = 4 * MOST;
/// Odd, and without a pattern in its bits.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Texts met so far, each with its number, from zero.
pub struct Texts {
    /// One more than the number of the text at this place; zero is none.
    places: Vec<u32>,
    /// The word and the length of each text.
    known: Vec<(u64, usize)>,
    /// Where each text ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { places: vec![0; PLACES], known: Vec::new(), ends: vec![0], bytes: Vec::new() }
    }
}

impl Texts {
    /// Puts the number of each row's text into `numbers`, which it empties first; that of NULL says nothing. `offsets` are
    /// where texts begin in `bytes`, and where the last one ends. False once there are too many different ones.
    pub fn number(
        &mut self,
        offsets: &[i32],
        bytes: &[u8],
        nulls: Option<&NullBuffer>,
        numbers: &mut Vec<i64>,
    ) -> bool {
        numbers.clear();
        for (row, ends) in offsets.windows(2).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                numbers.push(0);
                continue;
            }
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            numbers.push(i64::from(self.number_of(start, &bytes[..end], bytes)));
        }
        self.known.len() <= MOST
    }

    /// The number of the text from `start` to the end of `until`.
    fn number_of(&mut self, start: usize, until: &[u8], all: &[u8]) -> u32 {
        let length = until.len() - start;
        let word = word(start, until, all);
        let spread = (word ^ (length as u64).rotate_right(8)).wrapping_mul(SPREAD);
        let mut place = (spread >> 40) as usize % PLACES;
        while let Some(number) = self.places[place].checked_sub(1) {
            let same = self.known[number as usize] == (word, length);
            if same && (length <= 8 || self.get(number as usize) == &until[start..]) {
                return number;
            }
            place = (place + 1) % PLACES;
        }
        let number = self.known.len() as u32;
        // A batch may bring many more than there may be: the table must not fill up.
        if self.known.len() < 2 * MOST {
            self.places[place] = number + 1;
        }
        self.known.push((word, length));
        self.bytes.extend_from_slice(&until[start..]);
        self.ends.push(self.bytes.len());
        number
    }

    fn get(&self, number: usize) -> &[u8] {
        &self.bytes[self.ends[number]..self.ends[number + 1]]
    }

    /// The text of a number given out.
    pub fn text(&self, number: i64) -> Option<&str> {
        let number = usize::try_from(number).ok().filter(|number| *number < self.known.len())?;
        std::str::from_utf8(self.get(number)).ok()
    }

    /// What the texts take, in bytes.
    pub fn size(&self) -> usize {
        PLACES * size_of::<u32>()
            + self.bytes.len()
            + self.known.len() * size_of::<((u64, usize), usize)>()
    }
}

/// Up to eight bytes as they are, more of them mixed.
fn word(start: usize, until: &[u8], all: &[u8]) -> u64 {
    let length = until.len() - start;
    if length <= 8 {
        // Eight bytes at once, those of other texts cut off again.
        return match all.get(start..start + 8) {
            Some(eight) => {
                first(eight) & (u64::MAX.checked_shr(64 - 8 * length as u32).unwrap_or(0))
            }
            None => until[start..].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
    }
    let text = &until[start..];
    let mixed = text
        .chunks_exact(8)
        .fold(0_u64, |mixed, eight| (mixed.rotate_left(23) ^ first(eight)).wrapping_mul(SPREAD));
    mixed.rotate_left(23) ^ first(&text[length - 8..])
}

fn first(eight: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&eight[..8]);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
#[expect(clippy::cast_possible_wrap, reason = "texts of tests are few")]
mod tests {
    use std::collections::HashMap;

    use arrow_buffer::NullBuffer;

    use super::Texts;

    #[test]
    fn texts_have_one_number_each() {
        let mut random = fastrand::Rng::with_seed(9);
        let mut texts = Texts::default();
        let mut known: HashMap<String, i64> = HashMap::new();
        let mut numbers = Vec::new();
        for _ in 0..50 {
            let (mut bytes, mut offsets, mut rows) = (String::new(), vec![0], Vec::new());
            for _ in 0..300 {
                // Of all lengths around the eight bytes of a word, with zeros, alike at both ends.
                let length = random.usize(0..20);
                let odd = random.usize(0..20);
                let text: String = (0..length)
                    .map(|at| if at == odd { 'ü' } else { ['\0', 'a'][at % 2] })
                    .collect();
                bytes.push_str(&text);
                offsets.push(bytes.len() as i32);
                rows.push(text);
            }
            assert!(texts.number(&offsets, bytes.as_bytes(), None, &mut numbers));
            for (row, number) in rows.into_iter().zip(&numbers) {
                assert_eq!(texts.text(*number), Some(row.as_str()));
                assert_eq!(known.entry(row).or_insert(*number), number);
            }
        }
        assert!(known.len() > 100 && known.len() == texts.known.len());
        assert_eq!(texts.text(known.len() as i64), None);
        assert!(texts.size() > texts.bytes.len());
    }

    #[test]
    fn rows_without_a_text_make_none() {
        let mut texts = Texts::default();
        let nulls = NullBuffer::from(vec![false, true]);
        let mut numbers = Vec::new();
        assert!(texts.number(&[0, 0, 1], b"x", Some(&nulls), &mut numbers));
        assert_eq!((numbers, texts.known.len()), (vec![0, 0], 1));
    }

    #[test]
    fn too_many_are_told() {
        let (mut bytes, mut offsets) = (String::new(), vec![0]);
        for number in 0..40_000 {
            bytes.push_str(&number.to_string());
            offsets.push(bytes.len() as i32);
        }
        let mut texts = Texts::default();
        let mut numbers = Vec::new();
        assert!(texts.number(&offsets[..4_000], bytes.as_bytes(), None, &mut numbers));
        assert!(!texts.number(&offsets, bytes.as_bytes(), None, &mut numbers));
        assert_eq!(texts.text(numbers[39_999]), Some("39999"));
    }
}
