//! What JSON reads and writes, by example and by chance.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, BinaryArray};
use arrow::buffer::BooleanBuffer;
use proptest::prelude::*;

use crate::formats::{Decoded, Format, Serde, decoder, encoder};
use crate::types::{Column, SqlType, StructField, java_text};

fn serde(wrap_single: bool) -> Serde {
    Serde { format: Format::Json, wrap_single }
}

fn list(element: SqlType) -> SqlType {
    SqlType::Array(Box::new(element))
}

fn map(value: SqlType) -> SqlType {
    SqlType::Map(Box::new(SqlType::String), Box::new(value))
}

fn record(fields: &[(&str, SqlType)]) -> SqlType {
    let field = |(name, sql_type): &(&str, SqlType)| StructField { name: (*name).into(), sql_type: sql_type.clone() };
    SqlType::Struct(fields.iter().map(field).collect())
}

fn columns(columns: &[(&str, SqlType)]) -> Vec<Column> {
    columns.iter().map(|(name, sql_type)| Column::new(*name, sql_type.clone())).collect()
}

fn decode(serde: &Serde, columns: &[Column], records: &[Option<&[u8]>]) -> Decoded {
    let needed = vec![true; columns.len()];
    let mut decoder = decoder(serde, columns, &needed).expect("JSON can carry the columns");
    let decoded = decoder.decode(&BinaryArray::from(records.to_vec()));
    for (array, column) in decoded.columns.iter().zip(columns) {
        assert_eq!(array.len(), records.len());
        assert_eq!(array.data_type(), &column.sql_type.arrow());
        array.to_data().validate_full().expect("decoded arrays are valid");
    }
    decoded
}

fn shown(array: &ArrayRef, row: usize, sql_type: &SqlType) -> String {
    let mut out = Vec::new();
    java_text::write_value(&mut out, array, row, sql_type);
    String::from_utf8(out).expect("text is UTF-8")
}

/// What a value reads as in a column `A` of the type, or the row's error.
fn read(sql_type: &SqlType, value: &str) -> String {
    let columns = [Column::new("A", sql_type.clone())];
    let decoded = decode(&serde(true), &columns, &[Some(format!("{{\"A\":{value}}}").as_bytes())]);
    match decoded.errors.first() {
        Some(error) => error.reason.clone(),
        None => shown(&decoded.columns[0], 0, sql_type),
    }
}

/// Checks what values read as; `None` stands for an error that names value, type and path.
fn check(sql_type: &SqlType, cases: &[(&str, Option<&str>)]) {
    for (value, expected) in cases {
        let expected = expected.map_or_else(|| format!("cannot read {value} as {sql_type} at $.A"), str::to_owned);
        assert_eq!(read(sql_type, value), expected, "{value} as {sql_type}");
    }
}

#[test]
fn booleans_are_only_booleans() {
    let cases =
        [("true", Some("true")), ("false", Some("false")), ("null", Some("null")), ("\"true\"", None), ("1", None)];
    check(&SqlType::Boolean, &cases);
}

#[test]
fn integers_are_whole_numbers_or_text_of_them() {
    let cases = [
        ("5", Some("5")),
        ("-0", Some("0")),
        ("2147483647", Some("2147483647")),
        ("2147483648", None),
        ("5.0", Some("5")),
        ("5.5", None),
        ("\"12\"", Some("12")),
        ("\"+12\"", Some("12")),
        ("\"\\u0031\"", Some("1")),
        ("\" 12\"", None),
        ("\"12.0\"", None),
        ("\"\"", None),
        ("true", None),
        ("[1]", None),
        ("{\"a\":1}", None),
        ("null", Some("null")),
    ];
    check(&SqlType::Integer, &cases);
    let big = [
        ("9223372036854775807", Some("9223372036854775807")),
        ("9223372036854775808", None),
        ("1e18", Some("1000000000000000000")),
    ];
    check(&SqlType::Bigint, &big);
}

#[test]
fn doubles_are_numbers_or_text_of_them() {
    let cases = [
        ("1", Some("1.0")),
        ("0.1", Some("0.1")),
        ("-1.5E-10", Some("-1.5E-10")),
        ("123456789012345678901234567890", Some("1.2345678901234568E29")),
        ("\"NaN\"", Some("NaN")),
        ("\" 1.5\"", Some("1.5")),
        ("\"abc\"", None),
        ("false", None),
        ("1e999", None),
    ];
    check(&SqlType::Double, &cases);
}

#[test]
fn decimals_are_exact_or_refused() {
    let cases = [
        ("12.34", Some("12.34")),
        ("12.3", Some("12.30")),
        ("\"-12.3\"", Some("-12.30")),
        ("12.345", None),
        ("123", None),
        ("1e1", Some("10.00")),
        ("\"abc\"", None),
        ("true", None),
    ];
    check(&SqlType::Decimal { precision: 4, scale: 2 }, &cases);
    let wide = SqlType::Decimal { precision: 50, scale: 30 };
    let digits = "12345678901234567890.123456789012345678901234567890";
    check(&wide, &[(digits, Some(digits)), ("1", Some("1.000000000000000000000000000000"))]);
}

#[test]
fn text_takes_any_value() {
    let cases = [
        ("\"a b\"", "a b"),
        ("\"\"", ""),
        (r#""q\"b\\s\/n\nu\u00e9\ud83d\ude00""#, "q\"b\\s/n\nué😀"),
        (r#""\ud83d alone""#, "\u{fffd} alone"),
        ("5", "5"),
        ("-0", "0"),
        ("1.50", "1.50"),
        ("1e3", "1E+3"),
        ("true", "true"),
        ("null", "null"),
        (r#"{ "b" : [ 1 , 2.0 , "x\u0041\"" ] , "a" : null }"#, r#"{"b":[1,2.0,"xA\""],"a":null}"#),
        ("[ ]", "[]"),
    ];
    for (value, expected) in cases {
        assert_eq!(read(&SqlType::String, value), expected, "{value}");
    }
}

#[test]
fn bytes_are_base64() {
    check(&SqlType::Bytes, &[("\"Zm9v\"", Some("Zm9v")), ("\"\"", Some("")), ("\"?\"", None), ("5", None)]);
}

#[test]
fn dates_and_times_are_integers() {
    check(&SqlType::Date, &[("1", Some("1970-01-02")), ("\"1\"", Some("1970-01-02")), ("\"1970-01-02\"", None)]);
    check(&SqlType::Time, &[("1000", Some("00:00:01"))]);
    check(&SqlType::Timestamp, &[("1", Some("1970-01-01T00:00:00.001")), ("1.5", None)]);
}

#[test]
fn nested_values_read_inside_out() {
    let lines = list(record(&[("N", SqlType::Integer), ("T", list(SqlType::String))]));
    let value = r#"[{"n": 1, "T": ["a", null]}, null, {"x": {}, "N": "2"}]"#;
    assert_eq!(read(&lines, value), "[Struct{N=1,T=[a, null]}, null, Struct{N=2}]");
    assert_eq!(read(&lines, "[]"), "[]");
    assert_eq!(read(&map(SqlType::Bigint), r#"{"b": 1, "\u0061": null}"#), "{b=1, a=null}");
    assert_eq!(read(&map(list(SqlType::Double)), r#"{"k": [1, 2.5]}"#), "{k=[1.0, 2.5]}");
    assert_eq!(read(&record(&[]), "{}"), "Struct{}");
}

#[test]
fn errors_name_the_path_the_value_and_the_type() {
    let lines = list(record(&[("N", SqlType::Integer)]));
    assert_eq!(read(&lines, r#"[{"n": 1}, {"n": [true]}]"#), "cannot read [true] as INTEGER at $.A[1].N");
    assert_eq!(read(&map(SqlType::Bigint), r#"{"k": "x"}"#), "cannot read \"x\" as BIGINT at $.A.k");
    assert_eq!(read(&lines, "7"), "cannot read 7 as ARRAY<STRUCT<`N` INTEGER>> at $.A");
    let long = format!("\"{}\"", "x".repeat(200));
    assert_eq!(read(&SqlType::Bigint, &long), format!("cannot read \"{}… as BIGINT at $.A", "x".repeat(99)));
}

#[test]
fn of_equal_members_the_last_one_counts() {
    let cases = [
        (r#"{"A": 1, "A": 2}"#, "2"),
        (r#"{"a": 1, "a": 2}"#, "2"),
        (r#"{"a": 1, "A": 2}"#, "2"),
        (r#"{"A": 1, "a": 2}"#, "1"),
        (r#"{"A": 1, "a": 2, "A": 3}"#, "3"),
        (r#"{"A": 1, "A": null}"#, "null"),
        (r#"{"A": null, "a": 2}"#, "null"),
        (r#"{"b": 1}"#, "null"),
    ];
    let column = columns(&[("A", SqlType::Integer)]);
    for (document, expected) in cases {
        // Twice in one batch: the second time the names are known.
        let decoded = decode(&serde(true), &column, &[Some(document.as_bytes()), Some(document.as_bytes())]);
        assert!(decoded.errors.is_empty(), "{document}");
        for row in 0..2 {
            assert_eq!(shown(&decoded.columns[0], row, &SqlType::Integer), expected, "{document}");
        }
    }
    assert_eq!(read(&map(SqlType::Bigint), r#"{"k": 1, "l": 2, "k": 3}"#), "{l=2, k=3}");
    assert_eq!(read(&record(&[("F", SqlType::Integer)]), r#"{"f": 1, "f": 2}"#), "Struct{F=2}");
}

#[test]
fn quoted_columns_match_exactly_and_others_in_upper_case() {
    let columns = columns(&[("a", SqlType::Integer), ("A", SqlType::Integer), ("ÜB", SqlType::Integer)]);
    let cases = [
        (r#"{"a": 1, "A": 2, "üb": 3}"#, ["1", "2", "3"]),
        (r#"{"a": 1}"#, ["1", "1", "null"]),
        (r#"{"A": 2, "\u00dcb": 3}"#, ["null", "2", "3"]),
    ];
    for (document, expected) in cases {
        let decoded = decode(&serde(true), &columns, &[Some(document.as_bytes())]);
        let row: Vec<String> = decoded.columns.iter().map(|array| shown(array, 0, &SqlType::Integer)).collect();
        assert_eq!(row, expected, "{document}");
    }
}

#[test]
fn member_order_may_change_from_record_to_record() {
    let columns = columns(&[("A", SqlType::Integer), ("B", SqlType::Integer), ("C", SqlType::Integer)]);
    let documents = [
        r#"{"a":1,"b":2,"c":3}"#,
        r#"{"c":3,"b":2,"a":1}"#,
        r#"{"b":2,"x":{"a":9},"a":1,"c":3}"#,
        r#"{"a":1,"c":3,"b":2}"#,
        r#"{"a":1,"b":2,"c":3}"#,
        "{\"a\" : 1 , \n\"b\":\t2, \"c\":3 } ",
    ];
    let records: Vec<Option<&[u8]>> = documents.iter().map(|document| Some(document.as_bytes())).collect();
    let decoded = decode(&serde(true), &columns, &records);
    assert!(decoded.errors.is_empty());
    for (row, document) in documents.iter().enumerate() {
        let values: Vec<String> = decoded.columns.iter().map(|array| shown(array, row, &SqlType::Integer)).collect();
        assert_eq!(values, ["1", "2", "3"], "{document}");
    }
}

#[test]
fn a_bad_row_leaves_its_neighbours_alone() {
    let nested = record(&[("S", SqlType::String), ("N", list(SqlType::Integer))]);
    let columns = columns(&[("T", SqlType::String), ("A", nested.clone()), ("M", map(SqlType::String))]);
    let good = r#"{"t":"x","a":{"s":"y","n":[1,2]},"m":{"k":"v"}}"#;
    let bad = [
        &br#"{"t":"x","m":{"k":"v"},"a":{"s":"y","n":[1,true]}}"#[..],
        br#"{"t":"x","m":{"k":"v","l":"#,
        br#"{"t":"x","a":{"s":"y","n":[1,2]},"m":{"k":"v"}}x"#,
        br#"{"t":"x","a":{"s":"y","n":[1,2]},"zzz":[1,}"#,
        b"{\"t\":\"\xff\"}",
        b"{\"t\":\"a\nb\"}",
        b"",
        b" ",
        b"7",
        b"[]",
        b"{\"t\":01}",
        b"{\"t\":1.}",
        b"{\"t\":-}",
        b"{\"t\":+1}",
        b"{\"t\":1e}",
        b"{\"t\":nul}",
        b"{\"t\":NaN}",
        b"{\"t\":\"\\x\"}",
        b"{\"t\":\"\\u12g4\"}",
        b"{\"t\":\"open}",
        b"{\"t\" 1}",
        b"{t:1}",
        b"{'t':1}",
        b"{\"t\":1,}",
        b"{,}",
        b"{\"t\":1e99999999999}",
    ];
    let mut records = vec![Some(good.as_bytes())];
    for record in bad {
        records.extend([Some(record), Some(good.as_bytes())]);
    }
    let decoded = decode(&serde(true), &columns, &records);
    let wrong: Vec<usize> = decoded.errors.iter().map(|error| error.row as usize).collect();
    assert_eq!(wrong, (0..bad.len()).map(|index| 2 * index + 1).collect::<Vec<_>>());
    for row in 0..records.len() {
        let values: Vec<String> =
            decoded.columns.iter().zip(&columns).map(|(array, column)| shown(array, row, &column.sql_type)).collect();
        let expected = if row % 2 == 1 { ["null"; 3] } else { ["x", "Struct{S=y,N=[1, 2]}", "{k=v}"] };
        assert_eq!(values, expected, "row {row}");
    }
}

#[test]
fn malformed_documents_say_where() {
    let cases = [
        ("{\"A\":1", "malformed JSON at byte 6: expected ',' or '}'"),
        ("{\"A\":tru}", "malformed JSON at byte 5: expected a JSON value"),
        ("{\"A\":1}}", "malformed JSON at byte 7: unexpected text after the value"),
        ("", "malformed JSON at byte 0: expected a JSON value"),
        ("[1]", "cannot read [1] as an object with columns at $"),
    ];
    for (document, expected) in cases {
        let decoded = decode(&serde(true), &columns(&[("A", SqlType::Integer)]), &[Some(document.as_bytes())]);
        assert_eq!(decoded.errors[0].reason, expected);
    }
}

#[test]
fn depth_is_limited() {
    let nest = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let column = columns(&[("A", SqlType::Integer)]);
    assert!(decode(&serde(true), &column, &[Some(nest(1000).as_bytes())]).errors.is_empty());
    for depth in [1001, 100_000] {
        let decoded = decode(&serde(true), &column, &[Some(nest(depth).as_bytes())]);
        assert!(decoded.errors[0].reason.contains("nests too deep"));
    }
}

#[test]
fn null_rows_and_null_values_differ() {
    let column = columns(&[("A", SqlType::Integer)]);
    let records: [Option<&[u8]>; 4] = [None, Some(b"null"), Some(b" null "), Some(b"{}")];
    let wrapped = decode(&serde(true), &column, &records);
    assert_eq!(wrapped.nulls, Some(BooleanBuffer::from(vec![true, true, true, false])));
    let bare = decode(&serde(false), &column, &[None, Some(b"null"), Some(b"\"7\"")]);
    assert_eq!(bare.nulls, Some(BooleanBuffer::from(vec![true, false, false])));
    assert_eq!(shown(&bare.columns[0], 2, &SqlType::Integer), "7");
    assert!(bare.errors.is_empty() && wrapped.errors.is_empty());
}

#[test]
fn a_byte_order_mark_is_ignored() {
    let decoded = decode(&serde(true), &columns(&[("A", SqlType::Integer)]), &[Some(b"\xef\xbb\xbf{\"A\":1}")]);
    assert!(decoded.errors.is_empty());
}

#[test]
fn columns_that_are_not_needed_are_checked_and_null() {
    let columns = columns(&[
        ("A", SqlType::Integer),
        ("B", SqlType::String),
        ("C", list(SqlType::Integer)),
        ("D", SqlType::Integer),
    ]);
    let mut decoder =
        decoder(&serde(true), &columns, &[false, false, false, true]).expect("JSON can carry the columns");
    let records: Vec<&[u8]> = vec![
        br#"{"a":1,"b":"x","c":[1,2],"d":4}"#,
        br#"{"a":"x","b":"x","c":[1,2],"d":4}"#,
        br#"{"a":1,"b":{"x":[1]},"c":[1,"x"],"d":4}"#,
        br#"{"a":1,"a":2,"b":1,"b":2,"c":[1],"c":[],"d":5}"#,
    ];
    for _ in 0..2 {
        let decoded = decoder.decode(&BinaryArray::from(records.clone()));
        let wrong: Vec<u32> = decoded.errors.iter().map(|error| error.row).collect();
        assert_eq!(wrong, [1, 2]);
        assert!(decoded.columns[..3].iter().all(|array| array.null_count() == 4));
        let values: Vec<String> = (0..4).map(|row| shown(&decoded.columns[3], row, &SqlType::Integer)).collect();
        assert_eq!(values, ["4", "null", "null", "5"]);
    }
}

/// The document that encoding the decoded `document` gives.
fn rewrite(serde: &Serde, columns: &[Column], document: &str) -> Option<String> {
    let decoded = decode(serde, columns, &[Some(document.as_bytes())]);
    assert_eq!(decoded.errors, []);
    let mut encoder = encoder(serde, columns).expect("JSON can carry the columns");
    let encoded = encoder.encode(&decoded.columns, 1, decoded.nulls.as_ref());
    assert_eq!(encoded.errors, []);
    encoded.bytes.iter().next().flatten().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn values_are_written_as_jackson_writes_them() {
    let cases = [
        (SqlType::Boolean, "true", "true"),
        (SqlType::Integer, "-5", "-5"),
        (SqlType::Bigint, "9223372036854775807", "9223372036854775807"),
        (SqlType::Double, "100", "100.0"),
        (SqlType::Double, "0.0001", "1.0E-4"),
        (SqlType::Double, "12000000", "1.2E7"),
        (SqlType::Double, "\"NaN\"", "\"NaN\""),
        (SqlType::Double, "\"-Infinity\"", "\"-Infinity\""),
        (SqlType::Decimal { precision: 20, scale: 10 }, "1e-7", "0.0000001000"),
        (SqlType::String, r#""/é\u001f\u007f\b\f\n\r\t\"\\""#, "\"/é\\u001F\u{7f}\\b\\f\\n\\r\\t\\\"\\\\\""),
        (SqlType::Bytes, "\"Zm8=\"", "\"Zm8=\""),
        (SqlType::Date, "-3", "-3"),
        (SqlType::Time, "3", "3"),
        (SqlType::Timestamp, "3", "3"),
        (list(SqlType::String), "[\"a\", null]", "[\"a\",null]"),
        (map(SqlType::Integer), "{\"a\\\"\": 1, \"b\": null}", "{\"a\\\"\":1,\"b\":null}"),
        (record(&[("x", SqlType::Integer), ("Y", list(SqlType::Double))]), "{\"x\":1}", "{\"x\":1,\"Y\":null}"),
        (record(&[]), "{}", "{}"),
        (SqlType::Integer, "null", "null"),
    ];
    for (sql_type, value, expected) in cases {
        let column = [Column::new("A", sql_type.clone())];
        let wrapped = rewrite(&serde(true), &column, &format!("{{\"a\":{value}}}"));
        assert_eq!(wrapped, Some(format!("{{\"A\":{expected}}}")), "{sql_type}");
        let bare = rewrite(&serde(false), &column, value);
        assert_eq!(bare.as_deref(), (expected != "null").then_some(expected), "{sql_type}");
    }
}

#[test]
fn records_are_compact_and_null_rows_have_no_bytes() {
    let columns = columns(&[("A", SqlType::Integer), ("b \"c\"", SqlType::String)]);
    assert_eq!(rewrite(&serde(true), &columns, r#"{"a": 1}"#).as_deref(), Some(r#"{"A":1,"b \"c\"":null}"#));
    assert_eq!(rewrite(&serde(true), &columns, "null"), None);
    assert_eq!(rewrite(&serde(true), &[], "{}").as_deref(), Some("{}"));
}

#[test]
fn slices_are_decoded_and_encoded_as_such() {
    let column = columns(&[("A", list(SqlType::String))]);
    let documents = BinaryArray::from_iter_values([r#"{"A":["w\n"]}"#, r#"{"A":["x","y"]}"#, r#"{"A":["z"]}"#]);
    let mut decoder = decoder(&serde(true), &column, &[true]).expect("JSON can carry the column");
    let decoded = decoder.decode(&documents.slice(1, 2));
    assert_eq!(shown(&decoded.columns[0], 0, &column[0].sql_type), "[x, y]");
    let mut encoder = encoder(&serde(true), &column).expect("JSON can carry the column");
    let encoded = encoder.encode(&[decoded.columns[0].slice(1, 1)], 1, None);
    assert_eq!(encoded.bytes.value(0), br#"{"A":["z"]}"#);
}

fn any_type() -> impl Strategy<Value = SqlType> {
    let scalar = prop_oneof![
        Just(SqlType::Boolean),
        Just(SqlType::Integer),
        Just(SqlType::Bigint),
        Just(SqlType::Double),
        (1..=76_u8).prop_flat_map(|precision| {
            (0..=precision).prop_map(move |scale| SqlType::Decimal { precision, scale })
        }),
        Just(SqlType::String),
        Just(SqlType::Bytes),
        Just(SqlType::Date),
        Just(SqlType::Time),
        Just(SqlType::Timestamp),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(list),
            inner.clone().prop_map(map),
            prop::collection::vec(inner, 0..3).prop_map(|types| {
                let field = |(at, sql_type)| StructField { name: format!("F{at}"), sql_type };
                SqlType::Struct(types.into_iter().enumerate().map(field).collect())
            }),
        ]
    })
}

/// A JSON value of `sql_type`, spelled as the encoder spells it.
fn any_value(sql_type: &SqlType) -> BoxedStrategy<String> {
    let value = match sql_type {
        SqlType::Boolean => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        SqlType::Integer | SqlType::Date => any::<i32>().prop_map(|value| value.to_string()).boxed(),
        SqlType::Time => (0..86_400_000_i32).prop_map(|value| value.to_string()).boxed(),
        SqlType::Bigint | SqlType::Timestamp => any::<i64>().prop_map(|value| value.to_string()).boxed(),
        SqlType::Double => any::<f64>().prop_map(double_text).boxed(),
        SqlType::Decimal { precision, scale } => any_decimal(*precision, *scale).boxed(),
        SqlType::String => any::<String>().prop_map(|text| quoted(&text)).boxed(),
        SqlType::Bytes => prop::collection::vec(any::<u8>(), 0..9)
            .prop_map(|bytes| {
                let mut out = vec![b'"'];
                java_text::write_base64(&mut out, &bytes);
                out.push(b'"');
                String::from_utf8(out).expect("base64 is ASCII")
            })
            .boxed(),
        SqlType::Array(element) => prop::collection::vec(any_value(element), 0..4)
            .prop_map(|elements| format!("[{}]", elements.join(",")))
            .boxed(),
        SqlType::Map(_, value) => prop::collection::btree_map(any::<String>(), any_value(value), 0..4)
            .prop_map(|entries| {
                let entry = |(key, value): (&String, &String)| format!("{}:{value}", quoted(key));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            })
            .boxed(),
        SqlType::Struct(fields) => fields
            .iter()
            .map(|field| {
                let name = field.name.clone();
                any_value(&field.sql_type).prop_map(move |value| format!("\"{name}\":{value}"))
            })
            .collect::<Vec<_>>()
            .prop_map(|members| format!("{{{}}}", members.join(",")))
            .boxed(),
    };
    prop_oneof![9 => value, 1 => Just("null".to_owned())].boxed()
}

fn double_text(value: f64) -> String {
    let mut out = Vec::new();
    java_text::write_double(&mut out, value);
    let text = String::from_utf8(out).expect("numbers are ASCII");
    if value.is_finite() { text } else { format!("\"{text}\"") }
}

fn any_decimal(precision: u8, scale: u8) -> impl Strategy<Value = String> {
    let (whole, scale) = (usize::from(precision - scale), usize::from(scale));
    (any::<bool>(), prop::collection::vec(0..10_u8, whole + scale)).prop_map(move |(negative, digits)| {
        let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let (whole, fraction) = text.split_at(whole);
        let whole = whole.trim_start_matches('0');
        let zero = digits.iter().all(|&digit| digit == 0);
        let mut out = String::from(if negative && !zero { "-" } else { "" });
        out.push_str(if whole.is_empty() { "0" } else { whole });
        if !fraction.is_empty() {
            let _ = write!(out, ".{fraction}");
        }
        out
    })
}

/// `text` as our encoder quotes it, made from `serde_json`'s quoting, which differs only in the case of hex digits.
fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    crate::types::json_text::write_text(&mut out, text.as_bytes());
    let ours = String::from_utf8(out).expect("escaped text is UTF-8");
    let theirs = serde_json::to_string(text).expect("text can be JSON");
    assert_eq!(ours.to_lowercase(), theirs.to_lowercase());
    ours
}

/// A JSON document without repeated members.
fn any_document() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever is decoded comes back byte for byte, in any batch.
    #[test]
    fn random_columns_round_trip(
        (types, rows) in prop::collection::vec(any_type(), 1..4).prop_flat_map(|types| {
            let row = types.iter().map(any_value).collect::<Vec<_>>();
            (Just(types), prop::collection::vec(row, 1..5))
        }),
        pretty: bool,
    ) {
        let columns: Vec<Column> = types.into_iter().enumerate().map(|(at, sql_type)| Column::new(format!("C{at}"), sql_type)).collect();
        let document = |values: &Vec<String>| {
            let member = |(column, value): (&Column, &String)| format!("\"{}\":{value}", column.name);
            format!("{{{}}}", columns.iter().zip(values).map(member).collect::<Vec<_>>().join(","))
        };
        let documents: Vec<String> = rows.iter().map(document).collect();
        let spelled: Vec<String> = if pretty {
            let pretty = |text: &String| {
                let value: serde_json::Value = serde_json::from_str(text).expect("documents are JSON");
                serde_json::to_string_pretty(&value).expect("documents are JSON")
            };
            documents.iter().map(pretty).collect()
        } else {
            documents.clone()
        };
        let records: Vec<Option<&[u8]>> = spelled.iter().map(|text| Some(text.as_bytes())).collect();
        let decoded = decode(&serde(true), &columns, &records);
        prop_assert_eq!(&decoded.errors, &[]);
        let mut encoder = encoder(&serde(true), &columns).expect("JSON can carry the columns");
        let encoded = encoder.encode(&decoded.columns, records.len(), None);
        for (row, document) in documents.iter().enumerate() {
            prop_assert_eq!(String::from_utf8_lossy(encoded.bytes.value(row)), document.as_str());
        }
    }

    /// Any document, read as text, is the same document to another JSON library, and compact.
    #[test]
    fn any_document_survives_as_text(document in any_document(), pretty: bool) {
        let column = columns(&[("A", SqlType::String)]);
        let wrapped = serde_json::json!({ "before": [document], "a": document });
        let text = if pretty { serde_json::to_string_pretty(&wrapped) } else { serde_json::to_string(&wrapped) };
        let text = text.expect("documents are JSON");
        let decoded = decode(&serde(true), &column, &[Some(text.as_bytes())]);
        prop_assert_eq!(&decoded.errors, &[]);
        let kept = shown(&decoded.columns[0], 0, &SqlType::String);
        if document.is_object() || document.is_array() {
            let again: serde_json::Value = serde_json::from_str(&kept).expect("nested values stay JSON");
            prop_assert!(same(&again, &document), "{} became {}", document, again);
        } else if let Some(text) = document.as_str() {
            prop_assert_eq!(kept, text);
        }
    }

    /// A cut or altered document is an error exactly where another JSON library says so.
    #[test]
    fn broken_documents_are_refused(
        document in any_document(),
        at in any::<prop::sample::Index>(),
        with in prop_oneof![Just(None), any::<u8>().prop_map(Some), prop::sample::select(&b"{}[],:\"\\0e.-"[..]).prop_map(Some)],
    ) {
        let mut bytes = serde_json::to_vec(&serde_json::json!({ "A": document })).expect("documents are JSON");
        let at = at.index(bytes.len());
        match with {
            Some(byte) => bytes[at] = byte,
            None => bytes.truncate(at),
        }
        let decoded = decode(&serde(true), &columns(&[("B", SqlType::String)]), &[Some(&bytes)]);
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| error.to_string());
        let judged_alike = decoded.errors.is_empty() == theirs.is_ok();
        // Known differences: lone surrogates and exponents that no number has are refused by one of the two only.
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        prop_assert!(judged_alike || text.contains("\\u") || text.contains('e'), "{:?} and {:?} on {}", decoded.errors, theirs, text);
    }

    /// No bytes at all make any reader panic or leave columns of unequal length.
    #[test]
    fn random_bytes_never_panic(
        types in prop::collection::vec(any_type(), 0..4),
        records in prop::collection::vec(prop::option::of(noise()), 0..6),
        wrap: bool,
    ) {
        let columns: Vec<Column> = types.into_iter().enumerate().map(|(at, sql_type)| Column::new(format!("F{at}"), sql_type)).collect();
        let records: Vec<Option<&[u8]>> = records.iter().map(Option::as_deref).collect();
        decode(&serde(wrap), &columns, &records);
    }
}

/// Bytes that look like JSON for a while.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00",
        "\\ud800",
        "\"F0\":",
        "\"f1\":",
        "{\"F2\":",
        "null",
        "true",
        "1",
        "-1.5e3",
        "\"x\"",
        " ",
        "\u{0}",
        "é",
        "12345678901234567890",
        "nul",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(token, 0..16).prop_map(|tokens| tokens.concat().into_bytes()),
    ]
}

/// Equality of documents in which numbers may be spelled differently.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => a.as_f64() == b.as_f64(),
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}
