//! Lines of a spec: cells that are compared as text and aligned when they are written.

use super::parse::Text;

/// What one line says, cell by cell: `out`, topic, time, key, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The cells.
    pub cells: Vec<String>,
}

impl Line {
    /// A line of `cells`.
    pub fn new(cells: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { cells: cells.into_iter().map(Into::into).collect() }
    }

    /// The text that is compared.
    pub fn canonical(&self) -> String {
        self.cells.join(" ")
    }

    /// The kind of line and its topic: order counts among lines of one subject.
    pub fn subject(&self) -> (u8, &str) {
        match self.cells.first().map(String::as_str) {
            Some("out") => (0, self.cells.get(1).map_or("", |topic| topic.split('/').next().unwrap_or(""))),
            Some("dead") => (1, ""),
            Some("row") => (2, ""),
            _ => (3, ""),
        }
    }
}

/// The record of an `in` or `out` line, not yet bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition, where the line chooses one.
    pub partition: Option<u32>,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// `#name=text`.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Key, window and value.
    pub rest: &'a str,
}

/// Splits `in TOPIC[/PARTITION] @TIME [#HEADER=TEXT …] REST`.
pub fn fields(line: &Text) -> Result<Fields<'_>, String> {
    let (_, rest) = word(&line.content);
    let (topic, rest) = word(rest);
    let (topic, partition) = match topic.split_once('/') {
        Some((topic, partition)) => {
            (topic, Some(partition.parse().map_err(|_| line.fault("the partition is no number"))?))
        }
        None => (topic, None),
    };
    let (time, mut rest) = word(rest);
    let timestamp = time.strip_prefix('@').and_then(super::time::parse);
    let timestamp =
        timestamp.ok_or_else(|| line.fault("the time is none: write @5s, @1500ms or @2013-01-01T05:00:00Z"))?;
    let mut headers = Vec::new();
    while rest.starts_with('#') {
        let (header, after) = word(rest);
        headers.push(header[1..].split_once('=').ok_or_else(|| line.fault("a header is #name=text"))?);
        rest = after;
    }
    if rest.is_empty() {
        return Err(line.fault("key and value are missing"));
    }
    Ok(Fields { topic, partition, timestamp, headers, rest })
}

/// The first word, and what follows it.
pub fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// The first word, where a JSON string, array or object counts as one, and what follows it.
pub fn json_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    if text.starts_with(['"', '{', '[']) {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
        if let Some(Ok(_)) = values.next() {
            let end = values.byte_offset();
            if text[end..].is_empty() || text[end..].starts_with(char::is_whitespace) {
                return (&text[..end], text[end..].trim_start());
            }
        }
    }
    word(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line() {
        let line = Text { number: 1, content: "in  clicks/2 @61s #trace=a #n=  ann {\"page\": \"/a\"}".to_owned() };
        let expected = Fields {
            topic: "clicks",
            partition: Some(2),
            timestamp: 61_000,
            headers: vec![("trace", "a"), ("n", "")],
            rest: "ann {\"page\": \"/a\"}",
        };
        assert_eq!(fields(&line).expect("complete"), expected);
        for content in ["in t", "in t @soon k v", "in t/x @1 k v", "in t @1"] {
            assert!(fields(&Text { number: 3, content: content.to_owned() }).is_err(), "{content}");
        }
    }

    #[test]
    fn json_counts_as_a_word() {
        assert_eq!(json_word("{\"a\": 1} rest"), ("{\"a\": 1}", "rest"));
        assert_eq!(json_word("\"a b\"   c"), ("\"a b\"", "c"));
        assert_eq!(json_word("[1, 2]"), ("[1, 2]", ""));
        assert_eq!(json_word("{broken rest"), ("{broken", "rest"));
    }
}
