//! `ARRAY_LENGTH(array)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;

/// How many elements there are.
#[scalar(
    name = "ARRAY_LENGTH",
    signature = "(array ARRAY<T>) -> INT",
    example("ARRAY_LENGTH(ARRAY['a', NULL, 'b'])" = "3")
)]
pub(super) fn array_length(batch: &mut Batch<'_>) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    Arc::new((0..batch.rows()).map(|row| Some(arrays.range(row)?.len() as i32)).collect::<Int32Array>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int32Array, NullArray};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::super::tests::arrays;

    #[test]
    fn null_has_no_length() {
        let found = evaluated("ARRAY_LENGTH", &[arrays([Some(vec![None, Some(1)]), None, Some(vec![])])], 3);
        assert_eq!(*found.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(2), None, Some(0)]));
        let found = evaluated("ARRAY_LENGTH", &[Operand::Constant(Arc::new(NullArray::new(1)))], 2);
        assert_eq!(found.null_count(), 2);
    }
}
