//! Figures at one moment, and their text: Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt;

use super::{Kind, Label, Metric};

/// Figures at one moment, by name.
#[derive(Debug, Default)]
pub struct Snapshot {
    families: BTreeMap<&'static str, (Metric, BTreeMap<Labels, Value>)>,
}

/// What tells a figure from others of the same name.
pub type Labels = Vec<(&'static str, String)>;

/// What a figure is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(Number),
    /// How values are distributed.
    Histogram(Buckets),
}

/// A number, exact where it is a whole one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// Any number.
    Float(f64),
}

/// How many values were at most so large.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    /// Bounds, the last one infinite, with the number of values up to each.
    pub up_to: Vec<(f64, u64)>,
    /// All values together.
    pub sum: f64,
}

impl Buckets {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.up_to.last().map_or(0, |(_, count)| *count)
    }

    /// Below which value this share of the values lies, about: on a line between the bounds around it. `None` without values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = share * self.count() as f64;
        let (mut lower, mut before) = (0.0, 0);
        for &(bound, count) in &self.up_to {
            if count > before && count as f64 >= wanted {
                if bound.is_infinite() {
                    return Some(lower);
                }
                return Some(lower + (bound - lower) * (wanted - before as f64) / (count - before) as f64);
            }
            (lower, before) = (bound, count);
        }
        None
    }
}

macro_rules! whole_numbers {
    ($($whole:ty),*) => {
        $(impl From<$whole> for Number {
            fn from(number: $whole) -> Self {
                Self::Whole(number.into())
            }
        })*
    };
}
whole_numbers!(i64, u64, u32, bool);

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::Whole(number as i128)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl std::ops::Add for Number {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        match (self, more) {
            (Self::Whole(left), Self::Whole(right)) => Self::Whole(left + right),
            (left, right) => Self::Float(left.to_f64() + right.to_f64()),
        }
    }
}

impl Number {
    /// The number, about.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Float(number) if number.is_nan() => f.write_str("NaN"),
            Self::Float(number) if number.is_infinite() => f.write_str(if *number > 0.0 { "+Inf" } else { "-Inf" }),
            Self::Float(number) => write!(f, "{number}"),
        }
    }
}

impl Snapshot {
    /// Adds the figure `metric` with `labels`.
    pub fn add(&mut self, metric: &Metric, labels: &[Label<'_>], number: impl Into<Number>) {
        self.add_value(metric, labels, Value::Number(number.into()));
    }

    /// As [`Snapshot::add`], of any value. What grows is added to what has the same labels, anything else takes its place.
    pub fn add_value(&mut self, metric: &Metric, labels: &[Label<'_>], value: Value) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let (_, samples) = self.families.entry(metric.name).or_insert_with(|| (*metric, BTreeMap::new()));
        let value = match (samples.remove(&labels), value) {
            (Some(Value::Number(before)), Value::Number(more)) if metric.kind == Kind::Counter => {
                Value::Number(before + more)
            }
            (_, value) => value,
        };
        samples.insert(labels, value);
    }

    /// All figures, by name and labels.
    pub fn families(&self) -> impl Iterator<Item = (&Metric, &BTreeMap<Labels, Value>)> {
        self.families.values().map(|(metric, samples)| (metric, samples))
    }

    /// The numbers of all figures with their full names: of a histogram those with `_bucket`, `_sum` and `_count`.
    pub fn numbers(&self) -> impl Iterator<Item = (&Metric, String, Labels, Number)> {
        self.families().flat_map(|(metric, samples)| {
            samples.iter().flat_map(move |(labels, value)| {
                let numbers = match value {
                    Value::Number(number) => vec![(metric.name.to_owned(), labels.clone(), *number)],
                    Value::Histogram(buckets) => histogram_numbers(metric.name, labels, buckets),
                };
                numbers.into_iter().map(move |(name, labels, number)| (metric, name, labels, number))
            })
        })
    }
}

type Labelled = (String, Labels, Number);

fn histogram_numbers(name: &str, labels: &[(&'static str, String)], buckets: &Buckets) -> Vec<Labelled> {
    let bucket = |&(bound, count): &(f64, u64)| {
        let labels = labels.iter().cloned().chain([("le", Number::Float(bound).to_string())]).collect();
        (format!("{name}_bucket"), labels, count.into())
    };
    let total = |suffix: &str, number| (format!("{name}_{suffix}"), labels.to_vec(), number);
    let totals = [total("sum", buckets.sum.into()), total("count", buckets.count().into())];
    buckets.up_to.iter().map(bucket).chain(totals).collect()
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for (metric, name, labels, number) in self.numbers() {
            if metric.name != last {
                last = metric.name;
                writeln!(f, "# HELP {last} {}", metric.help.replace('\\', "\\\\").replace('\n', "\\n"))?;
                writeln!(f, "# TYPE {last} {}", metric.kind.name())?;
            }
            f.write_str(&name)?;
            for (index, (label, value)) in labels.iter().enumerate() {
                write!(f, "{}{label}=\"{}\"", if index == 0 { '{' } else { ',' }, escaped(value))?;
            }
            writeln!(f, "{} {number}", if labels.is_empty() { "" } else { "}" })?;
        }
        Ok(())
    }
}

/// A label's value as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: Metric = Metric::counter("rows_total", "Rows,\nby \\ topic.");
    const RATIO: Metric = Metric::gauge("ratio", "A ratio.");
    const TIMES: Metric = Metric::histogram("times_seconds", "Times.");

    #[test]
    fn figures_of_one_name_stand_together_and_are_escaped() {
        let mut snapshot = Snapshot::default();
        snapshot.add(&ROWS, &[("topic", "a\"b\\c\nd")], u64::MAX);
        snapshot.add(&RATIO, &[], 0.25);
        snapshot.add(&ROWS, &[("topic", "x"), ("partition", "0")], 1_u64);
        let expected = "# HELP ratio A ratio.\n# TYPE ratio gauge\nratio 0.25\n# HELP rows_total Rows,\\nby \\\\ topic.\n\
                        # TYPE rows_total counter\nrows_total{topic=\"a\\\"b\\\\c\\nd\"} 18446744073709551615\n\
                        rows_total{topic=\"x\",partition=\"0\"} 1\n";
        assert_eq!(snapshot.to_string(), expected);
    }

    #[test]
    fn histograms_have_cumulative_buckets_and_totals() {
        let mut snapshot = Snapshot::default();
        let buckets = Buckets { up_to: vec![(0.5, 1), (f64::INFINITY, 3)], sum: 4.5 };
        snapshot.add_value(&TIMES, &[("of", "q")], Value::Histogram(buckets));
        let text = snapshot.to_string();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        let expected = [
            "times_seconds_bucket{of=\"q\",le=\"0.5\"} 1",
            "times_seconds_bucket{of=\"q\",le=\"+Inf\"} 3",
            "times_seconds_sum{of=\"q\"} 4.5",
            "times_seconds_count{of=\"q\"} 3",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn quantiles_lie_between_their_bounds() {
        let buckets = Buckets { up_to: vec![(1.0, 50), (2.0, 100), (f64::INFINITY, 100)], sum: 0.0 };
        assert_eq!(buckets.quantile(0.5), Some(1.0));
        assert_eq!(buckets.quantile(0.75), Some(1.5));
        assert_eq!(Buckets { up_to: vec![(1.0, 0), (f64::INFINITY, 2)], sum: 9.0 }.quantile(0.5), Some(1.0));
        assert_eq!(Buckets { up_to: vec![(1.0, 0), (f64::INFINITY, 0)], sum: 0.0 }.quantile(0.5), None);
    }

    #[test]
    fn no_labels_stand_twice() {
        let mut snapshot = Snapshot::default();
        for number in [2_u64, 3] {
            snapshot.add(&ROWS, &[], number);
            snapshot.add(&RATIO, &[], number);
        }
        let text = snapshot.to_string();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(lines, ["ratio 3", "rows_total 5"]);
    }

    #[test]
    fn special_numbers_have_their_words() {
        let text = |number: f64| Number::from(number).to_string();
        assert_eq!(
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e21].map(text),
            ["NaN", "+Inf", "-Inf", "1000000000000000000000"]
        );
    }
}
