//! Examples of functions: whether a call gives what they say.

use std::sync::Arc;
use std::time::Duration;

use arrow::util::display::array_value_to_string;

use crate::engine::{Engine, EngineError, EngineOptions, PushEvent, Response, Session};
use crate::functions::Registry;
use crate::topics::MemoryTopics;

const STATEMENTS: &str = "
CREATE STREAM one (v INT) WITH (KAFKA_TOPIC = 'one', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
INSERT INTO one VALUES (1);
";

/// A server that runs examples over a stream of one record.
pub struct Examples {
    engine: Engine,
}

impl Examples {
    /// Examples of the functions in `registry`.
    ///
    /// # Errors
    /// The server does not start.
    pub fn new(registry: Registry) -> Result<Self, EngineError> {
        let options = EngineOptions {
            // Those functions only: none of a folder that happens to be here.
            properties: [("auto.offset.reset", "earliest"), ("ksql.extension.dir", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            threads: false,
            functions: Arc::new(registry),
            ..EngineOptions::default()
        };
        let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options)?;
        engine.execute(&mut Session::default(), STATEMENTS, &mut |_| ())?;
        Ok(Self { engine })
    }

    /// Checks that `call` and `result`, both in SQL, have the same value.
    ///
    /// # Errors
    /// What `call` gives instead, or why it gives nothing.
    pub fn check(&self, call: &str, result: &str) -> Result<(), String> {
        let statement = format!("SELECT {call} AS given, {result} AS said FROM one EMIT CHANGES LIMIT 1;");
        let mut query = None;
        let mut take = |response: Response| {
            if let Response::Push(push) = response {
                query = Some(push);
            }
        };
        self.engine.execute(&mut Session::default(), &statement, &mut take).map_err(|error| error.to_string())?;
        self.engine.settle(None).map_err(|error| error.to_string())?;
        let Some(PushEvent::Rows(rows)) = query.map(|query| query.next(Duration::ZERO)) else {
            return Err("there is no result".to_owned());
        };
        let text = |column: usize| array_value_to_string(rows.column(column), 0).map_err(|error| error.to_string());
        let (given, said) = (text(0)?, text(1)?);
        if given == said { Ok(()) } else { Err(format!("it gives {given}, not {said}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_that_is_wrong_is_told() {
        let examples = Examples::new(Registry::default()).expect("an empty server starts");
        assert_eq!(examples.check("UCASE('a')", "'A'"), Ok(()));
        assert_eq!(examples.check("UCASE('a')", "'a'"), Err("it gives A, not a".to_owned()));
        assert!(examples.check("NOSUCH('a')", "'a'").is_err_and(|error| error.contains("NOSUCH")));
    }
}
