//! What answers look like.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray, MapBuilder,
    RecordBatch, StringArray, StringBuilder, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};

use super::*;
use crate::engine::{
    ColumnRole, Listing, ListingForm, PushEnd, PushQuery, PushQueue, PushedRows, Response, ResultRows, RowReceiver as _,
};
use crate::shell::Answer;
use crate::types::{Column, SqlType, StructField};

fn shown(response: &Answer, format: OutputFormat, width: Width) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen::new(&mut out, &mut err, Layout::new(width, Palette::PLAIN));
    screen.format = format;
    let shown = screen.show(response, &|| false).expect("memory takes every byte");
    shown.expect("nothing fails");
    assert!(err.is_empty(), "nothing is wrong");
    String::from_utf8(out).expect("answers are UTF-8")
}

fn batch(columns: &[Column], arrays: Vec<ArrayRef>) -> RecordBatch {
    let fields: Vec<Field> = columns.iter().map(Column::field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("arrays have the types of the columns")
}

/// Two columns, one of them text.
fn people() -> (Vec<Column>, RecordBatch) {
    let columns = vec![Column::new("ID", SqlType::Bigint), Column::new("NAME", SqlType::String)];
    let ids = Int64Array::from(vec![Some(1), Some(9_007_199_254_740_993), None]);
    let names = StringArray::from(vec![Some("Zoë, \"Z\""), Some("東京"), None]);
    let batch = batch(&columns, vec![Arc::new(ids), Arc::new(names)]);
    (columns, batch)
}

fn rows((columns, batch): (Vec<Column>, RecordBatch)) -> Answer {
    let roles = vec![ColumnRole::Value; columns.len()];
    Response::Rows(ResultRows { columns, roles, batches: vec![batch], end: None }).into()
}

fn push(columns: Vec<Column>, batches: Vec<RecordBatch>) -> Answer {
    let queue = PushQueue::new(None);
    for batch in batches {
        queue.push(PushedRows::new(batch, None));
    }
    queue.end(PushEnd::Completed);
    Response::Push(PushQuery::new("q", columns, Arc::new(queue))).into()
}

#[test]
fn tables_align_numbers_and_wide_characters() {
    let expected = "
               ID │ NAME
──────────────────┼──────────
                1 │ Zoë, \"Z\"
 9007199254740993 │ 東京
             null │ null
3 rows

";
    assert_eq!(shown(&rows(people()), OutputFormat::Table, Width::Fixed(80)), expected.trim_start_matches('\n'));
}

#[test]
fn keys_that_are_gone_are_marked() {
    let (columns, batch) = people();
    let queue = PushQueue::new(None);
    let gone = arrow::buffer::BooleanBuffer::from(vec![false, false, true]);
    queue.push(PushedRows::new(batch, Some(gone)));
    queue.end(PushEnd::Completed);
    let answer: Answer = Response::Push(PushQuery::new("q", columns, Arc::new(queue))).into();
    let table = shown(&answer, OutputFormat::Table, Width::Fixed(80));
    assert!(table.contains("<TOMBSTONE> │ <TOMBSTONE>\n3 rows"), "{table}");
}

#[test]
fn tables_fit_their_room() {
    let columns = vec![Column::new("A", SqlType::String), Column::new("B", SqlType::String)];
    let text = |word: &str| Arc::new(StringArray::from(vec![Some([word; 30].join(" "))])) as ArrayRef;
    let batch = batch(&columns, vec![text("água"), text("x")]);
    let table = shown(&rows((columns, batch)), OutputFormat::Table, Width::Fixed(40));
    for line in table.lines() {
        assert!(line.chars().count() <= 40, "{line}");
    }
    assert_eq!(table.matches("água").count(), 30, "wrapping loses nothing");
}

#[test]
fn rows_too_wide_for_columns_are_shown_one_below_the_other() {
    let columns: Vec<Column> = ["FIRST", "SECOND", "THIRD"].map(|name| Column::new(name, SqlType::Integer)).to_vec();
    let numbers = || Arc::new(Int32Array::from(vec![1_000_000_000, 2])) as ArrayRef;
    let batch = batch(&columns, vec![numbers(), numbers(), numbers()]);
    let expected = "\
── row 1 ──
 FIRST  │ 1000000000
 SECOND │ 1000000000
 THIRD  │ 1000000000
── row 2 ──
 FIRST  │ 2
 SECOND │ 2
 THIRD  │ 2
2 rows
";
    let response = rows((columns.clone(), batch.clone()));
    assert_eq!(shown(&response, OutputFormat::Table, Width::Fixed(30)).trim_end(), expected.trim_end());
    let response = push(columns, vec![batch.slice(0, 1), batch.slice(1, 1)]);
    assert_eq!(shown(&response, OutputFormat::Table, Width::Fixed(30)).trim_end(), expected.trim_end());
}

#[test]
fn a_narrow_terminal_shows_words_not_single_characters() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let columns = texts(&["Stream Name", "Kafka Topic", "Key Format", "Value Format"]);
    let rows = vec![texts(&["LARGE_ORDERS", "LARGE_ORDERS", "KAFKA", "JSON"])];
    let listing = Answer::listing(vec![Listing { columns, rows, ..Listing::default() }]);
    let check = |width: u16, expected: &str| {
        assert_eq!(shown(&listing, OutputFormat::Table, Width::Fixed(width)), expected, "{width}");
    };
    check(
        40,
        "── row 1 ──\n Stream Name  │ LARGE_ORDERS\n Kafka Topic  │ LARGE_ORDERS\n Key Format   │ KAFKA\n \
         Value Format │ JSON\n\n",
    );
    check(
        20,
        "── row 1 ──\n Stream Name: LARGE_ORDERS\n Kafka Topic: LARGE_ORDERS\n Key Format: KAFKA\n \
         Value Format: JSON\n\n",
    );
}

#[test]
fn listings_have_titles_headings_and_lines() {
    let listing = |columns: &[&str], rows: &[&[&str]]| {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let rows = rows.iter().map(|row| texts(row)).collect();
        Answer::listing(vec![Listing { title: "Topics".into(), columns: texts(columns), rows, ..Listing::default() }])
    };
    let check = |response: &Answer, expected: &str| {
        assert_eq!(shown(response, OutputFormat::Table, Width::Fixed(80)), expected);
    };
    check(
        &listing(&["Kafka Topic", "Partitions"], &[&["a", "1"], &["b", "12"]]),
        "Topics\n Kafka Topic │ Partitions\n─────────────┼────────────\n a           │          1\n b           │         12\n\n",
    );
    check(&listing(&["Name"], &[]), "Topics\n Name\n──────\n none\n\n");
    check(&listing(&[], &[&["one"], &["  two"]]), "Topics\none\n  two\n");
}

#[test]
fn push_rows_keep_their_columns_where_they_are() {
    let (columns, first) = people();
    let later = batch(
        &columns,
        vec![Arc::new(Int64Array::from(vec![2])), Arc::new(StringArray::from(vec!["a name longer than its column"]))],
    );
    let response = push(columns, vec![first.slice(0, 1), later]);
    let expected = "
            ID │ NAME
───────────────┼──────────────────
             1 │ Zoë, \"Z\"
             2 │ a name longer
               │ than its column
2 rows

";
    assert_eq!(shown(&response, OutputFormat::Table, Width::Fixed(80)), expected.trim_start_matches('\n'));
}

#[test]
fn push_rows_outside_a_terminal_stay_on_one_line() {
    let (columns, first) = people();
    let long = "a name longer than its column";
    let later = batch(&columns, vec![Arc::new(Int64Array::from(vec![2])), Arc::new(StringArray::from(vec![long]))]);
    let table = shown(&push(columns, vec![first, later]), OutputFormat::Table, Width::Unlimited);
    assert_eq!(table.lines().count(), 2 + 4 + 1 + 1);
    assert!(table.lines().any(|line| line.ends_with(long)));
}

#[test]
fn push_queries_without_rows_show_their_columns() {
    let (columns, _) = people();
    let table = shown(&push(columns, vec![]), OutputFormat::Table, Width::Unlimited);
    assert!(table.starts_with("            ID │ NAME\n"), "{table}");
    assert!(table.ends_with("0 rows\n\n"), "{table}");
}

#[test]
fn json_is_one_object_per_line_with_all_digits() {
    let expected = r#"{"ID":1,"NAME":"Zoë, \"Z\""}
{"ID":9007199254740993,"NAME":"東京"}
{"ID":null,"NAME":null}
"#;
    assert_eq!(shown(&rows(people()), OutputFormat::Json, Width::Unlimited), expected);
    let (columns, batch) = people();
    assert_eq!(shown(&push(columns, vec![batch]), OutputFormat::Json, Width::Unlimited), expected);
    let message = Answer::message("Stream \"a\"\ncreated");
    let expected = "{\"message\":\"Stream \\\"a\\\"\\ncreated\"}\n";
    assert_eq!(shown(&message, OutputFormat::Json, Width::Unlimited), expected);
}

#[test]
fn csv_quotes_what_needs_it_and_leaves_null_empty() {
    let expected = "ID,NAME\n1,\"Zoë, \"\"Z\"\"\"\n9007199254740993,東京\n,\n";
    assert_eq!(shown(&rows(people()), OutputFormat::Csv, Width::Unlimited), expected);
    let columns = vec![Column::new("TEXT", SqlType::String)];
    let texts = Arc::new(StringArray::from(vec![Some(""), None, Some("two\nlines")])) as ArrayRef;
    let batch = batch(&columns, vec![texts]);
    let expected = "TEXT\n\"\"\n\n\"two\nlines\"\n";
    assert_eq!(shown(&push(columns, vec![batch]), OutputFormat::Csv, Width::Unlimited), expected);
}

#[test]
fn scalars_of_every_kind() {
    let columns = vec![
        Column::new("B", SqlType::Boolean),
        Column::new("D", SqlType::Double),
        Column::new("N", SqlType::Decimal { precision: 6, scale: 2 }),
        Column::new("T", SqlType::Timestamp),
    ];
    let decimals = Decimal128Array::from(vec![1250, -5]).with_precision_and_scale(6, 2).expect("the digits fit");
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Float64Array::from(vec![f64::NAN, 0.1])),
        Arc::new(decimals),
        Arc::new(TimestampMillisecondArray::from(vec![0, 1_359_639_900_000])),
    ];
    let batch = batch(&columns, arrays);
    let expected = r#"{"B":true,"D":"NaN","N":12.50,"T":"1970-01-01T00:00:00.000"}
{"B":false,"D":0.1,"N":-0.05,"T":"2013-01-31T13:45:00.000"}
"#;
    assert_eq!(shown(&rows((columns, batch)), OutputFormat::Json, Width::Unlimited), expected);
}

#[test]
fn nested_values_are_json_in_every_form() {
    let fields = vec![
        StructField { name: "X".into(), sql_type: SqlType::Integer },
        StructField { name: "y".into(), sql_type: SqlType::String },
    ];
    let columns = vec![
        Column::new("S", SqlType::Struct(fields.clone())),
        Column::new("L", SqlType::Array(Box::new(SqlType::Integer))),
        Column::new("M", SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::String))),
    ];
    let members: Fields = fields.iter().map(|field| Field::new(&field.name, field.sql_type.arrow(), true)).collect();
    let structs = StructArray::new(
        members,
        vec![Arc::new(Int32Array::from(vec![7])), Arc::new(StringArray::from(vec!["a\"b"]))],
        None,
    );
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None])]);
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    maps.keys().append_value("k");
    maps.values().append_null();
    maps.append(true).expect("keys and values are as many");
    let maps = arrow::compute::cast(&maps.finish(), &columns[2].sql_type.arrow()).expect("only field names differ");
    assert!(matches!(maps.data_type(), DataType::Map(..)));
    let batch = batch(&columns, vec![Arc::new(structs), Arc::new(lists), maps]);
    let response = rows((columns, batch));
    let json = "{\"S\":{\"X\":7,\"y\":\"a\\\"b\"},\"L\":[1,null],\"M\":{\"k\":null}}\n";
    assert_eq!(shown(&response, OutputFormat::Json, Width::Unlimited), json);
    let csv = "S,L,M\n\"{\"\"X\"\":7,\"\"y\"\":\"\"a\\\"\"b\"\"}\",\"[1,null]\",\"{\"\"k\"\":null}\"\n";
    assert_eq!(shown(&response, OutputFormat::Csv, Width::Unlimited), csv);
    let table = shown(&response, OutputFormat::Table, Width::Unlimited);
    assert!(table.contains(" {\"X\":7,\"y\":\"a\\\"b\"} │ [1,null] │ {\"k\":null}\n"), "{table}");
}

#[test]
fn facts_stand_one_below_the_other_and_are_one_object() {
    let facts = Listing::facts([("ID", "Q_1".to_owned()), ("Problem", String::new()), ("Sources", "A, B".to_owned())]);
    let response = Answer::listing(vec![facts]);
    let table = shown(&response, OutputFormat::Table, Width::Fixed(80));
    assert_eq!(table, "ID      : Q_1\nSources : A, B\n\n", "what is empty is left out");
    let json = shown(&response, OutputFormat::Json, Width::Unlimited);
    assert_eq!(json, "{\"ID\":\"Q_1\",\"Problem\":\"\",\"Sources\":\"A, B\"}\n");
}

#[test]
fn rows_say_what_they_are_about_where_nobody_reads_the_title() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let listing = Listing::table("Offsets of Q_1", &["Partition", "Lag"], vec![texts(&["0", "7"])]);
    let response = Answer::listing(vec![listing.about([("Query ID", "Q_1")])]);
    let table = shown(&response, OutputFormat::Table, Width::Fixed(80));
    assert_eq!(table, "Offsets of Q_1\n Partition │ Lag\n───────────┼─────\n         0 │   7\n\n");
    let json = shown(&response, OutputFormat::Json, Width::Unlimited);
    assert_eq!(json, "{\"Query ID\":\"Q_1\",\"Partition\":\"0\",\"Lag\":\"7\"}\n");
    let csv = shown(&response, OutputFormat::Csv, Width::Unlimited);
    assert_eq!(csv, "Query ID,Partition,Lag\nQ_1,0,7\n");
}

#[test]
fn advice_is_for_people_only() {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let table = Listing { columns: texts(&["Name"]), rows: vec![texts(&["a"])], ..Listing::default() };
    let advice = Listing { form: ListingForm::Advice, rows: vec![texts(&["look there"])], ..Listing::default() };
    let response = Answer::listing(vec![table, advice]);
    for (format, expected) in [
        (OutputFormat::Table, " Name\n──────\n a\n\nlook there\n"),
        (OutputFormat::Json, "{\"Name\":\"a\"}\n"),
        (OutputFormat::Csv, "Name\na\n"),
    ] {
        assert_eq!(shown(&response, format, Width::Fixed(80)), expected);
    }
}
