//! The hash of bucket partitions: Murmur3, 32 bits, x86 variant, seed 0.

pub(crate) fn hash(bytes: &[u8]) -> i32 {
    let mut state = 0_u32;
    let (blocks, tail) = bytes.as_chunks::<4>();
    for block in blocks {
        state ^= mixed(u32::from_le_bytes(*block));
        state = state.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        state ^= mixed(last);
    }
    // The length is counted in 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "as the algorithm says")]
    let length = bytes.len() as u32;
    state ^= length;
    state = (state ^ (state >> 16)).wrapping_mul(0x85eb_ca6b);
    state = (state ^ (state >> 13)).wrapping_mul(0xc2b2_ae35);
    (state ^ (state >> 16)).cast_signed()
}

fn mixed(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::hash;

    /// The values of the specification's appendix B.
    #[test]
    fn hashes_are_the_specifications() {
        assert_eq!(hash(&34_i64.to_le_bytes()), 2_017_239_379);
        assert_eq!(hash(&1_420_i128.to_be_bytes()[14..]), -500_754_589);
        assert_eq!(hash(&17_486_i64.to_le_bytes()), -653_330_422);
        assert_eq!(hash(b"iceberg"), 1_210_000_089);
        assert_eq!(hash(&[0, 1, 2, 3]), -188_683_207);
        assert_eq!(hash(&1_510_871_468_000_000_i64.to_le_bytes()), -2_047_944_441);
    }
}
