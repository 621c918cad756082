//! What a server has, by name, for completion.

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::connection::Connection;
use super::entities::{text, type_text};
use crate::shell::backend::Words;
use crate::shell::{KnownFunction, KnownSource, Vocabulary};

/// Asks for names one kind after the other; what the server does not tell stays as it was known.
pub(super) fn learn(connection: &Connection, words: &Words) {
    let sources: Vec<KnownSource> = [("stream", "DESCRIBE STREAMS;"), ("table", "DESCRIBE TABLES;")]
        .into_iter()
        .flat_map(|(kind, statement)| listed(connection, statement, "sourceDescriptions", |one| source(kind, one)))
        .collect();
    put(words, |known| known.sources = sources);
    let topics = listed(connection, "SHOW TOPICS;", "topics", |one| text(&one["name"]));
    put(words, |known| known.topics = topics);
    let queries = listed(connection, "SHOW QUERIES;", "queries", |one| text(&one["id"]));
    put(words, |known| known.queries = queries);
    // Functions come and go rarely; there are hundreds.
    if words.lock().unwrap_or_else(PoisonError::into_inner).functions.is_empty() {
        let functions = listed(connection, "SHOW FUNCTIONS;", "functions", |one| KnownFunction {
            name: text(&one["name"]),
            about: text(&one["type"]).to_lowercase(),
        });
        put(words, |known| known.functions = functions);
    }
}

fn put(words: &Words, change: impl FnOnce(&mut Vocabulary)) {
    change(&mut words.lock().unwrap_or_else(PoisonError::into_inner));
}

/// What `one` makes of each item of the list that answers `statement`.
fn listed<T>(connection: &Connection, statement: &str, member: &str, one: impl Fn(&Value) -> T) -> Vec<T> {
    let answered = connection.post_for_json("/ksql", &json!({"ksql": statement})).unwrap_or_default();
    answered[0][member].as_array().into_iter().flatten().map(one).collect()
}

fn source(kind: &'static str, described: &Value) -> KnownSource {
    let fields = described["fields"].as_array().into_iter().flatten();
    KnownSource {
        name: text(&described["name"]),
        kind,
        columns: fields.map(|field| (text(&field["name"]), type_text(&field["schema"]))).collect(),
    }
}
