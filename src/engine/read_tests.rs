//! SELECT, once and for as long as somebody listens.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;

use super::*;
use crate::runtime::clock::ManualClock;
use crate::topics::MemoryTopics;

struct World {
    engine: Engine,
    session: Session,
    clock: Arc<ManualClock>,
}

const SETUP: &str = "
CREATE STREAM payments (account STRING KEY, amount INT) WITH (kafka_topic='payments', partitions=3, value_format='json');
CREATE STREAM single (id INT KEY, v INT) WITH (kafka_topic='single', partitions=1, value_format='json');
CREATE TABLE people (id INT PRIMARY KEY, name STRING) WITH (kafka_topic='people', partitions=1, value_format='json');
CREATE TABLE totals AS SELECT account, SUM(amount) AS total FROM payments GROUP BY account;
CREATE TABLE hourly AS SELECT account, COUNT(*) AS n FROM payments WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY account;
CREATE TABLE pairs WITH (format='json') AS SELECT id, v, COUNT(*) AS n FROM single GROUP BY id, v;
";

const PEOPLE: [&str; 7] = ["ana", "bo", "bob", "carla", "it's", "", "zé"];

impl World {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(properties: &[(&str, &str)]) -> Self {
        let clock = Arc::new(ManualClock::default());
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let options = EngineOptions { threads: false, clock: shown, properties, ..EngineOptions::default() };
        let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("memory opens");
        let mut world = Self { engine, session: Session::default(), clock };
        world.session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        world.run(SETUP);
        world
    }

    /// With payments of all people, in two hours.
    fn paid() -> Self {
        let mut world = Self::new();
        for (hour, name) in [0, 1].into_iter().flat_map(|hour| PEOPLE.map(|name| (hour, name))) {
            let (name, amount, time) = (name.replace('\'', "''"), name.len(), hour * 3_600_000 + 5);
            world.run(&format!("INSERT INTO payments (rowtime, account, amount) VALUES ({time}, '{name}', {amount});"));
        }
        world.run("INSERT INTO single (id, v) VALUES (1, -5); INSERT INTO single (id, v) VALUES (2, 7);");
        world.settle();
        world
    }

    fn run(&mut self, sql: &str) -> Option<Response> {
        let mut last = None;
        let done = self.engine.execute(&mut self.session, sql, &mut |response| last = Some(response));
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        last
    }

    fn settle(&self) {
        self.engine.settle(None).expect("nothing fails");
    }

    /// The rows of a SELECT that is parsed and analysed, in order.
    fn analysed(&mut self, sql: &str) -> Vec<String> {
        let Some(Response::Rows(rows)) = self.run(sql) else { panic!("{sql} gives rows") };
        sorted(&rows.batches)
    }

    /// The same by [`Engine::pull`].
    fn pulled(&self, sql: &str) -> Vec<String> {
        let rows = self.engine.pull(&self.session, sql).expect("a pull query").unwrap_or_else(|e| panic!("{sql}: {e}"));
        sorted(&rows.batches)
    }

    fn push(&mut self, sql: &str) -> PushQuery {
        let Some(Response::Push(query)) = self.run(sql) else { panic!("{sql} is a push query") };
        query
    }

    /// A push query that begins now.
    fn push_latest(&mut self, sql: &str) -> PushQuery {
        self.session.properties.insert("auto.offset.reset".to_owned(), "latest".to_owned());
        let query = self.push(sql);
        self.session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        query
    }

    /// Writes `values` to the stream of one partition.
    fn write(&mut self, values: std::ops::Range<i32>) {
        let mut inserter = self.engine.inserter(&self.session, "single").expect("a stream");
        let rows: Vec<String> = values.map(|value| format!(r#"{{"id": 1, "v": {value}}}"#)).collect();
        assert!(inserter.insert(&rows).iter().all(Result::is_ok));
    }

    fn open_readers(&self) -> usize {
        self.engine.inner.shared.taps.count()
    }
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let shown = |column: &arrow::array::ArrayRef, row| array_value_to_string(column, row).expect("it can be shown");
    let cell = |column: &arrow::array::ArrayRef, row| {
        if column.is_null(row) { "null".to_owned() } else { shown(column, row) }
    };
    let row = |row| batch.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

fn sorted(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows: Vec<String> = batches.iter().flat_map(texts).collect();
    rows.sort();
    rows
}

/// What has come, tombstones marked, and the end if it has come.
fn come(query: &PushQuery) -> Vec<String> {
    let mut come = Vec::new();
    loop {
        match query.try_next() {
            PushEvent::Rows(rows) => {
                let marked = texts(rows.batch()).into_iter().enumerate();
                come.extend(marked.map(|(row, text)| if rows.is_tombstone(row) { format!("-{text}") } else { text }));
            }
            PushEvent::Idle => return come,
            PushEvent::End(end) => {
                come.push(format!("{end:?}"));
                return come;
            }
        }
    }
}

#[test]
fn a_look_up_in_the_shape_of_an_earlier_one_gives_its_own_rows() {
    let mut world = World::paid();
    let mut selects: Vec<String> = Vec::new();
    for name in PEOPLE.map(|name| name.replace('\'', "''")) {
        selects.push(format!("SELECT * FROM totals WHERE account = '{name}';"));
        selects.push(format!("SELECT 'is' AS a, total FROM totals WHERE '{name}' = account;"));
        selects.push(format!("SELECT '{name}' AS a, total FROM totals WHERE account = 'bob';"));
        selects.push(format!("SELECT account FROM totals WHERE account IN ('{name}', 'bo', '{name}');"));
        selects.push(format!("SELECT account FROM totals WHERE account = '{name}' AND account = 'bo';"));
        selects.push(format!("SELECT account FROM totals WHERE account = '{name}' OR account = 'bo';"));
        selects.push(format!("SELECT account FROM totals WHERE account = '{name}' AND total > 2;"));
        selects.push(format!("SELECT account FROM totals WHERE NOT account IN ('{name}', 'bo');"));
        selects.push(format!("SELECT account, n, windowstart FROM hourly WHERE account = '{name}';"));
        selects.push(format!("SELECT n FROM hourly WHERE account = '{name}' AND windowstart = 3600000;"));
        selects.push(format!("SELECT n FROM hourly WHERE account = '{name}' AND windowend <= 3600000;"));
        selects.push(format!("SELECT account FROM totals WHERE account >= '{name}' AND account < 'c';"));
        selects.push(format!("SELECT account FROM totals WHERE account > '{name}';"));
        selects.push(format!("SELECT account FROM totals WHERE account BETWEEN 'an' AND '{name}';"));
    }
    for (id, v) in [(1, -5), (2, 7), (1, 7), (2, -5), (3, 1)] {
        selects.push(format!("SELECT n FROM pairs WHERE id = {id} AND v = {v};"));
        selects.push(format!("SELECT n FROM pairs WHERE v = {v} AND id = {id};"));
    }
    selects.push("SELECT n FROM pairs WHERE id = 2147483647 AND v = 7;".to_owned());
    for _ in 0..2 {
        for select in &selects {
            assert_eq!(world.pulled(select), world.analysed(select), "{select}");
        }
    }
    assert_eq!(world.pulled("SELECT * FROM totals WHERE account = 'it''s';"), ["it's|8"]);
    let hours = world.pulled("SELECT account, n, windowstart FROM hourly WHERE account = 'bo';");
    assert_eq!(hours, ["bo|1|0", "bo|1|3600000"]);
}

#[test]
fn what_cannot_be_a_key_is_told_as_if_it_were_the_first() {
    let world = World::paid();
    let pull = |sql: &str| world.engine.pull(&world.session, sql).expect("a pull query").map(|rows| rows.len());
    assert_eq!(pull("SELECT n FROM pairs WHERE id = 1 AND v = 7;").ok(), Some(0));
    let error = pull("SELECT n FROM pairs WHERE id = 1 AND v = '7';").expect_err("a text").to_string();
    assert!(error.contains("Cannot compare V (INTEGER) to '7'"), "{error}");
    assert_eq!(pull("SELECT n FROM pairs WHERE id = 1 AND v = 99999999999;").ok(), Some(0));
}

#[test]
fn what_is_known_is_forgotten_when_something_changes() {
    let mut world = World::paid();
    let select = "SELECT * FROM totals WHERE account = 'bob';";
    assert_eq!((world.pulled(select), world.pulled(select)), (vec!["bob|6".to_owned()], vec!["bob|6".to_owned()]));
    world.run("DROP TABLE totals DELETE TOPIC;");
    let gone = world.engine.pull(&world.session, select).expect("a pull query").expect_err("it is gone").to_string();
    assert!(gone.contains("TOTALS"), "{gone}");
    world.run(
        "CREATE TABLE totals AS SELECT account, COUNT(*) AS n, MAX(amount) AS most FROM payments GROUP BY account;",
    );
    world.settle();
    assert_eq!(world.pulled(select), ["bob|2|3"]);
}

#[test]
fn settings_of_a_client_are_heeded() {
    let mut world = World::paid();
    let select = "SELECT * FROM totals WHERE account = 'bob';";
    assert_eq!(world.pulled(select).len(), 1);
    world.session.properties.insert("ksql.pull.queries.enable".to_owned(), "false".to_owned());
    assert!(world.engine.pull(&world.session, select).expect("a pull query").is_err());
    world.session.properties.remove("ksql.pull.queries.enable");
    world.session.variables.insert("who".to_owned(), "bo".to_owned());
    assert_eq!(world.pulled("SELECT account FROM totals WHERE account = '${who}';"), ["bo"]);
}

#[test]
fn only_single_pull_queries_are_pulled() {
    let world = World::paid();
    for other in [
        "SELECT * FROM totals EMIT CHANGES;",
        "SHOW STREAMS;",
        "SELECT * FROM totals; SELECT * FROM totals;",
        "SELECT FROM;",
        "",
    ] {
        assert!(world.engine.pull(&world.session, other).is_none(), "{other}");
    }
    let rows = world.engine.pull(&world.session, "SELECT * FROM hourly;").expect("a pull query").expect("it is kept");
    assert_eq!(
        rows.schema_text(),
        "`ACCOUNT` STRING KEY, `WINDOWSTART` BIGINT KEY, `WINDOWEND` BIGINT KEY, `N` BIGINT"
    );
    let rows = world.engine.pull(&world.session, "SELECT * FROM single LIMIT 1;").expect("a pull query");
    let rows = rows.expect("a stream");
    assert_eq!((rows.schema_text().as_str(), rows.end), ("`ID` INTEGER, `V` INTEGER", Some(PushEnd::LimitReached)));
}

#[test]
fn a_limit_ends_a_scan() {
    let world = World::paid();
    for limit in 0..10 {
        let select = format!("SELECT account FROM totals LIMIT {limit};");
        assert_eq!(world.pulled(&select).len(), PEOPLE.len().min(limit), "{select}");
    }
}

#[test]
fn push_queries_of_single_records_share_a_reader() {
    let mut world = World::new();
    let all = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    world.write(0..3);
    world.settle();
    let late = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    let few = world.push_latest("SELECT v FROM single WHERE v > 3 EMIT CHANGES LIMIT 2;");
    assert_eq!(world.open_readers(), 1);
    world.write(3..7);
    world.settle();
    assert_eq!(come(&all), ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(come(&late), ["3", "4", "5", "6"]);
    assert_eq!(come(&few), ["4", "5", "LimitReached"]);
    drop((all, few));
    world.run("SHOW STREAMS;");
    assert_eq!(world.open_readers(), 1);
    drop(late);
    world.run("SHOW STREAMS;");
    assert_eq!(world.open_readers(), 0);
}

#[test]
fn a_push_query_begins_at_the_end_that_there_was_when_it_was_asked() {
    let mut world = World::new();
    world.write(0..2);
    let shared = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    let alone = world.push_latest("SELECT v, COUNT(*) AS n FROM single GROUP BY v EMIT CHANGES;");
    // Their tasks have not begun yet.
    world.write(2..4);
    world.settle();
    assert_eq!(come(&shared), ["2", "3"]);
    assert_eq!(come(&alone), ["2|1", "3|1"]);
}

#[test]
fn who_does_not_keep_up_goes_on_alone_and_misses_nothing() {
    let mut world = World::new();
    let quick = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    let slow = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    let mut seen = 0;
    for first in (0..60_000).step_by(5_000) {
        world.write(first..first + 5_000);
        world.settle();
        seen += come(&quick).len();
    }
    assert_eq!(seen, 60_000, "the others do not notice");
    let mut got = come(&slow);
    assert!(got.len() < 60_000, "what waits is bounded");
    for _ in 0..60 {
        world.settle();
        got.extend(come(&slow));
    }
    let expected: Vec<String> = (0..60_000).map(|value| value.to_string()).collect();
    assert!(got == expected, "each record once, in order: {} of them", got.len());
}

#[test]
fn a_client_that_takes_nothing_is_told_and_dropped() {
    let mut world = World::with(&[("levada.push.client.timeout.ms", "5000")]);
    let query = world.push_latest("SELECT v FROM single EMIT CHANGES;");
    world.write(0..30_000);
    world.settle();
    world.write(30_000..60_000);
    world.settle();
    world.clock.set(5_001);
    world.settle();
    let last = come(&query).pop().expect("an end");
    assert!(last.contains("its client has taken no rows for 5 seconds"), "{last}");
    world.run("SHOW STREAMS;");
    assert!(world.engine.inner.shared.pushes.running().is_empty());
}

#[test]
fn tombstones_of_tables_are_marked() {
    let mut world = World::new();
    let query = world.push("SELECT name, id FROM people EMIT CHANGES;");
    world.run("INSERT INTO people (id, name) VALUES (1, 'ana');");
    let partition = crate::topics::TopicPartition { topic: "people".into(), partition: 0 };
    let mut records = crate::types::RecordChunkBuilder::new();
    records.push(Some(&1_i32.to_be_bytes()), None, 1);
    let appends = vec![(partition, records.finish())];
    let transaction = crate::topics::Transaction { appends, ..crate::topics::Transaction::default() };
    world.engine.inner.shared.topics.commit(transaction).expect("memory takes it");
    world.settle();
    assert_eq!(come(&query), ["ana|1", "-null|1"]);
}

#[test]
fn push_queries_can_be_seen_explained_and_ended() {
    let mut world = World::new();
    let query = world.push("SELECT v FROM single EMIT CHANGES;");
    assert!(query.id.starts_with("transient_SINGLE_"), "{}", query.id);
    let shown = |world: &mut World, sql: &str| {
        let Some(Response::Listing(listings)) = world.run(sql) else { panic!("{sql} lists") };
        listings.iter().flat_map(|listing| &listing.rows).map(|row| row.join("|")).collect::<Vec<_>>().join("\n")
    };
    assert!(shown(&mut world, "SHOW QUERIES;").contains(&format!("{}|PUSH|RUNNING:1", query.id)));
    let explained = shown(&mut world, &format!("EXPLAIN \"{}\";", query.id));
    assert!(explained.contains("SELECT v FROM single") && explained.contains("SINGLE"), "{explained}");
    world.run(&format!("TERMINATE {};", query.id));
    assert_eq!(come(&query), ["Stopped"]);
    assert!(!shown(&mut world, "SHOW QUERIES;").contains("PUSH"));
}

#[test]
fn there_may_be_so_many_push_queries_and_no_more() {
    let mut world = World::with(&[("ksql.max.push.queries", "2")]);
    let select = "SELECT v FROM single EMIT CHANGES;";
    let queries = [world.push(select), world.push(select)];
    let refused = world.engine.execute(&mut world.session, select, &mut |_| ()).expect_err("one too many");
    assert_eq!(refused.code, Some(EngineError::PUSH_QUERIES_MAX));
    world.session.properties.insert("ksql.max.push.queries".to_owned(), "9".to_owned());
    assert!(world.engine.execute(&mut world.session, select, &mut |_| ()).is_err(), "only the server says how many");
    drop(queries);
    world.push(select);
}

#[test]
fn a_push_query_that_cannot_go_on_says_so() {
    let mut world = World::new();
    let query = world.push("SELECT v FROM single EMIT CHANGES;");
    world.engine.inner.shared.topics.delete("single").expect("it is there");
    let error = world.engine.settle(Some(&query.id)).expect_err("its topic is gone").to_string();
    assert!(error.contains("single"), "{error}");
    let last = come(&query).pop().expect("an end");
    assert!(last.starts_with("Failed(") && last.contains("single"), "{last}");
}

#[test]
fn scalable_push_queries_read_what_one_query_writes_from_now_on() {
    let mut world = World::new();
    world.session.properties.insert("ksql.query.push.v2.enabled".to_owned(), "true".to_owned());
    let mut id = |sql: &str| world.push_latest(sql).id.clone();
    assert!(id("SELECT * FROM totals EMIT CHANGES;").starts_with("SCALABLE_PUSH_QUERY_"));
    for other in [
        "SELECT * FROM single EMIT CHANGES;",
        "SELECT COUNT(*) FROM totals GROUP BY account EMIT CHANGES;",
        "SELECT rowoffset, account FROM totals EMIT CHANGES;",
    ] {
        assert!(id(other).starts_with("transient_"), "{other}");
    }
    let from_start = world.push("SELECT * FROM totals EMIT CHANGES;");
    assert!(from_start.id.starts_with("transient_TOTALS_"), "{}", from_start.id);
}

/// With threads, as on a server.
#[test]
fn queries_end_without_another_statement() {
    let engine = Engine::with_topics(Arc::new(MemoryTopics::new()), BTreeMap::new()).expect("memory opens");
    let mut session = Session::default();
    engine.execute(&mut session, SETUP, &mut |_| ()).expect("the statements are correct");
    let woken = Arc::new(AtomicUsize::new(0));
    let mut queries = Vec::new();
    for sql in
        ["SELECT v FROM single EMIT CHANGES;", "SELECT v, COUNT(*) AS n FROM single GROUP BY v EMIT CHANGES LIMIT 1;"]
    {
        let mut take = |response| match response {
            Response::Push(query) => queries.push(query),
            other => panic!("{other:?} is no push query"),
        };
        engine.execute(&mut session, sql, &mut take).expect("the statement is correct");
    }
    for query in &queries {
        let counter = Arc::clone(&woken);
        query.on_change(move || {
            counter.fetch_add(1, Ordering::AcqRel);
        });
    }
    engine.execute(&mut session, "INSERT INTO single (id, v) VALUES (1, 4);", &mut |_| ()).expect("a record");
    while woken.load(Ordering::Acquire) < 2 {
        std::thread::yield_now();
    }
    assert!(matches!(queries[0].try_next(), PushEvent::Rows(_)));
    assert!(matches!(queries[1].try_next(), PushEvent::Rows(_)));
    assert!(matches!(queries[1].try_next(), PushEvent::End(PushEnd::LimitReached)));
    drop(queries);
    let shared = &engine.inner.shared;
    let internal = |engine: &Engine| engine.names().iter().any(|name| name.contains("transient_"));
    while !shared.pushes.running().is_empty() || shared.taps.count() > 0 || internal(&engine) {
        std::thread::yield_now();
    }
}

#[test]
fn a_key_is_in_one_partition_and_found_there_only() {
    let world = World::paid();
    for name in PEOPLE.map(|name| name.replace('\'', "''")) {
        let select = format!("SELECT total FROM totals WHERE account = '{name}';");
        let owners = world.engine.pull_owners(&world.session, &select).expect("a pull query").expect("a table");
        let [owner] = owners.as_slice() else { panic!("{select}: {owners:?}") };
        assert_eq!(owner.here, Some(Role::Active));
        for partition in 0..3 {
            let rows = world.engine.pull_of(&world.session, &select, &[partition]).expect("a pull query");
            assert_eq!(rows.expect("a table").len(), usize::from(partition == owner.partition), "{select} {partition}");
        }
    }
    let all =
        world.engine.pull_owners(&world.session, "SELECT * FROM hourly;").expect("a pull query").expect("a table");
    assert_eq!(all.iter().map(|owner| owner.partition).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(world.engine.pull_owners(&world.session, "SELECT * FROM single;").is_none(), "a stream has no owner");
}
