//! The hash that places keys on partitions: murmur2 as Kafka's Java client computes it, bit by bit, because records
//! that other clients wrote must be found on the partitions where they put them.

const SEED: u32 = 0x9747_b28c;
const FACTOR: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;

/// 32-bit murmur2 of `bytes` with Kafka's seed.
pub fn murmur2(bytes: &[u8]) -> i32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = SEED ^ bytes.len() as u32;
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        mixed ^= mixed >> SHIFT;
        hash = hash.wrapping_mul(FACTOR) ^ mixed.wrapping_mul(FACTOR);
    }
    if !tail.is_empty() {
        let mut last = [0; 4];
        last[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u32::from_le_bytes(last)).wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    (hash ^ (hash >> 15)) as i32
}

/// The partition, out of `partitions` (at least 1), of a record with `key`.
pub fn partition_of_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) as u32 & 0x7fff_ffff) % partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_those_of_the_java_client() {
        for (text, expected) in [("21", -973_932_308), ("foobar", -790_332_482), ("abc", 479_470_107)] {
            assert_eq!(murmur2(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn keys_land_on_the_partitions_of_the_java_client() {
        let cases: [(&[u8], u32); 10] = [
            (&0_i64.to_be_bytes(), 3),
            (&1_i64.to_be_bytes(), 0),
            (&10_i64.to_be_bytes(), 3),
            (&100_i64.to_be_bytes(), 1),
            (&0_i32.to_be_bytes(), 0),
            (&1_i32.to_be_bytes(), 0),
            (&10_i32.to_be_bytes(), 1),
            (b"x", 2),
            (b"a", 0),
            (b"k1", 1),
        ];
        for (key, expected) in cases {
            assert_eq!(partition_of_key(key, 4), expected, "{key:?}");
        }
    }

    #[test]
    fn every_key_fits_a_single_partition() {
        assert_eq!(partition_of_key(b"", 1), 0);
        assert_eq!(partition_of_key(b"21", 1), 0);
    }
}
