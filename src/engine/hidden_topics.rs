//! Topics that only SHOW ALL TOPICS shows: `ksql.hidden.topics`, and what the servers of a service keep for themselves.

use crate::topics::{COMMANDS_LOG, PLACEMENT_LOG, service_topic};

/// Whether `name` is the topic on which the servers of `service` tell each other whom to believe.
pub(super) fn has_secrets(name: &str, service: &str) -> bool {
    name == service_topic(service, PLACEMENT_LOG)
}

/// Which topics are hidden.
pub(super) struct HiddenTopics<'a> {
    patterns: Vec<Vec<&'a str>>,
    /// Topics by which the servers agree.
    own: [String; 2],
}

impl<'a> HiddenTopics<'a> {
    /// Those that `patterns` say, with commas between them, and those of `service`. In a pattern `.*` stands for any text; all
    /// else stands for itself.
    pub(super) fn new(patterns: &'a str, service: &str) -> Self {
        let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        Self {
            patterns: patterns.map(|pattern| pattern.split(".*").collect()).collect(),
            own: [COMMANDS_LOG, PLACEMENT_LOG].map(|name| service_topic(service, name)),
        }
    }

    /// Whether the topic `name` is hidden.
    pub(super) fn contain(&self, name: &str) -> bool {
        self.own.iter().any(|own| own == name) || self.patterns.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether all of `name` is the pieces of a pattern with any text between them.
fn matches(pieces: &[&str], name: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return pieces == [name] };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_tell_each_other_is_on_one_topic() {
        assert!(has_secrets("_confluent-ksql-shop_levada-placement", "shop_"));
        assert!(!has_secrets("_confluent-ksql-shop_levada-placement", "other_"));
        assert!(!has_secrets("_confluent-ksql-shop_levada-commands", "shop_"));
    }

    #[test]
    fn patterns_are_held_against_whole_names() {
        let hidden = HiddenTopics::new("_confluent.*, _schemas,a.*b.*c", "shop_");
        for name in ["_confluent-ksql-x", "_schemas", "abc", "a1b2c"] {
            assert!(hidden.contain(name), "{name}");
        }
        for name in ["orders", "_schemas2", "my_confluent", "ac", "levada-commands", "shop_levada-commands"] {
            assert!(!hidden.contain(name), "{name}");
        }
        assert!(!HiddenTopics::new("", "").contain("orders"));
    }

    #[test]
    fn topics_by_which_servers_agree_are_hidden_whatever_the_patterns_say() {
        let hidden = HiddenTopics::new("_schemas", "shop_");
        for end in ["levada-commands", "levada-placement"] {
            assert!(hidden.contain(&format!("_confluent-ksql-shop_{end}")), "{end}");
            assert!(!hidden.contain(&format!("_confluent-ksql-other_{end}")), "{end}");
        }
    }
}
