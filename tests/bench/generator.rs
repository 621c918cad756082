//! The records of every run: JSON objects of ten fields and about 240 bytes, the same on every machine.

use std::fmt::Write as _;

/// Distinct accounts among the events; events are keyed by account.
pub const ACCOUNTS: u64 = 10_000;
/// Distinct shops among the purchases of the join, which is also the number of rows of its table.
pub const SHOPS: u64 = 100_000;
/// Length of the windows that aggregates use.
pub const WINDOW_MS: i64 = 3_600_000;
/// Time of the first event.
const START_MS: i64 = 1_699_999_200_000;

/// Records in columns of bytes, as a topic holds them.
#[derive(Debug, Default)]
pub struct Records {
    /// All keys, one after the other.
    keys: Vec<u8>,
    /// Where each key ends.
    key_ends: Vec<usize>,
    /// All values, one after the other.
    values: Vec<u8>,
    /// Where each value ends.
    value_ends: Vec<usize>,
    /// Record times.
    pub timestamps: Vec<i64>,
}

impl Records {
    /// Adds a record.
    pub fn push(&mut self, key: &[u8], value: &[u8], timestamp: i64) {
        self.keys.extend_from_slice(key);
        self.values.extend_from_slice(value);
        self.close(timestamp);
    }

    /// Adds a record whose parts are written in place.
    pub fn push_with(&mut self, timestamp: i64, write: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) {
        write(&mut self.keys, &mut self.values);
        self.close(timestamp);
    }

    fn close(&mut self, timestamp: i64) {
        self.key_ends.push(self.keys.len());
        self.value_ends.push(self.values.len());
        self.timestamps.push(timestamp);
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Key of record `row`.
    pub fn key(&self, row: usize) -> &[u8] {
        slice(&self.keys, &self.key_ends, row)
    }

    /// Value of record `row`.
    pub fn value(&self, row: usize) -> &[u8] {
        slice(&self.values, &self.value_ends, row)
    }

    /// Mean size of a value in bytes.
    pub fn value_bytes_mean(&self) -> usize {
        self.values.len() / self.len().max(1)
    }

    /// Empties the records and keeps the memory.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.key_ends.clear();
        self.values.clear();
        self.value_ends.clear();
        self.timestamps.clear();
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], row: usize) -> &'a [u8] {
    let start = row.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[row]]
}

/// Splitmix64: small, seeded, and good enough to spread keys.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// `count` events keyed by account, ten milliseconds apart on average. Three quarters have a quantity of 25 or more.
pub fn events(count: usize) -> Records {
    keyed(count, "acct", ACCOUNTS, 1)
}

/// `count` events keyed by shop, in the form of [`events`].
pub fn purchases(count: usize) -> Records {
    keyed(count, "shop", SHOPS, 2)
}

fn keyed(count: usize, prefix: &str, keys: u64, seed: u64) -> Records {
    const REGIONS: [&str; 4] = ["eu-west", "us-east", "ap-south", "sa-east"];
    const KINDS: [&str; 3] = ["purchase", "refund", "transfer"];
    let mut random = Random(seed);
    let mut records = Records::default();
    let (mut key, mut value) = (String::new(), String::new());
    for row in 0..count {
        let timestamp = START_MS + row as i64 / 100 * 1_000 + random.below(1_000) as i64;
        key.clear();
        value.clear();
        write!(key, "{prefix}-{:06}", random.below(keys)).expect("a String takes all text");
        write!(
            value,
            concat!(
                r#"{{"id":{},"region":"{}","kind":"{}","quantity":{},"price":{},"rate":{}.{:02},"#,
                r#""device":"dev-{:08x}","session":"{:016x}{:016x}","created":{},"note":"{} of order {} by {}, no remarks"}}"#
            ),
            row,
            REGIONS[random.below(4) as usize],
            KINDS[random.below(3) as usize],
            random.below(100),
            random.below(100_000),
            random.below(100),
            1 + random.below(99),
            random.below(1 << 32),
            random.next(),
            random.next(),
            timestamp,
            KINDS[random.below(3) as usize],
            random.below(1_000_000),
            key,
        )
        .expect("a String takes all text");
        records.push(key.as_bytes(), value.as_bytes(), timestamp);
    }
    records
}

/// One row per shop, at time 0: before all purchases.
pub fn shops() -> Records {
    let mut random = Random(3);
    let mut records = Records::default();
    for shop in 0..SHOPS {
        let value =
            format!(r#"{{"name":"shop number {shop}","city":"city-{:04}","tier":{}}}"#, random.below(2_000), shop % 5);
        records.push(format!("shop-{shop:06}").as_bytes(), value.as_bytes(), 0);
    }
    records
}
