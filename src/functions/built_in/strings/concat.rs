//! `CONCAT(a, b, …)`.

use std::fmt::{self, Display};

use levada_udf::{Rest, Shown, scalar};

/// Texts or bytes one after the other; NULLs are left out, unlike with `+` and `||`.
#[scalar(name = "concat", example("CONCAT('a', NULL, 'b')" = "'ab'"))]
pub(super) fn texts(first: Option<&str>, more: Rest<&str>) -> Shown<impl Display> {
    Shown(fmt::from_fn(move |f| {
        f.write_str(first.unwrap_or_default())?;
        more.iter().flatten().try_for_each(|text| f.write_str(text))
    }))
}

/// The same of bytes.
#[scalar(name = "concat")]
pub(super) fn bytes(first: Option<&[u8]>, more: Rest<&[u8]>) -> Vec<u8> {
    let mut joined = first.unwrap_or_default().to_vec();
    more.iter().flatten().for_each(|bytes| joined.extend_from_slice(bytes));
    joined
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, StringArray};
    use levada_udf::Operand;
    use std::sync::Arc;

    use super::super::super::evaluated;

    #[test]
    fn nulls_are_left_out() {
        let text = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
        let arguments = [
            Operand::Column(text(vec![Some("a"), None])),
            Operand::Constant(text(vec![Some("-")])),
            Operand::Constant(text(vec![None])),
        ];
        let joined = evaluated("CONCAT", &arguments, 2);
        assert_eq!(*joined.as_string::<i32>(), StringArray::from(vec!["a-", "-"]));
    }
}
