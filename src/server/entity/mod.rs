//! What statements answer, as programs read it: the entities of ksqlDB's HTTP API.
//!
//! ```text
//! statement ─▶ answer ─┬─ SHOW, DESCRIBE, EXPLAIN ── facts of the engine ─▶ streams, queries, sourceDescription …
//!                      ├─ about connectors ── what Kafka Connect says ────▶ connector_list, connector_info …
//!                      ├─ what the command log keeps ── executed ─────────▶ currentStatus
//!                      └─ SET, DEFINE, INSERT VALUES ── executed ─────────▶ nothing
//! ```

mod command;
mod connector;
mod function;
mod query;
mod schema;
mod source;

use serde_json::{Value, json};

pub use command::command_id;
pub use schema::fields;

use super::problem::{Code, Problem};
use crate::catalog::{Collection, QueryId};
use crate::engine::{Engine, EngineError, Listing, Response, Session};
use crate::sql::ast::{Explain, QueryTarget, SourceKind, Statement};
use crate::sql::{ParsedStatement, masked};

/// Who answers, and for whom.
pub struct Answering<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The client's session: it is changed by SET and DEFINE.
    pub session: &'a mut Session,
    /// Address under which this server tells the state of its queries: `localhost:8088`.
    pub host: &'a str,
}

impl Answering<'_> {
    /// What `parsed` answers, in order. Queries and PRINT are refused: their rows have endpoints of their own.
    pub fn answer(&mut self, parsed: &ParsedStatement) -> Result<Vec<Value>, Problem> {
        let text = parsed.text.as_str();
        match self.entities(parsed) {
            Ok(entities) => Ok(entities),
            Err(Failure::Problem(problem)) => Err(problem),
            Err(Failure::Engine(error)) => {
                let error = error.at(parsed.span);
                let mut problem = Problem::of_statement(error, text, Vec::new());
                if matches!(parsed.statement, Statement::AssertTopic(_) | Statement::AssertSchema(_)) {
                    problem.code = Code::ASSERT_FAILED;
                }
                Err(problem)
            }
        }
    }

    fn entities(&mut self, parsed: &ParsedStatement) -> Result<Vec<Value>, Failure> {
        let text = parsed.text.as_str();
        let entity = |kind: &str, member: &str, value: Value| {
            vec![json!({"@type": kind, "statementText": text, member: value, "warnings": []})]
        };
        Ok(match &parsed.statement {
            Statement::Query(_) | Statement::Read(_) | Statement::PrintTopic(_) => {
                return Err(Failure::Problem(query_endpoint()));
            }
            Statement::ShowSources { kind, extended: false } => {
                let (kind, collection) = collection(*kind);
                entity(kind, kind, source::list(&self.engine.catalog(), collection).into())
            }
            Statement::ShowSources { kind, extended } | Statement::DescribeSources { kind, extended } => {
                let (_, collection) = collection(*kind);
                let mut described = Vec::new();
                for name in source::names(&self.engine.catalog(), collection) {
                    described.extend(source::description(self.engine, self.session, &name, *extended)?);
                }
                entity("source_descriptions", "sourceDescriptions", described.into())
            }
            Statement::DescribeSource { name, extended } => {
                // What is not there is refused by the engine, which knows names that are like it.
                let said = self.run(parsed)?;
                match source::description(self.engine, self.session, name.as_str(), *extended)? {
                    Some(described) => entity("sourceDescription", "sourceDescription", described),
                    // A table that the engine makes of what it knows.
                    None => {
                        let fields = listings(said).flat_map(|listing| listing.rows);
                        entity("system_table", "fields", fields.map(Value::from).collect())
                    }
                }
            }
            Statement::ShowTopics { all, extended } => self.topics(text, *all, *extended)?,
            Statement::ShowQueries { extended } => self.queries(text, *extended),
            Statement::ShowProperties => {
                let properties = self.properties(parsed)?;
                let mut entity = json!({
                    "@type": "properties", "statementText": text, "properties": properties,
                    "overwrittenProperties": [], "defaultProperties": [], "warnings": [],
                });
                entity["overwrittenProperties"] = self.session.properties.keys().cloned().collect();
                vec![entity]
            }
            Statement::ShowVariables => {
                let of = |(name, value)| json!({"name": name, "value": value});
                entity("variables", "variables", self.session.variables.iter().map(of).collect())
            }
            Statement::ShowTypes => {
                let catalog = self.engine.catalog();
                let types = catalog.custom_types().map(|(name, sql_type)| (name.to_owned(), schema::schema(sql_type)));
                entity("type_list", "types", Value::Object(types.collect()))
            }
            Statement::ShowFunctions => {
                entity("function_names", "functions", function::list(self.engine.catalog().functions()).into())
            }
            Statement::DescribeFunction { name } => match self.engine.catalog().functions().get(name.as_str()) {
                Some(found) => vec![function::description(text, found)],
                None => {
                    self.run(parsed)?;
                    Vec::new()
                }
            },
            Statement::Diagnose(_) => {
                let listings = listings(self.run(parsed)?)
                    .map(|listing| json!({"title": listing.title, "columns": listing.columns, "rows": listing.rows}));
                entity("diagnosis", "listings", listings.collect())
            }
            Statement::Explain(explain) => self.explain(parsed, explain)?,
            Statement::AssertTopic(assert) => {
                self.run(parsed)?;
                vec![json!({
                    "@type": "assert_topic", "statementText": text, "topicName": assert.topic,
                    "exists": assert.exists, "warnings": [],
                })]
            }
            Statement::AssertSchema(assert) => {
                self.run(parsed)?;
                vec![json!({
                    "@type": "assert_schema", "statementText": text, "subject": assert.subject, "id": assert.id,
                    "exists": assert.exists, "warnings": [],
                })]
            }
            Statement::CreateConnector(_)
            | Statement::DropConnector(_)
            | Statement::ShowConnectors(_)
            | Statement::ShowConnectorPlugins
            | Statement::DescribeConnector { .. } => {
                let answer = self.engine.connectors(self.session, parsed)?;
                vec![connector::entity(self.engine, self.session, &masked(text), answer)?]
            }
            Statement::Terminate(QueryTarget::Query(id)) if self.is_push(id.as_str()) => {
                self.run(parsed)?;
                vec![json!({
                    "@type": "terminate_query", "statementText": text, "queryId": id.as_str(),
                    "wasTerminated": true, "warnings": [],
                })]
            }
            statement => self.command(parsed, command_id(statement))?,
        })
    }

    /// Executes a statement; what it answers.
    fn run(&mut self, parsed: &ParsedStatement) -> Result<Vec<Response>, EngineError> {
        let mut responses = Vec::new();
        self.engine.execute_parsed(self.session, parsed, &mut |response| responses.push(response))?;
        Ok(responses)
    }

    /// Executes a statement that changes something.
    fn command(&mut self, parsed: &ParsedStatement, id: Option<String>) -> Result<Vec<Value>, Failure> {
        let responses = self.run(parsed)?;
        let Some(id) = id else { return Ok(Vec::new()) };
        let entity = |response: Response| match response {
            Response::Done(done) => Some(command::current_status(&parsed.text, &id, &done)),
            Response::Message(message) => Some(command::nothing_done(&parsed.text, &id, &message)),
            _ => None,
        };
        Ok(responses.into_iter().filter_map(entity).collect())
    }

    fn is_push(&self, id: &str) -> bool {
        self.engine.outlines().1.iter().any(|(known, _)| known.eq_ignore_ascii_case(id))
    }

    fn topics(&self, text: &str, all: bool, extended: bool) -> Result<Vec<Value>, EngineError> {
        let topics = self.engine.topics(self.session, all)?;
        let consumers = if extended { self.engine.consumers()? } else { Vec::new() };
        let shown = topics.iter().map(|topic| {
            let replicas = match topic.replicas.as_slice() {
                [] => vec![source::replication(topic); topic.config.partitions as usize],
                known => known.to_vec(),
            };
            let mut shown = json!({"name": topic.name, "replicaInfo": replicas});
            if extended {
                let readers: Vec<_> = consumers.iter().filter(|group| group.topic == topic.name).collect();
                shown["consumerCount"] = readers.iter().map(|group| group.consumers).sum::<usize>().into();
                shown["consumerGroupCount"] = readers.len().into();
            }
            shown
        });
        let kind = if extended { "kafka_topics_extended" } else { "kafka_topics" };
        Ok(vec![json!({
            "@type": kind, "statementText": text, "topics": shown.collect::<Vec<Value>>(), "warnings": [],
        })])
    }

    fn queries(&self, text: &str, extended: bool) -> Vec<Value> {
        let (persistent, pushed) = self.engine.outlines();
        if extended {
            let ids: Vec<QueryId> = persistent.iter().map(|outline| outline.info.id.clone()).collect();
            let facts = self.engine.query_facts(self.session, &ids);
            let described: Vec<Value> = facts.iter().map(|facts| query::description(facts, self.host)).collect();
            return vec![json!({
                "@type": "query_descriptions", "statementText": text, "queryDescriptions": described, "warnings": [],
            })];
        }
        let catalog = self.engine.catalog();
        let persistent = persistent.iter().map(|outline| query::outline(&catalog, outline));
        let queries: Vec<Value> = persistent.chain(pushed.iter().map(query::pushed)).collect();
        vec![json!({"@type": "queries", "statementText": text, "queries": queries, "warnings": []})]
    }

    fn properties(&mut self, parsed: &ParsedStatement) -> Result<Vec<Value>, EngineError> {
        let rows = listings(self.run(parsed)?).flat_map(|listing| listing.rows);
        Ok(rows
            .filter_map(|row| <[String; 6]>::try_from(row).ok())
            .map(|[name, scope, _, value, level, source]| {
                let editable = crate::configuration::check_name(&name).is_ok();
                json!({
                    "name": name, "scope": scope, "value": value, "editable": editable, "level": level,
                    "source": source,
                })
            })
            .collect())
    }

    fn explain(&mut self, parsed: &ParsedStatement, explain: &Explain) -> Result<Vec<Value>, EngineError> {
        let responses = self.run(parsed)?;
        let described = match explain {
            Explain::Query(id) => {
                let facts = self.engine.query_facts(self.session, &[QueryId::new(id.as_str())]);
                facts.first().map(|facts| query::description(facts, self.host))
            }
            Explain::Statement { statement, .. } => {
                let rows = listings(responses).flat_map(|listing| listing.rows);
                let lines: Vec<String> = rows.filter_map(|mut row| row.pop()).collect();
                let inner = ParsedStatement { statement: (**statement).clone(), ..parsed.clone() };
                let facts = self.engine.explain_facts(self.session, &inner);
                Some(query::explained(&statement.to_string(), &lines.join("\n"), facts.as_ref()))
            }
        };
        Ok(vec![json!({
            "@type": "queryDescription", "statementText": parsed.text, "queryDescription": described, "warnings": [],
        })])
    }
}

fn listings(responses: Vec<Response>) -> impl Iterator<Item = Listing> {
    let of_response = |response| match response {
        Response::Listing(listings) => listings,
        _ => Vec::new(),
    };
    responses.into_iter().flat_map(of_response)
}

/// Why a statement has no answer.
enum Failure {
    Engine(EngineError),
    Problem(Problem),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// A query at the endpoint of statements.
pub fn query_endpoint() -> Problem {
    Problem::new(Code::QUERY_ENDPOINT, "rows of SELECT and PRINT are not answered here: ask at /query or /query-stream")
}

fn collection(kind: SourceKind) -> (&'static str, Collection) {
    match kind {
        SourceKind::Stream => ("streams", Collection::Stream),
        SourceKind::Table => ("tables", Collection::Table),
    }
}
