//! Entities of `/ksql` as the tables that the engine of this process would answer with.
//!
//! What this program does not know is shown by its members, so that nothing a server says is lost.

use serde_json::{Map, Value};

use crate::engine::{Listing, ListingForm, Response};
use crate::shell::Answer;

/// What `entity` says, in order.
pub(super) fn answers(entity: &Value) -> Vec<Answer> {
    let mut answers = vec![answer(entity)];
    let warnings =
        items(&entity["warnings"]).map(|warning| Answer::message(format!("warning: {}", text(&warning["message"]))));
    answers.extend(warnings);
    answers
}

fn answer(entity: &Value) -> Answer {
    let listings = match entity["@type"].as_str().unwrap_or_default() {
        "currentStatus" => return Answer::message(text(&entity["commandStatus"]["message"])),
        "warning_entity" | "error_entity" => return Answer::message(message(entity)),
        "drop_connector" => {
            return Answer::message(format!("Dropped connector \"{}\"", text(&entity["connectorName"])));
        }
        "assert_topic" => return Answer::message(asserted("Topic", &entity["topicName"], entity)),
        "assert_schema" => return Answer::message(asserted("Schema with subject name", &entity["subject"], entity)),
        "terminate_query" => return Answer::message(format!("Query {} terminated", text(&entity["queryId"]))),
        "streams" => vec![sources("Stream Name", &entity["streams"])],
        "tables" => vec![sources("Table Name", &entity["tables"])],
        "kafka_topics" => vec![topics(entity, false)],
        "kafka_topics_extended" => vec![topics(entity, true)],
        "queries" => queries(entity),
        "properties" => vec![properties(entity)],
        "variables" => vec![table(&["Variable Name", "Value"], &entity["variables"], |one| {
            vec![text(&one["name"]), text(&one["value"])]
        })],
        "type_list" => vec![types(&entity["types"])],
        "function_names" => functions(entity),
        "describe_function" => function(entity),
        "sourceDescription" => source(&entity["sourceDescription"]),
        "source_descriptions" => items(&entity["sourceDescriptions"]).flat_map(source).collect(),
        "queryDescription" => query(&entity["queryDescription"]),
        "query_descriptions" => items(&entity["queryDescriptions"]).flat_map(query).collect(),
        "executionPlan" => vec![lines("", &text(&entity["executionPlan"]))],
        "connector_list" => vec![table(&["Connector Name", "Type", "Class", "Status"], &entity["connectors"], |one| {
            vec![text(&one["name"]), text(&one["type"]).to_uppercase(), text(&one["className"]), text(&one["state"])]
        })],
        "connector_plugins_list" => vec![table(&["Class", "Type", "Version"], &entity["connectorsPlugins"], |one| {
            vec![text(&one["className"]), text(&one["type"]).to_uppercase(), text(&one["version"])]
        })],
        "connector_description" => connector(entity),
        "connector_info" => return Answer::message(format!("Created connector {}", text(&entity["info"]["name"]))),
        "system_table" => vec![system_table(entity)],
        "diagnosis" => items(&entity["listings"]).map(titled).collect(),
        _ => vec![members(entity)],
    };
    if listings.is_empty() {
        return Answer::message("There is nothing of this kind.");
    }
    Answer::Response(Response::Listing(listings))
}

fn asserted(what: &str, name: &Value, entity: &Value) -> String {
    let exists = if entity["exists"].as_bool() == Some(false) { "does not exist" } else { "exists" };
    format!("{what} {} {exists}.", text(name))
}

fn message(entity: &Value) -> String {
    match (&entity["message"], &entity["errorMessage"]) {
        (Value::Null, other) | (other, _) => text(other),
    }
}

fn sources(name: &str, list: &Value) -> Listing {
    table(&[name, "Kafka Topic", "Key Format", "Value Format", "Windowed"], list, |one| {
        let format = |member: &str| one.get(member).map_or_else(String::new, text);
        // Servers before 0.10 have one format.
        let value = if one.get("valueFormat").is_some() { format("valueFormat") } else { format("format") };
        vec![text(&one["name"]), text(&one["topic"]), format("keyFormat"), value, format("isWindowed")]
    })
}

fn topics(entity: &Value, extended: bool) -> Listing {
    let mut columns = vec!["Kafka Topic", "Partitions", "Partition Replicas"];
    if extended {
        columns.extend(["Consumers", "Consumer Groups"]);
    }
    table(&columns, &entity["topics"], |one| {
        let replicas: Vec<String> = items(&one["replicaInfo"]).map(text).collect();
        let same = replicas.windows(2).all(|two| two[0] == two[1]);
        let shown = if same { replicas.first().cloned().unwrap_or_default() } else { replicas.join(", ") };
        let mut row = vec![text(&one["name"]), replicas.len().to_string(), shown];
        if extended {
            row.extend([text(&one["consumerCount"]), text(&one["consumerGroupCount"])]);
        }
        row
    })
}

fn queries(entity: &Value) -> Vec<Listing> {
    let columns = ["Query ID", "Query Type", "Status", "Sink Name", "Sink Kafka Topic", "Query String"];
    let listing = table(&columns, &entity["queries"], |one| {
        vec![
            text(&one["id"]),
            text(&one["queryType"]),
            status(one),
            joined(&one["sinks"]),
            joined(&one["sinkKafkaTopics"]),
            one_line(&text(&one["queryString"])),
        ]
    });
    vec![listing, advice("For detailed information on a Query run: EXPLAIN <Query ID>;")]
}

/// `RUNNING:2`, as many servers as are in that state.
fn status(query: &Value) -> String {
    let counts = query["statusCount"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts.map(|(state, count)| format!("{state}:{}", text(count))).collect();
    if counts.is_empty() { text(&query["state"]) } else { counts.join(", ") }
}

fn properties(entity: &Value) -> Listing {
    let overwritten: Vec<String> = items(&entity["overwrittenProperties"]).map(text).collect();
    let columns = ["Property", "Scope", "Default override", "Effective Value", "Level", "Source"];
    let listing = table(&columns, &entity["properties"], |one| {
        let name = text(&one["name"]);
        let set = if overwritten.contains(&name) { "SESSION" } else { "" };
        vec![name, text(&one["scope"]), set.to_owned(), text(&one["value"]), text(&one["level"]), text(&one["source"])]
    });
    without_empty_column(listing, "Source")
}

/// ksqlDB does not say where a value comes from.
fn without_empty_column(mut listing: Listing, name: &str) -> Listing {
    let Some(at) = listing.columns.iter().position(|column| column == name) else { return listing };
    if listing.rows.iter().all(|row| row[at].is_empty()) {
        listing.columns.remove(at);
        listing.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }
    listing
}

fn types(types: &Value) -> Listing {
    let rows = types.as_object().into_iter().flatten();
    let rows = rows.map(|(name, schema)| vec![name.clone(), type_text(schema)]).collect();
    Listing::table("", &["Type Name", "Schema"], rows)
}

fn functions(entity: &Value) -> Vec<Listing> {
    let row = |one: &Value| vec![text(&one["name"]), text(&one["category"])];
    vec![
        table(&["Function Name", "Category"], &entity["functions"], row),
        advice("For detailed information about a function, run: DESCRIBE FUNCTION <Function Name>;"),
    ]
}

fn function(entity: &Value) -> Vec<Listing> {
    let facts = [("Name", "name"), ("Author", "author"), ("Version", "version"), ("Overview", "description")];
    let facts = facts.into_iter().chain([("Type", "type"), ("Jar", "path")]);
    let mut listings = vec![Listing::facts(facts.map(|(shown, member)| (shown, text(&entity[member]))))];
    for (i, variation) in items(&entity["functions"]).enumerate() {
        let arguments = items(&variation["arguments"]).map(|argument| {
            let dots = if argument["isVariadic"].as_bool() == Some(true) { "[]" } else { "" };
            format!("{} {}{dots}", text(&argument["name"]), text(&argument["type"])).trim_start().to_owned()
        });
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let described = items(&variation["arguments"])
            .map(|argument| (text(&argument["name"]), text(&argument["description"])))
            .filter(|(_, description)| !description.is_empty());
        let facts = [
            ("Variation".to_owned(), format!("{}({arguments})", text(&entity["name"]))),
            ("Returns".to_owned(), text(&variation["returnType"])),
            ("Description".to_owned(), text(&variation["description"])),
        ];
        let title = if i == 0 { "Variations" } else { "" };
        let listing = Listing::facts(facts.into_iter().chain(described));
        listings.push(Listing { title: title.to_owned(), ..listing });
    }
    listings
}

/// What `DESCRIBE`, or with more members `DESCRIBE … EXTENDED`, says of a source.
fn source(described: &Value) -> Vec<Listing> {
    let name = text(&described["name"]);
    let fields = fields(described);
    if described["extended"].as_bool() != Some(true) {
        let title = format!("{:<21}: {name}", "Name");
        let hint = format!(
            "For runtime statistics and query details run: DESCRIBE {} EXTENDED;",
            crate::sql::quote_name(&name)
        );
        return vec![Listing { title, ..fields }, advice(&hint)];
    }
    let timestamp = text(&described["timestamp"]);
    let facts = Listing::facts([
        ("Name", name),
        ("Type", text(&described["type"])),
        ("Timestamp field", if timestamp.is_empty() { "Not set - using <ROWTIME>".to_owned() } else { timestamp }),
        ("Key format", text(&described["keyFormat"])),
        ("Value format", text(&described["valueFormat"])),
        (
            "Kafka topic",
            format!(
                "{} (partitions: {}, replication: {})",
                text(&described["topic"]),
                text(&described["partitions"]),
                text(&described["replication"])
            ),
        ),
        ("Statement", one_line(&text(&described["statement"]))),
    ]);
    let kind = text(&described["type"]);
    let names = |title: &str, list: &Value| {
        let rows: Vec<Vec<String>> = items(list).map(|name| vec![text(name)]).collect();
        Listing::table(title, &["Source Name"], rows)
    };
    let of_queries = |what: &str, list: &Value| {
        let row = |one: &Value| vec![text(&one["id"]), status(one), one_line(&text(&one["queryString"]))];
        let title = format!("Queries that {what} this {kind}");
        Listing { title, ..table(&["Query ID", "Status", "Query String"], list, row) }
    };
    let lists = [
        names("Sources that have a DROP constraint on this source", &described["sourceConstraints"]),
        of_queries("read from", &described["readQueries"]),
        of_queries("write from", &described["writeQueries"]),
        lines("Local runtime statistics", &text(&described["statistics"])),
        lines("Errors", &text(&described["errorStats"])),
    ];
    let lists = lists.into_iter().filter(|list| !list.rows.is_empty());
    let offsets = items(&described["queryOffsetSummaries"]).flat_map(offsets);
    [facts, fields].into_iter().chain(lists).chain(offsets).collect()
}

/// What `DESCRIBE CONNECTOR` says.
fn connector(entity: &Value) -> Vec<Listing> {
    let status = &entity["status"];
    let own = &status["connector"];
    let facts = Listing::facts([
        ("Name", text(&status["name"])),
        ("Class", text(&entity["connectorClass"])),
        ("Type", text(&status["type"])),
        ("State", text(&own["state"])),
        ("WorkerId", text(&own["worker_id"])),
        ("Trace", text(&own["trace"])),
    ]);
    let tasks = table(&["Task ID", "State", "Error Trace"], &status["tasks"], |task| {
        vec![text(&task["id"]), text(&task["state"]), text(&task["trace"])]
    });
    let lists = [
        table(&["ksqlDB Source Name", "Kafka Topic", "Type"], &entity["sources"], |source| {
            vec![text(&source["name"]), text(&source["topic"]), text(&source["type"])]
        }),
        table(&["Related Topics"], &entity["topics"], |topic| vec![text(topic)]),
    ];
    [facts, tasks].into_iter().chain(lists.into_iter().filter(|list| !list.rows.is_empty())).collect()
}

/// How far a query is in its topics.
fn offsets(summary: &Value) -> Vec<Listing> {
    let group = text(&summary["groupId"]);
    let of_topic = |topic: &Value| {
        let name = text(&topic["kafkaTopic"]);
        let columns = ["Partition", "Start Offset", "End Offset", "Offset", "Lag"];
        let rows = items(&topic["offsets"]).map(|one| {
            let number = |member: &str| one[member].as_i64().unwrap_or_default();
            let (end, at) = (number("logEndOffset"), number("consumerOffset"));
            let numbers = [number("partition"), number("logStartOffset"), end, at, (end - at).max(0)];
            numbers.iter().map(i64::to_string).collect()
        });
        let title = format!("Consumer group {group}, topic {name}");
        Listing::table(title, &columns, rows.collect())
            .about([("Consumer Group", group.as_str()), ("Kafka Topic", name.as_str())])
    };
    items(&summary["topicSummaries"]).map(of_topic).collect()
}

/// Columns with their roles.
fn fields(described: &Value) -> Listing {
    let key = if described["type"].as_str() == Some("TABLE") { "primary key" } else { "key" };
    let window = described["windowType"].as_str().map_or_else(String::new, |name| format!(" (Window type: {name})"));
    table(&["Field", "Type"], &described["fields"], |field| {
        let shown = match type_text(&field["schema"]) {
            text if text == "STRING" => "VARCHAR(STRING)".to_owned(),
            text => text,
        };
        let role = match field["type"].as_str() {
            Some("KEY") => format!(" ({key}){window}"),
            Some("HEADER") => match field["headerKey"].as_str() {
                Some(name) => format!(" (header('{name}'))"),
                None => " (headers)".to_owned(),
            },
            _ => return vec![text(&field["name"]), shown],
        };
        vec![text(&field["name"]), format!("{shown:<16}{role}")]
    })
}

/// A type as SQL has it.
pub(super) fn type_text(schema: &Value) -> String {
    let parameter = |name: &str| schema["parameters"].get(name).map(text);
    match schema["type"].as_str().unwrap_or_default() {
        "ARRAY" => format!("ARRAY<{}>", type_text(&schema["memberSchema"])),
        "MAP" => format!("MAP<STRING, {}>", type_text(&schema["memberSchema"])),
        "STRUCT" => {
            let fields = items(&schema["fields"])
                .map(|field| format!("`{}` {}", text(&field["name"]), type_text(&field["schema"])));
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        "DECIMAL" => match (parameter("precision"), parameter("scale")) {
            (Some(precision), Some(scale)) => format!("DECIMAL({precision}, {scale})"),
            _ => "DECIMAL".to_owned(),
        },
        simple => simple.to_owned(),
    }
}

/// What `EXPLAIN` says.
fn query(described: &Value) -> Vec<Listing> {
    let id = text(&described["id"]);
    let plan = text(&described["executionPlan"]);
    let topology = text(&described["topology"]);
    // A statement that is explained and not run: its plan is all there is.
    if id.is_empty() {
        return vec![lines("", &plan)];
    }
    let hosts = described["ksqlHostQueryStatus"].as_object().into_iter().flatten();
    let hosts = hosts.map(|(host, state)| format!("{host} {}", text(state)));
    let facts = Listing::facts([
        ("ID", id),
        ("Query Type", text(&described["queryType"])),
        ("SQL", one_line(&text(&described["statementText"]))),
        ("Host Query Status", hosts.collect::<Vec<_>>().join(", ")),
        ("Sources", joined(&described["sources"])),
        ("Sinks", joined(&described["sinks"])),
    ]);
    let overridden = described["overriddenProperties"].as_object().into_iter().flatten();
    let overridden = overridden.map(|(name, value)| vec![name.clone(), text(value)]).collect();
    let errors = table(&["Time", "Class", "Error"], &described["queryErrors"], |one| {
        vec![text(&one["timestamp"]), text(&one["type"]), text(&one["errorMessage"])]
    });
    let lists = [
        Listing::table("Overridden Properties", &["Property", "Value"], overridden),
        Listing { title: "Errors".to_owned(), ..errors },
        lines("Execution plan", &plan),
        lines("Processing topology", if topology == plan { "" } else { &topology }),
    ];
    let lists = lists.into_iter().filter(|list| !list.rows.is_empty());
    [facts, fields(described)].into_iter().filter(|list| !list.rows.is_empty()).chain(lists).collect()
}

/// A table that the server makes of what it knows. Its name is the last word of the statement.
fn system_table(entity: &Value) -> Listing {
    let statement = text(&entity["statementText"]).to_uppercase();
    let mut words = statement.trim_end_matches(';').split_whitespace().filter(|word| *word != "EXTENDED");
    let title = format!("{:<21}: {}", "Name", words.next_back().unwrap_or_default());
    Listing { title, ..cells(&["Field", "Type"], &entity["fields"]) }
}

/// An entity that is not known: its members.
fn members(entity: &Value) -> Listing {
    let hidden = ["@type", "statementText", "warnings"];
    let members = entity.as_object().cloned().unwrap_or_else(Map::new);
    let shown = members.into_iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    Listing::facts(shown.map(|(name, value)| (name, text(&value))))
}

/// A table that has its title, headings and cells with it.
fn titled(listing: &Value) -> Listing {
    let columns: Vec<String> = items(&listing["columns"]).map(text).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    Listing { title: text(&listing["title"]), ..cells(&columns, &listing["rows"]) }
}

fn cells(columns: &[&str], rows: &Value) -> Listing {
    let rows = items(rows).map(|row| items(row).map(text).collect());
    Listing::table("", columns, rows.collect())
}

fn table(columns: &[&str], list: &Value, row: impl Fn(&Value) -> Vec<String>) -> Listing {
    Listing::table("", columns, items(list).map(row).collect())
}

/// Lines of text; none for an empty text.
fn lines(title: &str, text: &str) -> Listing {
    Listing::table(title, &[], text.lines().map(|line| vec![line.to_owned()]).collect())
}

fn advice(text: &str) -> Listing {
    Listing { form: ListingForm::Advice, ..lines("", text) }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn joined(list: &Value) -> String {
    items(list).map(text).collect::<Vec<_>>().join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as it is, nothing for null, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Titles, headings and cells, a line each.
    fn shown(entity: &Value) -> Vec<String> {
        let of_answer = |answer: Answer| match answer {
            Answer::Response(Response::Listing(listings)) => listings
                .into_iter()
                .flat_map(|listing| {
                    let rows: Vec<String> = listing.rows.iter().map(|row| row.join("|")).collect();
                    [listing.title, listing.columns.join("|")].into_iter().chain(rows)
                })
                .filter(|line| !line.is_empty())
                .collect(),
            Answer::Response(response) => vec![response.message().unwrap_or_default().to_owned()],
            Answer::Printed(_) => Vec::new(),
        };
        answers(entity).into_iter().flat_map(of_answer).collect::<Vec<_>>()
    }

    #[test]
    fn commands_answer_with_a_line_and_their_warnings() {
        let entity = json!({
            "@type": "currentStatus", "commandStatus": {"status": "SUCCESS", "message": "Stream created"},
            "warnings": [{"message": "deprecated"}],
        });
        assert_eq!(shown(&entity), ["Stream created", "warning: deprecated"]);
        let entity = json!({"@type": "assert_topic", "topicName": "t", "exists": false});
        assert_eq!(shown(&entity), ["Topic t does not exist."]);
    }

    #[test]
    fn connectors_are_shown_as_the_engine_shows_them() {
        let entity =
            json!({"@type": "connector_info", "info": {"name": "c", "config": {}, "tasks": [], "type": "source"}});
        assert_eq!(shown(&entity), ["Created connector c"]);
        let entity = json!({"@type": "drop_connector", "connectorName": "c"});
        assert_eq!(shown(&entity), ["Dropped connector \"c\""]);
        let entity = json!({"@type": "warning_entity", "message": "Connector c already exists"});
        assert_eq!(shown(&entity), ["Connector c already exists"]);
        let entity = json!({"@type": "connector_list", "connectors": [
            {"name": "c", "type": "source", "className": "a.B", "state": "RUNNING (1/1 tasks RUNNING)"}]});
        let expected = ["Connector Name|Type|Class|Status", "c|SOURCE|a.B|RUNNING (1/1 tasks RUNNING)"];
        assert_eq!(shown(&entity), expected);
        let entity = json!({"@type": "connector_plugins_list", "connectorsPlugins": [
            {"className": "a.B", "type": "sink", "version": "1.0"}]});
        assert_eq!(shown(&entity), ["Class|Type|Version", "a.B|SINK|1.0"]);
    }

    #[test]
    fn a_connector_is_described_with_its_tasks_sources_and_topics() {
        let mut entity = json!({"@type": "connector_description", "connectorClass": "a.B",
            "status": {
                "name": "c", "type": "source", "connector": {"state": "RUNNING", "worker_id": "w:8083", "trace": null},
                "tasks": [{"id": 0, "state": "FAILED", "worker_id": "w:8083", "trace": "gone"}],
            },
            "sources": [{"name": "S", "topic": "t", "type": "STREAM"}], "topics": ["t"],
            "warnings": [{"message": "careful"}],
        });
        let own = ["Name|Class|Type|State|WorkerId|Trace", "c|a.B|source|RUNNING|w:8083|"];
        let tasks = ["Task ID|State|Error Trace", "0|FAILED|gone"];
        let topics = ["ksqlDB Source Name|Kafka Topic|Type", "S|t|STREAM", "Related Topics", "t"];
        assert_eq!(shown(&entity), [&own[..], &tasks, &topics, &["warning: careful"]].concat());
        (entity["sources"], entity["topics"], entity["warnings"]) = (json!([]), json!([]), json!([]));
        assert_eq!(shown(&entity), [own, tasks].concat(), "what there is not is not shown");
    }

    #[test]
    fn a_description_is_as_that_of_the_engine() {
        let nested = json!({"type": "ARRAY", "memberSchema": {"type": "STRUCT", "fields": [
            {"name": "A", "schema": {"type": "DECIMAL", "parameters": {"precision": 4, "scale": 2}}}]}});
        let entity = json!({"@type": "sourceDescription", "sourceDescription": {
        "name": "N", "type": "TABLE", "windowType": "TUMBLING", "extended": false,
        "fields": [
            {"name": "K", "schema": {"type": "STRING"}, "type": "KEY"},
            {"name": "V", "schema": nested},
            {"name": "H", "schema": {"type": "BYTES"}, "type": "HEADER", "headerKey": "h"},
        ]}});
        assert_eq!(
            shown(&entity),
            [
                "Name                 : N",
                "Field|Type",
                "K|VARCHAR(STRING)  (primary key) (Window type: TUMBLING)",
                "V|ARRAY<STRUCT<`A` DECIMAL(4, 2)>>",
                "H|BYTES            (header('h'))",
                "For runtime statistics and query details run: DESCRIBE N EXTENDED;",
            ]
        );
    }

    #[test]
    fn replicas_are_one_number_where_they_are_the_same() {
        let entity = json!({"@type": "kafka_topics", "topics": [
            {"name": "a", "replicaInfo": [3, 3]}, {"name": "b", "replicaInfo": [3, 2]}]});
        assert_eq!(shown(&entity)[1..], ["a|2|3", "b|2|3, 2"]);
    }

    #[test]
    fn what_is_not_known_is_shown_by_its_members() {
        let entity = json!({"@type": "new_thing", "statementText": "X;", "colour": "red", "sizes": [1, 2]});
        assert_eq!(shown(&entity), ["colour|sizes", "red|[1,2]"]);
    }
}
