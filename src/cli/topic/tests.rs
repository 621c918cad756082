//! Command lines, with what they read and print.

use std::cell::Cell;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;

use super::{Records, Streams, TopicCommand};
use crate::registry::{EmbeddedRegistry, SchemaDocument, SchemaRegistry, SchemaType};
use crate::topics::{MemoryTopics, TopicPartition, Topics, Transaction};
use crate::types::{Header, RecordChunkBuilder};

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    command: TopicCommand,
}

/// What a command line did.
#[derive(Debug)]
struct Outcome {
    output: String,
    notices: String,
    failure: Option<String>,
}

/// Runs `topic ARGUMENTS` with `input` on `topics`; the clock stands at 1000.
fn run(topics: &dyn Topics, arguments: &[&str], input: &str) -> Outcome {
    let input = Box::new(Cursor::new(input.as_bytes().to_vec()));
    let (mut output, mut notices) = (Vec::new(), Vec::new());
    let failure = run_with(topics, arguments, input, &mut output, &mut notices, &|| false);
    let text = |bytes| String::from_utf8(bytes).expect("commands print text");
    Outcome { output: text(output), notices: text(notices), failure }
}

fn run_with(
    topics: &dyn Topics,
    arguments: &[&str],
    input: Box<dyn Read + Send>,
    output: &mut dyn Write,
    notices: &mut dyn Write,
    stop: &dyn Fn() -> bool,
) -> Option<String> {
    let line = Line::try_parse_from(["topic"].iter().chain(arguments)).unwrap_or_else(|error| panic!("{error}"));
    let mut streams = Streams { input, is_typed: true, output, notices, stop, now_ms: &|| 1000 };
    let properties = line.command.place.properties.iter().cloned().collect();
    let records = Records { topics, properties: &properties };
    line.command.run_on(records, &mut streams).err().map(|failure| failure.to_string())
}

/// Expects success and gives what was printed.
fn ok(topics: &dyn Topics, arguments: &[&str], input: &str) -> String {
    let outcome = run(topics, arguments, input);
    assert_eq!(outcome.failure, None, "{arguments:?}: {}", outcome.notices);
    outcome.output
}

fn consumed(topics: &dyn Topics, arguments: &[&str]) -> Vec<String> {
    let output = ok(topics, &[&["consume"], arguments].concat(), "");
    output.lines().map(|line| line.replace('\t', " ")).collect()
}

fn with_topic(arguments: &[&str]) -> MemoryTopics {
    let topics = MemoryTopics::new();
    ok(&topics, &[&["create", "t"], arguments].concat(), "");
    topics
}

#[test]
fn topics_are_listed_and_described() {
    let topics = with_topic(&["--partitions", "2", "--compact", "--retention-ms", "5"]);
    ok(&topics, &["produce", "other"], "a\nb\n");
    let listed = ok(&topics, &["list"], "");
    assert_eq!(
        listed,
        "topic  partitions  records  cleanup\n\
         other  1           2        none\n\
         t      2           0        compact,delete\n"
    );
    let described = ok(&topics, &["describe", "t"], "");
    assert_eq!(
        described,
        "topic    t\ncleanup  compact,delete\nretention.ms     5\n\n\
         partition  start offset  end offset\n\
         0          0             0\n\
         1          0             0\n"
    );
    ok(&topics, &["delete", "t"], "");
    let failure = run(&topics, &["describe", "t"], "").failure;
    assert_eq!(failure.as_deref(), Some("topic t does not exist"));
}

#[test]
fn internal_topics_are_listed_on_request() {
    let topics = with_topic(&["--compact"]);
    ok(&topics, &["produce", "t"], "a\n");
    ok(&topics, &["create", "_confluent-ksql-default_query_C_1-Aggregate-changelog"], "");
    let outcome = run(&topics, &["list"], "");
    assert_eq!(outcome.output, "topic  partitions  records  cleanup\nt      1           up to 1  compact\n");
    assert_eq!(outcome.notices, "1 internal topic not shown: --all\n");
    let outcome = run(&topics, &["list", "--all"], "");
    assert_eq!((outcome.output.lines().count(), outcome.notices.as_str()), (3, ""));
}

#[test]
fn lines_become_values() {
    let topics = MemoryTopics::new();
    let outcome = run(&topics, &["produce", "t"], "one\n\ntwo\r\nthree");
    assert_eq!(outcome.notices, "created topic t with 1 partition\nappended 3 records to topic t\n");
    let expected = ["1970-01-01T00:00:01.000Z 0 0 null one", "1970-01-01T00:00:01.000Z 0 1 null two"];
    assert_eq!(consumed(&topics, &["t", "--limit", "2"]), expected);
}

#[test]
fn a_separator_splits_key_and_value() {
    let topics = with_topic(&[]);
    let outcome = run(&topics, &["produce", "t", "--key-separator", "::"], "k::v\nk::\n::v\nk::a::b\nnone\n::\n");
    assert_eq!(outcome.failure.as_deref(), Some("1 of 6 lines refused, the others were appended"));
    assert_eq!(outcome.notices, "line 5: there is no key separator '::'\nappended 5 records to topic t\n");
    let lines = consumed(&topics, &["t"]);
    let cells: Vec<&str> = lines.iter().map(|line| line.split_once(" 0 ").expect("it is partition 0").1).collect();
    assert_eq!(cells, ["0 k v", "1 k null", "2 null v", "3 k a::b", "4 null null"]);
}

#[test]
fn fields_of_the_value_become_key_and_time() {
    let topics = with_topic(&[]);
    let lines = [
        r#"{"id": 7, "at": 5}"#,
        r#"{"at": "2013-01-01T10:00:00Z", "id": "8"}"#,
        r#"{"id": 7}"#,
        r#"{"at": 5}"#,
        r#"{"id": 1.5, "at": 5}"#,
        r#"{"id": 7, "at": "soon"}"#,
        r#"{"id": 7, "at": 5"#,
        r#"{"id": null, "at": 9}"#,
    ];
    let options = ["produce", "t", "--key-field", "id", "--key-format", "kafka:bigint", "--timestamp-field", "at"];
    let outcome = run(&topics, &options, &lines.join("\n"));
    assert_eq!(outcome.failure.as_deref(), Some("5 of 8 lines refused, the others were appended"));
    assert_eq!(
        outcome.notices,
        "line 3: there is no field 'at'\n\
         line 4: there is no field 'id'\n\
         line 5: key '1.5' is not of type BIGINT\n\
         line 6: 'soon' is not a time\n\
         line 7: not a JSON object: EOF while parsing an object at column 17\n\
         appended 3 records to topic t\n"
    );
    let expected = [
        "1970-01-01T00:00:00.005Z 0 0 7 {\"id\": 7, \"at\": 5}",
        "2013-01-01T10:00:00.000Z 0 1 8 {\"at\": \"2013-01-01T10:00:00Z\", \"id\": \"8\"}",
        "1970-01-01T00:00:00.009Z 0 2 null {\"id\": null, \"at\": 9}",
    ];
    assert_eq!(consumed(&topics, &["t", "--key-format", "kafka:bigint"]), expected);
}

#[test]
fn a_number_that_is_no_time_is_not_quoted_in_another_form() {
    let outcome = run(&with_topic(&[]), &["produce", "t", "--timestamp-field", "at"], "{\"at\": 1e3}\n");
    assert_eq!(outcome.failure.as_deref(), Some("1 of 1 line refused, nothing was appended"));
    let expected = "line 1: field 'at' is neither whole milliseconds nor a text with a time\n\
                    appended 0 records to topic t\n";
    assert_eq!(outcome.notices, expected);
}

#[test]
fn many_refusals_are_counted_rather_than_told() {
    let topics = with_topic(&[]);
    let outcome = run(&topics, &["produce", "t", "--key-separator", ":"], &"x\n".repeat(50));
    assert_eq!(outcome.notices.lines().count(), 20 + 2, "{}", outcome.notices);
    assert_eq!(outcome.failure.as_deref(), Some("50 of 50 lines refused, nothing was appended"));
}

#[test]
fn keys_choose_partitions() {
    let topics = with_topic(&["--partitions", "4"]);
    ok(&topics, &["produce", "t", "--key-separator", ":"], "x:1\na:2\nk1:3\n");
    let partition = |number: &str| consumed(&topics, &["t", "--partition", number]);
    assert_eq!(partition("2"), ["1970-01-01T00:00:01.000Z 2 0 x 1"]);
    assert_eq!(partition("0"), ["1970-01-01T00:00:01.000Z 0 0 a 2"]);
    assert_eq!(partition("1"), ["1970-01-01T00:00:01.000Z 1 0 k1 3"]);
    let failure = run(&topics, &["consume", "t", "--partition", "4"], "").failure;
    assert_eq!(failure.as_deref(), Some("topic t has 4 partitions, there is no partition 4"));
}

fn with_times() -> MemoryTopics {
    let topics = with_topic(&["--partitions", "2"]);
    let append = |partition, times: &[i64]| {
        let mut builder = RecordChunkBuilder::new();
        for time in times {
            builder.push(None, Some(time.to_string().as_bytes()), *time);
        }
        let appends = vec![(TopicPartition { topic: "t".into(), partition }, builder.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
    };
    append(0, &[10, 30, 20]);
    append(1, &[15, 16, 40]);
    topics
}

#[test]
fn partitions_are_read_in_order_of_time() {
    let topics = with_times();
    let values = |arguments: &[&str]| -> String {
        let lines = consumed(&topics, &[&["t"], arguments].concat());
        lines.iter().filter_map(|line| line.rsplit(' ').next()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(values(&[]), "10 15 16 30 20 40");
    assert_eq!(values(&["--limit", "3"]), "10 15 16");
    assert_eq!(values(&["--limit", "0"]), "");
    assert_eq!(values(&["--from", "2"]), "20 40");
    assert_eq!(values(&["--from", "end"]), "");
    assert_eq!(values(&["--from-time", "16"]), "16 30 20 40");
    assert_eq!(values(&["--from-time", "1970-01-01T00:00:00.031Z"]), "40");
}

#[test]
fn a_place_past_the_end_is_noticed() {
    let outcome = run(&with_times(), &["consume", "t", "--from", "4"], "");
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.notices, "topic t ends before offset 3: there is none from 4 on\n");
    assert_eq!(run(&with_times(), &["consume", "t", "--from", "3"], "").notices, "");
}

#[test]
fn headers_are_one_more_cell() {
    let topics = with_topic(&[]);
    let header = |key: &str, value: Option<&str>| Header { key: key.into(), value: value.map(Into::into) };
    let headers = [header("stage", Some("key")), header("reason", Some("two\nlines")), header("none", None)];
    let mut builder = RecordChunkBuilder::new();
    builder.push_full(None, Some(b"a"), 0, 0, headers.into());
    builder.push(None, Some(b"b"), 0);
    let appends = vec![(TopicPartition { topic: "t".into(), partition: 0 }, builder.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
    let expected = "1970-01-01T00:00:00.000Z\t0\t0\tnull\ta\theaders: stage=key, reason=two\\nlines, none=null\n\
                    1970-01-01T00:00:00.000Z\t0\t1\tnull\tb\n";
    assert_eq!(ok(&topics, &["consume", "t"], ""), expected);
}

#[test]
fn records_are_printed_as_json() {
    let topics = with_topic(&[]);
    ok(&topics, &["produce", "t", "--key-separator", ":"], "k:{\"a\":1.50}\nk:5\n:te\"xt\nk:\n");
    assert_eq!(
        ok(&topics, &["consume", "t", "--output", "json"], ""),
        "{\"timestamp\":1000,\"partition\":0,\"offset\":0,\"key\":\"k\",\"value\":{\"a\":1.50}}\n\
         {\"timestamp\":1000,\"partition\":0,\"offset\":1,\"key\":\"k\",\"value\":\"5\"}\n\
         {\"timestamp\":1000,\"partition\":0,\"offset\":2,\"key\":null,\"value\":\"te\\\"xt\"}\n\
         {\"timestamp\":1000,\"partition\":0,\"offset\":3,\"key\":\"k\",\"value\":null}\n"
    );
}

#[test]
fn a_record_stays_on_one_line() {
    let topics = with_topic(&[]);
    let mut builder = RecordChunkBuilder::new();
    builder.push(Some(&[0, 255]), Some(b"a\nb\tc"), 0);
    let appends = vec![(TopicPartition { topic: "t".into(), partition: 0 }, builder.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
    assert_eq!(ok(&topics, &["consume", "t"], ""), "1970-01-01T00:00:00.000Z\t0\t0\t0x00ff\ta\\nb\\tc\n");
}

/// Registers `text` under `subject` beside `topics`; the id.
fn register(topics: &MemoryTopics, subject: &str, schema_type: SchemaType, text: &str) -> u32 {
    let registry = EmbeddedRegistry::open(topics.storage()).expect("memory opens");
    SchemaRegistry::register(&registry, subject, &SchemaDocument::new(schema_type, text)).expect("it is the first")
}

const AVRO: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "name", "type": "string"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}}]}"#;

#[test]
fn records_of_registered_schemas_are_shown_as_json() {
    let topics = with_topic(&[]);
    let protobuf = "syntax = 'proto3'; message M { string name = 1; repeated int32 n = 2; }";
    assert_eq!(register(&topics, "t-value", SchemaType::Avro, AVRO), 1);
    assert_eq!(register(&topics, "u-value", SchemaType::Protobuf, protobuf), 2);
    assert_eq!(register(&topics, "v-value", SchemaType::Json, "{\"type\": \"object\"}"), 3);
    let append = |topic: &str, keys: &[&[u8]], values: &[&[u8]]| {
        let mut builder = RecordChunkBuilder::new();
        keys.iter().zip(values).for_each(|(key, value)| builder.push(Some(key), Some(value), 0));
        let appends = vec![(TopicPartition { topic: topic.into(), partition: 0 }, builder.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("the topic is there");
    };
    ok(&topics, &["create", "u"], "");
    ok(&topics, &["create", "v"], "");
    append("t", &[&[0, 0, 0, 7]], &[b"\0\0\0\0\x01\x04ab\x04\x04\xe2"]);
    append("u", &[&[0, 0, 0, 0, 0, 0, 0, 8]], &[b"\0\0\0\0\x02\0\x0a\x01x\x12\x02\x01\x02"]);
    append("v", &[b"k"], &[b"\0\0\0\0\x03{\"a\": 1}"]);
    let cells = |arguments: &[&str]| {
        consumed(&topics, arguments)[0].split_once(" 0 0 ").expect("it is the first of partition 0").1.to_owned()
    };
    assert_eq!(cells(&["t"]), r#"7 {"name": "ab", "price": 12.50}"#);
    assert_eq!(cells(&["u"]), r#"8 {"name":"x","n":[1,2]}"#);
    assert_eq!(cells(&["v"]), r#"k {"a":1}"#);
    assert_eq!(
        cells(&["t", "--value-format", "avro", "--key-format", "hex"]),
        r#"0x00000007 {"name": "ab", "price": 12.50}"#
    );
    assert_eq!(cells(&["t", "--value-format", "protobuf"]), "7 0x00000000010461620404e2");
    assert_eq!(cells(&["v", "--value-format", "hex"]), "k 0x00000000037b2261223a20317d");
    let printed = ok(&topics, &["consume", "t", "--output", "json"], "");
    assert!(printed.ends_with("\"key\":\"7\",\"value\":{\"name\":\"ab\",\"price\":12.50}}\n"), "{printed}");
}

#[test]
fn a_registry_that_is_down_is_told_once() {
    let topics = with_topic(&[]);
    let mut builder = RecordChunkBuilder::new();
    (0..3).for_each(|row| builder.push(None, Some(&[0, 0, 0, 0, 1, row]), 0));
    let appends = vec![(TopicPartition { topic: "t".into(), partition: 0 }, builder.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("the topic is there");
    let down = ["ksql.schema.registry.url=http://127.0.0.1:1", "ksql.schema.registry.max.retries=0"];
    let outcome = run(&topics, &["consume", "t", "--property", down[0], "--property", down[1]], "");
    assert_eq!(outcome.failure, None);
    assert!(outcome.output.ends_with("\tnull\t0x000000000102\n"), "{}", outcome.output);
    let told = "records are shown without their schemas: the schema registry at http://127.0.0.1:1 cannot be reached";
    assert!(outcome.notices.starts_with(told) && outcome.notices.lines().count() == 1, "{}", outcome.notices);
}

#[test]
fn what_keys_are_is_guessed_from_all_of_them() {
    let topics = with_topic(&[]);
    let mut builder = RecordChunkBuilder::new();
    [b"AA10", &[0, 0, 0, 7]].iter().for_each(|key| builder.push(Some(&key[..]), None, 0));
    let appends = vec![(TopicPartition { topic: "t".into(), partition: 0 }, builder.finish())];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("the topic is there");
    assert_eq!(consumed(&topics, &["t"])[0], "1970-01-01T00:00:00.000Z 0 0 AA10 null");
    assert_eq!(consumed(&topics, &["t"])[1], "1970-01-01T00:00:00.000Z 0 1 0x00000007 null", "not all are numbers");
    assert_eq!(consumed(&topics, &["t", "--from", "1"])[0], "1970-01-01T00:00:00.000Z 0 1 7 null");
}

#[test]
fn topics_may_take_only_records_of_registered_schemas() {
    let topics = with_topic(&["--config", "value.schema.validation=true"]);
    register(&topics, "t-value", SchemaType::Avro, "\"string\"");
    register(&topics, "other-value", SchemaType::Avro, "\"int\"");
    assert!(ok(&topics, &["describe", "t"], "").contains("confluent.value.schema.validation  true\n"));
    let outcome = run(&topics, &["produce", "t"], "plain\n\0\0\0\0\u{1}\u{4}hi\n\0\0\0\0\u{2}\u{4}\n");
    assert_eq!(outcome.failure.as_deref(), Some("2 of 3 lines refused, the others were appended"));
    let text = "topic t takes only values of schemas of t-value (confluent.value.schema.validation), and";
    let notices: Vec<&str> = outcome.notices.lines().collect();
    let plain =
        format!("line 1: {text} this one does not begin with the id of a schema: write it by the format AVRO, ");
    let other = format!("line 3: {text} the schema with the id 2 is one of other-value: register it under t-value, ");
    assert!(notices[0].starts_with(&plain) && notices[1].starts_with(&other), "{notices:?}");
    assert!(consumed(&topics, &["t"])[0].ends_with(" null hi"));
    let tombstone = ["produce", "t", "--key-separator", ":"];
    ok(&topics, &tombstone, "k:\n");
    let failure = run(&topics, &["create", "u", "--config", "key.schema.validation=maybe"], "").failure;
    let expected = "topic u cannot be created: confluent.key.schema.validation is true or false";
    assert_eq!(failure.as_deref(), Some(expected));
}

#[test]
fn following_goes_on_until_it_is_stopped() {
    let topics = with_times();
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 8
    };
    let mut output = Vec::new();
    let input = Box::new(io::empty());
    let failure = run_with(&topics, &["consume", "t", "--follow"], input, &mut output, &mut Vec::new(), &stop);
    assert_eq!(failure, None);
    assert_eq!(String::from_utf8(output).expect("commands print text").lines().count(), 6);
}

/// Takes a few bytes and then behaves as a pipe whose reader has gone.
struct ClosingPipe(usize);

impl Write for ClosingPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        if taken == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    let topics = with_times();
    for arguments in [&["consume", "t"] as &[&str], &["consume", "t", "--follow"], &["list"], &["describe", "t"]] {
        let (mut notices, input) = (Vec::new(), Box::new(io::empty()));
        let failure = run_with(&topics, arguments, input, &mut ClosingPipe(20), &mut notices, &|| false);
        assert_eq!((failure, notices), (None, Vec::new()), "{arguments:?}");
    }
}

/// Gives one line and then waits longer than any test.
struct Silence(Option<&'static [u8]>);

impl Read for Silence {
    #[expect(clippy::disallowed_methods, reason = "a person who types nothing")]
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(line) = self.0.take() else {
            std::thread::sleep(Duration::from_hours(1));
            return Ok(0);
        };
        bytes[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

#[test]
fn lines_are_appended_before_the_next_ones_come() {
    let topics = with_topic(&[]);
    let end = || topics.end_offset(&TopicPartition { topic: "t".into(), partition: 0 }).expect("it exists");
    let stop = || end() == 1;
    let input = Box::new(Silence(Some(b"one\n")));
    let failure = run_with(&topics, &["produce", "t"], input, &mut Vec::new(), &mut Vec::new(), &stop);
    assert_eq!((failure, end()), (None, 1));
}

/// Lines without end.
struct Endless;

impl Read for Endless {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        bytes.iter_mut().zip(b"a\n".iter().cycle()).for_each(|(byte, next)| *byte = *next);
        Ok(bytes.len() / 2 * 2)
    }
}

#[test]
fn lines_that_keep_coming_do_not_keep_it_from_stopping() {
    let topics = with_topic(&[]);
    let end = || topics.end_offset(&TopicPartition { topic: "t".into(), partition: 0 }).expect("it exists");
    let input = Box::new(Endless);
    let failure = run_with(&topics, &["produce", "t"], input, &mut Vec::new(), &mut Vec::new(), &|| end() > 0);
    assert_eq!(failure, None);
}

/// A file called `name` with `content` in a directory of its own.
fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join(name);
    fs::write(&path, content).expect("a file can be written");
    (dir, path)
}

fn import(topics: &dyn Topics, path: &Path, arguments: &[&str]) -> Outcome {
    let path = path.to_str().expect("temporary paths are text");
    run(topics, &[&["import", "t", path], arguments].concat(), "")
}

fn values(topics: &dyn Topics) -> Vec<String> {
    consumed(topics, &["t"]).iter().map(|line| line.splitn(5, ' ').nth(4).expect("five cells").to_owned()).collect()
}

const FLIGHTS: &str = "\
year,carrier,delay,distance,diverted,big,code,note
2013,UA,2,1400,false,1,007,
2013,AA,NA,1089.5,TRUE,3000000000,12,\"say \"\"hi\"\", all\"
2014,,-4,,,NA,NA,NA
";

#[test]
fn types_are_those_of_the_whole_file() {
    let (_dir, path) = file("flights.csv", FLIGHTS.as_bytes());
    let topics = MemoryTopics::new();
    let outcome = import(&topics, &path, &[]);
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.notices,
        "columns: year INT, carrier STRING, delay INT, distance DOUBLE, diverted BOOLEAN, big BIGINT, code STRING, \
         note STRING\n\
         created topic t with 1 partition\n\
         appended 3 records to topic t\n"
    );
    let expected = [
        r#"{"year":2013,"carrier":"UA","delay":2,"distance":1400,"diverted":false,"big":1,"code":"007","note":null}"#,
        r#"{"year":2013,"carrier":"AA","delay":null,"distance":1089.5,"diverted":true,"big":3000000000,"code":"12","note":"say \"hi\", all"}"#,
        r#"{"year":2014,"carrier":null,"delay":-4,"distance":null,"diverted":null,"big":null,"code":null,"note":null}"#,
    ];
    assert_eq!(values(&topics), expected);
}

#[test]
fn keys_and_times_come_from_columns() {
    let (_dir, path) = file("f.csv", b"id,at\n1,2013-01-01T10:00:00Z\nNA,2013-01-01 10:00:01\n2,5\n3,never\n");
    let topics = MemoryTopics::new();
    let options = ["--key-field", "ID", "--key-format", "kafka:int", "--timestamp-field", "at"];
    let outcome = import(&topics, &path, &options);
    assert_eq!(outcome.failure.as_deref(), Some("1 of 4 rows refused, the others were appended"));
    assert!(outcome.notices.contains("line 5: 'never' is not a time\n"), "{}", outcome.notices);
    let expected = [
        "2013-01-01T10:00:00.000Z 0 0 1 {\"id\":1,\"at\":\"2013-01-01T10:00:00Z\"}",
        "2013-01-01T10:00:01.000Z 0 1 null {\"id\":null,\"at\":\"2013-01-01 10:00:01\"}",
        "1970-01-01T00:00:00.005Z 0 2 2 {\"id\":2,\"at\":\"5\"}",
    ];
    assert_eq!(consumed(&topics, &["t", "--key-format", "kafka:int"]), expected);
}

#[test]
fn given_types_are_kept_and_checked() {
    let (_dir, path) = file("f.csv", b"id,name\n1,2\n3000000000,x\n4,5,6\n7,8\n");
    let topics = MemoryTopics::new();
    let outcome = import(&topics, &path, &["--types", "id INT, name STRING", "--timestamp", "77"]);
    assert_eq!(outcome.failure.as_deref(), Some("2 of 4 rows refused, the others were appended"));
    let expected = "line 3: '3000000000' in column id is not of type INT\nline 4: 3 cells where the header has 2\n";
    assert!(outcome.notices.contains(expected), "{}", outcome.notices);
    let expected = [
        "1970-01-01T00:00:00.077Z 0 0 null {\"id\":1,\"name\":\"2\"}",
        "1970-01-01T00:00:00.077Z 0 1 null {\"id\":7,\"name\":\"8\"}",
    ];
    assert_eq!(consumed(&topics, &["t"]), expected);
}

#[test]
fn a_create_stream_is_printed_on_request() {
    let (_dir, path) = file("f.csv", "\u{feff}id,from,tail num\n1,a,2.5\n".as_bytes());
    let check = |arguments: &[&str], expected: &str| {
        let outcome = import(&MemoryTopics::new(), &path, &[&["--print-sql"], arguments].concat());
        assert_eq!((outcome.output.as_str(), outcome.failure), (expected, None));
        outcome.notices
    };
    check(
        &[],
        "CREATE STREAM t (id INT, `from` STRING, `tail num` DOUBLE) WITH (KAFKA_TOPIC = 't', VALUE_FORMAT = 'JSON');\n",
    );
    check(
        &["--key-field", "from"],
        "CREATE STREAM t (`from` STRING KEY, id INT, `tail num` DOUBLE) WITH (KAFKA_TOPIC = 't', KEY_FORMAT = 'KAFKA', \
         VALUE_FORMAT = 'JSON');\n",
    );
    check(
        &["--key-field", "id", "--key-format", "json"],
        "CREATE STREAM t (id INT KEY, `from` STRING, `tail num` DOUBLE) WITH (KAFKA_TOPIC = 't', KEY_FORMAT = 'JSON', \
         VALUE_FORMAT = 'JSON');\n",
    );
    let notices = check(
        &["--key-field", "id"],
        "CREATE STREAM t (id STRING KEY, `from` STRING, `tail num` DOUBLE) WITH (KAFKA_TOPIC = 't', KEY_FORMAT = 'KAFKA', \
         VALUE_FORMAT = 'JSON');\n",
    );
    let expected = "key column id is STRING because of --key-format kafka:string; kafka:int makes it INT\n";
    assert!(notices.contains(expected), "{notices}");
}

#[test]
fn a_csv_file_may_come_through_a_pipe() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"a\n1\n2\n").expect("memory can be written");
    for content in [b"a\n1\n2\n".to_vec(), gz.finish().expect("memory can be written")] {
        let topics = MemoryTopics::new();
        let (mut output, mut notices) = (Vec::new(), Vec::new());
        let arguments = ["import", "t", "-"];
        let failure =
            run_with(&topics, &arguments, Box::new(Cursor::new(content)), &mut output, &mut notices, &|| false);
        assert_eq!(failure, None);
        assert_eq!(values(&topics), ["{\"a\":1}", "{\"a\":2}"]);
    }
}

#[test]
fn cells_may_be_separated_otherwise() {
    let (_dir, path) = file("f.csv", b"a;b\n1;x,y\n");
    let topics = MemoryTopics::new();
    assert_eq!(import(&topics, &path, &["--delimiter", ";"]).failure, None);
    assert_eq!(values(&topics), ["{\"a\":1,\"b\":\"x,y\"}"]);
    let notices = import(&MemoryTopics::new(), &path, &[]).notices;
    assert!(notices.starts_with("the header is one column with ';' in its name: try --delimiter ';'\n"), "{notices}");
    let (_dir, path) = file("f.tsv", b"a\tb\n1\tx\n");
    assert_eq!(import(&topics, &path, &["--delimiter", "\\t"]).failure, None);
    let notices = import(&MemoryTopics::new(), &path, &[]).notices;
    assert!(notices.contains("try --delimiter '\\t'"), "{notices}");
}

#[test]
fn a_topic_made_for_rows_that_are_all_refused_goes_again() {
    let (_dir, path) = file("f.csv", b"a,b\n1\n2\n");
    let topics = MemoryTopics::new();
    let outcome = import(&topics, &path, &[]);
    assert_eq!(outcome.failure.as_deref(), Some("2 of 2 rows refused, nothing was appended"));
    assert!(outcome.notices.contains("line 2: 1 cell where the header has 2\n"), "{}", outcome.notices);
    assert!(outcome.notices.ends_with("deleted topic t again\n"), "{}", outcome.notices);
    assert_eq!(topics.list().expect("topics are listed"), []);
    let topics = with_topic(&[]);
    let notices = import(&topics, &path, &[]).notices;
    assert!(notices.ends_with("appended 0 records to topic t\n"), "{notices}");
}

#[test]
fn json_keys_have_the_type_of_their_column() {
    let (_dir, path) = file("f.csv", b"id,code\n1,1\n2,x\n");
    for (column, expected) in [("id", ["1", "2"]), ("code", ["\"1\"", "\"x\""])] {
        let topics = MemoryTopics::new();
        assert_eq!(import(&topics, &path, &["--key-field", column, "--key-format", "json"]).failure, None);
        let lines = consumed(&topics, &["t"]);
        let keys: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(3)).collect();
        assert_eq!(keys, expected);
    }
}

#[test]
fn compressed_files_are_read() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"a\n1\n2\n").expect("memory can be written");
    let gz = gz.finish().expect("memory can be written");
    let zipped = |names: &[&str]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory can be written");
            zip.write_all(b"a\n1\n2\n").expect("memory can be written");
        }
        zip.finish().expect("memory can be written").into_inner()
    };
    for (name, content) in [("a.csv.gz", gz), ("a.zip", zipped(&["readme.txt", "__MACOSX/._a.csv", "a.CSV"]))] {
        let (_dir, path) = file(name, &content);
        let topics = MemoryTopics::new();
        assert_eq!(import(&topics, &path, &[]).failure, None);
        assert_eq!(values(&topics), ["{\"a\":1}", "{\"a\":2}"]);
    }
    for (names, reason) in [
        (&["a"] as &[&str], "there is no .csv file in it"),
        (&["a.csv", "b.csv"], "there are 2 .csv files in it, not one"),
    ] {
        let (_dir, path) = file("a.zip", &zipped(names));
        let failure = import(&MemoryTopics::new(), &path, &[]).failure.expect("it is no single file");
        assert_eq!(failure, format!("cannot read {}: {reason}", path.display()));
    }
}

#[test]
fn files_that_cannot_be_imported_leave_no_topic() {
    let cases = [
        ("", "cannot read FILE: it has no header row"),
        ("a,,c\n", "cannot read FILE: column 2 has no name in the header"),
        ("a,b,a\n", "cannot read FILE: two columns are called 'a'"),
    ];
    for (content, expected) in cases {
        let (_dir, path) = file("f.csv", content.as_bytes());
        let topics = MemoryTopics::new();
        let failure = import(&topics, &path, &[]).failure.expect("it cannot be imported");
        assert_eq!(failure.replace(&path.display().to_string(), "FILE"), expected);
        assert_eq!(topics.list().expect("topics are listed"), []);
    }
    let topics = MemoryTopics::new();
    let failure = import(&topics, Path::new("no/such.csv"), &[]).failure.expect("there is no file");
    assert!(failure.starts_with("cannot read no/such.csv: "), "{failure}");
    let (_dir, path) = file("f.csv", b"a,b\n1,2\n");
    let failure = import(&topics, &path, &["--key-field", "c"]).failure;
    assert_eq!(failure.as_deref(), Some("there is no column 'c'; the header has a, b"));
    assert_eq!(topics.list().expect("topics are listed"), []);
}

#[test]
fn an_existing_topic_keeps_its_partitions() {
    let (_dir, path) = file("f.csv", b"a\n1\n2\n");
    let topics = with_topic(&["--partitions", "2"]);
    let failure = import(&topics, &path, &["--partitions", "3"]).failure;
    assert_eq!(failure.as_deref(), Some("topic t exists already, with 2 partitions, not 3"));
    assert_eq!(import(&topics, &path, &[]).failure, None);
    assert_eq!(values(&topics).len(), 2);
}

#[test]
fn an_import_can_be_stopped() {
    let (_dir, path) = file("f.csv", ("a\n".to_owned() + &"1\n".repeat(10_000)).as_bytes());
    let topics = MemoryTopics::new();
    let path = path.to_str().expect("temporary paths are text");
    let stopped = |arguments: &[&str]| {
        let arguments = [&["import", "t", path], arguments].concat();
        run_with(&topics, &arguments, Box::new(io::empty()), &mut Vec::new(), &mut Vec::new(), &|| true)
    };
    assert_eq!(stopped(&[]).as_deref(), Some("stopped after 0 records"), "while types are looked for");
    assert!(topics.describe("t").expect("topics in memory answer").is_none());
    assert_eq!(stopped(&["--types", "a INT"]).as_deref(), Some("stopped after 4096 records"));
}

#[test]
fn wrong_options_are_explained() {
    let check = |arguments: &[&str], expected: &str| {
        let error = Line::try_parse_from(["topic"].iter().chain(arguments)).err().expect("the options are wrong");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&["consume", "t", "--from", "now"], "write beginning, end, or an offset");
    check(&["consume", "t", "--from-time", "now"], "a time such as 2013-01-01T10:00:00Z");
    check(&["consume", "t", "--from", "1", "--from-time", "1"], "cannot be used with");
    check(&["produce", "t", "--key-separator", ""], "a value is required");
    check(&["produce", "t", "--key-separator", ":", "--key-field", "a"], "cannot be used with");
    check(&["produce", "t", "--key-format", "avro"], "kafka:bigint");
    check(&["consume", "t", "--from", "-1"], "an offset, 0 or more");
    check(&["create", "t", "--retention-ms", "-1"], "how many milliseconds, 0 or more");
    check(&["import", "t", "f", "--delimiter", "::"], "one ASCII character");
    check(&["import", "t", "f", "--timestamp", "1", "--timestamp-field", "a"], "cannot be used with");
}

#[test]
fn bytes_go_from_one_topic_to_another_as_digits() {
    let topics = MemoryTopics::new();
    let hex = ["--key-format", "hex", "--value-format", "hex"];
    let produce = |topic: &str, lines: &str| {
        run(&topics, &[&["produce", topic, "--key-separator", ":"], &hex[..]].concat(), lines)
    };
    assert_eq!(produce("a", "0x01ff:0x0000000001\n:0x6869\n0x02:\n").failure, None);
    assert_eq!(consumed(&topics, &["a", "--value-format", "hex"])[1].split(' ').next_back(), Some("0x6869"));
    let json = ok(&topics, &[&["consume", "a", "--output", "json"], &hex[..]].concat(), "");
    let lines = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let lines: Vec<String> = lines.map(|line| format!("{}:{}", text(&line["key"]), text(&line["value"]))).collect();
    assert_eq!(lines, ["0x01ff:0x0000000001", ":0x6869", "0x02:"]);
    assert_eq!(produce("b", &lines.join("\n")).failure, None);
    assert_eq!(ok(&topics, &[&["consume", "b", "--output", "json"], &hex[..]].concat(), ""), json);
    let refused = produce("a", "0x01:hi\n");
    assert!(refused.notices.contains("line 1: the value is not of digits such as 0x00ff"), "{}", refused.notices);
    let both = run(&topics, &["produce", "a", "--value-format", "hex", "--key-field", "k"], "");
    assert!(both.failure.is_some_and(|text| text.contains("bytes have no fields")));
}
