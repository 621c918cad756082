//! How far values are from their mean.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, PrimitiveBuilder};
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use levada_udf::{Accumulator, Build, Fold, Folded};

use super::doubles;

/// An accumulator that shows `measure` of the variance of the values as a sample, which is 0 for fewer than two.
pub(super) fn accumulator(measure: fn(f64) -> f64) -> Box<dyn Accumulator> {
    Folded::boxed(Deviation { measure })
}

struct Deviation {
    measure: fn(f64) -> f64,
}

/// Number, sum and squared distances from the mean of the values that are not NULL, after Youngs and Cramer.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: i64,
    sum: f64,
    squares: f64,
}

impl Moments {
    /// What the last of `count` values adds to the squares, where `sum` is that of all of them.
    fn square(count: i64, sum: f64, last: f64) -> f64 {
        let (n, distance) = (count as f64, count as f64 * last - sum);
        distance * distance / (n * (n - 1.0))
    }

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        if self.count > 1 {
            self.squares += Self::square(self.count, self.sum, value);
        }
    }

    fn undo(&mut self, value: f64) {
        if self.count > 1 {
            self.squares -= Self::square(self.count, self.sum, value);
        }
        self.count -= 1;
        self.sum -= value;
    }

    fn merge(&mut self, other: Self) {
        let (n, m) = (self.count as f64, other.count as f64);
        if other.count > 0 && self.count > 0 {
            let distance = m * self.sum - n * other.sum;
            self.squares += other.squares + distance * distance / (n * m * (n + m));
        } else {
            self.squares += other.squares;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    fn variance(self) -> f64 {
        if self.count > 1 { self.squares / (self.count - 1) as f64 } else { 0.0 }
    }
}

impl Fold for Deviation {
    type State = Moments;
    type Arguments<'a> = Float64Array;
    type Results = PrimitiveBuilder<Float64Type>;

    fn initial(&self) -> Moments {
        Moments::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Float64Array {
        doubles(&columns[0])
    }

    fn add(&self, state: &mut Moments, values: &Float64Array, row: usize) -> Result<(), String> {
        if values.is_valid(row) {
            state.add(values.value(row));
        }
        Ok(())
    }

    fn undo(&self, state: &mut Moments, values: &Float64Array, row: usize) -> Result<(), String> {
        if values.is_valid(row) {
            state.undo(values.value(row));
        }
        Ok(())
    }

    fn merge(&self, into: &mut Moments, from: &Moments) -> Result<(), String> {
        into.merge(*from);
        Ok(())
    }

    fn result(&self, state: &Moments, results: &mut Self::Results) -> Result<(), String> {
        results.append_value((self.measure)(state.variance()));
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        Build::finish(results)
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::Int64, DataType::Float64, DataType::Float64]
    }

    fn store(&self, states: &[&Moments]) -> Result<Vec<ArrayRef>, String> {
        let doubles = |of: fn(&Moments) -> f64| {
            Arc::new(Float64Array::from_iter_values(states.iter().map(|state| of(state)))) as ArrayRef
        };
        let counts = Int64Array::from_iter_values(states.iter().map(|state| state.count));
        Ok(vec![Arc::new(counts), doubles(|state| state.sum), doubles(|state| state.squares)])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Moments>, String> {
        let counts = columns[0].as_primitive::<Int64Type>().values();
        let [sums, squares] = [1, 2].map(|i| columns[i].as_primitive::<Float64Type>().values());
        let states = counts.iter().zip(sums).zip(squares);
        Ok(states.map(|((&count, &sum), &squares)| Moments { count, sum, squares }).collect())
    }
}
