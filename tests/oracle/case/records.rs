//! Random records: few keys, times that cluster, jump and go back, nulls in every place.

use super::Agreement;
use crate::oracle::interpreter::{Input, KeyWindow};
use crate::oracle::query::{JoinKind, Query, Shape, Source, Step};
use crate::oracle::random::Random;
use crate::oracle::value::{SqlType, Value};

const DAY_MS: i64 = 86_400_000;

/// The value column that other sources' keys have too, where there are joins.
const SHARED: usize = 1;

/// A value that occurs again and again.
pub fn value(sql_type: SqlType, random: &mut Random) -> Value {
    match sql_type {
        SqlType::Int => Value::Int(random.between(-1, 3) as i32),
        SqlType::BigInt => Value::BigInt(random.between(-1, 3)),
        SqlType::Double => Value::Double(random.between(-4, 12) as f64 / 4.0),
        SqlType::Text => Value::Text(random.pick(&["a", "b", "c", "d \"é"]).to_owned()),
        SqlType::Boolean => Value::Boolean(random.chance(50)),
    }
}

/// One of the first `spread` values of a type: what joins meet by.
fn meeting(sql_type: SqlType, spread: i64, random: &mut Random) -> Value {
    let number = random.between(0, spread - 1);
    match sql_type {
        SqlType::Int => Value::Int(number as i32),
        SqlType::BigInt => Value::BigInt(number),
        SqlType::Double => Value::Double(number as f64),
        SqlType::Text => Value::Text(["a", "b", "c", "d \"é", "x"][number as usize].to_owned()),
        SqlType::Boolean => Value::Boolean(number % 2 == 0),
    }
}

/// How much of each is there.
struct Shares {
    null_keys: i64,
    null_values: i64,
    null_fields: i64,
    headers: i64,
    /// How many values keys have, and the column that others' keys have too.
    spread: i64,
}

/// What each round holds.
pub fn rounds(agreement: Agreement, sources: &[Source], query: &Query, random: &mut Random) -> Vec<Vec<Input>> {
    let mut times = Times::of(query, random);
    let spread = if query.joins.is_empty() { random.between(2, 5) } else { random.between(2, 4) };
    let counts: Vec<(i64, Option<usize>)> = if query.has_foreign_key() && agreement == Agreement::EveryRecord {
        // A change that is overtaken by the next on its way need not be told: one at a time.
        (0..random.between(8, 24)).map(|_| (1, None)).collect()
    } else if query.joins.iter().any(|join| join.repartitions != [false, false]) {
        // What has come by way of a topic is merged with what is read at once as it happens to be there.
        (0..random.between(4, 10)).map(|_| (random.between(1, 6), Some(some_source(sources, random)))).collect()
    } else {
        let most = if random.chance(10) { 60 } else { 18 };
        let least = 3 * sources.len() as i64;
        (0..random.between(1, 3)).map(|_| (random.between(least, most), None)).collect()
    };
    let mut rounds = Vec::new();
    for (count, only) in counts {
        let mut round = Vec::new();
        for _ in 0..count {
            let source = only.unwrap_or_else(|| some_source(sources, random));
            let time = times.next(random);
            round.push(record(source, &sources[source], time, &shares(&sources[source], query, spread), random));
        }
        rounds.push(round);
    }
    rounds
}

/// Streams rather than tables: it is their records that have results.
fn some_source(sources: &[Source], random: &mut Random) -> usize {
    let written: Vec<usize> = (0..sources.len()).filter(|&index| sources[index].again.is_none()).collect();
    if !sources[0].is_table && random.chance(30) { 0 } else { random.pick(&written) }
}

fn shares(source: &Source, query: &Query, spread: i64) -> Shares {
    let keeps_values = match &query.step {
        // What a window does with a record without a value is nowhere said.
        Step::GroupBy(grouping) => grouping.window.is_some() && grouping.is_own_key,
        Step::Keep | Step::PartitionBy(_) => false,
    };
    Shares {
        null_keys: if source.key.len() > 1 || source.window.is_some() { 0 } else { 6 },
        null_values: if source.is_table {
            if query.joins.len() > 1 { 10 } else { 20 }
        } else {
            6 * i64::from(!keeps_values)
        },
        null_fields: if query.joins.is_empty() { 12 } else { 6 },
        headers: 10,
        spread,
    }
}

fn record(source: usize, of: &Source, time: i64, shares: &Shares, random: &mut Random) -> Input {
    let key = (!random.chance(shares.null_keys)).then(|| {
        let columns = of.key.iter().map(|column| meeting(column.sql_type, shares.spread, random));
        columns.collect()
    });
    let fields = of.value.iter().enumerate().map(|(index, column)| match index {
        _ if random.chance(shares.null_fields) => Value::Null,
        SHARED => meeting(column.sql_type, shares.spread, random),
        _ => value(column.sql_type, random),
    });
    let fields: Vec<Value> = fields.collect();
    let value = (!random.chance(shares.null_values)).then_some(fields);
    let headers = if random.chance(shares.headers) {
        vec![("trace".to_owned(), random.between(0, 9).to_string().into_bytes())]
    } else {
        Vec::new()
    };
    let window = of.window.map(|shape| key_window(shape, time, random));
    Input { source, key, value, time, headers, window }
}

/// The window of a key; few, so that they meet.
fn key_window(shape: Shape, time: i64, random: &mut Random) -> KeyWindow {
    let start = time / 20 * 20 + 10 * random.between(0, 1);
    match shape {
        Shape::Time { size_ms, .. } => KeyWindow { start, end: start + size_ms, is_session: false },
        Shape::Session { .. } => KeyWindow { start, end: start + 5 * random.between(0, 1), is_session: true },
    }
}

/// The times of records, one after another.
struct Times {
    now: i64,
    step_ms: i64,
    jump_ms: i64,
    back_ms: i64,
    jumps_days: bool,
}

impl Times {
    fn of(query: &Query, random: &mut Random) -> Self {
        let default_grace = match (&query.step, query.joins.first().map(|join| join.kind)) {
            (Step::GroupBy(grouping), _) if grouping.window.is_some() => {
                grouping.window.is_some_and(|window| window.grace_ms.is_none() && !window.is_final)
            }
            (_, Some(JoinKind::StreamStream(within))) => within.grace_ms.is_none(),
            _ => false,
        };
        // What waits for time to pass is told only if it does.
        let waits = match (&query.step, query.joins.first().map(|join| join.kind)) {
            (Step::GroupBy(grouping), None) => grouping.window.is_some_and(|window| window.is_final),
            (_, Some(JoinKind::StreamStream(within))) => within.grace_ms.is_some(),
            _ => false,
        };
        Self {
            now: random.between(0, 30),
            step_ms: if waits { random.between(4, 12) } else { random.between(0, 6) },
            jump_ms: random.between(10, 60),
            back_ms: random.between(1, 40),
            jumps_days: default_grace && random.chance(40),
        }
    }

    fn next(&mut self, random: &mut Random) -> i64 {
        self.now += random.between(0, self.step_ms);
        if random.chance(8) {
            self.now += if self.jumps_days { DAY_MS - 20 + random.between(0, 40) } else { self.jump_ms };
        }
        if random.chance(25) { (self.now - random.between(0, self.back_ms)).max(0) } else { self.now }
    }
}
