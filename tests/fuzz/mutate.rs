//! Valid bytes to others that are almost valid.

use crate::oracle::random::Random;

/// Longer ones are cut: what is wrong with long records is wrong with short ones, which are tried more often.
const LEN_MAX: usize = 64 * 1024;

/// Repetitions of a section, and levels of what is nested, at most.
const REPEATS_MAX: i64 = 600;

/// What mutations are made of.
pub struct Material<'a> {
    /// Valid bytes.
    pub seeds: &'a [Vec<u8>],
    /// Pieces that mean something in the language of the seeds.
    pub tokens: &'a [&'a [u8]],
    /// Beginnings and ends of what may nest.
    pub brackets: &'a [(&'a [u8], &'a [u8])],
    /// Bytes at the beginning that most mutations leave alone.
    pub header: usize,
}

impl Material<'_> {
    /// A seed, changed a few times.
    pub fn mutation(&self, random: &mut Random) -> Vec<u8> {
        let mut whole = random.pick(self.seeds);
        let kept = if random.chance(95) { self.header.min(whole.len()) } else { 0 };
        let mut bytes = whole.split_off(kept);
        for _ in 0..random.pick(&[1, 1, 1, 2, 3, 8]) {
            self.change(random, &mut bytes);
            bytes.truncate(LEN_MAX);
        }
        whole.extend_from_slice(&bytes);
        whole
    }

    fn change(&self, random: &mut Random, bytes: &mut Vec<u8>) {
        let at = random.index(bytes.len() + 1);
        match random.between(0, 10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.between(0, 7),
            1 if at < bytes.len() => bytes[at] = random.between(0, 255) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(section(random, bytes.len()))),
            4 => {
                insert(bytes, at, &(0..random.between(1, 9)).map(|_| random.between(0, 255) as u8).collect::<Vec<_>>());
            }
            5 => insert(bytes, at, &interesting(random)),
            6 => {
                let number = interesting(random);
                let end = (at + number.len()).min(bytes.len());
                bytes.splice(at..end, number);
            }
            7 if !self.tokens.is_empty() => insert(bytes, at, random.pick(self.tokens)),
            8 => {
                let other = random.pick(self.seeds);
                insert(bytes, at, &other[section(random, other.len())]);
            }
            9 => {
                let repeated = bytes[section(random, bytes.len())].repeat(repeats(random));
                insert(bytes, at, &repeated[..repeated.len().min(LEN_MAX)]);
            }
            10 if !self.brackets.is_empty() => {
                let (begin, end) = random.pick(self.brackets);
                let levels = repeats(random);
                let within = section(random, bytes.len());
                let nested = [&begin.repeat(levels), &bytes[within.clone()], &end.repeat(levels)].concat();
                bytes.splice(within, nested);
            }
            _ => bytes.push(random.between(0, 255) as u8),
        }
    }
}

/// Seldom many.
fn repeats(random: &mut Random) -> usize {
    let most = random.pick(&[2, 4, 20, REPEATS_MAX]);
    random.between(1, most) as usize
}

fn section(random: &mut Random, len: usize) -> std::ops::Range<usize> {
    let (a, b) = (random.index(len + 1), random.index(len + 1));
    a.min(b)..a.max(b)
}

fn insert(bytes: &mut Vec<u8>, at: usize, inserted: &[u8]) {
    bytes.splice(at..at, inserted.iter().copied());
}

/// Numbers at the edges of their types, as fixed bytes, as varints and as digits.
fn interesting(random: &mut Random) -> Vec<u8> {
    let value: i64 = random.pick(&[
        0,
        1,
        -1,
        2,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        1 << 24,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        i64::from(u32::MAX),
        1 << 40,
        i64::MAX,
        i64::MIN,
        i64::MIN + 1,
        253_402_300_800_000,
        -62_135_596_800_001,
    ]);
    match random.between(0, 6) {
        0 => value.to_be_bytes().to_vec(),
        1 => value.to_le_bytes().to_vec(),
        2 => (value as i32).to_be_bytes().to_vec(),
        3 => (value as i32).to_le_bytes().to_vec(),
        4 => varint(value as u64),
        5 => varint(((value << 1) ^ (value >> 63)) as u64),
        _ => value.to_string().into_bytes(),
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
