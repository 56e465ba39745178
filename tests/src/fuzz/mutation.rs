//! Changes to valid inputs: bytes, numbers, words, pieces of others, and nesting without end.

use fastrand::Rng;

/// The largest input: somewhat more than any state's data or statement.
const LONGEST: usize = 300_000;
/// Most repetitions of a piece.
const MOST_REPEATS: usize = 50_000;

const WORDS: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ":",
    ".",
    "..",
    "..*",
    "'",
    "\"",
    "`",
    "\\",
    "/*",
    "*/",
    "--",
    "%",
    "$",
    "$$",
    "@",
    "?(",
    "!",
    "-",
    "+ 1",
    "NOT ",
    " OR a",
    " AND a",
    " UNION SELECT 1",
    "::int",
    "[1]",
    "array<",
    "null",
    "true",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e999",
    "-0",
    "0.0000001",
    "NaN",
    "\u{0}",
    "\u{feff}",
    "\u{2603}",
    "\u{1F695}",
    "\\ud83d",
    "\\u0000",
    "\r\n",
    "\r",
    "\n",
    "\t",
    "PAR1",
    "States.Format(",
    "function($x){",
    "$f(",
    "SELECT ",
    "CASE WHEN ",
    "1..9999999",
    "*",
    "^",
    "~>",
    "|",
    "&",
    "{\"a\":",
    "2024-13-01",
    "9999-12-31T23:59:60Z",
];

/// Input `index` of the campaign with this seed.
pub fn input(seeds: &[Vec<u8>], seed: u64, index: u64) -> Vec<u8> {
    let mut random = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index);
    let mut bytes = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..1 << random.u32(..5) {
        mutate(&mut bytes, seeds, &mut random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let piece = piece(bytes, random);
    match random.u32(..12) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u32(..8);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *random.choice(&[0, 1, 0x7f, 0x80, 0xff, b'0', b'9', b' ']).expect("some");
            }
        }
        3 => drop(bytes.drain(piece)),
        4 => {
            let copy = bytes[piece].to_vec();
            bytes.splice(at..at, copy);
        }
        5..=7 => {
            let word = random.choice(WORDS).expect("some");
            bytes.splice(at..at, word.bytes());
        }
        8 => {
            let word = random.choice(WORDS).expect("some");
            bytes.splice(piece, word.bytes());
        }
        9 => {
            let other = &seeds[random.usize(..seeds.len())];
            let range = self::piece(other, random);
            bytes.splice(at..at, other[range].to_vec());
        }
        10 => bytes.truncate(at),
        _ => nest(bytes, at, piece, random),
    }
}

/// A word or a piece many times over.
fn nest(bytes: &mut Vec<u8>, at: usize, piece: std::ops::Range<usize>, random: &mut Rng) {
    if random.u32(..4) > 0 {
        return;
    }
    let what = if random.bool() {
        random.choice(WORDS).expect("some").as_bytes().to_vec()
    } else {
        bytes[piece].to_vec()
    };
    let room = LONGEST / what.len().max(1);
    let times = (1 << random.u32(..17)).min(MOST_REPEATS).min(room);
    bytes.splice(at..at, what.repeat(times));
}

fn piece(bytes: &[u8], random: &mut Rng) -> std::ops::Range<usize> {
    let start = random.usize(..=bytes.len());
    let length = 1 << random.u32(..8);
    start..(start + length).min(bytes.len())
}
