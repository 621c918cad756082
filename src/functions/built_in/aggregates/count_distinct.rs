//! `COUNT_DISTINCT(value)`.
//!
//! A HyperLogLog of 2¹⁴ registers over hashes of 64 bits. As long as hashes take no more memory than the registers they are kept
//! themselves, so the count is exact up to [`HASHES_MAX`]. The hash is part of what is stored: it must not change.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, PrimitiveBuilder};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};

use levada_udf::{Accumulator, AggregateCall, Build, Fold, Folded, aggregate};

/// Bits of a hash that choose its register.
const REGISTER_BITS: u32 = 14;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// The greatest number in a register: zeros before the first one in the other bits, plus one.
const RANK_MAX: usize = (64 - REGISTER_BITS) as usize + 1;

/// As many hashes as take the memory of the registers.
const HASHES_MAX: usize = REGISTERS / size_of::<u64>();

/// About how many different values there are.
#[aggregate(
    name = "COUNT_DISTINCT",
    signature = "(value T) -> BIGINT",
    keeps = "ARRAY<INT>",
    example("COUNT_DISTINCT(v) FROM VALUES ('a'), ('b'), ('a') AS (v)" = "2")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn count_distinct(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(CountDistinct))
}

/// About how many different values there are that are not NULL.
struct CountDistinct;

/// What is known of the values of a group.
#[derive(Debug, Clone)]
enum Sketch {
    /// Their hashes in order.
    Exact(Vec<u64>),
    Registers(Box<Registers>),
}

#[derive(Debug, Clone)]
struct Registers {
    ranks: [u8; REGISTERS],
    /// How many registers hold each number.
    counts: [u32; RANK_MAX + 1],
}

impl Registers {
    fn new() -> Box<Self> {
        let mut counts = [0; RANK_MAX + 1];
        counts[0] = REGISTERS as u32;
        Box::new(Self { ranks: [0; REGISTERS], counts })
    }

    fn add(&mut self, hash: u64) {
        let rank = ((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() + 1;
        self.raise((hash >> (64 - REGISTER_BITS)) as usize, rank as u8);
    }

    fn raise(&mut self, register: usize, rank: u8) {
        let before = std::mem::replace(&mut self.ranks[register], rank);
        if before < rank {
            self.counts[before as usize] -= 1;
            self.counts[rank as usize] += 1;
        } else {
            self.ranks[register] = before;
        }
    }

    /// Ertl's estimate ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), which needs no corrections for
    /// few or many values.
    fn estimate(&self) -> i64 {
        let m = REGISTERS as f64;
        let mut z = m * tau(1.0 - f64::from(self.counts[RANK_MAX]) / m);
        for &count in self.counts[1..RANK_MAX].iter().rev() {
            z = 0.5 * (z + f64::from(count));
        }
        z += m * sigma(f64::from(self.counts[0]) / m);
        (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as i64
    }
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

impl Sketch {
    fn add(&mut self, hash: u64) {
        match self {
            Self::Exact(hashes) => {
                let Err(place) = hashes.binary_search(&hash) else { return };
                if hashes.len() < HASHES_MAX {
                    hashes.insert(place, hash);
                    return;
                }
                let mut registers = Registers::new();
                hashes.iter().for_each(|&hash| registers.add(hash));
                registers.add(hash);
                *self = Self::Registers(registers);
            }
            Self::Registers(registers) => registers.add(hash),
        }
    }

    fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Exact(hashes)) => hashes.iter().for_each(|&hash| self.add(hash)),
            (Self::Registers(registers), Self::Registers(others)) => {
                others.ranks.iter().enumerate().for_each(|(register, &rank)| registers.raise(register, rank));
            }
            (Self::Exact(hashes), Self::Registers(others)) => {
                let mut registers = others.clone();
                hashes.iter().for_each(|&hash| registers.add(hash));
                *self = Self::Registers(registers);
            }
        }
    }

    fn count(&self) -> i64 {
        match self {
            Self::Exact(hashes) => hashes.len() as i64,
            Self::Registers(registers) => registers.estimate(),
        }
    }

    /// Hashes as numbers of eight bytes, little end first; or the registers, a byte more than any hashes.
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Exact(hashes) => hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
            Self::Registers(registers) => registers.ranks.iter().copied().chain([0]).collect(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        if bytes.len() <= HASHES_MAX * size_of::<u64>() {
            return Self::Exact(bytes.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect());
        }
        let mut registers = Registers::new();
        for (register, &rank) in bytes[..REGISTERS].iter().enumerate() {
            registers.raise(register, rank.min(RANK_MAX as u8));
        }
        Self::Registers(registers)
    }
}

impl Fold for CountDistinct {
    type State = Sketch;
    type Arguments<'a> = &'a ArrayRef;
    type Results = PrimitiveBuilder<Int64Type>;

    fn initial(&self) -> Sketch {
        Sketch::Exact(Vec::new())
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> &'a ArrayRef {
        &columns[0]
    }

    fn add(&self, state: &mut Sketch, column: &&ArrayRef, row: usize) -> Result<(), String> {
        if column.is_valid(row) {
            state.add(hash(column, row));
        }
        Ok(())
    }

    fn merge(&self, into: &mut Sketch, from: &Sketch) -> Result<(), String> {
        into.merge(from);
        Ok(())
    }

    fn result(&self, state: &Sketch, results: &mut Self::Results) -> Result<(), String> {
        results.append_value(state.count());
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        Build::finish(results)
    }

    fn heap_bytes(&self, state: &Sketch) -> usize {
        match state {
            Sketch::Exact(hashes) => hashes.capacity() * size_of::<u64>(),
            Sketch::Registers(registers) => size_of_val(&**registers),
        }
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::Binary]
    }

    fn store(&self, states: &[&Sketch]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![Arc::new(BinaryArray::from_iter_values(states.iter().map(|state| state.bytes())))])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Sketch>, String> {
        Ok(columns[0].as_binary::<i32>().iter().map(|bytes| Sketch::from_bytes(bytes.unwrap_or_default())).collect())
    }
}

/// The hash of the value at `row`; equal values have equal ones.
fn hash(array: &dyn Array, row: usize) -> u64 {
    if array.is_null(row) {
        return mixed(0, 0);
    }
    let elements = |values: &ArrayRef, range: &[i32]| {
        (range[0]..range[1]).fold(1, |sum, place| mixed(sum, hash(values, place as usize)))
    };
    match array.data_type() {
        DataType::Boolean => mixed(1, u64::from(array.as_boolean().value(row))),
        DataType::Int32 => mixed(1, array.as_primitive::<Int32Type>().value(row) as u64),
        DataType::Int64 => mixed(1, array.as_primitive::<Int64Type>().value(row) as u64),
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            mixed(1, if value.is_nan() { f64::NAN } else { value }.to_bits())
        }
        DataType::Date32 => mixed(1, array.as_primitive::<Date32Type>().value(row) as u64),
        DataType::Time32(_) => mixed(1, array.as_primitive::<Time32MillisecondType>().value(row) as u64),
        DataType::Timestamp(..) => mixed(1, array.as_primitive::<TimestampMillisecondType>().value(row) as u64),
        DataType::Decimal128(..) => hash_bytes(&array.as_primitive::<Decimal128Type>().value(row).to_le_bytes()),
        DataType::Decimal256(..) => hash_bytes(&array.as_primitive::<Decimal256Type>().value(row).to_le_bytes()),
        DataType::Utf8 => hash_bytes(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => hash_bytes(array.as_binary::<i32>().value(row)),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            elements(list.values(), &list.value_offsets()[row..row + 2])
        }
        DataType::Struct(_) => array.as_struct().columns().iter().fold(2, |sum, column| mixed(sum, hash(column, row))),
        DataType::Map(..) => {
            // Entries have no order.
            let map = array.as_map();
            let places = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
            let entry = |place| mixed(hash(map.keys(), place), hash(map.values(), place));
            mixed(3, places.map(entry).fold(0, u64::wrapping_add))
        }
        _ => 0,
    }
}

fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mixed(sum, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mixed(sum, u64::from_le_bytes(last))
}

/// A number in which every bit depends on every bit of `a` and `b` (the finalizer of SplitMix64, twice).
fn mixed(a: u64, b: u64) -> u64 {
    let finalized = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    finalized(finalized(b.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_add(a.wrapping_mul(0xd6e8_feb8_6659_fd93)))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    fn sketch(values: std::ops::Range<i64>) -> Sketch {
        let array = Int64Array::from_iter_values(values);
        let mut sketch = CountDistinct.initial();
        (0..array.len()).for_each(|row| sketch.add(hash(&array, row)));
        sketch
    }

    #[test]
    fn few_values_are_counted_exactly_and_many_to_two_percent() {
        for count in [0, 1, 1000, HASHES_MAX as i64] {
            assert_eq!(sketch(0..count).count(), count);
        }
        for count in [HASHES_MAX as i64 + 1, 5000, 40_000, 300_000] {
            let error = sketch(0..count).count() as f64 / count as f64 - 1.0;
            assert!(error.abs() < 0.02, "{count}: {error}");
        }
    }

    #[test]
    fn a_merged_sketch_is_that_of_all_values_and_is_stored_whole() {
        for cut in [0, 10, 3000, 5990, 6000] {
            let mut merged = sketch(0..cut);
            merged.merge(&sketch(cut - cut.min(5)..6000));
            assert_eq!(merged.bytes(), sketch(0..6000).bytes(), "cut at {cut}");
        }
        for count in [3, HASHES_MAX as i64, 6000] {
            let sketch = sketch(0..count);
            let loaded = Sketch::from_bytes(&sketch.bytes());
            assert_eq!((loaded.count(), loaded.bytes()), (sketch.count(), sketch.bytes()));
        }
    }

    #[test]
    fn hashes_are_what_was_stored_with_them() {
        let texts = arrow::array::StringArray::from(vec!["a", "levada levada"]);
        let numbers = Int64Array::from(vec![1, -1]);
        let hashes = [hash(&texts, 0), hash(&texts, 1), hash(&numbers, 0), hash(&numbers, 1)];
        let stored =
            [3_111_285_952_681_286_881, 4_452_387_209_469_148_317, 2_075_978_448_662_573_014, 447_275_344_001_820_878];
        assert_eq!(hashes, stored);
    }
}
