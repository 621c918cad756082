//! Sides of a record without columns: NONE, and any format whose schema is empty.

use arrow::array::{Array, ArrayRef, BinaryArray};
use arrow::buffer::BooleanBuffer;

use super::rows::RowsWriter;
use super::{Decoded, Decoder, Encoded, Encoder};

/// Reads nothing, whatever the bytes are, and writes null.
pub(super) struct NoneCodec {
    /// Whether every row is read as null, or only those without bytes.
    pub(super) always_null: bool,
}

impl Decoder for NoneCodec {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let nulls = if self.always_null {
            Some(BooleanBuffer::new_set(bytes.len()))
        } else {
            bytes.nulls().map(|valid| !valid.inner())
        };
        Decoded { columns: Vec::new(), nulls: nulls.filter(|nulls| nulls.count_set_bits() > 0), errors: Vec::new() }
    }
}

impl Encoder for NoneCodec {
    fn encode(&mut self, _: &[ArrayRef], rows: usize, _: Option<&BooleanBuffer>) -> Encoded {
        let mut writer = RowsWriter::new(rows, 0);
        (0..rows).for_each(|_| writer.null());
        writer.finish()
    }
}
