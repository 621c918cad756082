//! What the pipelines of the crash verifier must leave, recomputed from the committed input.
//!
//! Two kinds of sink cover them: one record per leg ([`EachLeg`]), and sums of legs per key ([`Sums`]). A join of two
//! streams would be a third: one record per pair of legs.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::reader::{Place, Record};
use super::transfers::{Leg, Legs};

/// Faults listed per sink.
const FAULTS_MAX: usize = 10;

/// What a sink holds so far.
pub trait Sink {
    /// Its topic.
    fn topic(&self) -> &'static str;
    /// Takes the next record of a partition.
    fn take(&mut self, record: &Record<'_>);
    /// Whether as much has come as must come. What came too often does not delay that.
    fn is_complete(&self, legs: &Legs) -> bool;
    /// Everything that should be otherwise, the first few.
    fn faults(&self, legs: &Legs) -> Vec<String>;
    /// Records taken.
    fn count(&self) -> usize;
}

/// A sink that has one record for each leg that passes: each once, with its values and time, and those of one input
/// partition in their order wherever they meet.
pub struct EachLeg {
    topic: &'static str,
    passes: fn(&Leg) -> bool,
    /// The value of the record for a leg.
    value: fn(&Leg) -> Value,
    found: Vec<Found>,
}

struct Found {
    place: Place,
    time_ms: i64,
    value: Value,
}

impl EachLeg {
    /// `value` holds the leg's name in `LEG`.
    pub fn new(topic: &'static str, passes: fn(&Leg) -> bool, value: fn(&Leg) -> Value) -> Self {
        Self { topic, passes, value, found: Vec::new() }
    }
}

impl Sink for EachLeg {
    fn topic(&self) -> &'static str {
        self.topic
    }

    fn take(&mut self, record: &Record<'_>) {
        let value = record.value.clone().unwrap_or(Value::Null);
        self.found.push(Found { place: record.place, time_ms: record.time_ms, value });
    }

    fn is_complete(&self, legs: &Legs) -> bool {
        self.found.len() >= legs.all.iter().filter(|leg| (self.passes)(leg)).count()
    }

    fn faults(&self, legs: &Legs) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen: HashMap<&str, Vec<Place>> = HashMap::new();
        let mut last: BTreeMap<(i32, i32), Place> = BTreeMap::new();
        for Found { place, time_ms, value } in &self.found {
            let name = value["LEG"].as_str().unwrap_or_default();
            let Some(leg) = legs.find(name) else {
                faults.push(format!("{} at {place} is no committed leg: {value}", self.topic));
                continue;
            };
            seen.entry(name).or_default().push(*place);
            let expected = if (self.passes)(leg) { (self.value)(leg) } else { Value::Null };
            if expected != *value || *time_ms != leg.time_ms {
                faults.push(format!(
                    "{} at {place} holds {value} of {time_ms}, should be {expected} of {}: input {}",
                    self.topic, leg.time_ms, leg.place
                ));
            }
            if let Some(before) = last.insert((place.partition, leg.place.partition), leg.place)
                && before > leg.place
            {
                faults.push(format!("{} at {place}: input {} came after {before}", self.topic, leg.place));
            }
        }
        for leg in legs.all.iter().filter(|leg| (self.passes)(leg)) {
            let places = seen.get(leg.name.as_str()).map_or(&[][..], Vec::as_slice);
            if places.len() != 1 {
                let at: Vec<String> = places.iter().map(Place::to_string).collect();
                let (name, at) = (&leg.name, at.join(", "));
                faults.push(format!(
                    "{}: leg {name}, input {}, is there {} times: {at}",
                    self.topic,
                    leg.place,
                    places.len()
                ));
            }
        }
        faults.truncate(FAULTS_MAX);
        faults
    }

    fn count(&self) -> usize {
        self.found.len()
    }
}

/// When a sink of sums has records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emits {
    /// For every leg: the counts of a key are 1, 2, 3 and so on.
    EveryChange,
    /// At commits: the counts of a key grow.
    AtCommit,
}

/// A sink with the number `N` and the sum `TOTAL` of the legs of each key.
pub struct Sums {
    topic: &'static str,
    /// The bytes of the key to which a leg belongs.
    key: fn(&Leg) -> Vec<u8>,
    emits: Emits,
    keys: HashMap<Vec<u8>, Vec<Sum>>,
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    count: i64,
    total: i64,
    place: Place,
}

impl Sums {
    pub fn new(topic: &'static str, emits: Emits, key: fn(&Leg) -> Vec<u8>) -> Self {
        Self { topic, key, emits, keys: HashMap::new(), count: 0 }
    }

    fn expected<'a>(&self, legs: &'a Legs) -> BTreeMap<Vec<u8>, Vec<&'a Leg>> {
        let mut keys: BTreeMap<Vec<u8>, Vec<&Leg>> = BTreeMap::new();
        for leg in &legs.all {
            keys.entry((self.key)(leg)).or_default().push(leg);
        }
        keys
    }

    /// The sum of the last totals of all keys.
    fn total(&self) -> i64 {
        self.keys.values().filter_map(|sums| sums.last()).map(|sum| sum.total).sum()
    }

    fn faults_of(&self, key: &[u8], legs: &[&Leg]) -> Vec<String> {
        let (topic, name) = (self.topic, key.escape_ascii().to_string());
        let sums = self.keys.get(key).map_or(&[][..], Vec::as_slice);
        let Some(last) = sums.last() else { return vec![format!("{topic}: no record of key {name}")] };
        let mut faults = Vec::new();
        let mut amounts: Vec<i64> = legs.iter().map(|leg| leg.amount).collect();
        let (count, total) = (amounts.len() as i64, amounts.iter().sum::<i64>());
        if (last.count, last.total) != (count, total) {
            let places: Vec<String> = legs.iter().map(|leg| leg.place.to_string()).collect();
            let input = [&places[..places.len().min(5)].join(" "), "…", &places[places.len() - 1]].join(" ");
            faults.push(format!(
                "{topic}: key {name} ends with {last:?}, should be count {count}, total {total}; input {input}"
            ));
        }
        let first = Sum { count: 0, total: 0, place: Place { partition: last.place.partition, offset: -1 } };
        let pairs = || std::iter::once(first).chain(sums.iter().copied()).zip(sums);
        let follows = |before: Sum, after: &Sum| match self.emits {
            Emits::EveryChange => after.count == before.count + 1,
            Emits::AtCommit => after.count > before.count,
        };
        let jump =
            pairs().find(|(before, after)| !follows(*before, after) || before.place.partition != after.place.partition);
        faults.extend(jump.map(|(before, after)| format!("{topic}: key {name} goes from {before:?} to {after:?}")));
        if self.emits == Emits::EveryChange && faults.is_empty() {
            let mut differences: Vec<i64> = pairs().map(|(before, after)| after.total - before.total).collect();
            differences.sort_unstable();
            amounts.sort_unstable();
            if differences != amounts {
                faults.push(format!("{topic}: key {name} has the count and the total of its legs, but others"));
            }
        }
        faults
    }
}

impl Sink for Sums {
    fn topic(&self) -> &'static str {
        self.topic
    }

    fn take(&mut self, record: &Record<'_>) {
        let value = record.value.clone().unwrap_or_default();
        let number = |name: &str| value[name].as_i64().unwrap_or(i64::MIN);
        let sum = Sum { count: number("N"), total: number("TOTAL"), place: record.place };
        self.keys.entry(record.key.to_vec()).or_default().push(sum);
        self.count += 1;
    }

    fn is_complete(&self, legs: &Legs) -> bool {
        let counts = self.keys.values().filter_map(|sums| sums.last()).map(|sum| sum.count);
        counts.sum::<i64>() >= legs.all.len() as i64
    }

    fn faults(&self, legs: &Legs) -> Vec<String> {
        let expected = self.expected(legs);
        let mut faults: Vec<String> =
            expected.iter().flat_map(|(key, legs)| self.faults_of(key, legs)).take(FAULTS_MAX).collect();
        if self.keys.len() > expected.len() {
            faults.push(format!("{} has {} keys, should be {}", self.topic, self.keys.len(), expected.len()));
        }
        if self.total() != 0 {
            faults.push(format!("{}: the sum of all transfers is {}, not zero", self.topic, self.total()));
        }
        faults
    }

    fn count(&self) -> usize {
        self.count
    }
}
