//! Places to write figures to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Buckets, Label, Labels, Metric, Snapshot, Value};

/// All places that figures are written to, by name and labels.
#[derive(Debug, Default)]
pub struct Registry {
    places: Mutex<BTreeMap<Name, (Metric, Place)>>,
}

/// What a figure is called, and what tells it from others of the name.
type Name = (&'static str, Labels);

#[derive(Debug, Clone)]
enum Place {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

/// A figure that only grows.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

/// A figure that goes up and down.
#[derive(Debug, Clone, Default)]
pub struct Gauge(Arc<AtomicI64>);

/// Counts values by size.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Distribution>);

#[derive(Debug)]
struct Distribution {
    bounds: Vec<f64>,
    /// Values up to each bound and above the one before; the last ones are above all.
    counts: Vec<AtomicU64>,
    /// Bits of an `f64`.
    sum: AtomicU64,
}

impl Counter {
    /// Counts one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Counts `more`.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// The figure is `value` now.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The figure is larger by `more`, which may be negative.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The figure.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Bounds for times from a tenth of a millisecond to a minute, in seconds.
    pub const SECONDS: [f64; 18] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
        60.0,
    ];

    fn new(bounds: &[f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Distribution { bounds: bounds.to_vec(), counts, sum: AtomicU64::new(0) }))
    }

    /// Counts `value`.
    pub fn observe(&self, value: f64) {
        let Distribution { bounds, counts, sum } = &*self.0;
        counts[bounds.partition_point(|bound| *bound < value)].fetch_add(1, Ordering::Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // It always has a next value, so this cannot fail.
        let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// What was counted so far.
    pub fn buckets(&self) -> Buckets {
        let mut below = 0;
        let counts = self.0.counts.iter().map(|count| {
            below += count.load(Ordering::Relaxed);
            below
        });
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        Buckets { up_to: bounds.zip(counts).collect(), sum: f64::from_bits(self.0.sum.load(Ordering::Relaxed)) }
    }
}

impl Registry {
    /// The counter `metric` with `labels`: the same one whenever it is asked for.
    pub fn counter(&self, metric: &Metric, labels: &[Label<'_>]) -> Counter {
        match self.place(metric, labels, || Place::Counter(Counter::default())) {
            Place::Counter(counter) => counter,
            _ => Counter::default(),
        }
    }

    /// The gauge `metric` with `labels`: the same one whenever it is asked for.
    pub fn gauge(&self, metric: &Metric, labels: &[Label<'_>]) -> Gauge {
        match self.place(metric, labels, || Place::Gauge(Gauge::default())) {
            Place::Gauge(gauge) => gauge,
            _ => Gauge::default(),
        }
    }

    /// The histogram `metric` with `labels`, of values up to each of `bounds`, which ascend: the same one whenever it is asked for.
    pub fn histogram(&self, metric: &Metric, labels: &[Label<'_>], bounds: &[f64]) -> Histogram {
        match self.place(metric, labels, || Place::Histogram(Histogram::new(bounds))) {
            Place::Histogram(histogram) => histogram,
            _ => Histogram::new(bounds),
        }
    }

    fn place(&self, metric: &Metric, labels: &[Label<'_>], make: impl FnOnce() -> Place) -> Place {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, place) = places.entry((metric.name, labels)).or_insert_with(|| (*metric, make()));
        debug_assert_eq!(known.kind, metric.kind, "{} is one kind of figure", metric.name);
        place.clone()
    }

    /// Adds all figures as they are now.
    pub fn collect(&self, snapshot: &mut Snapshot) {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        for ((_, labels), (metric, place)) in &*places {
            let labels: Vec<Label<'_>> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            match place {
                Place::Counter(counter) => snapshot.add(metric, &labels, counter.get()),
                Place::Gauge(gauge) => snapshot.add(metric, &labels, gauge.get()),
                Place::Histogram(histogram) => {
                    snapshot.add_value(metric, &labels, Value::Histogram(histogram.buckets()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    const ASKED: Metric = Metric::counter("asked_total", "Questions.");
    const TIMES: Metric = Metric::histogram("times_seconds", "Times.");

    #[test]
    fn who_asks_for_the_same_figure_gets_the_same_place() {
        let registry = Registry::default();
        registry.counter(&ASKED, &[("by", "a")]).increment();
        registry.counter(&ASKED, &[("by", "a")]).add(2);
        registry.counter(&ASKED, &[("by", "b")]).increment();
        let mut snapshot = Snapshot::default();
        registry.collect(&mut snapshot);
        let text = snapshot.to_string();
        assert!(text.ends_with("asked_total{by=\"a\"} 3\nasked_total{by=\"b\"} 1\n"), "{text}");
        assert_eq!(ASKED.kind, Kind::Counter);
    }

    #[test]
    fn a_value_belongs_to_the_first_bound_that_it_does_not_exceed() {
        let histogram = Registry::default().histogram(&TIMES, &[], &[1.0, 2.0]);
        [0.5, 1.0, 1.5, 9.0].into_iter().for_each(|value| histogram.observe(value));
        let Buckets { up_to, sum } = histogram.buckets();
        assert_eq!(up_to, [(1.0, 2), (2.0, 3), (f64::INFINITY, 4)]);
        assert!((sum - 12.0).abs() < 1e-9);
    }

    #[test]
    fn many_threads_lose_nothing() {
        let registry = Registry::default();
        let (asked, times) = (registry.counter(&ASKED, &[]), registry.histogram(&TIMES, &[], &Histogram::SECONDS));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        asked.increment();
                        times.observe(0.5);
                    }
                });
            }
        });
        assert_eq!(asked.get(), 4000);
        let Buckets { up_to, sum } = times.buckets();
        assert_eq!(up_to.last().map(|(_, count)| *count), Some(4000));
        assert!((sum - 2000.0).abs() < 1e-6);
    }
}
