//! Statements as far as they go without holding the engine: what they ask the schema registry, and what they leave there. A registry
//! that is slow or down keeps nobody waiting but who needs it.
//!
//! ```text
//! catalog as it is ─▶ completed, planned, registered ─▶ the engine is held ─ still so? ─ yes ─▶ carried out
//!        ▲───────────────────────────────────────────────────────────────── no ──┘
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::libraries::Installed;
use super::recording::Plans;
use super::topics::{self, Known};
use super::{Core, EngineError, Session, Shared, codecs, insert, queries, schemas};
use crate::catalog::{Catalog, DataSource};
use crate::plan::{self, Planned, Settings};
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;
use crate::topics::Transaction;

/// The catalog at one moment. A copy costs nothing.
pub(super) struct View {
    pub(super) catalog: Catalog,
    pub(super) plans: Plans,
    /// Sequence number of the next command.
    pub(super) number: u64,
}

impl View {
    pub(super) fn of(core: &Core) -> Self {
        Self { catalog: core.catalog.clone(), plans: core.plans.clone(), number: core.next_command }
    }
}

/// What statements are planned by.
pub(super) struct Planner<'a> {
    pub(super) shared: &'a Shared,
    pub(super) session: &'a BTreeMap<String, String>,
    pub(super) catalog: &'a Catalog,
    pub(super) plans: &'a Plans,
    pub(super) number: u64,
}

impl<'a> Planner<'a> {
    fn new(shared: &'a Shared, session: &'a Session, view: &'a View) -> Self {
        let View { catalog, plans, number } = view;
        Self { shared, session: &session.properties, catalog, plans, number: *number }
    }

    fn with_settings<T>(&self, ask: impl FnOnce(&Settings<'_>) -> T) -> Result<T, EngineError> {
        let properties = self.shared.properties(self.session);
        let topics = Known::new(&*self.shared.topics);
        let answer = ask(&Settings {
            properties: properties.values(),
            topics: &topics,
            plans: self.plans,
            libraries: &Installed(&self.shared.server),
            query_number: self.number,
        });
        topics.check()?;
        Ok(answer)
    }

    /// `parsed` with the columns that it leaves to the registry.
    fn completed<'p>(&self, parsed: &'p ParsedStatement) -> Result<Cow<'p, ParsedStatement>, EngineError> {
        self.with_settings(|settings| schemas::completed(parsed, self.catalog, settings, self.shared.registry()))?
    }

    /// What `parsed` is to do.
    pub(super) fn plan(&self, parsed: &ParsedStatement) -> Result<Planned, EngineError> {
        let planned = self.with_settings(|settings| plan::analyze(parsed, self.catalog, settings))??;
        let properties = self.shared.properties(self.session);
        queries::check_limit(&planned, self.catalog, &properties, parsed)?;
        topics::check(&planned)?;
        codecs::check(self.shared, &planned, self.catalog).map_err(|error| error.at(parsed.span))?;
        Ok(planned)
    }
}

/// A statement for which the registry need not be asked any more.
pub(super) struct Prepared<'p> {
    /// With the columns that it left to the registry.
    pub(super) statement: Cow<'p, ParsedStatement>,
    number: u64,
    planned: Option<Planned>,
    /// The stream or table whose schemas were registered, or into which a row goes.
    about: Option<DataSource>,
    insert: Option<Transaction>,
}

impl<'p> Prepared<'p> {
    /// A statement that asks nobody.
    pub(super) fn plain(parsed: &'p ParsedStatement) -> Self {
        Self { statement: Cow::Borrowed(parsed), number: 0, planned: None, about: None, insert: None }
    }

    /// Asks what `parsed` needs to know, and registers what it declares.
    pub(super) fn new(
        shared: &Shared,
        session: &Session,
        view: &View,
        parsed: &'p ParsedStatement,
    ) -> Result<Self, EngineError> {
        let planner = Planner::new(shared, session, view);
        let statement = planner.completed(parsed)?;
        let planned = planner.plan(&statement)?;
        plan::check_named_schemas(&statement, &planned, shared.registry())?;
        let insert = match &planned {
            Planned::InsertValues(row) => Some(insert::transaction(shared, &view.catalog, row)?),
            planned => {
                shared.register(planned)?;
                None
            }
        };
        let about = about(&planned, &view.catalog).cloned();
        Ok(Self { statement, number: view.number, planned: Some(planned), about, insert })
    }

    /// What was planned, if the catalog is as it was then: the next command would be `number`.
    pub(super) fn take_planned(&mut self, number: u64) -> Option<Planned> {
        self.planned.take().filter(|_| self.number == number)
    }

    /// The row's record, once.
    pub(super) fn take_insert(&mut self) -> Option<Transaction> {
        self.insert.take()
    }

    /// Whether what was asked and registered is what `planned` needs, by `catalog`.
    pub(super) fn suits(&self, planned: &Planned, catalog: &Catalog) -> bool {
        match (&self.about, about(planned, catalog)) {
            (Some(then), Some(now)) => {
                let part = |source: &DataSource| {
                    let DataSource { topic, schema, key_serde, value_serde, .. } = source;
                    (topic.clone(), schema.clone(), key_serde.clone(), value_serde.clone())
                };
                part(then) == part(now)
            }
            (None, None) => true,
            _ => false,
        }
    }
}

/// Whether `statement` may have to ask the registry before it is carried out.
pub(super) fn asks(statement: &Statement) -> bool {
    matches!(statement, Statement::CreateSource(_) | Statement::CreateAsSelect(_) | Statement::InsertValues(_))
}

/// The stream or table whose schemas `planned` registers, or into which it puts a row.
fn about<'a>(planned: &'a Planned, catalog: &'a Catalog) -> Option<&'a DataSource> {
    match planned {
        Planned::CreateSource(create) => Some(&create.source),
        Planned::CreateAs(create) => Some(&create.source),
        Planned::InsertValues(row) => catalog.source(&row.target).map(|source| &**source),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};

    use crate::engine::{Engine, EngineOptions, Session};
    use crate::registry::{
        MemoryRegistry, RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry, SchemaType,
    };
    use crate::topics::{MemoryTopics, TopicConfig, Topics};

    /// A registry that does not answer before it is told to.
    struct SilentRegistry {
        registry: MemoryRegistry,
        /// What was asked, and the answers that may be given.
        talk: Mutex<(Sender<&'static str>, Receiver<()>)>,
    }

    impl SilentRegistry {
        fn hold<T>(&self, what: &'static str, answer: impl FnOnce() -> T) -> T {
            let talk = self.talk.lock().expect("nobody panics here");
            // What may be answered that nobody has asked is from before.
            while talk.1.try_recv().is_ok() {}
            // The test may have ended.
            let _ = talk.0.send(what);
            let _ = talk.1.recv();
            answer()
        }
    }

    impl SchemaRegistry for SilentRegistry {
        fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
            self.hold("latest", || self.registry.latest(subject))
        }

        fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
            self.registry.version(subject, version)
        }

        fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
            self.registry.by_id(id)
        }

        fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
            self.registry.subjects_of(id)
        }

        fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
            self.registry.register(subject, schema)
        }

        fn subjects(&self) -> Result<Vec<String>, RegistryError> {
            self.registry.subjects()
        }

        fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
            self.hold("delete", || self.registry.delete_subject(subject))
        }
    }

    /// An engine, what its registry is asked, and how that is let answer.
    fn engine() -> (Engine, Receiver<&'static str>, Sender<()>) {
        let registry = MemoryRegistry::new();
        let text = r#"{"type": "record", "name": "r", "fields": [{"name": "v", "type": "int"}]}"#;
        registry.register("a-value", &SchemaDocument::new(SchemaType::Avro, text)).expect("it is the first");
        let (asked, questions) = channel();
        let (answers, may_answer) = channel();
        let registry = Arc::new(SilentRegistry { registry, talk: Mutex::new((asked, may_answer)) });
        let topics = MemoryTopics::new();
        topics.create("a", &TopicConfig::with_partitions(1)).expect("a new topic");
        let options = EngineOptions { threads: false, registry: Some(registry), ..EngineOptions::default() };
        let engine = Engine::with_options(Arc::new(topics) as Arc<dyn Topics>, options).expect("memory opens");
        (engine, questions, answers)
    }

    fn run(engine: &Engine, sql: &str) -> Result<usize, String> {
        let mut answers = 0;
        let done = engine.execute(&mut Session::default(), sql, &mut |_| answers += 1);
        done.map(|()| answers).map_err(|error| error.message)
    }

    /// Runs `slow`, and `meanwhile` while the registry is silent about it; what `slow` gave.
    fn with_silence(
        engine: &Engine,
        talk: (&Receiver<&str>, &Sender<()>),
        slow: &str,
        meanwhile: &[&str],
    ) -> Result<usize, String> {
        std::thread::scope(|scope| {
            // Further questions of the last statement.
            while talk.0.try_recv().is_ok() {}
            let waiting = scope.spawn(|| run(engine, slow));
            talk.0.recv().expect("the registry is asked");
            for sql in meanwhile {
                run(engine, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            talk.1.send(()).expect("the registry waits");
            while !waiting.is_finished() {
                // Further questions are answered at once.
                let _ = talk.1.send(());
                std::thread::yield_now();
            }
            waiting.join().expect("the statement does not panic")
        })
    }

    #[test]
    fn a_registry_that_does_not_answer_keeps_nobody_else_waiting() {
        let (engine, questions, answers) = engine();
        let talk = (&questions, &answers);
        let others = [
            "SHOW STREAMS;",
            "CREATE STREAM j (v INT) WITH (kafka_topic = 'j', partitions = 1, value_format = 'json');",
            "INSERT INTO j VALUES (1);",
            "SELECT * FROM j;",
            "CREATE STREAM k AS SELECT * FROM j;",
            "DROP STREAM k;",
            "DROP STREAM j;",
        ];
        let create = "CREATE STREAM s WITH (kafka_topic = 'a', value_format = 'avro');";
        assert_eq!(with_silence(&engine, talk, create, &others), Ok(1));
        assert!(engine.catalog().source("S").is_some());
        let insert = "INSERT INTO s VALUES (7);";
        assert_eq!(with_silence(&engine, talk, insert, &others), Ok(0));
        let query = "CREATE STREAM t AS SELECT * FROM s;";
        assert_eq!(with_silence(&engine, talk, query, &others), Ok(1));
        let drop = "DROP STREAM t DELETE TOPIC;";
        assert_eq!(with_silence(&engine, talk, drop, &others), Ok(1));
    }

    #[test]
    fn what_others_do_meanwhile_counts() {
        let (engine, questions, answers) = engine();
        let talk = (&questions, &answers);
        let create = "CREATE STREAM s WITH (kafka_topic = 'a', value_format = 'avro');";
        let taken = "CREATE STREAM s (w INT) WITH (kafka_topic = 'a', value_format = 'json');";
        let refused = with_silence(&engine, talk, create, &[taken]).expect_err("the name is taken");
        assert!(refused.contains("A stream with the same name already exists"), "{refused}");
        let gone = with_silence(&engine, talk, create.replace(" s ", " s2 ").as_str(), &["DROP STREAM s;"]);
        assert_eq!(gone, Ok(1));
        // The row of a stream that has become another.
        let replaced = [
            "DROP STREAM s2;",
            "CREATE STREAM s2 (v INT) WITH (kafka_topic = 'b', partitions = 1, value_format = 'json');",
        ];
        assert_eq!(with_silence(&engine, talk, "INSERT INTO s2 VALUES (7);", &replaced), Ok(0));
        assert_eq!(run(&engine, "SELECT * FROM s2;"), Ok(1), "the row is where the stream is now");
    }
}
