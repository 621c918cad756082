//! Queries: in a list, and one by one.

use serde_json::{Map, Value, json};

use super::schema;
use crate::catalog::{Catalog, QueryKind, WindowType};
use crate::configuration::shown_value;
use crate::engine::{ExplainFacts, PushOutline, QueryFacts, QueryOutline, TopicProgress};

/// A query of a list.
pub fn outline(catalog: &Catalog, outline: &QueryOutline) -> Value {
    let QueryOutline { info, state } = outline;
    let sink = (info.kind != QueryKind::CreateSource).then_some(info.sink.as_str());
    let topic = sink.and_then(|name| catalog.source(name)).map(|source| source.topic.as_str());
    json!({
        "queryString": info.sql,
        "sinks": Vec::from_iter(sink),
        "sinkKafkaTopics": Vec::from_iter(topic),
        "id": info.id.as_str(),
        "statusCount": counted(state),
        "queryType": "PERSISTENT",
        "state": format!("{state}:1"),
    })
}

/// A push query of a list.
pub fn pushed((id, text): &PushOutline) -> Value {
    json!({
        "queryString": text,
        "sinks": [],
        "sinkKafkaTopics": [],
        "id": id,
        "statusCount": {"RUNNING": 1},
        "queryType": "PUSH",
        "state": "RUNNING:1",
    })
}

/// How many servers run a query in which state.
fn counted(state: &str) -> Value {
    Value::Object(Map::from_iter([(state.to_owned(), Value::from(1))]))
}

/// All about a query. `host` is the address under which this server tells its state.
pub fn description(facts: &QueryFacts, host: &str) -> Value {
    let QueryOutline { info, state } = &facts.outline;
    let sinks = (info.kind != QueryKind::CreateSource).then_some(info.sink.as_str());
    let overridden: Map<String, Value> =
        (facts.overridden.iter()).map(|(name, value)| (name.clone(), shown_value(name, value).into())).collect();
    let errors = facts.errors.iter();
    let errors = errors
        .map(|error| json!({"timestamp": error.time_ms, "errorMessage": error.message, "type": error.class.name()}));
    json!({
        "id": info.id.as_str(),
        "statementText": info.sql,
        "windowType": facts.window_type.map(WindowType::name),
        "fields": schema::fields(&facts.schema.key, &facts.schema.value),
        "sources": info.reads,
        "sinks": Vec::from_iter(sinks),
        "topology": facts.plan,
        "executionPlan": facts.plan,
        "overriddenProperties": overridden,
        "ksqlHostQueryStatus": Map::from_iter([(host.to_owned(), Value::from(*state))]),
        "queryType": "PERSISTENT",
        "queryErrors": errors.collect::<Vec<Value>>(),
        "tasksMetadata": tasks(facts),
        "consumerGroupId": facts.group,
        "state": state,
    })
}

fn tasks(facts: &QueryFacts) -> Vec<Value> {
    let task =
        |((group, partition), figures): &(crate::runtime::metrics::TaskId, crate::runtime::metrics::TaskFigures)| {
            let offsets = figures.inputs.iter().map(|input| {
                json!({
                    "topicPartitionEntity": {"topic": &*input.partition.topic, "partition": input.partition.partition},
                    "endOffset": input.end,
                    "committedOffset": input.position,
                })
            });
            json!({"taskId": format!("{group}_{partition}"), "topicOffsets": offsets.collect::<Vec<Value>>()})
        };
    facts.tasks.iter().map(task).collect()
}

/// How far a query is, as `DESCRIBE … EXTENDED` shows it.
pub fn offsets(facts: &QueryFacts) -> Value {
    let topic = |TopicProgress { topic, partitions }: &TopicProgress| {
        let offsets = partitions.iter().map(|progress| {
            json!({
                "partition": progress.partition,
                "logStartOffset": progress.range.map_or(0, |(start, _)| start),
                "logEndOffset": progress.range.map_or(0, |(_, end)| end),
                "consumerOffset": progress.committed.unwrap_or(0),
            })
        });
        json!({"kafkaTopic": &**topic, "offsets": offsets.collect::<Vec<Value>>()})
    };
    json!({"groupId": facts.group, "topicSummaries": facts.progress.iter().map(topic).collect::<Vec<Value>>()})
}

/// What `EXPLAIN` says of a statement that is not run.
pub fn explained(statement: &str, plan: &str, facts: Option<&ExplainFacts>) -> Value {
    json!({
        "id": "",
        "statementText": statement,
        "windowType": facts.and_then(|facts| facts.window_type).map(WindowType::name),
        "fields": facts.map_or_else(|| json!([]), |facts| schema::fields(&facts.schema.key, &facts.schema.value).into()),
        "sources": facts.map_or(&[][..], |facts| &facts.sources),
        "sinks": Vec::from_iter(facts.and_then(|facts| facts.sink.as_deref())),
        "topology": plan,
        "executionPlan": plan,
        "overriddenProperties": {},
        "ksqlHostQueryStatus": {},
        "queryType": "PERSISTENT",
        "queryErrors": [],
        "tasksMetadata": [],
        "consumerGroupId": null,
        "state": null,
    })
}
