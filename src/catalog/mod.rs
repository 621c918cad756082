//! What exists: streams, tables, custom types, functions, and which persistent queries connect them. The only place that changes it.
//!
//! ```text
//!   topic ◀── over ── source (stream, table) ◀── reads, fills ── query ── calls ──▶ function ── calls ──▶ function
//!                        │ columns of
//!                        ▼
//!                    SQL types, custom types by name
//! ```
//!
//! Every arrow is found from its other end, too ([`Catalog::sources_over`], [`Catalog::readers`], [`Catalog::writers`],
//! [`Catalog::queries_calling`]): that says what may be dropped, and what follows a change. System tables stand beside it: they are
//! always there.
//!
//! A [`Catalog`] is a value. A copy costs nothing and a change only what it changes, so every statement is tried on a copy
//! first, nothing is half-created, and a statement costs the same however much exists.

mod error;
mod function;
mod links;
mod query;
mod source;
mod system_tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

use crate::functions::{Function, Registry};
use crate::types::SqlType;

pub use error::CatalogError;
pub use function::{FunctionDefinition, FunctionInfo};
use links::Links;
pub use query::{QueryId, QueryInfo, QueryKind};
pub use source::{Collection, DataSource, Envelope, HeaderColumn, TimestampColumn, WindowType};
pub use system_tables::system_table;
#[cfg(test)]
pub(crate) use system_tables::system_tables;

/// Streams, tables, types, queries and functions by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    sources: RedBlackTreeMapSync<String, Arc<DataSource>>,
    types: RedBlackTreeMapSync<String, SqlType>,
    queries: RedBlackTreeMapSync<QueryId, Arc<QueryInfo>>,
    /// Sources to the queries that read them.
    readers: Links,
    /// Sources to the queries that fill them.
    writers: Links,
    /// Topics to the sources over them.
    over_topics: Links,
    functions: Arc<Registry>,
    /// Those of the functions that statements have made.
    defined: RedBlackTreeMapSync<String, Arc<FunctionInfo>>,
    /// Functions to the queries that call them.
    calling_queries: Links,
    /// Functions to the functions that call them.
    calling_functions: Links,
}

impl Catalog {
    /// A catalog without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A catalog without anything but `functions`.
    pub fn with_functions(functions: Arc<Registry>) -> Self {
        Self { functions, ..Self::default() }
    }

    /// The functions that statements may call.
    pub fn functions(&self) -> &Arc<Registry> {
        &self.functions
    }

    /// The function called `name`, in any case, if a statement has made it.
    pub fn defined_function(&self, name: &str) -> Option<&Arc<FunctionInfo>> {
        self.defined.get(&name.to_uppercase())
    }

    /// All functions that statements have made, by name.
    pub fn defined_functions(&self) -> impl Iterator<Item = &Arc<FunctionInfo>> {
        self.defined.values()
    }

    /// Queries that call the function `name`, which is in capitals, by id.
    pub fn queries_calling(&self, name: &str) -> impl Iterator<Item = &Arc<QueryInfo>> {
        self.calling_queries.of(name).filter_map(|id| self.query(&QueryId::new(id)))
    }

    /// Functions that call the function `name`, by name; all in capitals.
    pub fn functions_calling(&self, name: &str) -> impl Iterator<Item = &str> {
        self.calling_functions.of(name)
    }

    /// Why the function `name` cannot be called: its library cannot be used, or that of a function that it calls.
    pub fn function_fault(&self, name: &str) -> Option<String> {
        let (mut seen, mut rest) = (BTreeSet::new(), vec![name.to_uppercase()]);
        while let Some(name) = rest.pop() {
            let Some(info) = self.defined.get(&name) else { continue };
            if let Some(fault) = info.fault() {
                return Some(format!("The function {name} cannot be used: {fault}"));
            }
            rest.extend(info.calls.iter().filter(|called| seen.insert(called.as_str())).cloned());
        }
        None
    }

    /// Why the query `id` cannot run: see [`Catalog::function_fault`].
    pub fn query_fault(&self, id: &QueryId) -> Option<String> {
        self.query(id)?.functions.iter().find_map(|name| self.function_fault(name))
    }

    /// Adds a function that a statement makes, in place of one of the same name.
    pub fn add_function(&mut self, function: Function, info: FunctionInfo) {
        self.forget_function(&info.name);
        Arc::make_mut(&mut self.functions).add(function);
        info.calls.iter().for_each(|called| self.calling_functions.add(called, &info.name));
        self.defined.insert_mut(info.name.clone(), Arc::new(info));
    }

    /// Puts `function` in the place of the one of the same name; what else is known of it stays.
    pub fn replace_body(&mut self, function: Function) {
        Arc::make_mut(&mut self.functions).add(function);
    }

    /// Whether the function `name`, in any case, could be dropped: a statement has made it, and nobody needs it.
    pub fn check_drop_function(&self, name: &str) -> Result<(), CatalogError> {
        let name = name.to_uppercase();
        if !self.defined.contains_key(&name) {
            return Err(match self.functions.get(&name) {
                None => CatalogError::UnknownFunction { name },
                Some(function) => CatalogError::FixedFunction { name, origin: function.origin.clone() },
            });
        }
        let queries: Vec<String> = self.queries_calling(&name).map(|query| query.id.to_string()).collect();
        let functions: Vec<String> = self.functions_calling(&name).map(str::to_owned).collect();
        if !queries.is_empty() || !functions.is_empty() {
            return Err(CatalogError::FunctionInUse { name, queries, functions });
        }
        Ok(())
    }

    /// Drops the function `name`, in any case.
    pub fn drop_function(&mut self, name: &str) -> Result<(), CatalogError> {
        self.check_drop_function(name)?;
        self.forget_function(&name.to_uppercase());
        Arc::make_mut(&mut self.functions).remove(name);
        Ok(())
    }

    fn forget_function(&mut self, name: &str) {
        if let Some(info) = self.defined.get(name).cloned() {
            info.calls.iter().for_each(|called| self.calling_functions.remove(called, name));
            self.defined.remove_mut(name);
        }
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

    /// The persistent query `id`, in any case: ids are in upper case.
    pub fn query_named(&self, id: &str) -> Option<&Arc<QueryInfo>> {
        self.query(&QueryId::new(&id.to_uppercase()))
    }

    /// How many persistent queries there are.
    pub fn query_count(&self) -> usize {
        self.queries.size()
    }

    /// Queries that read `source`, by id.
    pub fn readers(&self, source: &str) -> impl Iterator<Item = &Arc<QueryInfo>> {
        self.readers.of(source).filter_map(|id| self.query(&QueryId::new(id)))
    }

    /// Queries that fill `source`, by id.
    pub fn writers(&self, source: &str) -> impl Iterator<Item = &Arc<QueryInfo>> {
        self.writers.of(source).filter_map(|id| self.query(&QueryId::new(id)))
    }

    /// Streams and tables over `topic`, by name.
    pub fn sources_over(&self, topic: &str) -> impl Iterator<Item = &Arc<DataSource>> {
        self.over_topics.of(topic).filter_map(|name| self.source(name))
    }

    /// Adds a stream or table. An existing one of its kind is replaced where `or_replace` says so.
    pub fn add_source(&mut self, source: DataSource, or_replace: bool) -> Result<(), CatalogError> {
        self.check_add(&source.name, source.collection, or_replace)?;
        self.forget_source(&source.name.clone());
        self.over_topics.add(&source.topic, &source.name);
        self.sources.insert_mut(source.name.clone(), Arc::new(source));
        Ok(())
    }

    fn forget_source(&mut self, name: &str) {
        if let Some(source) = self.sources.get(name) {
            self.over_topics.remove(&source.topic, name);
            self.sources.remove_mut(name);
        }
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
        self.forget_source(name);
        if let Some(id) = &source.created_by_query {
            self.forget_query(id);
        }
        Ok(source)
    }

    /// The catalog as if `name` and the query that fills it were not there, whoever needs them: to see what a statement would mean
    /// that makes it anew.
    #[must_use]
    pub fn without_source(&self, name: &str) -> Self {
        let mut without = self.clone();
        if let Some(id) = self.source(name).and_then(|source| source.created_by_query.as_ref()) {
            without.forget_query(id);
        }
        without.forget_source(name);
        without
    }

    /// Registers a persistent query; one with the same id is replaced.
    pub fn add_query(&mut self, query: QueryInfo) {
        self.forget_query(&query.id);
        query.reads.iter().for_each(|read| self.readers.add(read, query.id.as_str()));
        self.writers.add(&query.sink, query.id.as_str());
        query.functions.iter().for_each(|name| self.calling_queries.add(name, query.id.as_str()));
        self.queries.insert_mut(query.id.clone(), Arc::new(query));
    }

    /// Forgets a persistent query. What it filled stays.
    pub fn remove_query(&mut self, id: &QueryId) -> Result<Arc<QueryInfo>, CatalogError> {
        self.forget_query(id).ok_or_else(|| CatalogError::UnknownQuery { id: id.to_string() })
    }

    fn forget_query(&mut self, id: &QueryId) -> Option<Arc<QueryInfo>> {
        let query = Arc::clone(self.queries.get(id)?);
        query.reads.iter().for_each(|read| self.readers.remove(read, id.as_str()));
        self.writers.remove(&query.sink, id.as_str());
        query.functions.iter().for_each(|name| self.calling_queries.remove(name, id.as_str()));
        self.queries.remove_mut(id);
        Some(query)
    }

    /// Adds a custom type.
    pub fn add_type(&mut self, name: &str, sql_type: SqlType) -> Result<(), CatalogError> {
        if let Some(existing) = self.types.get(name) {
            let existing = existing.to_string();
            return Err(CatalogError::TypeExists { name: name.to_owned(), existing });
        }
        self.types.insert_mut(name.to_owned(), sql_type);
        Ok(())
    }

    /// Removes a custom type. Columns that were declared with it keep their type.
    pub fn remove_type(&mut self, name: &str) -> Result<SqlType, CatalogError> {
        let unknown = || CatalogError::UnknownType { name: name.to_owned() };
        let removed = self.types.get(name).cloned().ok_or_else(unknown)?;
        self.types.remove_mut(name);
        Ok(removed)
    }
}

#[cfg(test)]
mod tests;
