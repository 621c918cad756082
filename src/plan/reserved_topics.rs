//! Topics that statements may read and not write: `ksql.readonly.topics`.

use regex::Regex;

use super::settings::Settings;
use crate::configuration::RESERVED_TOPICS;

/// Property with the patterns of topics that nobody writes.
const READ_ONLY: &str = "ksql.readonly.topics";

pub(super) const READ_ONLY_HINT: &str = "the server's property ksql.readonly.topics lists such topics";

/// Whether the server lets nobody write `topic`.
pub(super) fn is_read_only(topic: &str, settings: &Settings) -> bool {
    matches_any(topic, settings.property(READ_ONLY).unwrap_or(RESERVED_TOPICS))
}

/// Whether one of the comma-separated `patterns` describes `topic` as a whole. One that is no pattern is taken literally.
fn matches_any(topic: &str, patterns: &str) -> bool {
    patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).any(|pattern| matches(topic, pattern))
}

fn matches(topic: &str, pattern: &str) -> bool {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match pattern.strip_suffix(".*") {
        // Nearly all patterns are one of these two, and every statement asks.
        Some(prefix) if is_plain(prefix) => topic.starts_with(prefix),
        None if is_plain(pattern) => topic == pattern,
        _ => {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            whole.map_or(pattern == topic, |whole| whole.is_match(topic))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_describe_whole_names() {
        for (topic, patterns, expected) in [
            ("_confluent-x", RESERVED_TOPICS, true),
            ("my_confluent", RESERVED_TOPICS, false),
            ("connect-status", RESERVED_TOPICS, true),
            ("connect-status2", RESERVED_TOPICS, false),
            ("a.b", "x, a.b", true),
            ("ab-12", "x,a[a-c]-\\d+", true),
            ("a(b", "a(b", true),
            ("anything", "", false),
        ] {
            assert_eq!(matches_any(topic, patterns), expected, "{topic} of {patterns}");
        }
    }
}
