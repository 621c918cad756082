//! Names that a person may want to complete, with what they are.

use std::fmt;

use crate::catalog::{Catalog, Collection};
use crate::functions::Function;

/// What there is, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Streams and tables.
    pub sources: Vec<KnownSource>,
    /// Functions.
    pub functions: Vec<KnownFunction>,
    /// Topics.
    pub topics: Vec<String>,
    /// Queries.
    pub queries: Vec<String>,
    /// Types of users.
    pub types: Vec<String>,
}

/// A stream or table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSource {
    /// Its name as it is stored.
    pub name: String,
    /// `stream` or `table`.
    pub kind: &'static str,
    /// Names and types of its columns.
    pub columns: Vec<(String, String)>,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFunction {
    /// Its name, in capitals.
    pub name: String,
    /// How it is called and what it gives, or what it is for: `ABS(val DOUBLE) → DOUBLE`.
    pub about: String,
}

impl fmt::Display for KnownSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        write!(f, "{} ({})", self.kind, columns.join(", "))
    }
}

impl Vocabulary {
    /// What `catalog` has.
    pub(super) fn of_catalog(catalog: &Catalog) -> Self {
        let source = |source: &std::sync::Arc<crate::catalog::DataSource>| KnownSource {
            name: source.name.clone(),
            kind: if source.collection == Collection::Stream { "stream" } else { "table" },
            columns: (source.schema.key.iter().chain(&source.schema.value))
                .map(|column| (column.name.clone(), column.sql_type.to_string()))
                .collect(),
        };
        Self {
            sources: catalog.sources().map(source).collect(),
            functions: catalog.functions().functions().map(known_function).collect(),
            topics: Vec::new(),
            queries: catalog.queries().map(|query| query.id.to_string()).collect(),
            types: catalog.custom_types().map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

fn known_function(function: &Function) -> KnownFunction {
    let name = function.name();
    let about = match function.variations.as_slice() {
        [] => function.description.clone(),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { "" } else { " …" };
            format!("{} → {}{more}", Function::call_text(&name, first), first.returns.shown())
        }
    };
    KnownFunction { name, about }
}
