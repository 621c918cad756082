//! Functions that wait: for a disk, a network, another server.

use std::num::NonZero;
use std::sync::Arc;

use arrow::array::ArrayRef;

use super::plugin::{evaluated, joined};
use super::{Batch, Operand, Scalar};

/// A function whose rows are evaluated on several threads at once, so that they wait together. Their order stays.
pub struct Blocking {
    scalar: Arc<dyn Scalar>,
    threads: NonZero<usize>,
}

impl Blocking {
    /// `scalar` on so many threads at most.
    pub fn new(scalar: Arc<dyn Scalar>, threads: NonZero<usize>) -> Self {
        Self { scalar, threads }
    }
}

/// What a thread gives: the values, and the rows that fail.
type Part = (ArrayRef, Vec<(usize, String)>);

impl Scalar for Blocking {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        let (rows, result) = (batch.rows(), batch.result_type());
        if rows <= 1 || self.threads.get() == 1 {
            return self.scalar.evaluate(batch);
        }
        let share = rows.div_ceil(self.threads.get());
        let arguments = batch.arguments();
        let part = |first: usize| {
            let rows = share.min(rows - first);
            let arguments: Vec<Operand> = arguments.iter().map(|operand| operand.slice(first, rows)).collect();
            let mut failures = Vec::new();
            let mut note = |row: usize, reason: String| failures.push((first + row, reason));
            let values = evaluated(&*self.scalar, &arguments, rows, result, &mut note);
            (values, failures)
        };
        let parts: Vec<Part> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..rows).step_by(share).map(|first| scope.spawn(move || part(first))).collect();
            let parts = threads.into_iter().map(|thread| thread.join().expect("panics of the function are caught"));
            parts.collect()
        });
        let (values, failures): (Vec<ArrayRef>, Vec<_>) = parts.into_iter().unzip();
        failures.into_iter().flatten().for_each(|(row, reason)| batch.fail(row, reason));
        joined(&values, result)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use arrow::array::{Array, AsArray, Int32Array};
    use arrow::datatypes::{DataType, Int32Type};

    use super::*;

    #[test]
    fn rows_wait_together_and_keep_their_order() {
        let meeting = Barrier::new(4);
        let doubled = move |batch: &mut Batch<'_>| -> ArrayRef {
            meeting.wait();
            let numbers = batch.arguments()[0].array().as_primitive::<Int32Type>().clone();
            if numbers.value(0) == 3 {
                batch.fail(0, "three");
            }
            Arc::new(numbers.unary::<_, Int32Type>(|number| number * 2))
        };
        let blocking = Blocking::new(Arc::new(doubled), NonZero::new(4).expect("four"));
        let numbers = [Operand::Column(Arc::new(Int32Array::from_iter_values(0..4)))];
        let mut failures = Vec::new();
        let mut note = |row, reason| failures.push((row, reason));
        let values = blocking.evaluate(&mut Batch::new(&numbers, 4, &DataType::Int32, &mut note));
        assert_eq!(values.as_primitive::<Int32Type>().values().to_vec(), [0, 2, 4, 6]);
        assert_eq!(failures, [(3, "three".to_owned())]);
        assert_eq!(values.len(), 4);
    }
}
