//! Which of two elements comes first, as Java's `compareTo` has it.

/// Evaluates `$body` with `$compare`, which compares two elements of `$values` that are not NULL by their indices. `None` if
/// values of that type are in no order.
macro_rules! with_order {
    ($values:expr, $compare:ident => $body:expr) => {{
        use arrow::array::{Array as _, AsArray as _};
        use arrow::datatypes as types;
        macro_rules! primitive {
            ($arrow:ty, $order:expr) => {{
                let values = $values.as_primitive::<$arrow>().values();
                let $compare = |a: usize, b: usize| $order(values[a], values[b]);
                Some($body)
            }};
        }
        match $values.data_type() {
            types::DataType::Boolean => {
                let values = $values.as_boolean();
                let $compare = |a: usize, b: usize| values.value(a).cmp(&values.value(b));
                Some($body)
            }
            types::DataType::Int32 => primitive!(types::Int32Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Int64 => primitive!(types::Int64Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Float64 => primitive!(types::Float64Type, $crate::types::java_order::of_doubles),
            types::DataType::Date32 => primitive!(types::Date32Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Time32(_) => primitive!(types::Time32MillisecondType, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Timestamp(..) => primitive!(types::TimestampMillisecondType, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Decimal128(..) => primitive!(types::Decimal128Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Decimal256(..) => primitive!(types::Decimal256Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Utf8 => {
                let values = $values.as_string::<i32>();
                let $compare =
                    |a: usize, b: usize| $crate::types::java_order::of_texts(values.value(a), values.value(b));
                Some($body)
            }
            types::DataType::Binary => {
                let values = $values.as_binary::<i32>();
                let $compare =
                    |a: usize, b: usize| $crate::types::java_order::of_bytes(values.value(a), values.value(b));
                Some($body)
            }
            _ => None,
        }
    }};
}
pub(super) use with_order;
