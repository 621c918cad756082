//! What analysis needs to know beside the catalog: session properties and topics.

use std::collections::BTreeMap;

use crate::catalog::QueryId;
use crate::functions::Function;

use super::SharedPlan;

/// What analysis knows of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicFacts {
    /// Number of partitions.
    pub partitions: u32,
    /// Copies of each partition, where there may be several.
    pub replicas: Option<u16>,
    /// `retention.ms`, if records are deleted by age.
    pub retention_ms: Option<i64>,
    /// Which records must be of registered schemas, where that is known.
    pub validation: Option<SchemaValidation>,
}

/// Which records of a topic must be of registered schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchemaValidation {
    /// Keys must be.
    pub keys: bool,
    /// Values must be.
    pub values: bool,
}

impl TopicFacts {
    /// A topic that keeps everything.
    pub fn with_partitions(partitions: u32) -> Self {
        Self { partitions, replicas: None, retention_ms: None, validation: None }
    }
}

/// What analysis asks about topics.
pub trait TopicLookup {
    /// What is known of `topic`; `None` if it does not exist.
    fn find(&self, topic: &str) -> Option<TopicFacts>;

    /// Number of partitions of `topic`; `None` if it does not exist.
    fn partitions(&self, topic: &str) -> Option<u32> {
        Some(self.find(topic)?.partitions)
    }

    /// Whether queries that read the same records of a topic share their decode.
    fn shares_decodes(&self) -> bool {
        false
    }

    /// Whether statements of the past are told again. Topics have been deleted and made anew since: how they are now is nothing
    /// to hold against what was right then.
    fn is_past(&self) -> bool {
        false
    }
}

impl<F: Fn(&str) -> Option<TopicFacts>> TopicLookup for F {
    fn find(&self, topic: &str) -> Option<TopicFacts> {
        self(topic)
    }
}

/// What analysis asks about queries that run: one that is replaced must fit the state that it has left.
pub trait PlanLookup {
    /// The plan of the persistent query `id`.
    fn plan(&self, id: &QueryId) -> Option<SharedPlan>;
}

/// For statements that replace nothing.
pub struct NoPlans;

impl PlanLookup for NoPlans {
    fn plan(&self, _: &QueryId) -> Option<SharedPlan> {
        None
    }
}

/// What analysis asks about libraries of functions.
pub trait LibraryLookup {
    /// What the file `path` holds.
    ///
    /// # Errors
    /// Why it cannot be used, for people.
    fn load(&self, path: &str) -> Result<LoadedLibrary, String>;
}

/// What a library holds.
#[derive(Debug, Clone)]
pub struct LoadedLibrary {
    /// Its functions.
    pub functions: Vec<Function>,
    /// Why nothing computes them: they are what the library was known to hold, and it cannot be used now.
    pub fault: Option<String>,
}

/// For statements that load nothing.
pub struct NoLibraries;

impl LibraryLookup for NoLibraries {
    fn load(&self, path: &str) -> Result<LoadedLibrary, String> {
        Err(format!("Cannot load functions from {path}: there are no libraries here"))
    }
}

/// All properties that analysis asks for: the same statement means the same, and is allowed, as long as these are the same.
pub const ASKED_PROPERTIES: [&str; 17] = [
    "ksql.create.or.replace.enabled",
    "ksql.create.topic.inherit.source.replicas.enabled",
    "ksql.headers.columns.enabled",
    "ksql.insert.into.values.enabled",
    "ksql.lambdas.enabled",
    "ksql.output.topic.name.prefix",
    "ksql.persistence.default.format.key",
    "ksql.persistence.default.format.value",
    "ksql.persistence.wrap.single.values",
    "ksql.pull.queries.enable",
    "ksql.query.pull.table.scan.enabled",
    "ksql.readonly.topics",
    "ksql.service.id",
    "ksql.source.table.materialization.enabled",
    "ksql.suppress.enabled",
    "levada.self.joins.enabled",
    "levada.whole.sql.enabled",
];

/// What the properties of functions begin with, which analysis asks for too.
pub const FUNCTION_PROPERTIES: &str = "ksql.functions.";

/// Properties in force and the state of the outside world.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Session properties over server properties, by their ksqlDB names.
    pub properties: &'a BTreeMap<String, String>,
    /// The topics.
    pub topics: &'a dyn TopicLookup,
    /// The plans of the persistent queries.
    pub plans: &'a dyn PlanLookup,
    /// The libraries of functions.
    pub libraries: &'a dyn LibraryLookup,
    /// Number of the next query: the `3` of `CSAS_ALERTS_3`.
    pub query_number: u64,
}

impl<'a> Settings<'a> {
    /// The property `name`; an empty text counts as not set.
    pub fn property(&self, name: &str) -> Option<&'a str> {
        assert!(!cfg!(test) || ASKED_PROPERTIES.contains(&name), "{name} is to be listed");
        self.property_now(name)
    }

    /// The property `name` for a statement that is carried out once and not kept: it need not be the same when it is told again.
    pub fn property_now(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The properties of functions.
    pub fn function_properties(&self) -> BTreeMap<String, String> {
        let of_functions = self.properties.iter().filter(|(name, _)| name.starts_with(FUNCTION_PROPERTIES));
        of_functions.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Whether the property `name` is `true`, `default` if it is not set.
    pub fn is_on(&self, name: &str, default: bool) -> bool {
        self.property(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}
