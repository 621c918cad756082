//! The rules of the language, one table each: what exists, a statement, its plan or its error.

use std::collections::BTreeMap;

use super::*;
use crate::catalog::QueryId;
use crate::registry::MemoryRegistry;
use crate::sql::parse_statements;

/// What exists in most tests.
const SETUP: &str = "
CREATE STREAM S (ID BIGINT KEY, NAME STRING, V INT, D DOUBLE, ADDRESS STRUCT<CITY STRING, ZIP INT>, TAGS ARRAY<STRING>)
  WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');
CREATE STREAM KEYLESS (A INT, B STRING) WITH (KAFKA_TOPIC='keyless', VALUE_FORMAT='JSON');
CREATE TABLE T (ID BIGINT PRIMARY KEY, NAME STRING, W INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
CREATE TABLE N (NAME STRING PRIMARY KEY, TITLE STRING) WITH (KAFKA_TOPIC='n', VALUE_FORMAT='DELIMITED');
";

/// A catalog and the topics that its sources need.
pub(super) struct World {
    pub(super) catalog: Catalog,
    pub(super) topics: BTreeMap<String, u32>,
    pub(super) properties: BTreeMap<String, String>,
    plans: BTreeMap<QueryId, SharedPlan>,
    pub(super) registry: MemoryRegistry,
    /// Queries that read the same records decode them once.
    shares_decodes: bool,
    queries: u64,
}

impl PlanLookup for BTreeMap<QueryId, SharedPlan> {
    fn plan(&self, id: &QueryId) -> Option<SharedPlan> {
        self.get(id).cloned()
    }
}

impl TopicLookup for World {
    fn find(&self, topic: &str) -> Option<TopicFacts> {
        self.topics.get(topic).copied().map(TopicFacts::with_partitions)
    }

    fn shares_decodes(&self) -> bool {
        self.shares_decodes
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            catalog: Catalog::new(),
            topics: BTreeMap::new(),
            properties: BTreeMap::new(),
            plans: BTreeMap::new(),
            registry: MemoryRegistry::new(),
            shares_decodes: false,
            queries: 0,
        }
    }

    /// The world after `sql`, in which every topic has 4 partitions.
    fn after(sql: &str) -> Self {
        let mut world = Self::new();
        for name in ["s", "keyless", "t", "n", "x"] {
            world.topics.insert(name.to_owned(), 4);
        }
        for parsed in parse_statements(sql).expect("the set-up is well-formed") {
            world.execute(&parsed).expect("the set-up can be planned");
        }
        world
    }

    pub(super) fn analyze(&self, parsed: &ParsedStatement) -> Result<Planned, PlanError> {
        let settings = Settings {
            properties: &self.properties,
            topics: self,
            plans: &self.plans,
            libraries: &NoLibraries,
            query_number: self.queries,
        };
        let completed = complete(parsed, &self.catalog, &settings, Ok(&self.registry))?;
        let parsed = completed.as_ref().unwrap_or(parsed);
        let planned = analyze(parsed, &self.catalog, &settings)?;
        check_named_schemas(parsed, &planned, Ok(&self.registry)).map(|()| planned)
    }

    /// Plans a statement and lets it take effect on the catalog.
    pub(super) fn execute(&mut self, parsed: &ParsedStatement) -> Result<(), PlanError> {
        match self.analyze(parsed)? {
            Planned::CreateSource(create) => {
                self.topics.entry(create.source.topic.clone()).or_insert(create.partitions.unwrap_or(4));
                if create.query.is_some() {
                    let name = create.source.name.clone();
                    let id = create.source.created_by_query.clone().expect("the query has an id");
                    let kind = crate::catalog::QueryKind::CreateSource;
                    let (reads, sql) = (vec![name.clone()], create.source.sql.clone());
                    self.catalog.add_query(crate::catalog::QueryInfo {
                        id,
                        kind,
                        reads,
                        sink: name,
                        functions: vec![],
                        sql,
                    });
                    self.queries += 1;
                }
                self.catalog.add_source(create.source, create.or_replace)?;
            }
            Planned::CreateAs(create) => {
                self.topics.entry(create.topic.name.clone()).or_insert(create.topic.partitions.unwrap_or(4));
                self.plans.insert(create.query_info.id.clone(), create.query.into());
                self.catalog.add_source(create.source, create.or_replace)?;
                self.catalog.add_query(create.query_info);
                self.queries += 1;
            }
            Planned::InsertInto(insert) => {
                self.plans.insert(insert.query_info.id.clone(), insert.query.into());
                self.catalog.add_query(insert.query_info);
                self.queries += 1;
            }
            Planned::Alter(source) => self.catalog.add_source(*source, true)?,
            Planned::CreateType { name, sql_type } => self.catalog.add_type(&name, sql_type)?,
            Planned::DropType { name } => {
                self.catalog.remove_type(&name)?;
            }
            Planned::Drop { name, collection, .. } => {
                self.catalog.drop_source(&name, collection)?;
            }
            Planned::Terminate(ids) => {
                for id in ids {
                    self.catalog.remove_query(&id)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The plan of the last statement of `sql` (those before it are executed), or its error.
fn planned(sql: &str) -> Result<Planned, PlanError> {
    planned_in(World::after(SETUP), sql)
}

/// As [`planned`], in `world`.
fn planned_in(mut world: World, sql: &str) -> Result<Planned, PlanError> {
    let statements = parse_statements(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let (last, before) = statements.split_last().expect("there is a statement");
    for parsed in before {
        world.execute(parsed).unwrap_or_else(|error| panic!("{}: {error}", parsed.text));
    }
    world.analyze(last)
}

/// The plan of a statement as text.
fn plan_text(sql: &str) -> String {
    match planned(sql) {
        Ok(planned) => explain::tree(&planned).unwrap_or_else(|| format!("{planned:?}")),
        Err(error) => format!("error: {error}"),
    }
}

/// `expected` is the plan, line by line; the indentation of its first line is taken off all.
fn check(sql: &str, expected: &str) {
    let indent =
        expected.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
    let expected: Vec<&str> = expected.lines().map(|line| line.get(indent..).unwrap_or("")).collect();
    assert_eq!(plan_text(sql).trim(), expected.join("\n").trim(), "\n{sql}");
}

/// The error of a statement, with its place, and its hint.
fn check_error(sql: &str, place: (u32, u32), message: &str, hint: Option<&str>) {
    let error = planned(sql).map(|planned| format!("{planned:?}")).expect_err(sql);
    assert_eq!(error.to_string(), message, "\n{sql}");
    let span = error.span().map(|span| (span.line, span.column));
    assert_eq!((span.unwrap_or_default(), error.hint().as_deref()), (place, hint), "\n{sql}");
}

/// Schema of the stream or table that the last statement of `sql` creates.
fn schema_text(sql: &str) -> String {
    match planned(sql) {
        Ok(Planned::CreateAs(create)) => create.source.schema.display(create.source.is_table()).to_string(),
        Ok(Planned::CreateSource(create)) => create.source.schema.display(create.source.is_table()).to_string(),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error: {error}"),
    }
}

mod aggregates;
mod conformance;
mod definitions;
mod explained;
mod functions;
mod inserts;
mod joins;
mod keys;
mod old_spellings;
mod passes;
mod reads;
mod schemas;
mod selects;
mod stream_joins;
mod table_joins;
mod upgrades;
mod user_functions;
