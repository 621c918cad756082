//! `TO_JSON_STRING(value)`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray,
    StringBuilder, StructArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use levada_udf::{Batch, scalar};

use crate::types::{java_order, java_text, json_text};

/// Any value as a document.
#[scalar(
    name = "to_json_string",
    signature = "(value T) -> STRING",
    example("TO_JSON_STRING(ARRAY[1, 2])" = "'[1,2]'"),
    example("TO_JSON_STRING(STRUCT(b := 'x', a := true))" = r#"'{"A":true,"B":"x"}'"#)
)]
pub(super) fn to_json_string(batch: &mut Batch<'_>) -> ArrayRef {
    let operand = &batch.arguments()[0];
    let values = Values::new(operand.array().as_ref());
    let mut results = StringBuilder::new();
    let mut json = Vec::new();
    for row in 0..batch.rows() {
        json.clear();
        values.write(&mut json, operand.index(row));
        if json.len() > i32::MAX as usize - results.values_slice().len() {
            results.append_null();
            batch.fail(row, "the results of a batch have more than 2,147,483,647 bytes");
            continue;
        }
        results.append_value(std::str::from_utf8(&json).expect("what is written is UTF-8"));
    }
    Arc::new(results.finish())
}

/// Values of a column, to be written.
struct Values<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int(&'a PrimitiveArray<Int32Type>),
    Bigint(&'a PrimitiveArray<Int64Type>),
    Double(&'a PrimitiveArray<Float64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>, u8),
    WideDecimal(&'a PrimitiveArray<Decimal256Type>, u8),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time32MillisecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMillisecondType>),
    List(&'a ListArray, Box<Values<'a>>),
    Map(&'a MapArray, Box<Values<'a>>, Box<Values<'a>>),
    /// The fields in the order of their names, which are quoted.
    Struct(Vec<(Vec<u8>, Values<'a>)>),
}

impl<'a> Values<'a> {
    fn new(array: &'a dyn Array) -> Self {
        let kind = match array.data_type() {
            DataType::Boolean => Kind::Boolean(array.as_boolean()),
            DataType::Int32 => Kind::Int(array.as_primitive()),
            DataType::Int64 => Kind::Bigint(array.as_primitive()),
            DataType::Float64 => Kind::Double(array.as_primitive()),
            DataType::Decimal128(_, scale) => Kind::Decimal(array.as_primitive(), *scale as u8),
            DataType::Decimal256(_, scale) => Kind::WideDecimal(array.as_primitive(), *scale as u8),
            DataType::Utf8 => Kind::Text(array.as_string()),
            DataType::Binary => Kind::Bytes(array.as_binary()),
            DataType::Date32 => Kind::Date(array.as_primitive()),
            DataType::Time32(_) => Kind::Time(array.as_primitive()),
            DataType::Timestamp(..) => Kind::Timestamp(array.as_primitive()),
            DataType::List(_) => {
                let list: &ListArray = array.as_list();
                Kind::List(list, Box::new(Self::new(list.values().as_ref())))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let [keys, values] = [map.keys(), map.values()].map(|side| Box::new(Self::new(side.as_ref())));
                Kind::Map(map, keys, values)
            }
            DataType::Struct(_) => Kind::Struct(fields(array.as_struct())),
            _ => Kind::Null,
        };
        Self { array, kind }
    }

    fn write(&self, out: &mut Vec<u8>, row: usize) {
        if self.array.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        match &self.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Kind::Int(values) => java_text::write_integer(out, i64::from(values.value(row))),
            Kind::Bigint(values) => java_text::write_integer(out, values.value(row)),
            Kind::Double(values) if values.value(row).is_finite() => java_text::write_double(out, values.value(row)),
            Kind::Double(values) => quoted(out, |out| java_text::write_double(out, values.value(row))),
            Kind::Decimal(values, scale) => java_text::write_decimal128(out, values.value(row), *scale),
            Kind::WideDecimal(values, scale) => java_text::write_decimal256(out, values.value(row), *scale),
            Kind::Text(values) => json_text::write_text(out, values.value(row).as_bytes()),
            Kind::Bytes(values) => quoted(out, |out| java_text::write_base64(out, values.value(row))),
            Kind::Date(values) => quoted(out, |out| java_text::write_date(out, i64::from(values.value(row)))),
            Kind::Time(values) => quoted(out, |out| java_text::write_time(out, values.value(row))),
            Kind::Timestamp(values) => quoted(out, |out| java_text::write_timestamp(out, values.value(row))),
            Kind::List(list, elements) => {
                let offsets = list.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                written_between(out, *b"[]", range, |out, at| elements.write(out, at));
            }
            Kind::Map(map, keys, values) => {
                let entries = entries(map, keys, row);
                written_between(out, *b"{}", entries.into_iter(), |out, (key, at)| {
                    json_text::write_text(out, key.as_bytes());
                    out.push(b':');
                    values.write(out, at);
                });
            }
            Kind::Struct(fields) => written_between(out, *b"{}", fields.iter(), |out, (name, values)| {
                out.extend_from_slice(name);
                out.push(b':');
                values.write(out, row);
            }),
        }
    }
}

/// The fields of `array` with their quoted names, in the order of these.
fn fields(array: &StructArray) -> Vec<(Vec<u8>, Values<'_>)> {
    let mut fields: Vec<_> = array.fields().iter().zip(array.columns()).collect();
    fields.sort_by(|(a, _), (b, _)| java_order::of_texts(a.name(), b.name()));
    let quoted = |name: &str| {
        let mut quoted = Vec::new();
        json_text::write_text(&mut quoted, name.as_bytes());
        quoted
    };
    fields.into_iter().map(|(field, column)| (quoted(field.name()), Values::new(column.as_ref()))).collect()
}

/// The keys of the map in `row` as text, in order, with where their values stand.
fn entries(map: &MapArray, keys: &Values<'_>, row: usize) -> Vec<(String, usize)> {
    let key = |at: usize| match &keys.kind {
        Kind::Text(keys) => keys.value(at).to_owned(),
        _ => {
            let mut key = Vec::new();
            keys.write(&mut key, at);
            String::from_utf8_lossy(&key).trim_matches('"').to_owned()
        }
    };
    let offsets = map.value_offsets();
    let mut entries: Vec<_> = (offsets[row] as usize..offsets[row + 1] as usize).map(|at| (key(at), at)).collect();
    if entries.len() > 1 {
        entries.sort_by(|(a, _), (b, _)| java_order::of_texts(a, b));
    }
    entries
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// All `items` with commas, between `brackets`.
fn written_between<T>(
    out: &mut Vec<u8>,
    brackets: [u8; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(brackets[0]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Decimal128Array, Float64Array, Int32Array, MapBuilder, NullArray, StringBuilder,
        Time32MillisecondArray, TimestampMillisecondArray,
    };
    use arrow::datatypes::Field;
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::*;

    fn json(values: ArrayRef) -> Vec<String> {
        let rows = values.len();
        let shown = evaluated("TO_JSON_STRING", &[Operand::Column(values)], rows);
        shown.as_string::<i32>().iter().map(|text| text.expect("never NULL").to_owned()).collect()
    }

    #[test]
    fn values_are_documents() {
        let cases: [(ArrayRef, &[&str]); 9] = [
            (Arc::new(BooleanArray::from(vec![Some(true), None])), &["true", "null"]),
            (Arc::new(Float64Array::from(vec![1.0, 1e10, f64::NAN])), &["1.0", "1.0E10", "\"NaN\""]),
            (Arc::new(Decimal128Array::from(vec![150]).with_precision_and_scale(4, 2).expect("a type")), &["1.50"]),
            (Arc::new(StringArray::from(vec!["a\"\u{1}é"])), &["\"a\\\"\\u0001é\""]),
            (Arc::new(BinaryArray::from(vec![b"!".as_slice()])), &["\"IQ==\""]),
            (Arc::new(Date32Array::from(vec![1])), &["\"1970-01-02\""]),
            (Arc::new(Time32MillisecondArray::from(vec![1])), &["\"00:00:00.001\""]),
            (Arc::new(TimestampMillisecondArray::from(vec![60_220_000_000])), &["\"1971-11-28T23:46:40.000\""]),
            (Arc::new(NullArray::new(1)), &["null"]),
        ];
        for (values, expected) in cases {
            assert_eq!(json(values), expected);
        }
    }

    #[test]
    fn keys_and_fields_are_sorted() {
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for (key, value) in [("b", Some("x")), ("\u{ffff}", None), ("😀", None), ("a", None)] {
            map.keys().append_value(key);
            map.values().append_option(value);
        }
        map.append(true).expect("keys and values have equal lengths");
        let map = Arc::new(map.finish()) as ArrayRef;
        let sorted = "{\"a\":null,\"b\":\"x\",\"😀\":null,\"\u{ffff}\":null}";
        assert_eq!(json(Arc::clone(&map)), [sorted]);

        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None])]);
        let record = StructArray::from(vec![
            (Arc::new(Field::new("M", map.data_type().clone(), true)), map),
            (Arc::new(Field::new("B", DataType::Int32, true)), Arc::new(Int32Array::from(vec![None])) as ArrayRef),
            (Arc::new(Field::new("A", list.data_type().clone(), true)), Arc::new(list) as ArrayRef),
        ]);
        assert_eq!(json(Arc::new(record)), [format!("{{\"A\":[1,null],\"B\":null,\"M\":{sorted}}}")]);
    }
}
