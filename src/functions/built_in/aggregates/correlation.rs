//! `CORRELATION(x, y)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, PrimitiveBuilder};
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Build, Fold, Folded, aggregate};

use super::doubles;

/// Pearson's correlation of two columns.
#[aggregate(
    name = "CORRELATION",
    signature = "INT BIGINT DOUBLE: (x %, y %) -> DOUBLE",
    keeps = "STRUCT<COUNT BIGINT, X DOUBLE, Y DOUBLE, XX DOUBLE, YY DOUBLE, XY DOUBLE>",
    undo,
    example("CORRELATION(x, y) FROM VALUES (1, 2), (2, 4), (3, 6) AS (x, y)" = "1E0")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn correlation(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(Correlation))
}

/// Pearson's correlation of the rows in which both are something; NaN where it is not defined.
struct Correlation;

/// How many rows, and sums of `[x, y, x², y², xy]` over them.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: i64,
    sums: [f64; 5],
}

impl Sums {
    fn of(x: f64, y: f64) -> Self {
        Self { count: 1, sums: [x, y, x * x, y * y, x * y] }
    }

    fn plus(self, other: Self, sign: f64) -> Self {
        let sum = |i: usize| self.sums[i] + sign * other.sums[i];
        Self { count: self.count + sign as i64 * other.count, sums: std::array::from_fn(sum) }
    }

    fn correlation(self) -> f64 {
        let ([x, y, xx, yy, xy], n) = (self.sums, self.count as f64);
        (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).sqrt()
    }
}

impl Fold for Correlation {
    type State = Sums;
    type Arguments<'a> = [Float64Array; 2];
    type Results = PrimitiveBuilder<Float64Type>;

    fn initial(&self) -> Sums {
        Sums::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> [Float64Array; 2] {
        [doubles(&columns[0]), doubles(&columns[1])]
    }

    fn add(&self, state: &mut Sums, [x, y]: &[Float64Array; 2], row: usize) -> Result<(), String> {
        if x.is_valid(row) && y.is_valid(row) {
            *state = state.plus(Sums::of(x.value(row), y.value(row)), 1.0);
        }
        Ok(())
    }

    fn undo(&self, state: &mut Sums, [x, y]: &[Float64Array; 2], row: usize) -> Result<(), String> {
        if x.is_valid(row) && y.is_valid(row) {
            *state = state.plus(Sums::of(x.value(row), y.value(row)), -1.0);
        }
        Ok(())
    }

    fn merge(&self, into: &mut Sums, from: &Sums) -> Result<(), String> {
        *into = into.plus(*from, 1.0);
        Ok(())
    }

    fn result(&self, state: &Sums, results: &mut Self::Results) -> Result<(), String> {
        results.append_value(state.correlation());
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        Build::finish(results)
    }

    fn stored_types(&self) -> Vec<DataType> {
        [vec![DataType::Int64], vec![DataType::Float64; 5]].concat()
    }

    fn store(&self, states: &[&Sums]) -> Result<Vec<ArrayRef>, String> {
        let counts = Int64Array::from_iter_values(states.iter().map(|state| state.count));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(counts)];
        for i in 0..5 {
            columns.push(Arc::new(Float64Array::from_iter_values(states.iter().map(|state| state.sums[i]))));
        }
        Ok(columns)
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Sums>, String> {
        let counts = columns[0].as_primitive::<Int64Type>().values();
        let sum = |row: usize, i: usize| columns[i + 1].as_primitive::<Float64Type>().value(row);
        let states = counts.iter().enumerate();
        Ok(states.map(|(row, &count)| Sums { count, sums: std::array::from_fn(|i| sum(row, i)) }).collect())
    }
}
