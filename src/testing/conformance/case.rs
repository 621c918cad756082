//! Case files: JSON to [`Case`].

use serde::Deserialize;
use serde_json::{Map, Value};

/// A file of cases.
#[derive(Debug, Deserialize)]
pub struct CaseFile {
    /// The cases.
    pub tests: Vec<Case>,
}

/// One case. Members that nobody needs are not read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Unique id.
    pub id: String,
    /// SQL texts, in order.
    pub statements: Vec<String>,
    /// Session properties.
    #[serde(default)]
    pub properties: Map<String, Value>,
    /// Topics that exist beforehand.
    #[serde(default)]
    pub topics: Vec<CaseTopic>,
    /// Records fed.
    #[serde(default)]
    pub inputs: Vec<CaseRecord>,
    /// Records expected.
    #[serde(default)]
    pub outputs: Vec<CaseRecord>,
    /// Expected refusal (qtt).
    pub expected_exception: Option<ExpectedException>,
    /// Expected refusal (rqtt).
    pub expected_error: Option<ExpectedError>,
    /// Conditions after the run (qtt).
    pub post: Option<Post>,
    /// Answers expected (rqtt).
    pub responses: Option<Vec<Map<String, Value>>>,
    /// Whether its queries are asked for messages of Protobuf too (rqtt).
    #[serde(default)]
    pub test_pull_with_proto_format: bool,
    /// Conditions on the input (rqtt).
    pub input_conditions: Option<InputConditions>,
    /// Conditions on the output (rqtt).
    pub output_conditions: Option<OutputConditions>,
}

/// A topic that exists beforehand.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseTopic {
    /// Its name.
    pub name: String,
    /// Its partitions; 1 if nobody says how many.
    pub partitions: Option<u32>,
    /// Schema of its keys: JSON, or the text of a Protobuf file.
    #[serde(default)]
    pub key_schema: Value,
    /// Schema of its values.
    #[serde(default)]
    pub value_schema: Value,
    /// Language of the schema of its keys.
    pub key_format: Option<String>,
    /// Language of the schema of its values.
    pub value_format: Option<String>,
    /// Id that the schema of its keys must get.
    pub key_schema_id: Option<u32>,
    /// Id that the schema of its values must get.
    pub value_schema_id: Option<u32>,
    /// What the schema of its keys refers to.
    #[serde(default)]
    pub key_schema_references: Vec<CaseReference>,
    /// What the schema of its values refers to.
    #[serde(default)]
    pub value_schema_references: Vec<CaseReference>,
}

/// A schema that others refer to by its name.
#[derive(Debug, Clone, Deserialize)]
pub struct CaseReference {
    /// Its name, which is its subject.
    pub name: String,
    /// Its language.
    pub format: Option<String>,
    /// The schema.
    pub schema: Value,
}

/// A record, as JSON.
#[derive(Debug, Clone, Deserialize)]
pub struct CaseRecord {
    /// Topic.
    pub topic: String,
    /// Key; null and absent are the same.
    #[serde(default)]
    pub key: Value,
    /// Value.
    #[serde(default)]
    pub value: Value,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// Window of the key.
    pub window: Option<CaseWindow>,
    /// Headers.
    pub headers: Option<Vec<CaseHeader>>,
}

/// Window of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct CaseWindow {
    /// Inclusive start.
    pub start: i64,
    /// End: exclusive for time windows, inclusive for sessions.
    pub end: i64,
    /// Family.
    #[serde(rename = "type")]
    pub family: WindowFamily,
}

/// Family of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowFamily {
    /// Tumbling and hopping.
    #[serde(alias = "TIME")]
    Time,
    /// Session.
    #[serde(alias = "SESSION")]
    Session,
}

/// A header: base64 or null.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct CaseHeader {
    /// Name.
    pub key: String,
    /// Bytes, as base64.
    pub value: Option<String>,
}

/// How a qtt case must fail.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedException {
    /// A Java class.
    #[serde(rename = "type")]
    pub class: Option<String>,
    /// Fragment of the text.
    pub message: Option<String>,
    /// Fragment of the text of the cause.
    pub cause_message: Option<String>,
}

/// How an rqtt case must fail.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ExpectedError {
    /// A Java class.
    #[serde(rename = "type")]
    pub class: Option<String>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Fragment of the text.
    pub message: Option<String>,
}

/// Conditions after a run.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Post {
    /// Sources that must exist.
    #[serde(default)]
    pub sources: Vec<PostSource>,
    /// Conditions on topics.
    pub topics: Option<PostTopics>,
}

/// A source that must exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostSource {
    /// Its name.
    pub name: String,
    /// `stream` or `table`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Column list.
    pub schema: Option<String>,
    /// Format of the key.
    pub key_format: Option<PostFormat>,
    /// Format of the value.
    pub value_format: Option<String>,
    /// Created with CREATE SOURCE.
    pub is_source: Option<bool>,
}

/// Format and window of a key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostFormat {
    /// Name of the format.
    pub format: String,
    /// `TUMBLING`, `HOPPING` or `SESSION`.
    pub window_type: Option<String>,
    /// Milliseconds.
    pub window_size: Option<i64>,
}

/// Conditions on topics.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PostTopics {
    /// No topic may match this.
    pub blacklist: Option<String>,
    /// Topics that must exist.
    #[serde(default)]
    pub topics: Vec<PostTopic>,
}

/// A topic that must exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostTopic {
    /// Its name.
    pub name: String,
    /// Format of the key.
    pub key_format: Option<PostTopicFormat>,
    /// Format of the value.
    pub value_format: Option<PostTopicFormat>,
    /// Latest schema of the key.
    #[serde(default)]
    pub key_schema: Value,
    /// Latest schema of the value.
    #[serde(default)]
    pub value_schema: Value,
}

/// Format of one side of a topic.
#[derive(Debug, Clone, Deserialize)]
pub struct PostTopicFormat {
    /// Name of the format.
    pub format: String,
}

/// Conditions on the input of an rqtt case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InputConditions {
    /// The query runs before the records are produced.
    #[serde(default)]
    pub wait_for_active_push_query: bool,
}

/// Conditions on the output of an rqtt case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputConditions {
    /// The order of rows counts.
    #[serde(default)]
    pub verify_order: bool,
}

impl Case {
    /// The statements as one script: statement *n* starts on line *n* when the ones before are one-liners.
    pub fn script(&self) -> String {
        self.statements.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_ignored_and_digits_kept() {
        let text = r#"{"id": "x - y", "statements": [], "coment": 1, "topics": [{"name": "t", "schema": {}}],
            "outputs": [{"topic": "T", "value": {"A": 1.10}, "N4": 0, "window": {"start": 0, "end": 9, "type": "session"}}]}"#;
        let case: Case = serde_json::from_str(text).expect("a case");
        assert_eq!(case.topics[0].partitions, None);
        let record = &case.outputs[0];
        assert_eq!((record.value["A"].to_string().as_str(), record.timestamp), ("1.10", None));
        assert_eq!(record.key, Value::Null);
        assert_eq!(record.window.expect("a window").family, WindowFamily::Session);
    }
}
