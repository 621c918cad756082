//! Why the catalog refuses a change.

use std::path::PathBuf;

use super::Collection;

/// A change that would leave the catalog without sense. Texts are ksqlDB's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The name is taken.
    #[error(
        "Cannot add {} '{name}': A {} with the same name already exists",
        .adding.noun(),
        .existing.noun()
    )]
    SourceExists {
        /// The name.
        name: String,
        /// What should be added.
        adding: Collection,
        /// What is there.
        existing: Collection,
    },
    /// `DROP STREAM` of what is not there.
    #[error("{} {name} does not exist.", title(*.collection))]
    UnknownSource {
        /// The name.
        name: String,
        /// What was to be dropped.
        collection: Collection,
    },
    /// `DROP TABLE` of a stream, or the other way round.
    #[error(
        "Incompatible data source type is {}, but statement was DROP {}",
        .existing.keyword(),
        .dropped.keyword()
    )]
    WrongKind {
        /// What is there.
        existing: Collection,
        /// What was to be dropped.
        dropped: Collection,
    },
    /// Other streams or tables are made from it.
    #[error(
        "Cannot drop {name}.\nThe following streams and/or tables read from this source: [{}].\n\
         You need to drop them before dropping {name}.",
        .readers.join(", ")
    )]
    HasReaders {
        /// The name.
        name: String,
        /// Streams and tables made from it.
        readers: Vec<String>,
    },
    /// INSERT INTO queries read or write it.
    #[error(
        "Cannot drop {name}.\nThe following queries read from this source: [{}].\n\
         The following queries write into this source: [{}].\n\
         You need to terminate them before dropping {name}.",
        .readers.join(", "),
        .writers.join(", ")
    )]
    HasQueries {
        /// The name.
        name: String,
        /// Queries that read it.
        readers: Vec<String>,
        /// Queries that write it.
        writers: Vec<String>,
    },
    /// `TERMINATE` of a query that is not there.
    #[error("Unknown queryId: {id}")]
    UnknownQuery {
        /// The id.
        id: String,
    },
    /// `CREATE TYPE` of a name that is taken.
    #[error("Cannot register custom type '{name}' since it is already registered with type: {existing}")]
    TypeExists {
        /// The name.
        name: String,
        /// What it stands for.
        existing: String,
    },
    /// `DROP FUNCTION` of what is not there.
    #[error("Function {name} does not exist.")]
    UnknownFunction {
        /// The name.
        name: String,
    },
    /// `DROP FUNCTION` of what no statement has made.
    #[error(
        "Cannot drop function {name}: it {}.",
        match .origin {
            None => "is built in".to_owned(),
            Some(path) => format!("comes with the server, from {}", path.display()),
        }
    )]
    FixedFunction {
        /// The name.
        name: String,
        /// Its file in the extension folder.
        origin: Option<PathBuf>,
    },
    /// `DROP FUNCTION` of what is called.
    #[error(
        "Cannot drop function {name}.{}{}\nYou need to drop them before dropping {name}.",
        callers("queries", .queries),
        callers("functions", .functions)
    )]
    FunctionInUse {
        /// The name.
        name: String,
        /// Queries that call it.
        queries: Vec<String>,
        /// Functions that call it.
        functions: Vec<String>,
    },
    /// `DROP TYPE` of what is not there.
    #[error("Type {name} does not exist.")]
    UnknownType {
        /// The name.
        name: String,
    },
}

/// A line about who calls a function, if anybody does.
fn callers(what: &str, names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("\nThe following {what} call it: [{}].", names.join(", ")) }
}

fn title(collection: Collection) -> &'static str {
    match collection {
        Collection::Stream => "Stream",
        Collection::Table => "Table",
    }
}
