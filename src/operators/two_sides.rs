//! The rows of one step of both inputs of a join, in the order in which their records come.

use arrow::array::UInt32Array;

use super::Port;
use crate::types::ChangeBatch;

/// Port of the left input of a join.
pub const LEFT: Port = 0;
/// Port of the right input of a join.
pub const RIGHT: Port = 1;

/// Batches as they come from the two inputs, until the step ends.
#[derive(Default)]
pub(super) struct TwoSides {
    batches: [Vec<ChangeBatch>; 2],
}

/// All rows of a step.
pub(super) struct StepRows {
    /// The rows of each side.
    pub(super) sides: [ChangeBatch; 2],
    /// For each row of each side its place in the order of both.
    pub(super) places: [Vec<u32>; 2],
    /// Side and row by place.
    pub(super) order: Vec<(Port, usize)>,
}

impl TwoSides {
    /// Takes rows of the input `port`.
    pub(super) fn add(&mut self, port: Port, batch: ChangeBatch) {
        if !batch.is_empty() {
            self.batches[port].push(batch);
        }
    }

    /// The rows of the step that ends; `None` if there are none. Rows that follow from one record stay together, the left
    /// ones first.
    pub(super) fn take(&mut self) -> Option<StepRows> {
        if self.batches.iter().all(Vec::is_empty) {
            return None;
        }
        let sides = std::mem::take(&mut self.batches).map(ChangeBatch::concat);
        let (mut places, mut order) = ([Vec::new(), Vec::new()], Vec::new());
        let mut next = [0, 0];
        loop {
            let heads = [LEFT, RIGHT].map(|port| sides[port].seq.get(next[port]));
            let port = match heads {
                [None, None] => break,
                [Some(left), Some(right)] if right < left => RIGHT,
                [Some(_), _] => LEFT,
                [None, Some(_)] => RIGHT,
            };
            places[port].push(order.len() as u32);
            order.push((port, next[port]));
            next[port] += 1;
        }
        Some(StepRows { sides, places, order })
    }
}

impl StepRows {
    /// Keys, windows, times, sequence numbers and headers of the `rows`, without values.
    pub(super) fn take_rows(&self, rows: &[(Port, usize)]) -> ChangeBatch {
        let without_values = |side: Port| ChangeBatch { value: Vec::new(), old: None, ..self.sides[side].clone() };
        for side in [LEFT, RIGHT] {
            if self.sides[1 - side].is_empty() {
                let indices: Vec<u32> = rows.iter().map(|(_, row)| *row as u32).collect();
                return without_values(side).take(&UInt32Array::from(indices));
            }
        }
        let left_rows = self.sides[LEFT].len();
        let both = ChangeBatch::concat(vec![without_values(LEFT), without_values(RIGHT)]);
        let place = |&(side, row): &(Port, usize)| (row + if side == LEFT { 0 } else { left_rows }) as u32;
        both.take(&rows.iter().map(place).collect::<Vec<_>>().into())
    }
}
