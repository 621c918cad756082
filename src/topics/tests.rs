//! What every [`Topics`] does, and what only the local ones do.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arrow::array::Array;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use super::{LocalTopics, MemoryTopics, Position, TopicConfig, TopicError, TopicPartition, Topics, Transaction};
use crate::storage::{Family, StorageError};
use crate::types::{Header, RecordChunk, RecordChunkBuilder};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const ALL: usize = usize::MAX;

/// A record by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) timestamp: i64,
    pub(super) offset: i64,
    pub(super) headers: Vec<Header>,
}

pub(super) fn chunk_of(rows: &[Row]) -> RecordChunk {
    let mut builder = RecordChunkBuilder::new();
    for Row { key, value, timestamp, offset, headers } in rows {
        builder.push_full(key.as_deref(), value.as_deref(), *timestamp, *offset, headers.as_slice().into());
    }
    builder.finish()
}

pub(super) fn rows_of(chunk: &RecordChunk) -> Vec<Row> {
    let bytes = |array: &arrow::array::BinaryArray, row| array.is_valid(row).then(|| array.value(row).to_vec());
    let row = |row| Row {
        key: bytes(&chunk.keys, row),
        value: bytes(&chunk.values, row),
        timestamp: chunk.timestamps[row],
        offset: chunk.offsets[row],
        headers: chunk.headers_at(row).to_vec(),
    };
    (0..chunk.len()).map(row).collect()
}

/// Records written `KEY=VALUE@TIME`; without `KEY=` there is no key, with value `-` no value.
fn chunk(records: &str) -> RecordChunk {
    let mut builder = RecordChunkBuilder::new();
    for record in records.split_whitespace() {
        let (record, time) = record.split_once('@').expect("a record has a time");
        let (key, value) = record.split_once('=').map_or((None, record), |(key, value)| (Some(key), value));
        let value = (value != "-").then_some(value.as_bytes());
        builder.push(key.map(str::as_bytes), value, time.parse().expect("a time is a number"));
    }
    builder.finish()
}

/// The reverse of [`chunk`], with `OFFSET:` in front of each record.
fn text(chunk: &RecordChunk) -> String {
    let shown = |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).expect("the specs write text"));
    let record = |Row { key, value, timestamp, offset, .. }| {
        let key = shown(key).map_or_else(String::new, |key| format!("{key}="));
        format!("{offset}:{key}{}@{timestamp}", shown(value).unwrap_or_else(|| "-".into()))
    };
    rows_of(chunk).into_iter().map(record).collect::<Vec<_>>().join(" ")
}

fn at(topic: &str, partition: u32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition }
}

fn append(topics: &dyn Topics, partition: u32, records: &str) {
    let appends = vec![(at("t", partition), chunk(records))];
    topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
}

fn read(topics: &dyn Topics, partition: u32, offset: i64) -> String {
    text(&topics.fetch(&at("t", partition), offset, ALL, ALL).expect("a fetch succeeds"))
}

/// An implementation under test: opened again for each step, so that what a step relies on has been kept.
struct Kind {
    name: &'static str,
    local: Option<tempfile::TempDir>,
    memory: Arc<MemoryTopics>,
}

impl Kind {
    fn step(&self, step: impl FnOnce(&dyn Topics, &dyn Fn(i64))) {
        let Some(dir) = &self.local else {
            let maintain = |now_ms| self.memory.maintain(now_ms).expect("maintenance succeeds");
            return step(self.memory.as_ref(), &maintain);
        };
        let local = open(dir.path());
        step(local.as_ref(), &|now_ms| local.maintain(now_ms).expect("maintenance succeeds"));
    }
}

fn open(dir: &Path) -> Arc<LocalTopics> {
    LocalTopics::open(dir).unwrap_or_else(|error| panic!("{} opens: {error}", dir.display()))
}

/// Runs `spec` on each implementation, with topic `t` of 2 partitions and the settings of `config`.
fn on_each(config: &TopicConfig, spec: impl Fn(&Kind)) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, local) in [("memory", None), ("local", Some(dir))] {
        let kind = Kind { name, local, memory: Arc::default() };
        kind.step(|topics, _| {
            let config = TopicConfig { partitions: 2, ..config.clone() };
            topics.create("t", &config).expect("a new topic is created");
        });
        spec(&kind);
    }
}

/// As [`on_each`], for specs of one step and a plain topic.
fn on_plain(spec: impl Fn(&dyn Topics)) {
    on_each(&TopicConfig::with_partitions(2), |kind| kind.step(|topics, _| spec(topics)));
}

#[test]
fn topics_are_created_listed_described_and_deleted() {
    let config = TopicConfig { compact: true, retention_ms: Some(5), ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, _| {
            topics.create("a.B-c_1", &TopicConfig::with_partitions(7)).expect("a new topic is created");
        });
        kind.step(|topics, _| {
            let listed: Vec<_> = topics.list().expect("topics are listed").into_iter().map(|info| info.name).collect();
            assert_eq!(listed, ["a.B-c_1", "t"], "{}", kind.name);
            assert_eq!(topics.describe("t").expect("a read succeeds").expect("it exists").config, config);
            assert_eq!(topics.describe("T").expect("a read succeeds"), None);
            topics.delete("t").expect("it exists");
        });
        kind.step(|topics, _| {
            assert_eq!(topics.describe("t").expect("a read succeeds"), None);
            assert!(matches!(topics.delete("t"), Err(TopicError::UnknownTopic { .. })));
        });
    });
}

#[test]
fn names_and_settings_are_checked() {
    on_plain(|topics| {
        let long = "x".repeat(250);
        for name in ["", ".", "..", "a b", "a/b", "ä", "a:b", long.as_str()] {
            let error = topics.create(name, &TopicConfig::with_partitions(1)).expect_err(name);
            assert!(matches!(error, TopicError::InvalidName { .. }), "{error}");
        }
        topics.create(&long[..249], &TopicConfig::with_partitions(1)).expect("249 characters are allowed");
        for partitions in [0, 10_001] {
            let error = topics.create("n", &TopicConfig::with_partitions(partitions)).expect_err("a bad count");
            assert!(matches!(error, TopicError::InvalidConfig { .. }), "{error}");
        }
        let error = topics.create("t", &TopicConfig::with_partitions(1)).expect_err("it exists");
        assert_eq!(error.to_string(), "topic t exists already");
    });
}

#[test]
fn unknown_topics_and_partitions_are_errors() {
    on_plain(|topics| {
        let unknown_topic = |error: TopicError| assert!(matches!(error, TopicError::UnknownTopic { .. }), "{error}");
        unknown_topic(topics.fetch(&at("u", 0), 0, 1, 1).expect_err("no topic"));
        unknown_topic(topics.end_offset(&at("u", 0)).expect_err("no topic"));
        unknown_topic(topics.position("g", &at("u", 0)).expect_err("no topic"));
        let appends = vec![(at("t", 0), chunk("a@1")), (at("u", 0), chunk("b@2"))];
        unknown_topic(topics.commit(Transaction { appends, ..Transaction::default() }).expect_err("no topic"));
        assert_eq!(read(topics, 0, 0), "", "nothing of a refused transaction is appended");

        let error = topics.start_offset(&at("t", 2)).expect_err("no partition");
        assert_eq!(error.to_string(), "topic t has 2 partitions, there is no partition 2");
        let positions = vec![("g".into(), at("t", 9), Position { offset: 1, partition_time: 1 })];
        assert!(topics.commit(Transaction { positions, ..Transaction::default() }).is_err());
    });
}

#[test]
fn appended_records_are_fetched_with_their_offsets() {
    on_each(&TopicConfig::with_partitions(2), |kind| {
        kind.step(|topics, _| {
            append(topics, 0, "k=a@10 b@5 k=-@-1");
            append(topics, 1, "other@7");
            append(topics, 0, "c@8");
        });
        kind.step(|topics, _| {
            append(topics, 0, "d@9");
            assert_eq!(read(topics, 0, 0), "0:k=a@10 1:b@5 2:k=-@-1 3:c@8 4:d@9", "{}", kind.name);
            assert_eq!(read(topics, 0, 2), "2:k=-@-1 3:c@8 4:d@9");
            assert_eq!(read(topics, 1, 0), "0:other@7");
            assert_eq!(read(topics, 0, -3), read(topics, 0, 0));
            assert_eq!(read(topics, 0, 5), "");
            assert_eq!(read(topics, 0, 500), "");
            assert_eq!(topics.start_offset(&at("t", 0)).expect("it exists"), 0);
            assert_eq!(topics.end_offset(&at("t", 0)).expect("it exists"), 5);
        });
    });
}

#[test]
fn headers_are_kept() {
    on_plain(|topics| {
        let header = |key: &str, value: Option<&[u8]>| Header { key: key.into(), value: value.map(<[u8]>::to_vec) };
        let headers = vec![header("a", Some(b"1")), header("a", None), header("", Some(b""))];
        let row = Row { key: None, value: Some(b"v".to_vec()), timestamp: 1, offset: 0, headers };
        let plain = Row { headers: Vec::new(), offset: 1, ..row.clone() };
        for rows in [vec![row.clone(), plain], vec![Row { offset: 2, ..row }]] {
            let appends = vec![(at("t", 0), chunk_of(&rows))];
            topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
            let offset = rows[0].offset;
            assert_eq!(rows_of(&topics.fetch(&at("t", 0), offset, ALL, ALL).expect("a fetch succeeds")), rows);
        }
    });
}

#[test]
fn a_fetch_keeps_to_its_limits() {
    on_plain(|topics| {
        append(topics, 0, "k=aaaa@1 k=bbbb@2 k=cccc@3");
        append(topics, 0, "k=dddd@4");
        let fetched = |offset, rows_max, bytes_max| {
            text(&topics.fetch(&at("t", 0), offset, rows_max, bytes_max).expect("a fetch succeeds"))
        };
        assert_eq!(fetched(0, 2, ALL), "0:k=aaaa@1 1:k=bbbb@2");
        assert_eq!(fetched(2, 2, ALL), "2:k=cccc@3 3:k=dddd@4");
        assert_eq!(fetched(0, ALL, 10), "0:k=aaaa@1 1:k=bbbb@2");
        assert_eq!(fetched(0, ALL, 14), "0:k=aaaa@1 1:k=bbbb@2");
        assert_eq!(fetched(2, ALL, 1), "2:k=cccc@3", "a record larger than the limit comes alone");
        assert_eq!(fetched(1, ALL, 0), "1:k=bbbb@2");
        assert_eq!(fetched(0, 0, ALL), "");
    });
}

#[test]
fn one_fetch_joins_many_small_appends_up_to_a_good_batch() {
    on_plain(|topics| {
        for _ in 0..3000 {
            append(topics, 0, "x@1");
        }
        let fetched = topics.fetch(&at("t", 0), 10, ALL, ALL).expect("a fetch succeeds");
        assert!((1000..2000).contains(&fetched.len()), "{}", fetched.len());
        assert_eq!((fetched.offsets[0], fetched.offsets[fetched.len() - 1]), (10, 9 + fetched.len() as i64));
    });
}

#[test]
fn memory_fetches_share_the_appended_bytes() {
    let topics = MemoryTopics::new();
    topics.create("t", &TopicConfig::with_partitions(1)).expect("a new topic is created");
    let chunk = chunk("a@1 b@2 c@3");
    let place = chunk.values.value_data().as_ptr();
    topics.commit(Transaction { appends: vec![(at("t", 0), chunk)], ..Transaction::default() }).expect("it appends");
    let fetched = topics.fetch(&at("t", 0), 1, ALL, ALL).expect("a fetch succeeds");
    assert_eq!(fetched.values.value_data().as_ptr(), place);
}

#[test]
fn a_transaction_is_visible_as_a_whole() {
    on_each(&TopicConfig::with_partitions(2), |kind| {
        kind.step(|topics, _| {
            let mut transaction = Transaction {
                appends: vec![(at("t", 0), chunk("a@1")), (at("t", 1), chunk("b@2")), (at("t", 0), chunk("c@3 d@4"))],
                positions: vec![("g".into(), at("t", 1), Position { offset: 9, partition_time: 88 })],
                ..Transaction::default()
            };
            transaction.writes.put(Family::State, b"k".to_vec(), b"v".to_vec());
            topics.commit(transaction).expect("a commit succeeds");
        });
        kind.step(|topics, _| {
            assert_eq!(read(topics, 0, 0), "0:a@1 1:c@3 2:d@4");
            assert_eq!(read(topics, 1, 0), "0:b@2");
            let position = topics.position("g", &at("t", 1)).expect("it exists");
            assert_eq!(position, Some(Position { offset: 9, partition_time: 88 }));
            assert_eq!(topics.position("g", &at("t", 0)).expect("it exists"), None);
            assert_eq!(topics.position("h", &at("t", 1)).expect("it exists"), None);
            assert_eq!(topics.storage().get(Family::State, b"k").expect("it reads"), Some(b"v".to_vec()));
        });
    });
}

#[test]
fn a_topic_created_again_is_new() {
    on_each(&TopicConfig::with_partitions(2), |kind| {
        kind.step(|topics, _| {
            append(topics, 0, "a@1 b@2");
            let positions = vec![("g".into(), at("t", 0), Position { offset: 2, partition_time: 2 })];
            topics.commit(Transaction { positions, ..Transaction::default() }).expect("a commit succeeds");
            topics.delete("t").expect("it exists");
            topics.create("t", &TopicConfig::with_partitions(1)).expect("the name is free");
        });
        kind.step(|topics, _| {
            assert_eq!(read(topics, 0, 0), "");
            assert_eq!(topics.end_offset(&at("t", 0)).expect("it exists"), 0);
            assert_eq!(topics.position("g", &at("t", 0)).expect("it exists"), None);
        });
    });
}

#[test]
fn times_are_found() {
    on_plain(|topics| {
        append(topics, 0, "a@10 b@30 c@20");
        append(topics, 0, "d@5 e@40");
        let found = |time| topics.offset_for_time(&at("t", 0), time).expect("it exists");
        let expected = [(i64::MIN, 0), (10, 0), (11, 1), (30, 1), (31, 4), (40, 4), (41, 5)];
        for (time, offset) in expected {
            assert_eq!(found(time), offset, "{time}");
        }
        assert_eq!(topics.offset_for_time(&at("t", 1), 0).expect("it exists"), 0);
    });
}

#[test]
fn retention_by_time_drops_old_chunks_from_the_front() {
    let config = TopicConfig { retention_ms: Some(100), ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, _| {
            append(topics, 0, "a@1 b@2");
            append(topics, 0, "c@3");
            append(topics, 0, "d@950");
            append(topics, 0, "e@4");
            append(topics, 1, "f@5");
        });
        kind.step(|topics, maintain| {
            maintain(50);
            assert_eq!(topics.start_offset(&at("t", 0)).expect("it exists"), 0);
            maintain(1000);
            assert_eq!(read(topics, 0, 0), "3:d@950 4:e@4", "{}", kind.name);
        });
        kind.step(|topics, _| {
            assert_eq!(topics.start_offset(&at("t", 0)).expect("it exists"), 3);
            assert_eq!(topics.start_offset(&at("t", 1)).expect("it exists"), 1);
            assert_eq!(topics.end_offset(&at("t", 1)).expect("it exists"), 1);
            append(topics, 1, "g@6");
            assert_eq!(read(topics, 1, 0), "1:g@6");
        });
    });
}

#[test]
fn retention_by_size_keeps_at_least_that_much() {
    let config = TopicConfig { retention_bytes: Some(8), ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, maintain| {
            for value in ["aaaa@1", "bbbb@1", "cccc@1", "dd@1"] {
                append(topics, 0, value);
            }
            maintain(0);
            assert_eq!(read(topics, 0, 0), "1:bbbb@1 2:cccc@1 3:dd@1", "{}", kind.name);
        });
    });
}

#[test]
fn topics_without_retention_keep_everything() {
    on_each(&TopicConfig::with_partitions(2), |kind| {
        kind.step(|topics, maintain| {
            append(topics, 0, "k=a@1 k=b@2");
            maintain(i64::MAX);
            assert_eq!(read(topics, 0, 0), "0:k=a@1 1:k=b@2");
        });
    });
}

#[test]
fn compaction_keeps_the_newest_record_of_each_key_at_its_offset() {
    let config = TopicConfig { compact: true, ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, maintain| {
            append(topics, 0, "a=1@1 b=1@2 a=2@3");
            append(topics, 0, "n@4 c=1@5");
            append(topics, 0, "b=2@6");
            maintain(100);
            assert_eq!(read(topics, 0, 0), "2:a=2@3 3:n@4 4:c=1@5 5:b=2@6", "{}", kind.name);
        });
        kind.step(|topics, maintain| {
            append(topics, 0, "c=2@7 a=3@8 d=11@9");
            maintain(200);
            assert_eq!(read(topics, 0, 0), "3:n@4 5:b=2@6 6:c=2@7 7:a=3@8 8:d=11@9", "{}", kind.name);
            assert_eq!(read(topics, 0, 4), "5:b=2@6 6:c=2@7 7:a=3@8 8:d=11@9");
            assert_eq!(topics.offset_for_time(&at("t", 0), 5).expect("it exists"), 5);
        });
        kind.step(|topics, _| {
            assert_eq!(topics.end_offset(&at("t", 0)).expect("it exists"), 9);
            append(topics, 0, "e=1@10");
            assert_eq!(read(topics, 0, 8), "8:d=11@9 9:e=1@10");
        });
    });
}

#[test]
fn tombstones_stay_for_a_day_after_the_pass_that_saw_them() {
    let config = TopicConfig { compact: true, ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, maintain| {
            append(topics, 0, "a=1@1 b=1@2 a=-@3");
            append(topics, 0, "c=1@4");
            maintain(100);
            assert_eq!(read(topics, 0, 0), "1:b=1@2 2:a=-@3 3:c=1@4", "{}", kind.name);
            maintain(99 + DAY_MS);
            assert_eq!(read(topics, 0, 0), "1:b=1@2 2:a=-@3 3:c=1@4", "{}", kind.name);
        });
        kind.step(|topics, _| append(topics, 0, "b=-@5"));
        kind.step(|topics, maintain| {
            maintain(100 + DAY_MS);
            maintain(100 + DAY_MS);
            assert_eq!(read(topics, 0, 0), "3:c=1@4 4:b=-@5", "{}", kind.name);
            // The last record stays, or nobody could reach the end.
            maintain(100 + 3 * DAY_MS);
            assert_eq!(read(topics, 0, 0), "3:c=1@4 4:b=-@5", "{}", kind.name);
            append(topics, 0, "d=1@6");
            maintain(100 + 5 * DAY_MS);
            assert_eq!(read(topics, 0, 0), "3:c=1@4 5:d=1@6", "{}", kind.name);
        });
    });
}

#[test]
fn compaction_and_retention_work_together() {
    let config = TopicConfig { compact: true, retention_ms: Some(10), ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, maintain| {
            append(topics, 0, "a=1@1");
            append(topics, 0, "b=1@100 c=1@100 b=2@101");
            maintain(105);
            assert_eq!(read(topics, 0, 0), "2:c=1@100 3:b=2@101", "{}", kind.name);
            assert_eq!(topics.start_offset(&at("t", 0)).expect("it exists"), 1);
        });
    });
}

#[test]
fn large_compacted_topics_come_down_to_their_keys() {
    let config = TopicConfig { compact: true, ..TopicConfig::with_partitions(2) };
    on_each(&config, |kind| {
        kind.step(|topics, maintain| {
            for round in 0..30 {
                let rows = |key| Row {
                    key: Some(format!("k{}", key % 700).into_bytes()),
                    value: Some(format!("{round}-{key}").into_bytes()),
                    timestamp: round,
                    offset: 0,
                    headers: Vec::new(),
                };
                let appends = vec![(at("t", 0), chunk_of(&(0..1000).map(rows).collect::<Vec<_>>()))];
                topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
                if round % 10 == 3 {
                    maintain(0);
                }
            }
            maintain(0);
            let kept = topics.fetch(&at("t", 0), 0, ALL, ALL).expect("a fetch succeeds");
            let expected: Vec<i64> = (300..1000).map(|key| 29_000 + key).collect();
            assert_eq!(kept.offsets.to_vec(), expected, "{}", kind.name);
        });
    });
}

#[test]
fn waiting_ends_with_an_append_and_only_with_one() {
    on_plain(|topics| {
        let seen = topics.version();
        let positions = vec![("g".into(), at("t", 0), Position { offset: 0, partition_time: -1 })];
        topics.commit(Transaction { positions, ..Transaction::default() }).expect("a commit succeeds");
        topics.commit(Transaction::default()).expect("nothing is fine");
        assert_eq!(topics.wait(seen, Duration::ZERO), seen);
        thread::scope(|scope| {
            let waiter = scope.spawn(|| topics.wait(seen, Duration::from_mins(1)));
            append(topics, 0, "a@1");
            assert_ne!(waiter.join().expect("the waiter ends"), seen);
        });
        assert_ne!(topics.wait(seen, Duration::from_mins(1)), seen, "what came before is not missed");
        assert_eq!(read(topics, 0, 0), "0:a@1");
    });
}

#[test]
fn records_without_a_key_take_turns_and_keys_go_by_their_hash() {
    on_plain(|topics| {
        let keyless: Vec<u32> = (0..4).map(|_| topics.partition_for(None, 4)).collect();
        assert_eq!(keyless, [0, 1, 2, 3]);
        assert_eq!(topics.partition_for(Some(b"x"), 4), 2);
        assert_eq!(topics.partition_for(Some(b"x"), 1), 0);
    });
    assert_eq!(MemoryTopics::with_single_partition().partition_for(Some(b"x"), 4), 0);
}

#[test]
fn writers_of_one_partition_do_not_mix_up_offsets() {
    on_plain(|topics| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| append(topics, 0, "a@1 b@2")));
            }
        });
        let fetched = topics.fetch(&at("t", 0), 0, ALL, ALL).expect("a fetch succeeds");
        assert_eq!(fetched.offsets.to_vec(), (0..400).collect::<Vec<_>>());
        let values: Vec<_> = rows_of(&fetched).into_iter().filter_map(|row| row.value).collect();
        assert!(values.chunks(2).all(|pair| pair == [b"a".to_vec(), b"b".to_vec()]));
    });
}

#[test]
fn a_data_directory_belongs_to_one_process() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let first = open(dir.path());
    let error = LocalTopics::open(dir.path()).err().expect("it is taken");
    assert!(matches!(error, TopicError::Storage(StorageError::InUse { .. })), "{error}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_damaged_chunk_is_corrupt() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let topics = open(dir.path());
    topics.create("t", &TopicConfig::with_partitions(1)).expect("a new topic is created");
    append(topics.as_ref(), 0, "a@1");
    let entries = topics.storage().scan(Family::Records, b"c", b"d", 10).expect("it reads");
    let mut transaction = Transaction::default();
    let (key, value) = &entries[0];
    transaction.writes.put(Family::Records, key.clone(), value[..value.len() - 1].to_vec());
    topics.commit(transaction).expect("it writes");
    let error = topics.fetch(&at("t", 0), 0, ALL, ALL).expect_err("the chunk is cut");
    assert!(matches!(error, TopicError::Storage(StorageError::Corrupt(_))), "{error}");
}

proptest! {
    // Each case opens a store several times.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn results_do_not_depend_on_how_appends_and_fetches_are_split(
        values in vec(vec(any::<u8>(), 0..40), 1..300),
        cuts in vec(1_usize..120, 1..20),
        limits in vec((1_usize..150, 1_usize..4000), 1..20),
    ) {
        on_plain(|topics| {
            let row = |(offset, value): (i64, &Vec<u8>)| Row {
                key: (offset % 3 == 0).then(|| vec![offset as u8]),
                value: (offset % 5 != 0).then(|| value.clone()),
                timestamp: offset * offset,
                offset,
                headers: Vec::new(),
            };
            let rows: Vec<Row> = (0..).zip(&values).map(row).collect();
            let mut rest = rows.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at(rest.len().min(*cut));
                let appends = vec![(at("t", 1), chunk_of(now))];
                topics.commit(Transaction { appends, ..Transaction::default() }).expect("an append succeeds");
                rest = later;
            }
            let mut fetched = Vec::new();
            for (rows_max, bytes_max) in limits.iter().cycle() {
                let chunk = topics.fetch(&at("t", 1), fetched.len() as i64, *rows_max, *bytes_max);
                let chunk = chunk.expect("a fetch succeeds");
                if chunk.is_empty() {
                    break;
                }
                assert!(chunk.len() <= *rows_max);
                fetched.extend(rows_of(&chunk));
            }
            assert_eq!(fetched, rows);
        });
    }
}
