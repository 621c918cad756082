//! Statements and what they answer.

use std::sync::Arc;

use super::*;
use crate::runtime::clock::ManualClock;
use crate::topics::{MemoryTopics, TopicConfig};

/// An engine whose topics outlive it.
struct World {
    topics: Arc<dyn Topics>,
    engine: Engine,
    session: Session,
}

const SETUP: &str = "
CREATE STREAM clicks (name STRING KEY, page STRING, ms INT) WITH (kafka_topic='clicks', partitions=1, value_format='json');
";

impl World {
    fn new() -> Self {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        let engine = open(&topics);
        let mut world = Self { topics, engine, session: Session::default() };
        world.session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        world.run(SETUP).expect("the stream is new");
        world
    }

    /// What `sql` answers, a line each: messages, or rows with `|` between their cells.
    fn run(&mut self, sql: &str) -> Result<Vec<String>, EngineError> {
        let mut lines = Vec::new();
        let show = &mut |response| match response {
            Response::Message(message) | Response::Done(Done { message, .. }) => lines.push(message),
            Response::Listing(listings) => {
                lines.extend(listings.iter().flat_map(|listing| &listing.rows).map(|row| row.join("|")));
            }
            Response::Rows(_) | Response::Push(_) | Response::Print(_) => {}
        };
        self.engine.execute(&mut self.session, sql, show)?;
        Ok(lines)
    }

    fn answer(&mut self, sql: &str) -> String {
        self.run(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).join("\n")
    }

    fn refusal(&mut self, sql: &str) -> String {
        self.run(sql).expect_err(sql).to_string()
    }

    fn reopen(&mut self) {
        self.reopen_with(&[]);
    }

    /// Starts the server again, with other properties of its own.
    fn reopen_with(&mut self, properties: &[(&str, &str)]) {
        self.engine = open_with(&self.topics, properties);
    }
}

fn open(topics: &Arc<dyn Topics>) -> Engine {
    open_with(topics, &[])
}

fn open_with(topics: &Arc<dyn Topics>, properties: &[(&str, &str)]) -> Engine {
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let clock = Arc::new(ManualClock::default());
    let options = EngineOptions { threads: false, clock, properties, ..EngineOptions::default() };
    Engine::with_options(Arc::clone(topics), options).expect("memory opens")
}

#[test]
fn a_replaced_query_keeps_its_id_and_its_place() {
    let mut world = World::new();
    assert_eq!(world.answer("CREATE STREAM slow AS SELECT * FROM clicks;"), "Created query with ID CSAS_SLOW_1");
    assert_eq!(world.answer("CREATE STREAM other AS SELECT * FROM clicks;"), "Created query with ID CSAS_OTHER_2");
    world.answer("PAUSE CSAS_SLOW_1;");
    let replace = "CREATE OR REPLACE STREAM slow AS SELECT * FROM clicks WHERE ms > 1;";
    for _ in 0..2 {
        assert_eq!(world.answer(replace), "Created query with ID CSAS_SLOW_1");
        let queries: Vec<_> = world.engine.queries().into_iter().map(|query| (query.id, query.state)).collect();
        let expected = [("CSAS_SLOW_1", "PAUSED"), ("CSAS_OTHER_2", "RUNNING")];
        assert_eq!(queries, expected.map(|(id, state)| (id.to_owned(), state.to_owned())));
        let shown = world.answer("SHOW QUERIES;");
        assert!(shown.contains(replace), "{shown}");
        world.reopen();
    }
    assert_eq!(world.answer("DROP STREAM slow;"), "Source `SLOW` (topic: SLOW) was dropped.");
}

#[test]
fn a_query_that_has_failed_runs_again_even_if_nothing_is_left_to_do() {
    let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
    let clock = Arc::new(ManualClock::default());
    let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let options = EngineOptions { clock: shown, ..EngineOptions::default() };
    let engine = Engine::with_options(Arc::clone(&topics), options).expect("memory opens");
    let until = |state: &str| {
        let mut looks = 0;
        while engine.queries()[0].state != state {
            topics.wait(topics.version(), Duration::from_millis(10));
            looks += 1;
            assert!(looks < 3_000, "{state}: {:?}", engine.queries());
        }
    };
    let run = |sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).expect(sql);
    run(SETUP);
    run("CREATE STREAM slow AS SELECT * FROM clicks;");
    run("INSERT INTO clicks (name, page, ms) VALUES ('a', 'b', 1);");
    topics.delete("clicks").expect("it is there");
    topics.wake();
    until("ERROR");

    topics.create("clicks", &TopicConfig::with_partitions(1)).expect("it is gone");
    clock.set(2_000);
    topics.wake();
    until("RUNNING");
}

#[test]
fn a_query_that_was_terminated_is_replaced_by_a_new_one() {
    let mut world = World::new();
    world.answer("CREATE STREAM slow AS SELECT * FROM clicks;");
    assert_eq!(world.answer("TERMINATE CSAS_SLOW_1;"), "Query terminated.");
    let replace = "CREATE OR REPLACE STREAM slow AS SELECT * FROM clicks PARTITION BY name;";
    assert_eq!(world.answer(replace), "Created query with ID CSAS_SLOW_3");
}

#[test]
fn a_declaration_that_is_replaced_keeps_its_query() {
    let mut world = World::new();
    world.answer("CREATE STREAM slow AS SELECT * FROM clicks;");
    let replace = "CREATE OR REPLACE STREAM slow (name STRING KEY, page STRING, ms INT, more INT)
                   WITH (kafka_topic='SLOW', value_format='json');";
    assert_eq!(world.answer(replace), "Stream created");
    assert_eq!(world.answer("DROP STREAM slow;"), "Source `SLOW` (topic: SLOW) was dropped.");
    assert!(world.engine.queries().is_empty());
}

#[test]
fn definitions_say_what_they_did() {
    let mut world = World::new();
    for (sql, expected) in [
        ("ALTER STREAM clicks ADD COLUMN more INT;", "Stream CLICKS altered."),
        (
            "CREATE STREAM IF NOT EXISTS clicks (v INT) WITH (kafka_topic='x', value_format='json');",
            "Cannot add stream `CLICKS`: A stream with the same name already exists",
        ),
        ("DROP TABLE IF EXISTS nothing;", "Source NOTHING does not exist."),
        (
            "CREATE TYPE place AS STRUCT<city STRING>;",
            "Registered custom type with name 'PLACE' and SQL type STRUCT<`CITY` STRING>",
        ),
        (
            "CREATE TYPE IF NOT EXISTS place AS INT;",
            "Cannot register custom type 'PLACE' since it is already registered with type: STRUCT<`CITY` STRING>",
        ),
        ("DROP TYPE place;", "Dropped type 'PLACE'"),
        ("DROP TYPE IF EXISTS place;", "Type PLACE does not exist."),
        ("INSERT INTO clicks VALUES ('ann', '/a', 1, 2);", ""),
        ("CREATE STREAM copy AS SELECT * FROM clicks;", "Created query with ID CSAS_COPY_4"),
        ("INSERT INTO copy WITH (query_id='mine') SELECT * FROM clicks;", "Created query with ID MINE"),
        ("PAUSE ALL;", "Query paused."),
        ("RESUME ALL;", "Query resumed."),
        ("TERMINATE ALL;", "Query terminated."),
        ("DROP STREAM copy DELETE TOPIC;", "Source `COPY` (topic: COPY) was dropped."),
    ] {
        assert_eq!(world.answer(sql), expected, "{sql}");
    }
}

#[test]
fn the_query_of_a_source_table_goes_with_it_only() {
    let mut world = World::new();
    world.answer("CREATE SOURCE TABLE pages (p STRING PRIMARY KEY) WITH (kafka_topic='clicks', value_format='json');");
    for (sql, expected) in [
        ("TERMINATE CST_PAGES_1;", "Cannot terminate query 'CST_PAGES_1' because it is linked to a source table."),
        ("PAUSE CST_PAGES_1;", "Cannot pause query 'CST_PAGES_1' because it is linked to a source table."),
        ("RESUME CST_PAGES_1;", "Cannot resume query 'CST_PAGES_1' because it is linked to a source table."),
        ("TERMINATE CST_PAGE_1;", "Unknown queryId: CST_PAGE_1"),
        ("DROP TABLE pages DELETE TOPIC;", "Cannot delete topic for read-only source: PAGES"),
        ("INSERT INTO pages VALUES ('x');", "Cannot insert values into read-only table: PAGES"),
    ] {
        assert_eq!(world.refusal(sql), expected);
    }
    world.answer("TERMINATE ALL;");
    assert_eq!(world.engine.queries().len(), 1);
    world.answer("DROP TABLE pages;");
    assert!(world.engine.queries().is_empty());
}

#[test]
fn there_are_as_many_queries_as_the_server_allows() {
    let mut world = World::new();
    world.session.properties.insert("ksql.query.persistent.active.limit".to_owned(), "1".to_owned());
    world.answer("CREATE STREAM one AS SELECT * FROM clicks;");
    let sql = "CREATE STREAM two AS SELECT * FROM clicks;";
    let expected = format!(
        "Not executing statement(s) '{sql}' as it would cause the number of active, persistent queries to exceed the \
         configured limit. Use the TERMINATE command to terminate existing queries. Current persistent query count: 1. \
         Configured limit: 1."
    );
    assert_eq!(world.refusal(sql), expected);
    world.answer("CREATE OR REPLACE STREAM one AS SELECT * FROM clicks WHERE ms > 0;");
    world.answer("TERMINATE CSAS_ONE_1;");
    world.answer(sql);
}

#[test]
fn properties_are_set_for_a_session() {
    let mut world = World::new();
    for (sql, expected) in [
        (
            "SET 'auto.offset.reset' = 'latest';",
            "Successfully changed local property 'auto.offset.reset' from 'earliest' to 'latest'.",
        ),
        ("SET 'linger.ms' = '5';", "Successfully changed local property 'linger.ms' to '5'."),
        ("UNSET 'linger.ms';", "Successfully unset local property 'linger.ms' (value was '5')."),
        ("UNSET 'linger.ms';", "Cannot unset local property 'linger.ms' which was never set in the first place"),
    ] {
        assert_eq!(world.answer(sql), expected);
    }
    for (sql, expected) in [
        ("SET 'auto.ofset.reset' = 'latest';", "Unknown property: auto.ofset.reset"),
        (
            "SET 'ksql.hidden.topics' = '';",
            "Cannot override property 'ksql.hidden.topics': it cannot be changed while the server runs",
        ),
        (
            "ALTER SYSTEM 'commit.interval.ms' = '1';",
            "Cannot alter system property 'commit.interval.ms': ALTER SYSTEM needs 'ksql.runtime.feature.shared.enabled', \
             which is false",
        ),
    ] {
        assert_eq!(world.refusal(sql), expected);
    }
    world.answer("SET 'sasl.jaas.config' = 'x';");
    let shown = world.answer("SHOW PROPERTIES;");
    for line in [
        "ksql.streams.auto.offset.reset|KSQL|SESSION|latest|SESSION|SET",
        "ksql.create.or.replace.enabled|KSQL||true|SESSION|default",
        "ksql.streams.sasl.jaas.config|KSQL|SESSION|[hidden]|SERVER|SET",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
}

#[test]
fn variables_stand_for_names_and_literals() {
    let mut world = World::new();
    world.answer(
        "DEFINE source = 'clicks'; DEFINE bound = '5'; DEFINE page = '''/a'''; DEFINE sql = 'a; DROP STREAM b';",
    );
    let sql =
        "CREATE STREAM copy AS SELECT * FROM ${source} WHERE ms > ${BOUND} AND page = ${page} AND page <> '${source}';";
    assert_eq!(world.answer(sql), "Created query with ID CSAS_COPY_1");
    let shown = world.answer("SHOW QUERIES;");
    assert!(shown.contains("FROM clicks WHERE ms > 5 AND page = '/a' AND page <> 'clicks'"), "{shown}");
    for (sql, value, place, hint) in [
        ("\n  DROP STREAM ${sourc};", "${sourc}", (2, 15), "did you mean ${source}?"),
        ("DROP STREAM ${other};", "${other}", (1, 13), "define it first: DEFINE other = '…';"),
        ("DROP STREAM ${sql};", "a; DROP STREAM b", (1, 13), "the value of a variable must be one name or one literal"),
    ] {
        let error = world.run(sql).expect_err(sql);
        let (line, column) = place;
        let expected = format!("Illegal argument at Line: {line}, Col: {column}. Got: '{value}'");
        assert_eq!((error.to_string(), error.position, error.hint.as_deref()), (expected, Some(place), Some(hint)));
    }
    assert_eq!(world.answer("UNDEFINE sql; UNDEFINE sql;"), "Cannot undefine variable 'sql' which was never defined");
    world.answer("SET 'ksql.variable.substitution.enable' = 'false';");
    let error = world.run("DROP STREAM ${source};").expect_err("it stays as it is");
    assert_eq!(error.hint.as_deref(), Some("ksql.variable.substitution.enable is false"));
    world.answer("CREATE STREAM texts AS SELECT * FROM clicks WHERE page = '${page}';");
}

#[test]
fn places_stay_where_they_are_when_variables_are_replaced() {
    let mut world = World::new();
    world.answer("DEFINE source = 'clicks';");
    let error = world.run("SHOW STREAMS;\n SELECT nothing FROM ${source} EMIT CHANGES;").expect_err("no such column");
    assert_eq!(error.position, Some((2, 9)));
}

/// What a statement means is settled when it is given: the server may be started with other properties later.
#[test]
fn a_statement_means_the_same_under_other_properties_of_the_server() {
    let mut world = World::new();
    world.reopen_with(&[
        ("ksql.persistence.default.format.value", "delimited"),
        ("ksql.output.topic.name.prefix", "x-"),
    ]);
    world.answer("CREATE STREAM plain (v INT) WITH (kafka_topic='plain', partitions=1);");
    world.answer("CREATE STREAM copies AS SELECT * FROM clicks;");
    world.answer("CREATE STREAM headed (v INT, h BYTES HEADER('h')) WITH (kafka_topic='plain', value_format='json');");
    let before = world.answer("SHOW STREAMS;");
    assert!(before.contains("COPIES|x-COPIES|") && before.contains("PLAIN|plain|KAFKA|DELIMITED|"), "{before}");
    world.reopen_with(&[("ksql.headers.columns.enabled", "false"), ("ksql.output.topic.name.prefix", "y-")]);
    assert_eq!(world.answer("SHOW STREAMS;"), before);
    let refused = world.refusal("CREATE STREAM late (v INT) WITH (kafka_topic='plain');");
    assert!(refused.contains("'VALUE_FORMAT'"), "the property holds no longer: {refused}");
}

#[test]
fn every_error_of_a_statement_has_a_place() {
    let mut world = World::new();
    for (sql, expected) in [
        ("SHOW STREAMS;\n  SET 'nonsense' = 'x';", (2, 3)),
        ("CREATE STREAM a (v INT) WITH (kafka_topic='a b', partitions=1, value_format='json');", (1, 1)),
        ("SHOW TOPICS; PRINT 'nowhere';", (1, 14)),
        ("SHOW TOPICS; ASSERT TOPIC nowhere TIMEOUT 0 SECONDS;", (1, 14)),
    ] {
        assert_eq!(world.run(sql).expect_err(sql).position, Some(expected), "{sql}");
    }
}

#[test]
fn what_there_is_nothing_to_do_for_says_so_in_a_message() {
    let mut world = World::new();
    let taken = "Cannot add stream `CLICKS`: A stream with the same name already exists";
    for (sql, expected) in [
        ("DROP TABLE IF EXISTS nowhere;", "Source NOWHERE does not exist."),
        ("DROP TYPE IF EXISTS nothing;", "Type NOTHING does not exist."),
        ("CREATE STREAM IF NOT EXISTS clicks AS SELECT * FROM clicks;", taken),
        ("EXPLAIN CREATE STREAM IF NOT EXISTS clicks AS SELECT * FROM clicks;", taken),
    ] {
        let mut answers = Vec::new();
        let answered = world.engine.execute(&mut world.session, sql, &mut |response| answers.push(response));
        answered.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert!(matches!(&answers[..], [answer] if answer.message() == Some(expected)), "{sql}: {answers:?}");
    }
}

/// A file is checked as a whole: what cannot be done later in it is known before anything is done.
#[test]
fn nothing_of_a_file_is_done_that_fails_later() {
    let mut world = World::new();
    let before = world.answer("SHOW TOPICS; SHOW STREAMS;");
    let first = "CREATE STREAM early (v INT) WITH (kafka_topic='early', partitions=1, value_format='json');\n";
    for (second, expected) in [
        (
            "CREATE STREAM late (v INT) WITH (kafka_topic='not a topic', partitions=1, value_format='json');",
            "topic name 'not a topic' is not allowed",
        ),
        (
            "DROP STREAM early DELETE TOPIC; CREATE STREAM early (v INT) WITH (kafka_topic='early', value_format='json');",
            "Topic 'early' does not exist",
        ),
    ] {
        let refused = world.engine.apply_file(&format!("{first}{second}"), &mut |_| ()).expect_err(second);
        assert!(refused.message.contains(expected), "{}", refused.message);
        assert_eq!(refused.position.map(|(line, _)| line), Some(2));
        assert_eq!(world.answer("SHOW TOPICS; SHOW STREAMS;"), before);
    }
}

#[test]
fn an_escaped_reference_in_a_file_stays_a_text() {
    let mut world = World::new();
    let file = "DEFINE page = 'home'; INSERT INTO clicks (name, page) VALUES ('${page}', '$${page}');";
    world.engine.apply_file(file, &mut |_| ()).expect("the row is fine");
    let mut printed = Vec::new();
    let print = "PRINT 'clicks' FROM BEGINNING LIMIT 1;";
    world.engine.execute(&mut world.session, print, &mut |response| printed.push(response)).expect("it is there");
    let [Response::Print(print)] = &printed[..] else { panic!("{printed:?}") };
    let PrintEvent::Records(_, records) = print.next(Duration::ZERO).expect("it can be read") else {
        panic!("no record")
    };
    assert_eq!(
        (records[0].key.as_deref(), records[0].value.as_deref()),
        (Some("home"), Some(r#"{"PAGE":"${page}","MS":null}"#))
    );
}

/// Ids that users choose can come again.
#[test]
fn a_query_is_not_paused_because_another_of_its_name_was() {
    let mut world = World::new();
    world.answer("CREATE STREAM copies AS SELECT * FROM clicks;");
    let insert = "INSERT INTO copies WITH (query_id='more') SELECT * FROM clicks;";
    world.answer(&format!("{insert} PAUSE more; TERMINATE more; {insert}"));
    let before = world.answer("SHOW QUERIES;");
    assert!(before.contains("MORE|PERSISTENT|RUNNING"), "{before}");
    world.reopen();
    assert_eq!(world.answer("SHOW QUERIES;"), before);
}

#[test]
fn a_server_does_not_start_with_properties_that_make_no_sense() {
    let properties = BTreeMap::from([("ksql.streams.auto.offset.reset".to_owned(), "somewhere".to_owned())]);
    let options = EngineOptions { threads: false, properties, ..EngineOptions::default() };
    let refused = Engine::with_options(Arc::new(MemoryTopics::new()), options).err().expect("no such place");
    assert!(refused.message.contains("auto.offset.reset"), "{}", refused.message);
}

/// What was right when it was said stays right, whatever has become of the topics since.
#[test]
fn topics_that_were_deleted_or_made_anew_do_not_stop_the_past_from_being_told() {
    let with = "WITH (value_format='json', partitions=3, kafka_topic=";
    let mut world = World::new();
    world.answer(&format!(
        "CREATE STREAM l (k INT KEY, v INT) {with}'l'); CREATE TABLE r (k INT PRIMARY KEY, w INT) {with}'r');"
    ));
    world.answer("CREATE STREAM both AS SELECT l.k, v, w FROM l JOIN r ON l.k = r.k;");
    world.answer("CREATE STREAM short WITH (retention_ms=1000, partitions=2) AS SELECT * FROM clicks;");
    for later in ["DROP STREAM both DELETE TOPIC; DROP STREAM l DELETE TOPIC;", "DROP STREAM short DELETE TOPIC;"] {
        world.answer(later);
        let before = world.answer("SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TOPICS;");
        world.reopen();
        assert_eq!(world.answer("SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TOPICS;"), before, "{later}");
    }
    world.answer("CREATE STREAM l (k INT KEY, v INT) WITH (value_format='json', partitions=5, kafka_topic='l');");
    world.reopen();
    assert!(world.answer("SHOW TOPICS;").contains("l|5|"));
}

#[test]
fn a_query_that_cannot_start_leaves_no_topic() {
    let mut world = World::new();
    world.answer("CREATE STREAM gone (v INT) WITH (kafka_topic='gone', partitions=1, value_format='json');");
    world.topics.delete("gone").expect("nobody reads it");
    let before = world.answer("SHOW TOPICS; SHOW STREAMS; SHOW QUERIES;");
    assert_eq!(world.refusal("CREATE STREAM copies AS SELECT * FROM gone;"), "topic gone does not exist");
    assert_eq!(world.answer("SHOW TOPICS; SHOW STREAMS; SHOW QUERIES;"), before);
    let refused = world.run("PRINT gone;").expect_err("there is nothing to print");
    let hint = refused.hint.unwrap_or_default();
    assert!(!hint.contains("PRINT 'gone'"), "it is not there under that name either: {hint}");
}

/// The run of a query: another one has figures of its own.
fn run_of(world: &World, query: &str) -> Arc<crate::runtime::metrics::QueryMetrics> {
    let core = world.engine.lock();
    Arc::clone(&core.queries.get(query).expect("it is there").metrics)
}

#[test]
fn a_function_that_is_replaced_restarts_the_queries_that_call_it_and_no_others() {
    let mut world = World::new();
    for sql in [
        "CREATE FUNCTION fee(ms INT) RETURNS INT AS ms + 1;",
        "CREATE FUNCTION total(ms INT) RETURNS INT AS ms + fee(ms);",
        "CREATE STREAM direct AS SELECT name, fee(ms) AS f FROM clicks;",
        "CREATE STREAM indirect AS SELECT name, total(ms) AS f FROM clicks;",
        "CREATE STREAM other AS SELECT name, ms FROM clicks;",
        "PAUSE CSAS_DIRECT_3;",
    ] {
        world.answer(sql);
    }
    let queries = ["CSAS_DIRECT_3", "CSAS_INDIRECT_4", "CSAS_OTHER_5"];
    let before = queries.map(|query| run_of(&world, query));
    let replaced = world.answer("CREATE OR REPLACE FUNCTION fee(ms INT) RETURNS INT AS ms * 2;");
    assert_eq!(replaced, "Function FEE was replaced. Queries that go on with it: CSAS_DIRECT_3, CSAS_INDIRECT_4.");
    let is_same: Vec<bool> =
        queries.iter().zip(&before).map(|(query, run)| Arc::ptr_eq(&run_of(&world, query), run)).collect();
    assert_eq!(is_same, [true, false, true], "the first is paused, the last calls no function");
    let states: Vec<String> = world.engine.queries().into_iter().map(|query| query.state).collect();
    assert_eq!(states, ["PAUSED", "RUNNING", "RUNNING"]);
}

#[test]
fn functions_are_there_again_when_the_server_starts_again() {
    let mut world = World::new();
    world.answer("CREATE TYPE price AS DECIMAL(12, 2);");
    world.answer("CREATE FUNCTION fee(amount price) RETURNS price AS CAST(amount * 0.1 AS price);");
    world.answer("CREATE FUNCTION gone() RETURNS INT AS 1; DROP FUNCTION gone; DROP TYPE price;");
    world.answer("CREATE STREAM fees AS SELECT name, fee(ms) AS fee FROM clicks;");
    world.answer("CREATE OR REPLACE FUNCTION fee(amount DECIMAL(12, 2)) RETURNS DECIMAL(12, 2) AS amount;");
    let asked = "SHOW FUNCTIONS; DESCRIBE FUNCTION fee; SHOW QUERIES; DESCRIBE fees;";
    let before = world.answer(asked);
    assert!(before.contains("FEE|INLINE") && !before.contains("GONE|"), "{before}");
    for _ in 0..2 {
        world.reopen();
        assert_eq!(world.answer(asked), before);
    }
    world.refusal("DROP FUNCTION fee;");
    assert_eq!(
        world.answer("DROP STREAM fees; DROP FUNCTION fee;"),
        "Source `FEES` (topic: FEES) was dropped.\nFunction FEE was dropped."
    );
}

#[test]
fn nothing_is_left_of_a_function_in_a_file_that_fails_later() {
    let mut world = World::new();
    let file = "CREATE FUNCTION fee(ms INT) RETURNS INT AS ms + 1;\nCREATE STREAM a AS SELECT name, fee(page) AS f FROM clicks;";
    let refused = world.engine.apply_file(file, &mut |_| ()).expect_err("PAGE is a text");
    assert_eq!(refused.position, Some((2, 33)));
    assert!(!world.answer("SHOW FUNCTIONS;").contains("FEE|"));
    let file = file.replace("page", "ms");
    for _ in 0..2 {
        world.engine.apply_file(&file, &mut |_| ()).expect("it is right, and applied once");
    }
    assert!(world.engine.names().contains(&"FEE".to_owned()));
}

#[test]
fn a_function_may_be_said_with_variables() {
    let mut world = World::new();
    world.answer("DEFINE percent = '5';");
    assert_eq!(
        world.answer("CREATE FUNCTION share(ms INT) RETURNS INT AS ms * ${percent} / 100;"),
        "Function SHARE was created."
    );
    assert!(world.answer("DESCRIBE FUNCTION share;").contains("((MS * 5) / 100)"));
}

/// What another server of the service has said is carried out here: its statement comes by the command log.
#[test]
fn functions_of_other_servers_take_effect_here() {
    let mut world = World::new();
    world.answer("CREATE FUNCTION fee(ms INT) RETURNS INT AS ms + 1;");
    world.answer("CREATE STREAM fees AS SELECT name, fee(ms) AS f FROM clicks;");
    let before = run_of(&world, "CSAS_FEES_2");
    let follow = |world: &World, sql: &str| {
        let shared = &world.engine.inner.shared;
        let mut core = world.engine.lock();
        let number = core.next_command;
        let command = command_log::Command::new(command_log::Origin::Session, sql, &BTreeMap::new(), true);
        core.note(number, &command);
        recording::follow(shared, &mut core, number, &command).expect(sql);
    };
    follow(&world, "CREATE OR REPLACE FUNCTION fee(ms INT) RETURNS INT AS ms * 2;");
    assert!(!Arc::ptr_eq(&run_of(&world, "CSAS_FEES_2"), &before));
    assert!(world.answer("DESCRIBE FUNCTION fee;").contains("(MS * 2)"));
    follow(&world, "CREATE FUNCTION more(ms INT) RETURNS INT AS ms;");
    follow(&world, "DROP FUNCTION more;");
    assert_eq!(world.refusal("DROP FUNCTION more;"), "Function MORE does not exist.");
}
