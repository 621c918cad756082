//! The log as JSON, a line per event: `LEVADA_LOG_FORMAT=json`.
//!
//! ```json
//! {"time":"2024-05-01T12:00:00.123456Z","level":"WARN","target":"levada::runtime::slot","message":"…","query":"CSAS_A_1","task":"0_3"}
//! ```
//!
//! Fields of an event stand beside `message` under their names: `query`, `task`, `topic`, `partition`, `offset`, `stage` are those that
//! events of queries have.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes an event as an object.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        writeln!(writer, "{}", line(&time, metadata.level().as_str(), metadata.target(), |fields| event.record(fields)))
    }
}

/// The line of an event whose fields `record` tells.
fn line(time: &str, level: &str, target: &str, record: impl FnOnce(&mut Fields)) -> String {
    let mut fields = Fields::default();
    record(&mut fields);
    let mut object = Map::new();
    let message = fields.0.remove("message").unwrap_or_else(|| Value::String(String::new()));
    let first = [("time", time.into()), ("level", level.into()), ("target", target.into()), ("message", message)];
    object.extend(first.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    for (name, value) in fields.0 {
        object.entry(name).or_insert(value);
    }
    Value::Object(object).to_string()
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn an_event_is_one_object_on_one_line() {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt().event_format(JsonLines).with_writer(written.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(query = %"CSAS_A_1", task = "0_3", offset = 7_i64, "no \"JSON\"\nat all");
        });
        let text = String::from_utf8(written.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("text");
        assert_eq!(text.lines().count(), 1, "{text}");
        let object: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(object["message"], "no \"JSON\"\nat all");
        assert_eq!(
            (&object["level"], &object["query"], &object["task"]),
            (&"WARN".into(), &"CSAS_A_1".into(), &"0_3".into())
        );
        assert_eq!(object["offset"], 7);
        assert!(object["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    }
}
