//! All properties, by what obeys them.

mod engine;
mod inert;
mod kafka;
mod server;

use super::property::Property;

/// A part of the table.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// What obeys these properties.
    pub title: &'static str,
    /// What is said of all of them.
    pub introduction: &'static str,
    /// By name.
    pub properties: &'static [Property],
}

/// The table.
pub const SECTIONS: [Section; 4] = [
    Section { title: "The engine", introduction: "What statements and queries do.", properties: engine::ENGINE },
    Section {
        title: "The server",
        introduction: "How clients and other servers reach it.",
        properties: server::SERVER,
    },
    Section {
        title: "Kafka",
        introduction: "What Levada's clients are told, as ksqlDB writes it: behind `ksql.streams.` or not, and behind `consumer.`, \
                       `producer.` or `admin.` for one kind of client. All settings of librdkafka are taken beside these; \
                       those of Java's clients that librdkafka does not have are passed over.",
        properties: kafka::KAFKA,
    },
    Section {
        title: "Without effect",
        introduction: "ksqlDB has these. Files that hold them work; they change nothing here.",
        properties: inert::INERT,
    },
];

/// All properties.
pub fn properties() -> impl Iterator<Item = &'static Property> {
    SECTIONS.iter().flat_map(|section| section.properties)
}

/// Whether only the server itself asks for the property: no client of Kafka does.
pub(super) fn is_of_server(name: &str) -> bool {
    [server::SERVER, inert::INERT].iter().any(|part| part.iter().any(|property| property.name == name))
}

/// The property with exactly this name.
pub fn find(name: &str) -> Option<&'static Property> {
    let found = |section: &Section| {
        let properties = section.properties;
        properties.binary_search_by_key(&name, |property| property.name).ok().map(|at| &properties[at])
    };
    SECTIONS.iter().find_map(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_names_are_in_order_and_there_once() {
        for section in SECTIONS {
            let disorder = section.properties.windows(2).find(|pair| pair[0].name >= pair[1].name);
            assert!(disorder.is_none(), "{}: {disorder:?}", section.title);
        }
        let names: BTreeSet<&str> = properties().map(|property| property.name).collect();
        assert_eq!(names.len(), properties().count());
    }

    #[test]
    fn defaults_are_values_that_the_property_takes() {
        for property in properties() {
            let checked = property.default.map_or(Ok(()), |value| property.kind.check(value));
            assert_eq!(checked, Ok(()), "{}", property.name);
            assert!(!property.meaning.is_empty() && !property.meaning.ends_with('.'), "{}", property.name);
        }
    }
}
