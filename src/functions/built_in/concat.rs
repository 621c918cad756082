//! `CONCAT(a, b, …)`: texts or bytes one after the other. NULLs are left out, unlike with `+` and `||`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use arrow::datatypes::DataType;

use crate::functions::{Operand, ScalarBody};

pub(super) fn body() -> ScalarBody {
    ScalarBody::new(|arguments, rows, _| match arguments.first().map(|first| first.array().data_type()) {
        Some(DataType::Binary) => bytes(arguments, rows),
        _ => texts(arguments, rows),
    })
}

fn texts(arguments: &[Operand], rows: usize) -> ArrayRef {
    let columns: Vec<_> = arguments.iter().map(|argument| (argument, argument.array().as_string::<i32>())).collect();
    let mut joined = StringBuilder::with_capacity(rows, 0);
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        for (argument, values) in columns.iter().filter(|(argument, _)| !argument.is_null(row)) {
            text.push_str(values.value(argument.index(row)));
        }
        joined.append_value(&text);
    }
    Arc::new(joined.finish())
}

fn bytes(arguments: &[Operand], rows: usize) -> ArrayRef {
    let columns: Vec<_> = arguments.iter().map(|argument| (argument, argument.array().as_binary::<i32>())).collect();
    let mut joined = BinaryBuilder::with_capacity(rows, 0);
    let mut value = Vec::new();
    for row in 0..rows {
        value.clear();
        for (argument, values) in columns.iter().filter(|(argument, _)| !argument.is_null(row)) {
            value.extend_from_slice(values.value(argument.index(row)));
        }
        joined.append_value(&value);
    }
    Arc::new(joined.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, StringArray};

    use super::*;

    fn evaluated(arguments: &[Operand]) -> ArrayRef {
        body().evaluate(arguments, 2, &mut |row, reason| panic!("row {row}: {reason}"))
    }

    #[test]
    fn nulls_are_left_out() {
        let texts = [
            Operand::Column(Arc::new(StringArray::from(vec![Some("a"), None]))),
            Operand::Constant(Arc::new(StringArray::from(vec!["-"]))),
            Operand::Constant(Arc::new(StringArray::from(vec![None::<&str>]))),
        ];
        assert_eq!(*evaluated(&texts).as_string::<i32>(), StringArray::from(vec!["a-", "-"]));
    }

    #[test]
    fn bytes_are_joined_too() {
        let bytes = || Operand::Column(Arc::new(BinaryArray::from(vec![b"x".as_slice(), b"yz"])));
        assert_eq!(
            *evaluated(&[bytes(), bytes()]).as_binary::<i32>(),
            BinaryArray::from(vec![b"xx".as_slice(), b"yzyz"])
        );
    }
}
