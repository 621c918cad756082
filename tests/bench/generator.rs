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

/// What the records of a topic have in common, apart from their form.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What keys begin with.
    pub prefix: &'static str,
    /// Distinct keys.
    pub keys: u64,
    /// Records per second of record time.
    pub per_second: i64,
    /// Decides about keys and contents.
    pub seed: u64,
}

/// Events keyed by account, ten milliseconds apart on average. Three quarters have a quantity of 25 or more.
pub const EVENTS: Kind = Kind { prefix: "acct", keys: ACCOUNTS, per_second: 100, seed: 1 };
/// Events keyed by shop.
pub const PURCHASES: Kind = Kind { prefix: "shop", keys: SHOPS, per_second: 100, seed: 2 };

/// `count` [`EVENTS`].
pub fn events(count: usize) -> Records {
    keyed(count, EVENTS)
}

/// `count` records of `kind`, with keys at random.
pub fn keyed(count: usize, kind: Kind) -> Records {
    let mut records = Records::default();
    let mut random = Random(kind.seed);
    for row in 0..count {
        let timestamp = kind.time_of(row, &mut random);
        let key = format!("{}-{:06}", kind.prefix, random.below(kind.keys));
        let device = format!("dev-{:08x}", random.below(1 << 32));
        push_event(&mut records, row, &key, &device, timestamp, &mut random);
    }
    records
}

/// One record per key of `kind`, at time 0.
pub fn one_per_key(kind: Kind) -> Records {
    let mut records = Records::default();
    let mut random = Random(kind.seed + 100);
    for number in 0..kind.keys {
        let key = format!("{}-{number:06}", kind.prefix);
        push_event(&mut records, number as usize, &key, "dev-00000000", 0, &mut random);
    }
    records
}

/// Orders, `count` of them with a key each, and their payments: up to 12 seconds after the order, so that one in six comes
/// too late for a join within 10.
pub fn orders_and_payments(count: usize, per_second: i64) -> (Records, Records) {
    let kind = Kind { prefix: "order", keys: 0, per_second, seed: 4 };
    let mut random = Random(kind.seed);
    let (mut orders, mut payments) = (Records::default(), Vec::new());
    for row in 0..count {
        let timestamp = kind.time_of(row, &mut random);
        let key = format!("order-{row:08}");
        push_event(&mut orders, row, &key, "dev-00000000", timestamp, &mut random);
        payments.push((timestamp + random.below(12_000) as i64, key));
    }
    payments.sort();
    let mut paid = Records::default();
    for (row, (timestamp, key)) in payments.into_iter().enumerate() {
        push_event(&mut paid, row, &key, "dev-00000000", timestamp, &mut random);
    }
    (orders, paid)
}

/// `count` updates of `orders` orders whose device names a shop; one update in ten names another shop than the others.
pub fn orders_of_shops(count: usize, orders: u64) -> Records {
    let kind = Kind { prefix: "order", keys: orders, per_second: 100, seed: 5 };
    let mut records = Records::default();
    let mut random = Random(kind.seed);
    for row in 0..count {
        let timestamp = kind.time_of(row, &mut random);
        let order = random.below(kind.keys);
        let shop = if random.below(10) == 0 { random.below(SHOPS) } else { Random(order).below(SHOPS) };
        let (key, shop) = (format!("{}-{order:06}", kind.prefix), format!("shop-{shop:06}"));
        push_event(&mut records, row, &key, &shop, timestamp, &mut random);
    }
    records
}

impl Kind {
    /// Time of record `row`: in order of seconds, at random within each.
    fn time_of(self, row: usize, random: &mut Random) -> i64 {
        START_MS + row as i64 / self.per_second * 1_000 + random.below(1_000) as i64
    }
}

fn push_event(records: &mut Records, row: usize, key: &str, device: &str, timestamp: i64, random: &mut Random) {
    const REGIONS: [&str; 4] = ["eu-west", "us-east", "ap-south", "sa-east"];
    const KINDS: [&str; 3] = ["purchase", "refund", "transfer"];
    let mut value = String::with_capacity(300);
    write!(
        value,
        concat!(
            r#"{{"id":{},"region":"{}","kind":"{}","quantity":{},"price":{},"rate":{}.{:02},"#,
            r#""device":"{}","session":"{:016x}{:016x}","created":{},"note":"{} of order {} by {}, no remarks"}}"#
        ),
        row,
        REGIONS[random.below(4) as usize],
        KINDS[random.below(3) as usize],
        random.below(100),
        random.below(100_000),
        random.below(100),
        1 + random.below(99),
        device,
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
