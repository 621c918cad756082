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
    /// Characters of up to two bytes.
    pub(super) table: fn() -> &'static Table,
    /// Any text.
    pub(super) any: fn(&str) -> String,
}

/// What characters below U+0800 are in a case.
pub(super) struct Table {
    ascii: [u8; 0x80],
    /// By code: two bytes, or zeros where it takes more than to look at the character, or the bytes are not two.
    two: Box<[[u8; 2]; 0x800]>,
}

impl Table {
    /// With `change` of each character alone.
    pub(super) fn new(change: impl Fn(char) -> String) -> Self {
        let changed = |code: u32| char::from_u32(code).map(&change).unwrap_or_default();
        let mut table = Self { ascii: [0; 0x80], two: Box::new([[0; 2]; 0x800]) };
        for code in 0..0x80 {
            table.ascii[code as usize] = changed(code).as_bytes()[0];
        }
        // Which small letter a sigma is depends on where in a word it stands.
        for code in (0x80..0x800).filter(|code| *code != u32::from('Σ')) {
            table.two[code as usize] = changed(code).as_bytes().try_into().unwrap_or([0; 2]);
        }
        table
    }

    /// The two bytes for the character of these two.
    #[inline]
    fn changed(&self, lead: u8, second: u8) -> Option<[u8; 2]> {
        let code = usize::from(lead).checked_sub(0xC0)? << 6 | usize::from(second & 0x3F);
        self.two.get(code).copied().filter(|changed| changed[0] != 0)
    }
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
        let mut short = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            if let Some(text) = text
                && let Some(changed) = self.short_text(text, &mut short)
            {
                builder.append_value(changed);
            } else if let Err(reason) = text.map(self.any).write(&mut builder) {
                batch.fail(row, reason);
            }
        }
        Arc::new(builder.finish())
    }

    /// `text` in this case, kept in `room`, if every character has one or two bytes before and after, and its case depends on
    /// nothing else.
    fn short_text<'r>(self, text: &str, room: &'r mut Vec<u8>) -> Option<&'r str> {
        let table = (self.table)();
        room.clear();
        room.extend_from_slice(text.as_bytes());
        let mut at = 0;
        while let Some(&lead) = room.get(at) {
            if lead < 0x80 {
                room[at] = table.ascii[usize::from(lead)];
                at += 1;
                continue;
            }
            let [first, second] = table.changed(lead, *room.get(at + 1)?)?;
            (room[at], room[at + 1]) = (first, second);
            at += 2;
        }
        Some(std::str::from_utf8(room).expect("characters were replaced as a whole"))
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
            ("UCASE", vec![Some("ЖЁжё"), None, Some("aÿµſ😀ﬁ")], vec![Some("ЖЁЖЁ"), None, Some("AŸΜS😀FI")]),
            ("LCASE", vec![Some("ЖЁжё"), None, Some("İKΣ")], vec![Some("жёжё"), None, Some("i\u{307}kς")]),
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
