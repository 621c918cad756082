//! ASSERT TOPIC and ASSERT SCHEMA: waiting until something is as a script expects it.
//!
//! Nothing of the engine is held meanwhile: what is waited for may be another client's doing.

use std::time::Duration;

use super::config::Properties;
use super::{EngineError, Response, Shared};
use crate::sql::ast::{AssertSchema, AssertTopic, Literal, Property, Statement};
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
        Statement::AssertSchema(assert) => Some(schema(assert)),
        _ => None,
    }
}

fn topic(shared: &Shared, properties: &Properties, assert: &AssertTopic) -> Result<Response, EngineError> {
    let name = &assert.topic;
    let expected = if assert.exists { Expected::read(&assert.properties)? } else { Expected::default() };
    let timeout = match assert.timeout {
        Some(span) => Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(0)),
        None => properties.assert_topic_timeout()?,
    };
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

/// There is no registry that could be asked.
fn schema(assert: &AssertSchema) -> Result<Response, EngineError> {
    let subject = assert.subject.as_ref().map(|subject| format!(" subject {subject}")).unwrap_or_default();
    let id = assert.id.map(|id| format!(" id {id}")).unwrap_or_default();
    Err(EngineError::new(format!("not supported yet: a schema registry, which could be asked for{subject}{id}")))
}

/// Tries until `check` succeeds; after `timeout`, gives its last error.
fn until(
    shared: &Shared,
    timeout: Duration,
    mut check: impl FnMut() -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let begin = shared.clock.elapsed();
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
        let error = execute(&engine, "ASSERT SCHEMA SUBJECT 'orders-value';").expect_err("there is no registry");
        assert!(error.message.starts_with("not supported yet: a schema registry"), "{error}");
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
