//! Statements about connectors: Kafka Connect is asked, and nothing of the engine is held meanwhile.
//!
//! They are no commands: what they do is not in the log, and so neither are the passwords that connectors are given.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};

use super::response::Listing;
use super::{EngineError, Response, Shared, show};
use crate::catalog::Catalog;
use crate::connect::{ConnectClient, ConnectError, Connector, Created, Dropped, Plugin};
use crate::sql::ast::{ConnectorKind, CreateConnector, DropConnector, Literal, Statement};

/// What a statement about connectors answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectorAnswer {
    /// It was made.
    Created(Connector),
    /// It is gone.
    Dropped {
        /// Its name.
        name: String,
    },
    /// There was nothing to do, as IF EXISTS and IF NOT EXISTS allow.
    NothingDone(String),
    /// All that there are, or those of one direction.
    Connectors(Vec<Connector>),
    /// The kinds that there are.
    Plugins(Vec<Plugin>),
    /// One.
    Description(Box<ConnectorDescription>),
}

/// A connector, its topics, and who reads and writes those here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorDescription {
    /// The connector with how it is.
    pub connector: Connector,
    /// The topics that it has read or written.
    pub topics: Vec<String>,
    /// The streams and tables on these topics.
    pub sources: Vec<ConnectorSource>,
    /// What could not be found out.
    pub warning: Option<String>,
}

/// A stream or table on a topic of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorSource {
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// `STREAM` or `TABLE`.
    pub kind: &'static str,
}

/// Whether `statement` is about connectors.
pub(super) fn asks(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateConnector(_)
            | Statement::DropConnector(_)
            | Statement::ShowConnectors(_)
            | Statement::ShowConnectorPlugins
            | Statement::DescribeConnector { .. }
    )
}

/// Carries out `statement` if it is about connectors.
pub(super) fn run(shared: &Shared, statement: &Statement) -> Option<Result<ConnectorAnswer, EngineError>> {
    let done = match statement {
        Statement::CreateConnector(create) => self::create(shared, create),
        Statement::DropConnector(drop) => self::drop(shared, drop),
        Statement::ShowConnectors(kind) => list(shared, *kind),
        Statement::ShowConnectorPlugins => plugins(shared),
        Statement::DescribeConnector { name } => describe(shared, name.as_str()),
        _ => return None,
    };
    Some(done)
}

/// Whether Connect would make the connector of `statement`, as far as that can be known before. Others are not looked at.
pub(super) fn check(shared: &Shared, statement: &Statement) -> Result<(), EngineError> {
    match statement {
        Statement::CreateConnector(create) => {
            let class = class(create)?;
            validate(&*shared.connect()?, &class, &config(create))
        }
        _ => Ok(()),
    }
}

/// Why a statement about connectors cannot stand in a file that runs without a client.
pub(super) fn refused_in_file() -> EngineError {
    EngineError::new("connectors are made and looked at by clients: this cannot stand in a file that runs headless")
        .with_hint("ask in the shell, or of a server without a queries file")
}

impl Shared {
    /// Who asks Kafka Connect.
    fn connect(&self) -> Result<Arc<ConnectClient>, EngineError> {
        let mut known = self.connect.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.as_ref().filter(|client| !client.are_settings_reloaded()) {
            return Ok(Arc::clone(client));
        }
        // Properties that cannot be used are looked at again next time: a file may be there then.
        let client = ConnectClient::from_properties(&self.server).map_err(EngineError::environment)?;
        Ok(Arc::clone(known.insert(Arc::new(client))))
    }
}

/// What Connect says about `what` it was asked to do.
fn failed(what: &'static str) -> impl Fn(ConnectError) -> EngineError {
    move |error| {
        let failed = EngineError::new(format!("Failed to {what}: {error}")).with_code(error.code());
        error.hint().into_iter().fold(failed, EngineError::with_hint)
    }
}

fn create(shared: &Shared, create: &CreateConnector) -> Result<ConnectorAnswer, EngineError> {
    let (class, config, name) = (class(create)?, config(create), create.name.as_str());
    let connect = shared.connect()?;
    validate(&connect, &class, &config)?;
    let exists = || format!("Connector {name} already exists");
    match connect.create(name, &config).map_err(failed("create connector"))? {
        Created::New(connector) => Ok(ConnectorAnswer::Created(connector)),
        Created::Exists if create.if_not_exists => Ok(ConnectorAnswer::NothingDone(exists())),
        Created::Exists => {
            let error = EngineError::new(format!("Failed to create connector: {}", exists())).with_code(CONFLICT);
            Err(error.with_hint("DROP CONNECTOR removes it, IF NOT EXISTS lets it be"))
        }
    }
}

/// The codes of a name that is taken, and of one that nothing has.
const CONFLICT: u32 = 40900;
const NOT_FOUND: u32 = 40400;

fn validate(connect: &ConnectClient, class: &str, config: &Value) -> Result<(), EngineError> {
    let faults = connect.validate(class, config).map_err(failed("create connector"))?;
    if faults.is_empty() {
        return Ok(());
    }
    let error = EngineError::new(format!("Validation error: {}", faults.join("\n")));
    // Connectors have no such properties.
    let is_upper = |name: &&String| **name == name.to_uppercase() && **name != name.to_lowercase();
    Err(match config.as_object().and_then(|config| config.keys().find(is_upper)) {
        Some(name) => error.with_hint(format!("{name} is in upper case, as names are that stand in no quotes")),
        None => error,
    })
}

/// What kind of connector is to be made.
fn class(create: &CreateConnector) -> Result<String, EngineError> {
    let property = create.properties.iter().find(|property| property.name.eq_ignore_ascii_case(CLASS));
    let class = property.and_then(|property| text(&property.value)).filter(|class| !class.trim().is_empty());
    class.ok_or_else(|| {
        let error = EngineError::new(format!(
            "Validation error: {CLASS} - it says what kind of connector it is, and is missing"
        ));
        error.with_hint("SHOW CONNECTOR PLUGINS; tells which there are: WITH ('connector.class' = '…', …)")
    })
}

const CLASS: &str = "connector.class";

/// The properties as Connect takes them: all are texts, and the name is one of them.
fn config(create: &CreateConnector) -> Value {
    let properties = create.properties.iter();
    let mut config: Map<String, Value> =
        properties.map(|property| (property.name.clone(), text(&property.value).into())).collect();
    config.insert("name".to_owned(), create.name.as_str().into());
    config.into()
}

/// A value as a text; none of NULL.
fn text(value: &Literal) -> Option<String> {
    match value {
        Literal::Null => None,
        Literal::String(text) => Some(text.clone()),
        Literal::Decimal(number) => Some(number.as_str().to_owned()),
        Literal::Double(number) => Some(number.value().to_string()),
        other => Some(other.to_string()),
    }
}

fn drop(shared: &Shared, drop: &DropConnector) -> Result<ConnectorAnswer, EngineError> {
    let name = drop.name.as_str();
    match shared.connect()?.delete(name).map_err(failed("drop connector"))? {
        Dropped::Gone => Ok(ConnectorAnswer::Dropped { name: name.to_owned() }),
        Dropped::Missing if drop.if_exists => {
            Ok(ConnectorAnswer::NothingDone(format!("Connector '{name}' does not exist.")))
        }
        Dropped::Missing => Err(missing("drop", name)),
    }
}

/// The connector `name`, to which something was to be done, is not there.
fn missing(verb: &str, name: &str) -> EngineError {
    EngineError::new(format!("Failed to {verb} connector: Connector {name} not found"))
        .with_code(NOT_FOUND)
        .with_hint("names without quotes are in upper case; SHOW CONNECTORS; tells which there are")
}

fn list(shared: &Shared, kind: Option<ConnectorKind>) -> Result<ConnectorAnswer, EngineError> {
    let mut connectors = shared.connect()?.connectors().map_err(failed("list connectors"))?;
    let wanted = kind.map(|kind| match kind {
        ConnectorKind::Source => "source",
        ConnectorKind::Sink => "sink",
    });
    connectors.retain(|connector| wanted.is_none_or(|wanted| connector.kind.eq_ignore_ascii_case(wanted)));
    Ok(ConnectorAnswer::Connectors(connectors))
}

fn plugins(shared: &Shared) -> Result<ConnectorAnswer, EngineError> {
    Ok(ConnectorAnswer::Plugins(shared.connect()?.plugins().map_err(failed("list connector plugins"))?))
}

fn describe(shared: &Shared, name: &str) -> Result<ConnectorAnswer, EngineError> {
    let connect = shared.connect()?;
    let found = connect.connector(name).map_err(failed("describe connector"))?;
    let connector = found.ok_or_else(|| missing("describe", name))?;
    let topics = connect.topics(name).map_err(failed("describe connector"))?;
    let warning = topics.is_none().then(|| "Kafka Connect does not say which topics the connector has used".to_owned());
    let topics = topics.unwrap_or_default();
    let sources = sources(&shared.view().catalog, &topics);
    Ok(ConnectorAnswer::Description(Box::new(ConnectorDescription { connector, topics, sources, warning })))
}

fn sources(catalog: &Catalog, topics: &[String]) -> Vec<ConnectorSource> {
    let on_topics = catalog.sources().filter(|source| topics.contains(&source.topic));
    let of = |source: &Arc<crate::catalog::DataSource>| ConnectorSource {
        name: source.name.clone(),
        topic: source.topic.clone(),
        kind: source.collection.keyword(),
    };
    on_topics.map(of).collect()
}

impl ConnectorAnswer {
    /// As the shell shows it, in the tables of ksqlDB's command line.
    pub(super) fn response(self) -> Response {
        match self {
            Self::Created(connector) => Response::Message(format!("Created connector {}", connector.name)),
            Self::Dropped { name } => Response::Message(format!("Dropped connector \"{name}\"")),
            Self::NothingDone(message) => Response::Message(message),
            Self::Connectors(connectors) => {
                let row = |connector: &Connector| {
                    let kind = connector.kind.to_uppercase();
                    vec![connector.name.clone(), kind, connector.class().to_owned(), connector.summary()]
                };
                let columns = ["Connector Name", "Type", "Class", "Status"];
                Response::Listing(vec![Listing::table("", &columns, connectors.iter().map(row).collect())])
            }
            Self::Plugins(plugins) => {
                let row = |Plugin { class, kind, version }: Plugin| {
                    vec![class, kind.to_uppercase(), version.unwrap_or_default()]
                };
                let rows = plugins.into_iter().map(row).collect();
                Response::Listing(vec![Listing::table("", &["Class", "Type", "Version"], rows)])
            }
            Self::Description(description) => Response::Listing(description.listings()),
        }
    }
}

impl ConnectorDescription {
    /// As the shell shows it. Tables without rows are left out, but for that of the tasks.
    fn listings(self) -> Vec<Listing> {
        let Self { connector, topics, sources, warning } = self;
        let status = &connector.status;
        let facts = Listing::facts([
            ("Name", connector.name.clone()),
            ("Class", connector.class().to_owned()),
            ("Type", connector.kind.clone()),
            ("State", status.state.clone()),
            ("WorkerId", status.worker.clone()),
            ("Trace", status.trace.clone().unwrap_or_default()),
        ]);
        let tasks = status.tasks.iter();
        let tasks =
            tasks.map(|task| vec![task.id.to_string(), task.state.clone(), task.trace.clone().unwrap_or_default()]);
        let sources = sources.into_iter().map(|source| vec![source.name, source.topic, source.kind.to_owned()]);
        let lists = [
            Listing::table("", &["ksqlDB Source Name", "Kafka Topic", "Type"], sources.collect()),
            Listing::table("", &["Related Topics"], topics.into_iter().map(|topic| vec![topic]).collect()),
        ];
        let lists = lists.into_iter().filter(|list| !list.rows.is_empty());
        let tasks = Listing::table("", &["Task ID", "State", "Error Trace"], tasks.collect());
        let warning = warning.map(|warning| show::advice([&warning]));
        [facts, tasks].into_iter().chain(lists).chain(warning).collect()
    }
}

#[cfg(test)]
mod tests;
