//! What exists: streams, tables, custom types, and which persistent queries connect them. The only place that changes it.
//!
//! A [`Catalog`] is a value. Copies share everything until one of them changes, so a whole file of statements is tried
//! on a copy first, and nothing is half-created.

mod error;
mod query;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::types::SqlType;

pub use error::CatalogError;
pub use query::{QueryInfo, QueryKind};
pub use source::{Collection, DataSource, HeaderColumn, QueryId, TimestampColumn, WindowType};

/// Streams, tables, types and queries by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    sources: Arc<BTreeMap<String, Arc<DataSource>>>,
    types: Arc<BTreeMap<String, SqlType>>,
    queries: Arc<BTreeMap<QueryId, Arc<QueryInfo>>>,
}

impl Catalog {
    /// A catalog without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stream or table called `name`.
    pub fn source(&self, name: &str) -> Option<&Arc<DataSource>> {
        self.sources.get(name)
    }

    /// All streams and tables, by name.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<DataSource>> {
        self.sources.values()
    }

    /// The custom type called `name`.
    pub fn custom_type(&self, name: &str) -> Option<&SqlType> {
        self.types.get(name)
    }

    /// All custom types, by name.
    pub fn custom_types(&self) -> impl Iterator<Item = (&str, &SqlType)> {
        self.types.iter().map(|(name, sql_type)| (name.as_str(), sql_type))
    }

    /// The persistent query `id`.
    pub fn query(&self, id: &QueryId) -> Option<&Arc<QueryInfo>> {
        self.queries.get(id)
    }

    /// All persistent queries, by id.
    pub fn queries(&self) -> impl Iterator<Item = &Arc<QueryInfo>> {
        self.queries.values()
    }

    /// Queries that read `source`.
    pub fn readers<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Arc<QueryInfo>> {
        self.queries().filter(move |query| query.reads.iter().any(|read| read == source))
    }

    /// Queries that fill `source`.
    pub fn writers<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Arc<QueryInfo>> {
        self.queries().filter(move |query| query.sink == source)
    }

    /// Adds a stream or table. An existing one of its kind is replaced where `or_replace` says so.
    pub fn add_source(&mut self, source: DataSource, or_replace: bool) -> Result<(), CatalogError> {
        self.check_add(&source.name, source.collection, or_replace)?;
        Arc::make_mut(&mut self.sources).insert(source.name.clone(), Arc::new(source));
        Ok(())
    }

    /// Whether a source of this name and kind could be added.
    pub fn check_add(&self, name: &str, adding: Collection, or_replace: bool) -> Result<(), CatalogError> {
        match self.source(name) {
            Some(existing) if !or_replace || existing.collection != adding => {
                Err(CatalogError::SourceExists { name: name.to_owned(), adding, existing: existing.collection })
            }
            _ => Ok(()),
        }
    }

    /// Whether `name` could be dropped: it exists, is of this kind, and nobody but its own query needs it.
    pub fn check_drop(&self, name: &str, collection: Collection) -> Result<&Arc<DataSource>, CatalogError> {
        let unknown = || CatalogError::UnknownSource { name: name.to_owned(), collection };
        let source = self.source(name).ok_or_else(unknown)?;
        if source.collection != collection {
            return Err(CatalogError::WrongKind { existing: source.collection, dropped: collection });
        }
        let others = |query: &&Arc<QueryInfo>| Some(&query.id) != source.created_by_query.as_ref();
        let derived: Vec<String> = self
            .readers(name)
            .filter(others)
            .filter(|query| query.kind == QueryKind::CreateAs)
            .map(|query| query.sink.clone())
            .collect();
        if !derived.is_empty() {
            return Err(CatalogError::HasReaders { name: name.to_owned(), readers: derived });
        }
        let ids = |queries: Vec<&Arc<QueryInfo>>| queries.iter().map(|query| query.id.to_string()).collect();
        let readers: Vec<_> = self.readers(name).filter(others).collect();
        let writers: Vec<_> = self.writers(name).filter(others).collect();
        if !readers.is_empty() || !writers.is_empty() {
            return Err(CatalogError::HasQueries {
                name: name.to_owned(),
                readers: ids(readers),
                writers: ids(writers),
            });
        }
        Ok(source)
    }

    /// Drops a stream or table and the query that fills it.
    pub fn drop_source(&mut self, name: &str, collection: Collection) -> Result<Arc<DataSource>, CatalogError> {
        let source = Arc::clone(self.check_drop(name, collection)?);
        Arc::make_mut(&mut self.sources).remove(name);
        if let Some(id) = &source.created_by_query {
            Arc::make_mut(&mut self.queries).remove(id);
        }
        Ok(source)
    }

    /// Registers a persistent query; one with the same id is replaced.
    pub fn add_query(&mut self, query: QueryInfo) {
        Arc::make_mut(&mut self.queries).insert(query.id.clone(), Arc::new(query));
    }

    /// Forgets a persistent query. What it filled stays.
    pub fn remove_query(&mut self, id: &QueryId) -> Result<Arc<QueryInfo>, CatalogError> {
        let unknown = || CatalogError::UnknownQuery { id: id.to_string() };
        Arc::make_mut(&mut self.queries).remove(id).ok_or_else(unknown)
    }

    /// Adds a custom type.
    pub fn add_type(&mut self, name: &str, sql_type: SqlType) -> Result<(), CatalogError> {
        if let Some(existing) = self.types.get(name) {
            let existing = existing.to_string();
            return Err(CatalogError::TypeExists { name: name.to_owned(), existing });
        }
        Arc::make_mut(&mut self.types).insert(name.to_owned(), sql_type);
        Ok(())
    }

    /// Removes a custom type. Columns that were declared with it keep their type.
    pub fn remove_type(&mut self, name: &str) -> Result<SqlType, CatalogError> {
        let unknown = || CatalogError::UnknownType { name: name.to_owned() };
        Arc::make_mut(&mut self.types).remove(name).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests;
