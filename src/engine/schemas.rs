//! Statements meet Schema Registry: what a statement leaves open is learnt from it, what a statement declares is registered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{EngineError, Shared, codecs};
use crate::catalog::{Catalog, DataSource};
use crate::formats::{Schemas, Side, Subject};
use crate::http::{HttpServer, Listen, Moment};
use crate::plan::{self, NO_REGISTRY, Planned, QueryPlan, Registry, Settings, SharedPlan};
use crate::registry::{
    self, Access, AccessError, EmbeddedRegistry, RegistryError, RemoteRegistry, SchemaRegistry, TrialRegistry,
    key_subject, value_subject,
};
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::sql::ParsedStatement;
use crate::topics::{self, Topics};

/// The property that says where the registry of the data directory is served.
pub(super) const LISTENER: &str = "levada.schema.registry.listener";

/// The registry that `properties` name.
pub(super) fn remote(properties: &BTreeMap<String, String>) -> Result<Option<Arc<dyn SchemaRegistry>>, EngineError> {
    let remote = RemoteRegistry::from_properties(properties).map_err(EngineError::environment)?;
    Ok(remote.map(|remote| Arc::new(remote) as Arc<dyn SchemaRegistry>))
}

/// The registry of the schemas of records on `topics`: the one that `properties` name, else, on embedded topics, that of the data
/// directory.
pub fn schema_registry(
    topics: &dyn Topics,
    properties: &BTreeMap<String, String>,
) -> Result<Option<Arc<dyn SchemaRegistry>>, EngineError> {
    let remote = remote(properties)?;
    if remote.is_some() || topics::is_cluster(properties) {
        return Ok(remote);
    }
    Ok(Some(embedded(topics)?))
}

fn embedded(topics: &dyn Topics) -> Result<Arc<EmbeddedRegistry>, EngineError> {
    Ok(Arc::new(EmbeddedRegistry::open(topics.storage()).map_err(EngineError::environment)?))
}

/// A registry, and who serves it to others.
pub(super) type Opened = (Option<Arc<dyn SchemaRegistry>>, Option<HttpServer>);

/// The registry of a server on `topics`: the one that `properties` name, else, on embedded topics, that of the data
/// directory, which is also served if they say where.
pub(super) fn open(topics: &dyn Topics, properties: &BTreeMap<String, String>) -> Result<Opened, EngineError> {
    let listener = properties.get(LISTENER).map(|text| text.trim()).filter(|text| !text.is_empty());
    let remote = remote(properties)?;
    if remote.is_some() || topics::is_cluster(properties) {
        return match listener {
            None => Ok((remote, None)),
            Some(_) => {
                let text = format!("{LISTENER} serves the registry of embedded topics, and these properties use none");
                let hint = "`levada registry` serves one for a cluster, and ksql.schema.registry.url names it";
                Err(EngineError::new(text).with_hint(hint))
            }
        };
    }
    let embedded = embedded(topics)?;
    let serve = |text: &str| -> Result<HttpServer, EngineError> {
        let failed = |error: &dyn std::fmt::Display| EngineError::new(format!("{LISTENER}: {error}"));
        let listen = Listen::parse(text).map_err(|error| failed(&error))?;
        let access = registry_access(properties).map_err(|error| failed(&error))?;
        registry::serve_to(Arc::clone(&embedded), listen, &access).map_err(|error| failed(&error))
    };
    let server = listener.map(serve).transpose()?;
    Ok((Some(embedded), server))
}

/// Whom a registry lets in, as `properties` say, by the machine's clocks.
pub fn registry_access(properties: &BTreeMap<String, String>) -> Result<Arc<Access>, AccessError> {
    let clock = SystemClock::new();
    let now = move || Moment { elapsed: clock.elapsed(), now_ms: clock.now_ms() };
    Access::new(properties, Box::new(now)).map(Arc::new)
}

/// Schemas of topics that are gone.
pub(super) enum DroppedSchemas {
    /// Of the topic of a stream or table.
    OfTopic(Box<DataSource>),
    /// Of the internal topics of a query, which had this consumer group and plan.
    Internal {
        /// The group.
        group: Arc<str>,
        /// What ran.
        plan: SharedPlan,
    },
}

impl Shared {
    /// The registry of the server.
    pub(super) fn registry(&self) -> Registry<'_> {
        self.registry.as_deref().ok_or(NO_REGISTRY)
    }

    /// Where formats find schemas.
    pub(super) fn schemas(&self) -> Schemas {
        Schemas::new(self.registry.clone())
    }

    /// As the registry would be if statements were carried out that are only tried.
    pub(super) fn trial_registry(&self) -> Option<Arc<dyn SchemaRegistry>> {
        let registry = self.registry.as_ref()?;
        Some(Arc::new(TrialRegistry::new(Arc::clone(registry))))
    }

    /// Registers what `planned` declares, see [`register`].
    pub(super) fn register(&self, planned: &Planned) -> Result<(), EngineError> {
        self.registry.as_ref().map_or(Ok(()), |registry| register(registry, planned))
    }

    /// Deletes schemas of topics that are gone.
    pub(super) fn drop_schemas(&self, dropped: DroppedSchemas) -> Result<(), EngineError> {
        match dropped {
            DroppedSchemas::OfTopic(source) => {
                self.registry().map_or(Ok(()), |registry| delete_schemas(registry, &source))
            }
            DroppedSchemas::Internal { group, plan } => {
                self.forget_schemas(&group, &plan);
                Ok(())
            }
        }
    }

    /// Deletes the schemas of the internal topics of a query that was ended: they belong to its consumer group `group`.
    fn forget_schemas(&self, group: &str, plan: &QueryPlan) {
        let Ok(registry) = self.registry() else { return };
        if !codecs::of_query(plan).any(|serde| serde.format.infers_schemas()) {
            return;
        }
        let prefix = format!("{group}-");
        let deleted = registry.subjects().and_then(|subjects| {
            let internal = subjects.iter().filter(|subject| subject.starts_with(&prefix));
            internal.map(|subject| registry.delete_subject(subject)).collect::<Result<Vec<bool>, RegistryError>>()
        });
        if let Err(error) = deleted {
            tracing::warn!(group, "schemas of internal topics are still there: {error}");
        }
    }
}

/// `parsed` with all columns that it leaves to `registry`.
pub(super) fn completed<'a>(
    parsed: &'a ParsedStatement,
    catalog: &Catalog,
    settings: &Settings,
    registry: Registry,
) -> Result<Cow<'a, ParsedStatement>, EngineError> {
    Ok(match plan::complete(parsed, catalog, settings, registry)? {
        Some(completed) => Cow::Owned(completed),
        None => Cow::Borrowed(parsed),
    })
}

/// Registers the schemas of what `planned` declares, where none is known; and those of the results of a query that the latest has
/// no room for.
pub(super) fn register(registry: &Arc<dyn SchemaRegistry>, planned: &Planned) -> Result<(), EngineError> {
    let (source, has_results): (&DataSource, bool) = match planned {
        Planned::CreateSource(create) => (&create.source, false),
        Planned::CreateAs(create) => (&create.source, true),
        _ => return Ok(()),
    };
    let refused = |error: RegistryError| EngineError::new(error.to_string());
    for (subject, schema) in plan::declared_schemas(source) {
        if registry.latest(&subject).map_err(refused)?.is_none() {
            registry.register(&subject, &schema).map_err(refused)?;
        }
    }
    if !has_results {
        return Ok(());
    }
    let sides =
        [(Side::Key, &source.key_serde, &source.schema.key), (Side::Value, &source.value_serde, &source.schema.value)];
    for (side, serde, columns) in sides {
        if serde.needs_registry() && !columns.is_empty() {
            let subject = Subject { topic: &source.topic, side };
            let schemas = Schemas::new(Some(Arc::clone(registry)));
            schemas.encoder(serde, columns, subject).map_err(EngineError::environment)?;
        }
    }
    Ok(())
}

/// Deletes the schemas of the topic of `source`, which is dropped and whose topic is deleted.
pub(super) fn delete_schemas(registry: &dyn SchemaRegistry, source: &DataSource) -> Result<(), EngineError> {
    let sides = [(&source.key_serde, key_subject(&source.topic)), (&source.value_serde, value_subject(&source.topic))];
    for (_, subject) in sides.iter().filter(|(serde, _)| serde.format.infers_schemas()) {
        registry.delete_subject(subject).map_err(|error| {
            let name = &source.name;
            EngineError::new(format!("`{name}` and its topic were deleted, but its schemas are still there: {error}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::engine::{Engine, EngineOptions, QueryStatus, Session};
    use crate::registry::{self, EmbeddedRegistry, MemoryRegistry, SchemaDocument, SchemaRegistry, SchemaType};
    use crate::topics::{MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
    use crate::types::RecordChunkBuilder;

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
        assert_eq!(columns(&engine), "`ID` INTEGER KEY, `NAME` STRING");
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
        let engine = engine(&topics(), None, none);
        let error = engine.execute(&mut Session::default(), CREATE, &mut |_| ()).expect_err("nobody to ask");
        assert_eq!(
            error.message,
            "KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url"
        );
        let listed = "CREATE STREAM b (v INT) WITH (kafka_topic = 'a', value_format = 'avro');";
        engine.execute(&mut Session::default(), listed, &mut |_| ()).expect("columns are listed");
    }

    #[test]
    fn a_registry_that_is_down_is_named_and_nothing_is_left_behind() {
        let down =
            [("ksql.schema.registry.url", "http://user:secret@127.0.0.1:1"), ("ksql.schema.registry.max.retries", "0")];
        let engine = engine(&topics(), None, &down);
        let listed = "CREATE STREAM b (v INT) WITH (kafka_topic = 'b', partitions = 1, value_format = 'avro');";
        for statement in [CREATE, listed] {
            let error = engine.execute(&mut Session::default(), statement, &mut |_| ()).expect_err("nobody answers");
            let text = "the schema registry at http://127.0.0.1:1 cannot be reached";
            assert!(error.message.starts_with(text) && !error.message.contains("secret"), "{}", error.message);
        }
        assert_eq!(engine.catalog().sources().count(), 0);
        assert_eq!(engine.names(), ["a"], "no topic was created");
    }

    fn embedded() -> Arc<EmbeddedRegistry> {
        Arc::new(EmbeddedRegistry::in_memory())
    }

    #[test]
    fn results_that_do_not_fit_the_schema_of_their_topic_are_refused_at_create() {
        let (topics, registry) = (topics(), embedded());
        let of = |kind: &str| {
            let text = format!(r#"{{"type":"record","name":"r","fields":[{{"name":"V","type":"{kind}"}}]}}"#);
            SchemaDocument::new(SchemaType::Avro, text)
        };
        SchemaRegistry::register(&*registry, "a-value", &of("int")).expect("it is the first");
        SchemaRegistry::register(&*registry, "b-value", &of("boolean")).expect("it is the first");
        topics.create("b", &TopicConfig::with_partitions(1)).expect("a new topic");
        let engine = engine(&topics, Some(Arc::<EmbeddedRegistry>::clone(&registry)), &[]);
        let run = |sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).map_err(|error| error.message);
        run(CREATE).expect("the schema is there");
        let message =
            run("CREATE STREAM b WITH (kafka_topic = 'b') AS SELECT * FROM a;").expect_err("int is no boolean");
        for part in
            ["'b-value'", "MISSING_UNION_BRANCH", "oldSchema", "\"type\":\"boolean\"", "new schema: ", "\"int\""]
        {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(engine.catalog().source("B").is_none() && engine.queries().is_empty());
        run("CREATE STREAM c AS SELECT * FROM a;").expect("its topic is new");
        assert_eq!(
            SchemaRegistry::subjects(&*registry),
            Ok(["C-value", "a-value", "b-value"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn schemas_go_with_their_topic() {
        let (topics, registry) = (topics(), embedded());
        let engine = engine(&topics, Some(Arc::<EmbeddedRegistry>::clone(&registry)), &[]);
        let run = |sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).expect(sql);
        let subjects = || SchemaRegistry::subjects(&*registry).expect("memory answers");
        run("CREATE TABLE t (k STRING PRIMARY KEY, v INT)
             WITH (kafka_topic = 't', partitions = 1, key_format = 'avro', value_format = 'avro');");
        run("CREATE STREAM j (v INT) WITH (kafka_topic = 'j', partitions = 1, value_format = 'json');");
        SchemaRegistry::register(&*registry, "j-value", &SchemaDocument::new(SchemaType::Avro, "\"int\""))
            .expect("it fits");
        assert_eq!(subjects(), ["j-value", "t-key", "t-value"]);
        run("DROP TABLE t DELETE TOPIC;");
        run("DROP STREAM j DELETE TOPIC;");
        assert_eq!(subjects(), ["j-value"], "that of a topic without schemas is somebody else's");
        run("CREATE TABLE t (k STRING PRIMARY KEY, v INT)
             WITH (kafka_topic = 't', partitions = 1, key_format = 'avro', value_format = 'avro');");
        run("DROP TABLE t;");
        assert_eq!(subjects(), ["j-value", "t-key", "t-value"], "the topic is still there");
    }

    #[test]
    fn schemas_of_internal_topics_go_with_their_query() {
        let (topics, registry) = (topics(), embedded());
        let engine = engine(&topics, Some(Arc::<EmbeddedRegistry>::clone(&registry)), &[]);
        let mut session = Session::default();
        session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        let mut run = |sql: &str| engine.execute(&mut session, sql, &mut |_| ()).expect(sql);
        run("CREATE STREAM s (v STRING, n INT) WITH (kafka_topic = 'a', value_format = 'avro');");
        run("CREATE TABLE n AS SELECT v, SUM(n) AS n FROM s GROUP BY v;");
        run("INSERT INTO s (v, n) VALUES ('x', 1);");
        engine.settle(None).expect("it runs");
        let internal = || {
            let subjects = SchemaRegistry::subjects(&*registry).expect("memory answers");
            subjects.into_iter().filter(|subject| subject.contains("repartition")).count()
        };
        assert_eq!(internal(), 1, "{:?}", SchemaRegistry::subjects(&*registry));
        run("DROP TABLE n;");
        assert_eq!(internal(), 0);
    }

    #[test]
    fn a_data_directory_has_a_registry_of_its_own() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let open = |properties: &[(&str, &str)]| {
            let properties = properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            Engine::open(dir.path(), properties.collect::<std::collections::BTreeMap<String, String>>())
        };
        let run = |engine: &Engine, sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).expect(sql);
        let engine = open(&[("levada.schema.registry.listener", "127.0.0.1:0")]).expect("a free port");
        let address = engine.registry_url().expect("it is served");
        run(&engine, "CREATE STREAM s (v INT) WITH (kafka_topic = 's', partitions = 1, value_format = 'avro');");
        let remote = [("ksql.schema.registry.url".to_owned(), address)];
        let remote = super::remote(&remote.into()).expect("an address").expect("an address");
        assert!(remote.latest("s-value").expect("it answers").is_some());
        engine.shutdown();
        assert!(remote.subjects().is_err(), "it has ended with the engine");
        let engine = open(&[]).expect("it opens again");
        run(&engine, "CREATE STREAM again WITH (kafka_topic = 's', value_format = 'avro');");
        assert!(engine.registry_url().is_none());
        engine.shutdown();
        for (name, value) in [("levada.schema.registry.listener", "nowhere"), ("ksql.schema.registry.url", "nowhere")] {
            let message = open(&[(name, value)]).err().expect("no address").message;
            assert!(message.contains(name), "{message}");
        }
        let both = [("levada.schema.registry.listener", "127.0.0.1:0"), ("ksql.schema.registry.url", "http://x")];
        assert!(open(&both).is_err());
    }

    fn append(topics: &Arc<dyn Topics>, values: &[&[u8]]) {
        let mut chunk = RecordChunkBuilder::new();
        values.iter().for_each(|value| chunk.push(None, Some(value), 1_000));
        let partition = TopicPartition { topic: "a".into(), partition: 0 };
        let appends = vec![(partition, chunk.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("memory takes it");
    }

    fn values(topics: &Arc<dyn Topics>, topic: &str) -> Vec<String> {
        let partition = TopicPartition { topic: topic.into(), partition: 0 };
        let chunk = topics.fetch(&partition, 0, 1_000, 1 << 20).expect("the topic is there");
        chunk.values.iter().map(|value| String::from_utf8_lossy(value.expect("a value")).into_owned()).collect()
    }

    #[test]
    fn a_query_waits_for_a_registry_that_is_down_and_loses_nothing() {
        let (topics, registry) = (topics(), embedded());
        let serve = |listen: &str| {
            let listen = listen.parse().expect("an address");
            registry::serve(Arc::<EmbeddedRegistry>::clone(&registry), listen).expect("a free port")
        };
        let register = |more: &str| {
            let fields = format!(r#"{{"name":"v","type":"int"}}{more}"#);
            let text = format!(r#"{{"type":"record","name":"r","fields":[{fields}]}}"#);
            SchemaRegistry::register(&*registry, "a-value", &SchemaDocument::new(SchemaType::Avro, text))
                .expect("it fits")
        };
        let server = serve("127.0.0.1:0");
        let address = server.address().to_string();
        assert_eq!(register(""), 1);
        let properties = [
            ("ksql.schema.registry.url", format!("http://{address}")),
            ("ksql.schema.registry.max.retries", "0".to_owned()),
            ("auto.offset.reset", "earliest".to_owned()),
            ("commit.interval.ms", "10".to_owned()),
        ];
        let options = EngineOptions {
            properties: properties.map(|(name, value)| (name.to_owned(), value)).into(),
            ..EngineOptions::default()
        };
        let engine = Engine::with_options(Arc::clone(&topics), options).expect("memory opens");
        let until = |what: &str, is_so: &dyn Fn(&QueryStatus) -> bool| {
            let mut looks = 0;
            while !is_so(&engine.queries()[0]) {
                topics.wait(topics.version(), Duration::from_millis(10));
                looks += 1;
                assert!(looks < 3_000, "{what}: {:?}", engine.queries());
            }
        };
        let run = |sql: &str| engine.execute(&mut Session::default(), sql, &mut |_| ()).expect(sql);
        run(CREATE);
        run("CREATE STREAM copy WITH (kafka_topic = 'copy', value_format = 'json') AS SELECT * FROM a;");
        append(&topics, &[&[0, 0, 0, 0, 1, 10]]);
        until("the first result", &|status| status.rows_out == 1);

        server.stop();
        assert_eq!(register(r#",{"name":"w","type":"int","default":0}"#), 2);
        append(&topics, &[&[0, 0, 0, 0, 2, 12, 0], &[0, 0, 0, 0, 9, 14], &[0, 0, 0, 0, 1, 16]]);
        until("the failure", &|status| status.state == "ERROR");
        let status = &engine.queries()[0];
        let failure = status.failure.as_deref().unwrap_or_default();
        assert!(failure.contains(&format!("http://{address} cannot be reached")), "{failure}");
        assert_eq!((status.rejected, values(&topics, "copy").len()), (0, 1), "nothing is taken for wrong");

        let server = serve(&address);
        until("all results", &|status| status.state == "RUNNING" && status.rows_out == 3);
        assert_eq!(values(&topics, "copy"), [r#"{"V":5}"#, r#"{"V":6}"#, r#"{"V":8}"#]);
        assert_eq!(engine.queries()[0].rejected, 1);
        let letters =
            topics.fetch(&TopicPartition { topic: "levada_dead_letters".into(), partition: 0 }, 0, 9, 1 << 20);
        let headers = letters.expect("there is one").headers.expect("they say why");
        let reason = headers[0].iter().find(|header| header.key == "levada.reason").expect("a reason");
        assert_eq!(reason.value.as_deref(), Some(b"there is no schema with the id 9".as_slice()));
        drop(engine);
        server.stop();
    }

    #[test]
    fn a_file_infers_what_it_has_declared_before_and_is_refused_as_a_whole() {
        let (topics, registry) = (topics(), embedded());
        let engine = engine(&topics, Some(Arc::<EmbeddedRegistry>::clone(&registry)), &[]);
        let file =
            "CREATE STREAM raw (id INT, name STRING) WITH (kafka_topic = 'raw', partitions = 1, value_format = 'json');
            CREATE STREAM kept WITH (kafka_topic = 'kept', value_format = 'avro') AS SELECT id, name AS called FROM raw;
            CREATE STREAM again WITH (kafka_topic = 'kept', value_format = 'avro');
            CREATE STREAM loud AS SELECT UCASE(called) AS called FROM again;";
        let wrong = format!(
            "{file} DROP STREAM loud DELETE TOPIC; CREATE STREAM more WITH (kafka_topic = 'LOUD', value_format = 'avro');"
        );
        let error = engine.apply_file(&wrong, &mut |_| ()).expect_err("its schema is deleted by then");
        assert!(error.message.contains("Subject: LOUD-value"), "{}", error.message);
        assert_eq!(SchemaRegistry::subjects(&*registry), Ok(Vec::new()), "it was only tried");
        engine.apply_file(file, &mut |_| ()).expect("each statement knows those before it");
        let columns = |name: &str| engine.catalog().source(name).map(|source| source.schema.display(false).to_string());
        assert_eq!(columns("AGAIN").as_deref(), Some("`ID` INTEGER, `CALLED` STRING"));
        let subjects = ["LOUD-value", "kept-value"].map(str::to_owned).to_vec();
        assert_eq!(SchemaRegistry::subjects(&*registry), Ok(subjects));
    }
}
