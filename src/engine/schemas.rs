//! Statements meet Schema Registry: what a statement leaves open is learnt from it, what a statement declares is registered.

use std::borrow::Cow;

use super::{EngineError, Shared};
use crate::catalog::{Catalog, DataSource};
use crate::formats::Schemas;
use crate::plan::{self, NO_REGISTRY, Planned, Registry, Settings};
use crate::registry::RegistryError;
use crate::sql::ParsedStatement;

/// The property with the address of a registry.
const URL: &str = "ksql.schema.registry.url";

const REMOTE: &str = "not supported yet: a schema registry over HTTP (ksql.schema.registry.url)";

impl Shared {
    /// The registry of the server.
    pub(super) fn registry(&self) -> Registry<'_> {
        match &self.registry {
            Some(registry) => Ok(&**registry),
            None if self.server.get(URL).is_some_and(|url| !url.is_empty()) => Err(REMOTE),
            None => Err(NO_REGISTRY),
        }
    }

    /// Where formats find schemas.
    pub(super) fn schemas(&self) -> Schemas {
        Schemas::new(self.registry.clone())
    }

    /// `parsed` with all columns that it leaves to the registry.
    pub(super) fn completed<'a>(
        &self,
        parsed: &'a ParsedStatement,
        catalog: &Catalog,
        settings: &Settings,
    ) -> Result<Cow<'a, ParsedStatement>, EngineError> {
        Ok(match plan::complete(parsed, catalog, settings, self.registry())? {
            Some(completed) => Cow::Owned(completed),
            None => Cow::Borrowed(parsed),
        })
    }

    /// Registers the schemas of what `planned` declares, where none is known. Without a registry there is nothing to do: the
    /// columns are in the statement.
    pub(super) fn register(&self, planned: &Planned) -> Result<(), EngineError> {
        let source: &DataSource = match planned {
            Planned::CreateSource(create) => &create.source,
            Planned::CreateAs(create) => &create.source,
            _ => return Ok(()),
        };
        let Ok(registry) = self.registry() else { return Ok(()) };
        let refused = |error: RegistryError| EngineError::new(error.to_string());
        for (subject, schema) in plan::declared_schemas(source) {
            if registry.latest(&subject).map_err(refused)?.is_none() {
                registry.register(&subject, &schema).map_err(refused)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::engine::{Engine, EngineOptions, Session};
    use crate::registry::{MemoryRegistry, SchemaDocument, SchemaRegistry, SchemaType};
    use crate::topics::{MemoryTopics, TopicConfig, Topics};

    const CREATE: &str = "CREATE STREAM a WITH (kafka_topic = 'a', value_format = 'avro');";

    fn topics() -> Arc<dyn Topics> {
        let topics = MemoryTopics::new();
        topics.create("a", &TopicConfig::with_partitions(1)).expect("a new topic");
        Arc::new(topics)
    }

    fn engine(
        topics: &Arc<dyn Topics>,
        registry: Option<Arc<dyn SchemaRegistry>>,
        properties: &[(&str, &str)],
    ) -> Engine {
        let properties = properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let options =
            EngineOptions { properties: properties.collect(), threads: false, registry, ..EngineOptions::default() };
        Engine::with_options(Arc::clone(topics), options).expect("memory opens")
    }

    fn registry() -> Arc<MemoryRegistry> {
        let registry = MemoryRegistry::new();
        let text = r#"{"type": "record", "name": "r", "fields": [{"name": "v", "type": "int"}]}"#;
        registry.register("a-value", &SchemaDocument::new(SchemaType::Avro, text)).expect("any schema fits");
        Arc::new(registry)
    }

    fn columns(engine: &Engine) -> String {
        let catalog = engine.catalog();
        catalog.source("A").map_or_else(String::new, |source| source.schema.display(false).to_string())
    }

    #[test]
    fn columns_of_change_events_are_those_of_the_row() {
        let (topics, registry) = (topics(), Arc::new(MemoryRegistry::new()));
        let row = r#"{"type": "record", "name": "Value", "fields": [
            {"name": "id", "type": "int"}, {"name": "name", "type": ["null", "string"], "default": null}]}"#;
        let value = format!(
            r#"{{"type": "record", "name": "Envelope", "fields": [{{"name": "before", "type": ["null", {row}], "default": null}},
                {{"name": "after", "type": ["null", "Value"], "default": null}}, {{"name": "op", "type": "string"}}]}}"#
        );
        let key = r#"{"type": "record", "name": "Key", "fields": [{"name": "id", "type": "int"}]}"#;
        for (subject, text) in [("a-key", key), ("a-value", &value)] {
            registry.register(subject, &SchemaDocument::new(SchemaType::Avro, text)).expect("any schema fits");
        }
        let engine = engine(&topics, Some(registry), &[]);
        let create = |envelope: &str| {
            let sql = format!("CREATE TABLE a WITH (kafka_topic = 'a', format = 'avro'{envelope});");
            engine.execute(&mut Session::default(), &sql, &mut |_| ())
        };
        create(", envelope = 'debezium'").expect("the schemas are there");
        assert_eq!(columns(&engine), "`ID` INTEGER PRIMARY KEY, `NAME` STRING");
    }

    #[test]
    fn columns_stay_what_they_were_whatever_the_registry_says_later() {
        let (topics, registry) = (topics(), registry());
        let first = engine(&topics, Some(registry), &[]);
        first.execute(&mut Session::default(), CREATE, &mut |_| ()).expect("the schema is there");
        assert_eq!(columns(&first), "`V` INTEGER");
        first.shutdown();
        assert_eq!(columns(&engine(&topics, None, &[])), "`V` INTEGER", "replayed without a registry");
    }

    #[test]
    fn a_file_that_is_run_again_knows_its_statement() {
        let (topics, registry) = (topics(), registry());
        for _ in 0..2 {
            let engine = engine(&topics, Some(Arc::<MemoryRegistry>::clone(&registry)), &[]);
            engine.apply_file(CREATE, &mut |_| ()).expect("applied once");
            engine.shutdown();
        }
    }

    #[test]
    fn what_a_statement_declares_is_registered_once() {
        let (topics, registry) = (topics(), Arc::new(MemoryRegistry::new()));
        let engine = engine(&topics, Some(Arc::<MemoryRegistry>::clone(&registry)), &[]);
        for name in ["one", "two"] {
            let sql = format!("CREATE STREAM {name} ({name} INT) WITH (kafka_topic = 'a', value_format = 'json_sr');");
            engine.execute(&mut Session::default(), &sql, &mut |_| ()).expect("columns are listed");
        }
        assert_eq!(registry.subjects(), Ok(vec!["a-value".to_owned()]));
        let schema = registry.latest("a-value").expect("memory answers").expect("it was registered").schema;
        assert!(schema.text.contains("ONE") && !schema.text.contains("TWO"), "{}", schema.text);
    }

    #[test]
    fn without_a_registry_the_message_says_which_property_is_missing() {
        let none: &[(&str, &str)] = &[];
        let remote = [("ksql.schema.registry.url", "http://localhost:8081")];
        for (properties, expected) in [
            (
                none,
                "KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url",
            ),
            (&remote, "not supported yet: a schema registry over HTTP (ksql.schema.registry.url)"),
        ] {
            let engine = engine(&topics(), None, properties);
            let error = engine.execute(&mut Session::default(), CREATE, &mut |_| ()).expect_err("nobody to ask");
            assert_eq!(error.message, expected);
            let listed = "CREATE STREAM b (v INT) WITH (kafka_topic = 'a', value_format = 'avro');";
            engine.execute(&mut Session::default(), listed, &mut |_| ()).expect("columns are listed");
        }
    }
}
