//! The loops that Levada is measured against: one purpose each, written by hand, typed `serde_json` on both sides.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::generator::{Records, WINDOW_MS};

/// The ten fields of an event.
#[derive(Deserialize)]
#[expect(dead_code, reason = "a typed decode builds every field, used or not")]
struct Event {
    id: i64,
    region: String,
    kind: String,
    quantity: i32,
    price: i64,
    rate: f64,
    device: String,
    session: String,
    created: i64,
    note: String,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct Kept<'a> {
    id: i64,
    region: &'a str,
    kind: &'a str,
    total: i64,
    rate: f64,
    session: &'a str,
    created: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct Totals {
    n: i64,
    total: i64,
}

/// Per window start and key: the totals, and the greatest time of a record in them.
type Windows = HashMap<i64, HashMap<Box<[u8]>, (Totals, i64)>>;

/// A row of the table of the join.
#[derive(Deserialize)]
pub struct Shop {
    name: String,
    city: String,
    tier: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct Joined<'a> {
    id: i64,
    kind: &'a str,
    price: i64,
    created: i64,
    name: &'a str,
    city: &'a str,
    tier: i32,
}

/// `SELECT account, id, region, kind, price * quantity AS total, rate, session, created … WHERE quantity >= 25`.
pub fn filter_project(input: &Records, output: &mut Records) {
    for row in 0..input.len() {
        let event = decode(input.value(row));
        if event.quantity < 25 {
            continue;
        }
        let kept = Kept {
            id: event.id,
            region: &event.region,
            kind: &event.kind,
            total: event.price * i64::from(event.quantity),
            rate: event.rate,
            session: &event.session,
            created: event.created,
        };
        emit(output, input.timestamps[row], input.key(row), &[], &kept);
    }
}

/// `SELECT account, COUNT(*) AS n, SUM(price) AS total … WINDOW TUMBLING … GROUP BY account`, each result once, at the
/// end.
pub fn aggregate_at_end(input: &Records, output: &mut Records) {
    let mut windows = Windows::new();
    for row in 0..input.len() {
        update(&mut windows, input, row);
    }
    for (start, totals) in &windows {
        for (key, (totals, timestamp)) in totals {
            emit(output, *timestamp, key, &start.to_be_bytes(), totals);
        }
    }
}

/// The same, a result after every record.
pub fn aggregate_per_record(input: &Records, output: &mut Records) {
    let mut windows = Windows::new();
    for row in 0..input.len() {
        let (start, totals, timestamp) = update(&mut windows, input, row);
        emit(output, timestamp, input.key(row), &start.to_be_bytes(), totals);
    }
}

fn update<'a>(windows: &'a mut Windows, input: &Records, row: usize) -> (i64, &'a Totals, i64) {
    let event = decode(input.value(row));
    let (key, timestamp) = (input.key(row), input.timestamps[row]);
    let start = timestamp - timestamp % WINDOW_MS;
    let window = windows.entry(start).or_default();
    if !window.contains_key(key) {
        window.insert(key.into(), (Totals { n: 0, total: 0 }, i64::MIN));
    }
    let (totals, latest) = window.get_mut(key).expect("inserted above when missing");
    totals.n += 1;
    totals.total += event.price;
    *latest = timestamp.max(*latest);
    (start, totals, *latest)
}

/// The table of the join, decoded.
pub fn load_shops(table: &Records) -> HashMap<Box<[u8]>, Shop> {
    let row = |row| serde_json::from_slice(table.value(row)).expect("the generator writes these fields");
    (0..table.len()).map(|index| (table.key(index).into(), row(index))).collect()
}

/// `SELECT p.shop, id, kind, price, created, name, city, tier FROM purchases p LEFT JOIN shops s ON p.shop = s.shop`.
pub fn join(input: &Records, shops: &HashMap<Box<[u8]>, Shop>, output: &mut Records) {
    for row in 0..input.len() {
        let event = decode(input.value(row));
        let Some(shop) = shops.get(input.key(row)) else { continue };
        let joined = Joined {
            id: event.id,
            kind: &event.kind,
            price: event.price,
            created: event.created,
            name: &shop.name,
            city: &shop.city,
            tier: shop.tier,
        };
        emit(output, input.timestamps[row], input.key(row), &[], &joined);
    }
}

fn decode(value: &[u8]) -> Event {
    serde_json::from_slice(value).expect("the generator writes these fields")
}

fn emit(output: &mut Records, timestamp: i64, key: &[u8], window: &[u8], value: &impl Serialize) {
    output.push_with(timestamp, |keys, values| {
        keys.extend_from_slice(key);
        keys.extend_from_slice(window);
        serde_json::to_writer(values, value).expect("a Vec takes all bytes");
    });
}
