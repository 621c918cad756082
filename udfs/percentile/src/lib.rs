//! An example of a plug-in: an aggregate function that can take rows back, so that tables may use it too. The README says how to build
//! and to call it.

use std::collections::BTreeMap;

use levada_udf::{Struct, aggregate, plugin};

plugin![Percentile];

/// The values of a group, and how many rows have each. The order of the keys is that of the values.
#[derive(Debug, Default)]
pub struct Percentile {
    rows: BTreeMap<i64, i64>,
    count: i64,
    percent: f64,
}

/// What is kept of a group in storage.
#[derive(Struct)]
pub struct Stored {
    values: Vec<f64>,
    rows: Vec<i64>,
    percent: f64,
}

/// A number whose order is that of `value`, as IEEE 754 has a total one.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

fn value(ordered: i64) -> f64 {
    f64::from_bits((ordered ^ ((ordered >> 63) as u64 >> 1) as i64) as u64)
}

/// The least value that is at least as great as so many percent of the values of a group: 50 gives the median.
#[aggregate(
    category = "STATISTICS",
    example("percentile(v, 50E0) FROM VALUES (1E0), (2E0), (9E0) AS (v)" = "2E0"),
    example("percentile(v, 100E0) FROM VALUES (1E0), (NULL), (9E0) AS (v)" = "9E0")
)]
impl Percentile {
    fn add(
        &mut self,
        /// What is measured; NULL counts nowhere.
        value: f64,
        /// Greater than 0, at most 100.
        #[literal]
        percent: f64,
    ) -> Result<(), String> {
        if !(percent > 0.0 && percent <= 100.0) {
            return Err(format!("{percent} percent are not between 0 and 100"));
        }
        self.percent = percent;
        *self.rows.entry(ordered(value)).or_default() += 1;
        self.count += 1;
        Ok(())
    }

    fn undo(&mut self, value: f64, _percent: f64) {
        if let Some(rows) = self.rows.get_mut(&ordered(value)) {
            *rows -= 1;
            self.count -= 1;
            if *rows == 0 {
                self.rows.remove(&ordered(value));
            }
        }
    }

    fn merge(&mut self, later: &Self) {
        later.rows.iter().for_each(|(value, rows)| *self.rows.entry(*value).or_default() += rows);
        self.count += later.count;
        self.percent = self.percent.max(later.percent);
    }

    fn result(&self) -> Option<f64> {
        let wanted = ((self.percent / 100.0 * self.count as f64).ceil() as i64).max(1);
        let mut seen = 0;
        let found = self.rows.iter().find(|(_, rows)| {
            seen += **rows;
            seen >= wanted
        });
        found.map(|(ordered, _)| value(*ordered))
    }

    fn store(&self) -> Stored {
        let values = self.rows.keys().map(|ordered| value(*ordered)).collect();
        Stored { values, rows: self.rows.values().copied().collect(), percent: self.percent }
    }

    fn restore(stored: Stored) -> Self {
        let count = stored.rows.iter().sum();
        let rows = stored.values.into_iter().map(ordered).zip(stored.rows).collect();
        Self { rows, count, percent: stored.percent }
    }

    fn bytes(&self) -> usize {
        // A value and its count, and what a map keeps beside them.
        self.rows.len() * 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], percent: f64) -> Percentile {
        let mut group = Percentile::default();
        values.iter().for_each(|value| group.add(*value, percent).expect("a good percentage"));
        group
    }

    #[test]
    fn so_many_percent_of_the_values_are_not_greater() {
        let values = [15.0, 20.0, 35.0, 40.0, 50.0];
        let found = [5.0, 30.0, 40.0, 50.0, 100.0].map(|percent| of(&values, percent).result());
        assert_eq!(found, [15.0, 20.0, 20.0, 35.0, 50.0].map(Some));
        assert_eq!(Percentile::default().result(), None);
    }

    #[test]
    fn a_value_that_is_taken_back_counts_no_more() {
        let mut group = of(&[3.0, -1.0, 3.0, f64::INFINITY], 100.0);
        group.undo(f64::INFINITY, 100.0);
        group.undo(7.0, 100.0);
        assert_eq!((group.result(), group.count), (Some(3.0), 3));
        [3.0, 3.0, -1.0].into_iter().for_each(|value| group.undo(value, 100.0));
        assert_eq!((group.result(), group.rows.len()), (None, 0));
    }

    #[test]
    fn groups_are_merged_stored_and_restored() {
        let mut group = of(&[-2.5, 1.0], 50.0);
        group.merge(&of(&[-0.0, 0.0, 9.0], 50.0));
        assert_eq!(group.result(), Some(0.0));
        let restored = Percentile::restore(group.store());
        assert_eq!((restored.result(), restored.count, restored.rows.len()), (Some(0.0), 5, 5));
    }

    #[test]
    fn a_percentage_that_is_none_is_an_error() {
        assert_eq!(Percentile::default().add(1.0, 0.0), Err("0 percent are not between 0 and 100".to_owned()));
        assert!(Percentile::default().add(1.0, f64::NAN).is_err());
    }
}
