//! Properties by their names with and without the prefix that ksqlDB allows: the name with it counts more.

use std::collections::BTreeMap;

const STREAMS_PREFIX: &str = "ksql.streams.";

/// What the property `name` is set to, under either name.
pub(super) fn property<'p>(properties: &'p BTreeMap<String, String>, name: &str) -> Option<&'p str> {
    let prefixed = properties.get(&format!("{STREAMS_PREFIX}{name}"));
    prefixed.or_else(|| properties.get(name)).map(String::as_str)
}

/// All properties without the prefix: of two that mean the same, the one that counts comes last.
pub(super) fn in_order(properties: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    let plain = properties.iter().filter(|(name, _)| !name.starts_with(STREAMS_PREFIX));
    let prefixed = properties.iter().filter(|(name, _)| name.starts_with(STREAMS_PREFIX));
    plain.chain(prefixed).map(|(name, value)| (name.strip_prefix(STREAMS_PREFIX).unwrap_or(name), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_with_the_prefix_counts_more() {
        let names = ["acks", "ksql.streams.acks", "ksql.streams.retries", "topic.x"];
        let properties = names.map(|name| (name.to_owned(), format!("of {name}"))).into();
        assert_eq!(property(&properties, "acks"), Some("of ksql.streams.acks"));
        assert_eq!(property(&properties, "retries"), Some("of ksql.streams.retries"));
        assert_eq!((property(&properties, "topic.x"), property(&properties, "linger.ms")), (Some("of topic.x"), None));
        let order: Vec<(&str, &str)> = in_order(&properties).collect();
        let expected = [
            ("acks", "of acks"),
            ("topic.x", "of topic.x"),
            ("acks", "of ksql.streams.acks"),
            ("retries", "of ksql.streams.retries"),
        ];
        assert_eq!(order, expected);
    }
}
