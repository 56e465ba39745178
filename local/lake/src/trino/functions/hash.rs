//! Hashes that are no digests: `murmur3`, `xxhash64`, `spooky_hash_v2_32` and `_64`.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::TrinoType;

const BYTES: TrinoType = TrinoType::Varbinary;

macro_rules! of_bytes {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[BYTES], BYTES),
            |call| each(call, $body),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_bytes!("murmur3", murmur3),
    of_bytes!("xxhash64", |bytes| xxhash64(bytes).to_be_bytes().to_vec()),
    of_bytes!("spooky_hash_v2_32", |bytes| spooky(bytes).to_be_bytes()[4..].to_vec()),
    of_bytes!("spooky_hash_v2_64", |bytes| spooky(bytes).to_be_bytes().to_vec()),
];

fn each(call: &Call, body: fn(&[u8]) -> Vec<u8>) -> Result<ArrayRef> {
    let values = call.bytes(0)?;
    call.each_bytes(|row| Ok(Some(body(values.value(row)))))
}

/// xxHash of 64 bits, seed 0.
pub(super) fn xxhash64(bytes: &[u8]) -> u64 {
    twox_hash::XxHash64::oneshot(0, bytes)
}

/// Eight bytes from a place on, low byte first; what is missing is 0.
fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    for (byte, found) in word.iter_mut().zip(bytes.iter().skip(at)) {
        *byte = *found;
    }
    u64::from_le_bytes(word)
}

/// MurmurHash3 of 128 bits for 64-bit machines, seed 0, each half low byte first.
fn murmur3(bytes: &[u8]) -> Vec<u8> {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let first = |word: u64| word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let second = |word: u64| word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let (mut h1, mut h2) = (0_u64, 0_u64);
    let whole = bytes.len() / 16;
    for block in 0..whole {
        h1 ^= first(word(bytes, block * 16));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= second(word(bytes, block * 16 + 8));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let tail = &bytes[whole * 16..];
    h2 ^= second(word(tail, 8));
    h1 ^= first(word(tail, 0));
    let length = bytes.len() as u64;
    h1 ^= length;
    h2 ^= length;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = final_mix(h1);
    h2 = final_mix(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    [h1.to_le_bytes(), h2.to_le_bytes()].concat()
}

fn final_mix(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// What fills the state of SpookyHash between its seeds.
const SPOOKY: u64 = 0xdead_beef_dead_beef;
/// From here on SpookyHash mixes blocks of twelve words.
const SPOOKY_LONG: usize = 192;

/// The first 64 bits of SpookyHash V2, seeds 0.
fn spooky(bytes: &[u8]) -> u64 {
    if bytes.len() < SPOOKY_LONG { spooky_short(bytes) } else { spooky_long(bytes) }
}

fn short_mix(h: &mut [u64; 4]) {
    const TURNS: [u32; 12] = [50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36];
    for (step, turn) in TURNS.into_iter().enumerate() {
        let (one, next, after) = ((step + 2) % 4, (step + 3) % 4, step % 4);
        h[one] = h[one].rotate_left(turn).wrapping_add(h[next]);
        h[after] ^= h[one];
    }
}

fn short_end(h: &mut [u64; 4]) {
    const TURNS: [u32; 11] = [15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63];
    for (step, turn) in TURNS.into_iter().enumerate() {
        let (one, before) = ((step + 3) % 4, (step + 2) % 4);
        h[one] ^= h[before];
        h[before] = h[before].rotate_left(turn);
        h[one] = h[one].wrapping_add(h[before]);
    }
}

fn spooky_short(bytes: &[u8]) -> u64 {
    let mut h = [0, 0, SPOOKY, SPOOKY];
    let mut rest = bytes;
    if bytes.len() > 15 {
        while rest.len() >= 32 {
            h[2] = h[2].wrapping_add(word(rest, 0));
            h[3] = h[3].wrapping_add(word(rest, 8));
            short_mix(&mut h);
            h[0] = h[0].wrapping_add(word(rest, 16));
            h[1] = h[1].wrapping_add(word(rest, 24));
            rest = &rest[32..];
        }
        if rest.len() >= 16 {
            h[2] = h[2].wrapping_add(word(rest, 0));
            h[3] = h[3].wrapping_add(word(rest, 8));
            short_mix(&mut h);
            rest = &rest[16..];
        }
    }
    h[3] = h[3].wrapping_add((bytes.len() as u64) << 56);
    if rest.is_empty() {
        h[2] = h[2].wrapping_add(SPOOKY);
        h[3] = h[3].wrapping_add(SPOOKY);
    } else {
        h[2] = h[2].wrapping_add(word(rest, 0));
        if rest.len() > 8 {
            h[3] = h[3].wrapping_add(word(rest, 8));
        }
    }
    short_end(&mut h);
    h[0]
}

fn long_end(h: &mut [u64; 12], data: &[u64; 12]) {
    const TURNS: [u32; 12] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54];
    for (state, word) in h.iter_mut().zip(data) {
        *state = state.wrapping_add(*word);
    }
    for _ in 0..3 {
        for (step, turn) in TURNS.into_iter().enumerate() {
            let (one, two, three) = ((step + 11) % 12, (step + 1) % 12, (step + 2) % 12);
            h[one] = h[one].wrapping_add(h[two]);
            h[three] ^= h[one];
            h[two] = h[two].rotate_left(turn);
        }
    }
}

fn spooky_long(bytes: &[u8]) -> u64 {
    const TURNS: [u32; 12] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46];
    let mut h = [0, 0, SPOOKY, 0, 0, SPOOKY, 0, 0, SPOOKY, 0, 0, SPOOKY];
    let blocks = bytes.len() / 96;
    for block in 0..blocks {
        for (step, turn) in TURNS.into_iter().enumerate() {
            let word = word(bytes, block * 96 + step * 8);
            h[step] = h[step].wrapping_add(word);
            h[(step + 2) % 12] ^= h[(step + 10) % 12];
            h[(step + 11) % 12] ^= h[step];
            h[step] = h[step].rotate_left(turn);
            h[(step + 11) % 12] = h[(step + 11) % 12].wrapping_add(h[(step + 1) % 12]);
        }
    }
    let rest = &bytes[blocks * 96..];
    let mut last = [0_u8; 96];
    last[..rest.len()].copy_from_slice(rest);
    last[95] = u8::try_from(rest.len()).unwrap_or(0);
    let mut data = [0; 12];
    for (at, word_) in data.iter_mut().enumerate() {
        *word_ = word(&last, at * 8);
    }
    long_end(&mut h, &data);
    h[0]
}
