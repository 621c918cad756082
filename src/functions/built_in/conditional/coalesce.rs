//! `COALESCE(a, b, …)`.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use levada_udf::{Batch, Operand, scalar};

/// The first value that is not NULL.
#[scalar(name = "COALESCE", signature = "(first T, more T...) -> T", example("COALESCE(NULL, 'a', 'b')" = "'a'"))]
pub(super) fn coalesce(batch: &mut Batch<'_>) -> ArrayRef {
    first_valid(batch)
}

/// Of each row the first argument that is not NULL.
pub(super) fn first_valid(batch: &mut Batch<'_>) -> ArrayRef {
    let rows = batch.rows();
    // NULL as a literal has no type.
    let is_typed = |operand: &&Operand| *operand.array().data_type() != DataType::Null;
    let operands: Vec<&Operand> = batch.arguments().iter().filter(is_typed).collect();
    let Some(first) = operands.first() else { return new_null_array(batch.result_type(), rows) };
    if operands.len() == 1 || first.array().null_count() == 0 {
        return first.expanded(rows);
    }
    let chosen = |row| operands.iter().position(|operand| !operand.is_null(row)).unwrap_or(0);
    let places: Vec<(usize, usize)> = (0..rows)
        .map(|row| {
            let operand = chosen(row);
            (operand, operands[operand].index(row))
        })
        .collect();
    let arrays: Vec<&dyn Array> = operands.iter().map(|operand| operand.array().as_ref()).collect();
    interleave(&arrays, &places).unwrap_or_else(|error| {
        (0..rows).for_each(|row| batch.fail(row, error.to_string()));
        new_null_array(batch.result_type(), rows)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, Int32Array, ListArray, NullArray, StringArray};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;

    #[test]
    fn the_first_value_counts_whatever_its_type() {
        let arguments = [
            Operand::Column(Arc::new(Int32Array::from(vec![None, Some(1), None, None]))),
            Operand::Constant(Arc::new(NullArray::new(1))),
            Operand::Column(Arc::new(Int32Array::from(vec![Some(2), Some(3), None, Some(4)]))),
        ];
        let found = evaluated("COALESCE", &arguments, 4);
        assert_eq!(*found.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(2), Some(1), None, Some(4)]));

        let lists = |rows| ListArray::from_iter_primitive::<Int32Type, _, _>(rows);
        let arguments = [
            Operand::Column(Arc::new(lists(vec![Some(vec![Some(1), None]), None]))),
            Operand::Constant(Arc::new(lists(vec![Some(vec![Some(7)])]))),
        ];
        let found = evaluated("IFNULL", &arguments, 2);
        assert_eq!(*found.as_list::<i32>(), lists(vec![Some(vec![Some(1), None]), Some(vec![Some(7)])]));
    }

    #[test]
    fn constants_stand_for_every_row() {
        let text = |text: Option<&str>| Operand::Constant(Arc::new(StringArray::from(vec![text])));
        let found = evaluated("COALESCE", &[text(None), text(Some("x")), text(Some("y"))], 2);
        assert_eq!(*found.as_string::<i32>(), StringArray::from(vec!["x", "x"]));
        assert_eq!(evaluated("IFNULL", &[text(None), text(None)], 3).null_count(), 3);
    }
}
