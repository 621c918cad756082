//! Headers of records as columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, ListArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};

use crate::types::RecordChunk;

/// The value of the last header called `name`, per record; null where there is none.
pub(super) fn last(chunk: &RecordChunk, name: &str) -> ArrayRef {
    let mut values = BinaryBuilder::with_capacity(chunk.len(), 0);
    for row in 0..chunk.len() {
        let header = chunk.headers_at(row).iter().rfind(|header| header.key == name);
        values.append_option(header.and_then(|header| header.value.as_deref()));
    }
    Arc::new(values.finish())
}

/// All headers of each record, as `ARRAY<STRUCT<KEY STRING, VALUE BYTES>>`.
pub(super) fn all(chunk: &RecordChunk) -> ArrayRef {
    let (mut names, mut values) = (StringBuilder::new(), BinaryBuilder::new());
    let mut lengths = Vec::with_capacity(chunk.len());
    for row in 0..chunk.len() {
        let headers = chunk.headers_at(row);
        lengths.push(headers.len());
        for header in headers {
            names.append_value(&header.key);
            values.append_option(header.value.as_deref());
        }
    }
    let fields =
        Fields::from(vec![Field::new("KEY", DataType::Utf8, true), Field::new("VALUE", DataType::Binary, true)]);
    let item = Arc::new(Field::new_list_field(DataType::Struct(fields.clone()), true));
    let columns: Vec<ArrayRef> = vec![Arc::new(names.finish()), Arc::new(values.finish())];
    let headers = StructArray::new(fields, columns, None);
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(headers), None))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;
    use crate::types::{Header, RecordChunkBuilder};

    fn chunk(records: &[&[(&str, Option<&str>)]]) -> RecordChunk {
        let mut chunk = RecordChunkBuilder::new();
        for (record, offset) in records.iter().zip(0..) {
            let header = |(key, value): &(&str, Option<&str>)| Header {
                key: (*key).to_owned(),
                value: value.map(|value| value.as_bytes().to_vec()),
            };
            let headers: Vec<Header> = record.iter().map(header).collect();
            chunk.push_full(None, Some(b"{}"), 0, offset, headers.into());
        }
        chunk.finish()
    }

    #[test]
    fn the_last_header_of_a_name_counts() {
        let chunk = chunk(&[&[("a", Some("1")), ("b", Some("x")), ("a", Some("2"))], &[], &[("a", None)]]);
        let column = last(&chunk, "a");
        let column = column.as_binary::<i32>();
        assert_eq!(column.iter().collect::<Vec<_>>(), [Some(&b"2"[..]), None, None]);
    }

    #[test]
    fn a_record_without_headers_has_an_empty_list() {
        let chunk = chunk(&[&[], &[("a", Some("1")), ("a", None)]]);
        let column = all(&chunk);
        let lists = column.as_list::<i32>();
        assert_eq!((lists.value_length(0), lists.value_length(1), lists.null_count()), (0, 2, 0));
        let values = lists.value(1);
        let values = values.as_struct().column(1).as_binary::<i32>().iter().collect::<Vec<_>>();
        assert_eq!(values, [Some(&b"1"[..]), None]);
    }
}
