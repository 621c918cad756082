//! What LCASE and UCASE share.

use std::sync::Arc;

use levada_udf::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder, new_null_array};
use levada_udf::arrow::buffer::OffsetBuffer;
use levada_udf::arrow::datatypes::DataType;
use levada_udf::{Batch, Operand, Write};

/// Letters in another case.
#[derive(Clone, Copy)]
pub(super) struct LetterCase {
    /// Texts of ASCII characters, all at once.
    pub(super) ascii: fn(&mut [u8]),
    /// Any text.
    pub(super) any: fn(&str) -> String,
}

impl LetterCase {
    /// The texts of the only argument in this case.
    pub(super) fn of(self, batch: &mut Batch<'_>) -> ArrayRef {
        let argument = &batch.arguments()[0];
        if *argument.array().data_type() == DataType::Null {
            return new_null_array(&DataType::Utf8, batch.rows());
        }
        let texts: &StringArray = argument.array().as_string();
        let array = self.ascii_texts(texts).unwrap_or_else(|| self.any_texts(batch, texts));
        if argument.is_constant() { Operand::Constant(array).expanded(batch.rows()) } else { array }
    }

    /// `None` if there are other characters.
    fn ascii_texts(self, texts: &StringArray) -> Option<ArrayRef> {
        let offsets = texts.offsets();
        let (start, end) = (offsets[0], offsets[texts.len()]);
        let characters = &texts.value_data()[start as usize..end as usize];
        if !characters.is_ascii() {
            return None;
        }
        let mut characters = characters.to_vec();
        (self.ascii)(&mut characters);
        let offsets = if start == 0 {
            offsets.clone()
        } else {
            OffsetBuffer::new(offsets.iter().map(|offset| offset - start).collect())
        };
        Some(Arc::new(StringArray::new(offsets, characters.into(), texts.nulls().cloned())))
    }

    fn any_texts(self, batch: &mut Batch<'_>, texts: &StringArray) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        for (row, text) in texts.iter().enumerate() {
            if let Err(reason) = text.map(self.any).write(&mut builder) {
                batch.fail(row, reason);
            }
        }
        Arc::new(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::evaluated;
    use super::*;

    #[test]
    fn texts_change_case_whatever_their_characters() {
        let cases = [
            ("LCASE", vec![Some("MiXeD 1"), None, Some("")], vec![Some("mixed 1"), None, Some("")]),
            ("UCASE", vec![Some("MiXeD 1"), None, Some("")], vec![Some("MIXED 1"), None, Some("")]),
            ("LCASE", vec![Some("Aé"), None, Some("ΌΔΟΣ ÄB")], vec![Some("aé"), None, Some("όδος äb")]),
            ("UCASE", vec![Some("Aé"), None, Some("straße ab")], vec![Some("AÉ"), None, Some("STRASSE AB")]),
        ];
        for (name, texts, expected) in cases {
            let argument: ArrayRef = Arc::new(StringArray::from(texts));
            let expected = StringArray::from(expected);
            let column = evaluated(name, &[Operand::Column(Arc::clone(&argument))], 3);
            assert_eq!(*column.as_string::<i32>(), expected, "{name}");
            let slice = evaluated(name, &[Operand::Column(argument.slice(1, 2))], 2);
            assert_eq!(*slice.as_string::<i32>(), expected.slice(1, 2), "{name}");
            let constant = evaluated(name, &[Operand::Constant(argument.slice(2, 1))], 3);
            assert!(
                constant.as_string::<i32>().iter().eq([expected.is_valid(2).then(|| expected.value(2)); 3]),
                "{name}"
            );
        }
    }
}
