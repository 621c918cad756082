//! ASSERT TOPIC and ASSERT SCHEMA: waiting until something is as a script expects it.
//!
//! Nothing of the engine is held meanwhile: what is waited for may be another client's doing.

use std::time::Duration;

use super::config::Properties;
use super::{EngineError, Response, Shared};
use crate::registry::{RegistryError, SchemaRegistry};
use crate::sql::ast::{AssertSchema, AssertTopic, Literal, Property, Statement, TimeSpan};
use crate::topics::TopicInfo;

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// Executes `statement` if it is an assertion about the world outside.
pub(super) fn run(
    shared: &Shared,
    properties: &Properties,
    statement: &Statement,
) -> Option<Result<Response, EngineError>> {
    match statement {
        Statement::AssertTopic(assert) => Some(topic(shared, properties, assert)),
        Statement::AssertSchema(assert) => Some(schema(shared, properties, assert)),
        _ => None,
    }
}

fn topic(shared: &Shared, properties: &Properties, assert: &AssertTopic) -> Result<Response, EngineError> {
    let name = &assert.topic;
    let expected = if assert.exists { Expected::read(&assert.properties)? } else { Expected::default() };
    let timeout = assert.timeout.map_or_else(|| properties.assert_topic_timeout(), |span| Ok(duration(span)))?;
    until(shared, timeout, || {
        let found = shared.topics.describe(name)?;
        match (found, assert.exists) {
            (None, true) => Err(EngineError::new(format!("Topic {name} does not exist"))),
            (Some(_), false) => Err(EngineError::new(format!("Topic {name} exists"))),
            (Some(found), true) => expected.check(&found),
            (None, false) => Ok(()),
        }
    })?;
    let state = if assert.exists { "exists" } else { "does not exist" };
    Ok(Response::Message(format!("Topic {name} {state}.")))
}

fn schema(shared: &Shared, properties: &Properties, assert: &AssertSchema) -> Result<Response, EngineError> {
    let registry = shared.registry().map_err(EngineError::new)?;
    let subject = assert.subject.as_ref().map(|subject| format!(" subject name {subject}")).unwrap_or_default();
    let id = assert.id.map(|id| format!(" id {id}")).unwrap_or_default();
    let state = |exists: bool| {
        let state = if exists { "exists" } else { "does not exist" };
        format!("Schema with{subject}{id} {state}")
    };
    let timeout = assert.timeout.map_or_else(|| properties.assert_schema_timeout(), |span| Ok(duration(span)))?;
    until(shared, timeout, || {
        let found = is_registered(registry, assert).map_err(|error| EngineError::new(error.to_string()))?;
        if found == assert.exists { Ok(()) } else { Err(EngineError::new(state(found))) }
    })?;
    Ok(Response::Message(format!("{}.", state(assert.exists))))
}

/// Whether `registry` has the subject, the id, or, where both are said, the id as a version of the subject.
fn is_registered(registry: &dyn SchemaRegistry, assert: &AssertSchema) -> Result<bool, RegistryError> {
    match (assert.subject.as_deref(), assert.id.map(u32::try_from)) {
        (Some(subject), None) => Ok(registry.latest(subject)?.is_some()),
        (None, Some(Ok(id))) => Ok(registry.by_id(id)?.is_some()),
        (Some(subject), Some(Ok(id))) => Ok(registry.subjects_of(id)?.iter().any(|known| known == subject)),
        // The parser asks for one of them, and no id is below one.
        (None, None) | (_, Some(Err(_))) => Ok(false),
    }
}

fn duration(span: TimeSpan) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(0))
}

/// Tries until `check` succeeds; after `timeout`, gives its last error.
fn until(
    shared: &Shared,
    timeout: Duration,
    mut check: impl FnMut() -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let begin = shared.clock.elapsed();
    let timeout = timeout.min(shared.request_patience);
    // A clock that is moved by hand stands still meanwhile: the number of looks is limited too.
    let looks = timeout.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        let left = timeout.saturating_sub(shared.clock.elapsed().saturating_sub(begin));
        match check() {
            Err(_) if !left.is_zero() => shared.pause(LOOK.min(left)),
            done => return done,
        }
    }
    check()
}

/// What WITH says of the topic.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    partitions: Option<u64>,
    replicas: Option<u64>,
}

impl Expected {
    fn read(properties: &[Property]) -> Result<Self, EngineError> {
        let mut expected = Self::default();
        for property in properties {
            let place = match property.name.to_uppercase().as_str() {
                "PARTITIONS" => &mut expected.partitions,
                "REPLICAS" => &mut expected.replicas,
                other => {
                    let error = EngineError::new(format!("Cannot assert unknown topic property: {other}"));
                    return Err(error.with_hint("PARTITIONS and REPLICAS can be asserted").at(property.span));
                }
            };
            *place = Some(number(property)?);
        }
        Ok(expected)
    }

    fn check(&self, found: &TopicInfo) -> Result<(), EngineError> {
        let replicas = u64::from(found.config.replicas.unwrap_or(1));
        let compared = [
            ("partitions", self.partitions, u64::from(found.config.partitions)),
            ("replicas", self.replicas, replicas),
        ];
        for (what, expected, got) in compared {
            if let Some(expected) = expected.filter(|expected| *expected != got) {
                return Err(EngineError::new(format!(
                    "Mismatched configuration for topic {}: For config {what}, expected {expected} got {got}",
                    found.name
                )));
            }
        }
        Ok(())
    }
}

/// A number, which may stand in quotes.
fn number(property: &Property) -> Result<u64, EngineError> {
    let found = match &property.value {
        Literal::Integer(number) => u64::try_from(*number).ok(),
        Literal::BigInt(number) => u64::try_from(*number).ok(),
        Literal::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    found.ok_or_else(|| EngineError::new(format!("{} must be a whole number", property.name)).at(property.span))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::engine::{Engine, EngineError, EngineOptions, Response, Session};
    use crate::plan::NO_REGISTRY;
    use crate::registry::{MemoryRegistry, SchemaDocument, SchemaRegistry, SchemaType};
    use crate::runtime::clock::ManualClock;
    use crate::topics::{MemoryTopics, TopicConfig, Topics};

    /// An engine with a topic `orders` of three partitions.
    fn engine(clock_stands: bool) -> (Arc<MemoryTopics>, Arc<Engine>) {
        let topics = Arc::new(MemoryTopics::new());
        topics.create("orders", &TopicConfig::with_partitions(3)).expect("a new topic");
        let mut options = EngineOptions { threads: false, ..EngineOptions::default() };
        if clock_stands {
            options.clock = Arc::new(ManualClock::default());
        }
        let engine = Engine::with_options(Arc::clone(&topics) as Arc<dyn Topics>, options).expect("memory is empty");
        (topics, Arc::new(engine))
    }

    fn execute(engine: &Engine, statement: &str) -> Result<String, EngineError> {
        let mut said = String::new();
        engine.execute(&mut Session::default(), statement, &mut |response| match response {
            Response::Message(text) => said.push_str(&text),
            other => panic!("{other:?}"),
        })?;
        Ok(said)
    }

    #[test]
    fn a_topic_is_as_it_is_said_to_be() {
        let (_, engine) = engine(true);
        for (statement, said) in [
            ("ASSERT TOPIC orders;", "Topic orders exists."),
            ("ASSERT TOPIC 'orders' WITH (partitions = 3, replicas = '1');", "Topic orders exists."),
            ("ASSERT NOT EXISTS TOPIC Orders;", "Topic Orders does not exist."),
        ] {
            assert_eq!(execute(&engine, statement).expect("it holds"), said, "{statement}");
        }
    }

    #[test]
    fn what_does_not_hold_in_time_is_refused() {
        let (_, engine) = engine(true);
        let different = "Mismatched configuration for topic orders: For config partitions, expected 4 got 3";
        for (statement, message) in [
            ("ASSERT TOPIC stock;", "Topic stock does not exist"),
            ("ASSERT NOT EXISTS TOPIC orders TIMEOUT 100 MILLISECONDS;", "Topic orders exists"),
            ("ASSERT TOPIC orders WITH (PARTITIONS = 4) TIMEOUT 0 SECONDS;", different),
            ("ASSERT TOPIC orders WITH (COLOUR = 'red');", "Cannot assert unknown topic property: COLOUR"),
            ("ASSERT TOPIC orders WITH (PARTITIONS = 'many');", "PARTITIONS must be a whole number"),
            ("SET 'ksql.assert.topic.default.timeout.ms' = '0'; ASSERT TOPIC stock;", "Topic stock does not exist"),
        ] {
            assert_eq!(execute(&engine, statement).expect_err("it does not hold").message, message, "{statement}");
        }
    }

    #[test]
    fn while_a_file_waits_for_a_topic_a_client_may_make_it() {
        let (topics, engine) = engine(false);
        let create = |name: &str| {
            format!(
                "CREATE STREAM {name} (v INT) WITH (kafka_topic = '{name}', value_format = 'json', partitions = 1);"
            )
        };
        let file = format!("{} ASSERT TOPIC stock TIMEOUT 30 SECONDS;", create("first"));
        let applying = std::thread::spawn({
            let engine = Arc::clone(&engine);
            move || engine.apply_file(&file, &mut |_| ())
        });
        while topics.describe("first").expect("memory can be asked").is_none() {
            std::thread::yield_now();
        }
        engine.execute(&mut Session::default(), &create("stock"), &mut |_| ()).expect("a new stream");
        applying.join().expect("it does not panic").expect("the topic has come in time");
    }

    /// An engine with a registry, where the schema `1` is the first of `a-value` and the second of `b-value`.
    fn engine_with_registry() -> (Arc<MemoryRegistry>, Arc<Engine>) {
        let registry = Arc::new(MemoryRegistry::new());
        for (subject, text) in [("a-value", "\"int\""), ("b-value", "\"long\""), ("b-value", "\"int\"")] {
            registry.register(subject, &SchemaDocument::new(SchemaType::Avro, text)).expect("any schema fits");
        }
        let options = EngineOptions {
            threads: false,
            clock: Arc::new(ManualClock::default()),
            registry: Some(Arc::<MemoryRegistry>::clone(&registry)),
            ..EngineOptions::default()
        };
        let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("memory is empty");
        (registry, Arc::new(engine))
    }

    #[test]
    fn a_schema_is_known_by_its_subject_its_id_or_both() {
        let (_, engine) = engine_with_registry();
        for (statement, said) in [
            ("ASSERT SCHEMA SUBJECT 'a-value';", "Schema with subject name a-value exists."),
            ("ASSERT SCHEMA ID 2;", "Schema with id 2 exists."),
            ("ASSERT SCHEMA SUBJECT 'b-value' ID 1;", "Schema with subject name b-value id 1 exists."),
            ("ASSERT SCHEMA SUBJECT 'b-value' ID 2;", "Schema with subject name b-value id 2 exists."),
            (
                "ASSERT NOT EXISTS SCHEMA SUBJECT 'a-value' ID 2;",
                "Schema with subject name a-value id 2 does not exist.",
            ),
            ("ASSERT NOT EXISTS SCHEMA SUBJECT 'c-value';", "Schema with subject name c-value does not exist."),
            ("ASSERT NOT EXISTS SCHEMA ID 3;", "Schema with id 3 does not exist."),
        ] {
            assert_eq!(execute(&engine, statement).expect("it holds"), said, "{statement}");
        }
    }

    #[test]
    fn a_schema_that_is_not_as_it_is_said_to_be_is_refused() {
        let (registry, engine) = engine_with_registry();
        for (statement, message) in [
            ("ASSERT SCHEMA SUBJECT 'c-value' TIMEOUT 1 SECOND;", "Schema with subject name c-value does not exist"),
            ("ASSERT SCHEMA SUBJECT 'a-value' ID 2;", "Schema with subject name a-value id 2 does not exist"),
            ("ASSERT NOT EXISTS SCHEMA ID 1 TIMEOUT 0 SECONDS;", "Schema with id 1 exists"),
            (
                "SET 'ksql.assert.schema.default.timeout.ms' = '0'; ASSERT SCHEMA ID 3;",
                "Schema with id 3 does not exist",
            ),
        ] {
            assert_eq!(execute(&engine, statement).expect_err("it does not hold").message, message, "{statement}");
        }
        registry.register("c-value", &SchemaDocument::new(SchemaType::Avro, "\"string\"")).expect("any schema fits");
        execute(&engine, "ASSERT SCHEMA SUBJECT 'c-value' ID 3;").expect("it has come");
    }

    #[test]
    fn without_a_registry_no_schema_can_be_asserted() {
        let (_, engine) = engine(true);
        let error = execute(&engine, "ASSERT NOT EXISTS SCHEMA ID 1;").expect_err("there is no registry");
        assert_eq!(error.message, NO_REGISTRY);
    }

    #[test]
    fn a_topic_that_comes_in_time_is_waited_for_and_others_go_on() {
        let (topics, engine) = engine(false);
        let waiting = {
            let engine = Arc::clone(&engine);
            std::thread::spawn(move || execute(&engine, "ASSERT TOPIC late TIMEOUT 1 MINUTE;"))
        };
        // The engine answers others meanwhile.
        engine.execute(&mut Session::default(), "SHOW TOPICS;", &mut |_| ()).expect("there are some");
        topics.create("late", &TopicConfig::with_partitions(1)).expect("a new topic");
        assert_eq!(waiting.join().expect("no panic").expect("it has come"), "Topic late exists.");
    }
}
