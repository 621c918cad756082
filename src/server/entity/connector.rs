//! Connectors, as ksqlDB's API describes them.

use serde_json::{Map, Value, json};

use super::source;
use crate::configuration::shown_value;
use crate::connect::{Connector, ConnectorStatus, Plugin, TaskStatus};
use crate::engine::{ConnectorAnswer, ConnectorDescription, Engine, EngineError, Session};

/// What `text`, a statement about connectors, answers.
pub fn entity(engine: &Engine, session: &Session, text: &str, answer: ConnectorAnswer) -> Result<Value, EngineError> {
    let mut warnings = Vec::new();
    let (kind, members) = match answer {
        ConnectorAnswer::Created(connector) => ("connector_info", json!({"info": info(&connector)})),
        ConnectorAnswer::Dropped { name } => ("drop_connector", json!({"connectorName": name})),
        ConnectorAnswer::NothingDone(message) => ("warning_entity", json!({"message": message})),
        ConnectorAnswer::Connectors(connectors) => {
            ("connector_list", json!({"connectors": connectors.iter().map(simple).collect::<Vec<_>>()}))
        }
        ConnectorAnswer::Plugins(plugins) => {
            ("connector_plugins_list", json!({"connectorsPlugins": plugins.iter().map(plugin).collect::<Vec<_>>()}))
        }
        ConnectorAnswer::Description(description) => {
            warnings.extend(description.warning.as_ref().map(|warning| json!({"message": warning})));
            ("connector_description", describe(engine, session, &description)?)
        }
    };
    let mut entity = json!({"@type": kind, "statementText": text});
    if let (Some(entity), Value::Object(members)) = (entity.as_object_mut(), members) {
        entity.extend(members);
        entity.insert("warnings".to_owned(), warnings.into());
    }
    Ok(entity)
}

/// A connector as it was made. Of properties whose names say that they are passwords the values are not told.
fn info(connector: &Connector) -> Value {
    let value = |(name, value): (&String, &Option<String>)| {
        let shown = value.as_ref().map(|value| shown_value(name, value));
        (name.clone(), shown.into())
    };
    let config: Map<String, Value> = connector.config.iter().map(value).collect();
    let tasks: Vec<Value> =
        connector.tasks.iter().map(|task| json!({"connector": connector.name, "task": task})).collect();
    json!({"name": connector.name, "config": config, "tasks": tasks, "type": connector.kind})
}

fn simple(connector: &Connector) -> Value {
    json!({
        "name": connector.name, "type": connector.kind, "className": connector.class(), "state": connector.summary(),
    })
}

fn plugin(plugin: &Plugin) -> Value {
    json!({"className": plugin.class, "type": plugin.kind, "version": plugin.version})
}

fn describe(
    engine: &Engine,
    session: &Session,
    ConnectorDescription { connector, topics, sources, .. }: &ConnectorDescription,
) -> Result<Value, EngineError> {
    let mut described = Vec::new();
    for on_topic in sources {
        // One that has gone meanwhile is left out.
        described.extend(source::description(engine, session, &on_topic.name, false)?);
    }
    Ok(json!({
        "connectorClass": connector.class(),
        "status": status(connector),
        "sources": described,
        "topics": topics,
    }))
}

fn status(connector: &Connector) -> Value {
    let ConnectorStatus { state, worker, trace, tasks } = &connector.status;
    let task = |TaskStatus { id, state, worker, trace }: &TaskStatus| json!({"id": id, "state": state, "worker_id": worker, "trace": trace});
    json!({
        "name": connector.name,
        "connector": {"state": state, "worker_id": worker, "trace": trace},
        "tasks": tasks.iter().map(task).collect::<Vec<_>>(),
        "type": connector.kind,
    })
}
