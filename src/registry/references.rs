//! What schemas refer to: the texts of other schemas, those of each before its own.

use std::collections::HashSet;

use super::{RegistryError, SchemaDocument, SchemaReference, SchemaRegistry};

/// A schema that another one refers to: the name that it has there, and its text.
pub type Reference = (String, String);

/// Why what a schema refers to cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The registry has no answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There is no such version.
    #[error("it refers to version {version} of subject '{subject}', which is not there")]
    Missing {
        /// The subject.
        subject: String,
        /// Its version.
        version: u32,
    },
    /// A schema of another language.
    #[error("it refers to '{subject}', which is of another language")]
    Language {
        /// The subject.
        subject: String,
    },
    /// The references come to no end.
    #[error("its references lead back to itself, or are nested more than {DEPTH_MAX} deep")]
    Endless,
}

/// Deeper than people nest references.
const DEPTH_MAX: usize = 32;

/// The texts of all that `document` refers to, in an order in which each knows those before it, by the names that they are referred
/// to by; of equal names the first counts.
///
/// # Errors
/// A reference that leads nowhere, or the registry's.
pub fn references_of(
    document: &SchemaDocument,
    registry: &dyn SchemaRegistry,
) -> Result<Vec<Reference>, ReferenceError> {
    let mut walk = Walk { registry, found: Vec::new(), done: HashSet::new(), open: Vec::new() };
    walk.collect(document)?;
    Ok(walk.found)
}

/// As [`references_of`], the texts alone.
///
/// # Errors
/// The same.
pub fn referenced_texts(
    document: &SchemaDocument,
    registry: &dyn SchemaRegistry,
) -> Result<Vec<String>, ReferenceError> {
    Ok(references_of(document, registry)?.into_iter().map(|(_, text)| text).collect())
}

/// A version of a subject.
type Version = (String, u32);

struct Walk<'r> {
    registry: &'r dyn SchemaRegistry,
    found: Vec<Reference>,
    /// Versions that were walked through: many may refer to one, and it is walked through once.
    done: HashSet<Version>,
    /// Versions on the way from the document to here.
    open: Vec<Version>,
}

impl Walk<'_> {
    fn collect(&mut self, document: &SchemaDocument) -> Result<(), ReferenceError> {
        for SchemaReference { name, subject, version } in &document.references {
            let place = (subject.clone(), *version);
            let schema = self.registry.version(subject, *version)?;
            let schema =
                schema.ok_or_else(|| ReferenceError::Missing { subject: subject.clone(), version: *version })?;
            if schema.schema.schema_type != document.schema_type {
                return Err(ReferenceError::Language { subject: subject.clone() });
            }
            if self.open.contains(&place) || self.open.len() >= DEPTH_MAX {
                return Err(ReferenceError::Endless);
            }
            if self.done.insert(place.clone()) {
                self.open.push(place);
                self.collect(&schema.schema)?;
                self.open.pop();
            }
            if self.found.iter().all(|(other, _)| other != name) {
                self.found.push((name.clone(), schema.schema.text));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{MemoryRegistry, SchemaType};

    /// A schema with the text `text` that refers to version 1 of `subjects`, by their names and by their names with a `'`.
    fn schema(text: &str, subjects: &[&str]) -> SchemaDocument {
        let reference = |subject: &&str| {
            let names = [(*subject).to_owned(), format!("{subject}'")];
            names.map(|name| SchemaReference { name, subject: (*subject).to_owned(), version: 1 })
        };
        let references = subjects.iter().flat_map(reference).collect();
        SchemaDocument { references, ..SchemaDocument::new(SchemaType::Avro, text) }
    }

    #[test]
    fn what_is_referred_to_comes_first_under_every_name() {
        let registry = MemoryRegistry::new();
        registry.register("a", &schema("A", &[])).expect("anything fits");
        registry.register("b", &schema("B", &["a"])).expect("anything fits");
        let found = references_of(&schema("C", &["b", "a"]), &registry).expect("all are there");
        let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(found, [("a", "A"), ("a'", "A"), ("b", "B"), ("b'", "B")]);
    }

    #[test]
    fn many_ways_to_one_schema_are_one_walk() {
        let registry = MemoryRegistry::new();
        registry.register("s0", &schema("0", &[])).expect("anything fits");
        for number in 1..DEPTH_MAX {
            let before = format!("s{}", number - 1);
            registry.register(&format!("s{number}"), &schema(&number.to_string(), &[&before])).expect("anything fits");
        }
        // Each refers twice to the one before: two to the power of thirty-one ways lead to the first.
        let texts = referenced_texts(&schema("last", &[&format!("s{}", DEPTH_MAX - 1)]), &registry);
        assert_eq!(texts.map(|texts| texts.len()), Ok(2 * DEPTH_MAX));
    }

    #[test]
    fn references_that_lead_nowhere_or_back_are_refused() {
        let registry = MemoryRegistry::new();
        let error = |document: &SchemaDocument| references_of(document, &registry).map_err(|error| error.to_string());
        let missing = "it refers to version 1 of subject 'a', which is not there";
        assert_eq!(error(&schema("A", &["a"])), Err(missing.to_owned()));
        registry.register("a", &schema("A", &["b"])).expect("anything fits");
        registry.register("b", &schema("B", &["a"])).expect("anything fits");
        let endless = "its references lead back to itself, or are nested more than 32 deep";
        assert_eq!(error(&schema("C", &["a"])), Err(endless.to_owned()));
        registry.register("p", &SchemaDocument::new(SchemaType::Protobuf, "P")).expect("anything fits");
        assert_eq!(error(&schema("A", &["p"])), Err("it refers to 'p', which is of another language".to_owned()));
    }
}
