//! DROP, TERMINATE, PAUSE, RESUME, types and DESCRIBE: statements about what the catalog holds.

use crate::catalog::{Catalog, CatalogError, QueryId, QueryInfo, QueryKind, system_table};
use crate::sql::ast::{CreateType, DropSource, DropType, Identifier, QueryTarget};

use super::Planned;
use super::create_source::collection;
use super::error::{PlanError, PlanErrorKind, nearest_hint};
use super::reserved_topics::{READ_ONLY_HINT, is_read_only};
use super::scope::similar_source;
use super::settings::Settings;
use super::type_expr::resolve_type;

/// Plans `DROP STREAM|TABLE`.
pub(super) fn drop_source(drop: &DropSource, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    let name = drop.name.as_str();
    let collection = collection(drop.kind);
    if drop.if_exists && catalog.source(name).is_none() {
        let message = format!("Source {name} does not exist.");
        return Ok(Planned::Nothing { message });
    }
    let source = catalog.check_drop(name, collection).map_err(|error| {
        let hint = drop_hint(&error, catalog);
        let refused = PlanError::from(error).or_at(drop.name.span);
        hint.into_iter().fold(refused, PlanError::advising)
    })?;
    if drop.delete_topic && source.is_source {
        let text = format!("Cannot delete topic for read-only source: {name}");
        return Err(PlanError::refused(text, drop.span));
    }
    if drop.delete_topic && is_read_only(&source.topic, settings) {
        let text = format!("Cannot delete read-only topic: {}", source.topic);
        return Err(PlanError::refused_with_hint(text, READ_ONLY_HINT, drop.span));
    }
    let others: Vec<&str> = catalog
        .sources_over(&source.topic)
        .filter(|other| other.name != source.name)
        .map(|other| other.name.as_str())
        .collect();
    if drop.delete_topic && !others.is_empty() {
        let text = format!(
            "Refusing to delete topic. Found other data sources ({}) using topic {}",
            others.join(", "),
            source.topic
        );
        return Err(PlanError::refused(text, drop.span));
    }
    let delete_topic = drop.delete_topic.then(|| source.topic.clone());
    Ok(Planned::Drop { name: name.to_owned(), collection, delete_topic })
}

fn drop_hint(error: &CatalogError, catalog: &Catalog) -> Option<String> {
    match error {
        CatalogError::UnknownSource { name, collection } => {
            let same_kind = catalog.sources().filter(|source| source.collection == *collection);
            nearest_hint(name, same_kind.map(|source| source.name.as_str()))
        }
        CatalogError::WrongKind { existing, .. } => Some(format!("write DROP {}", existing.keyword())),
        _ => None,
    }
}

/// What is done to queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Terminate,
    Pause,
    Resume,
}

/// Plans TERMINATE, PAUSE and RESUME.
pub(super) fn act_on_queries(action: Action, target: &QueryTarget, catalog: &Catalog) -> Result<Planned, PlanError> {
    // The query of a source table lives as long as the table.
    let is_free = |query: &&std::sync::Arc<QueryInfo>| query.kind != QueryKind::CreateSource;
    let ids = match target {
        QueryTarget::All => catalog.queries().filter(is_free).map(|query| query.id.clone()).collect(),
        QueryTarget::Query(id) => vec![one_query(action, id, catalog)?],
    };
    Ok(match action {
        Action::Terminate => Planned::Terminate(ids),
        Action::Pause => Planned::Pause(ids),
        Action::Resume => Planned::Resume(ids),
    })
}

fn one_query(action: Action, id: &Identifier, catalog: &Catalog) -> Result<QueryId, PlanError> {
    let Some(found) = catalog.query_named(id.as_str()) else {
        let text = format!("Unknown queryId: {}", id.name);
        let filled_by = catalog.source(id.as_str()).and_then(|source| source.created_by_query.as_ref());
        let hint = match filled_by {
            Some(query) => Some(format!("{} is filled by {query}", id.name)),
            None => nearest_hint(id.as_str(), catalog.queries().map(|query| query.id.as_str())),
        };
        return Err(PlanError::refused_with(text, hint, id.span));
    };
    if found.kind == QueryKind::CreateSource {
        let verb = match action {
            Action::Terminate => "terminate",
            Action::Pause => "pause",
            Action::Resume => "resume",
        };
        let text = format!("Cannot {verb} query '{}' because it is linked to a source table.", found.id);
        return Err(PlanError::refused_with_hint(text, format!("drop the table {} instead", found.sink), id.span));
    }
    Ok(found.id.clone())
}

/// Plans CREATE TYPE.
pub(super) fn create_type(create: &CreateType, catalog: &Catalog) -> Result<Planned, PlanError> {
    let name = create.name.as_str();
    if let Some(existing) = catalog.custom_type(name) {
        let existing = existing.to_string();
        let error = CatalogError::TypeExists { name: name.to_owned(), existing };
        if create.if_not_exists {
            return Ok(Planned::Nothing { message: error.to_string() });
        }
        return Err(PlanError::from(error).or_at(create.name.span));
    }
    let sql_type = resolve_type(&create.data_type, catalog, create.name.span)?;
    Ok(Planned::CreateType { name: name.to_owned(), sql_type })
}

/// Plans DROP TYPE.
pub(super) fn drop_type(drop: &DropType, catalog: &Catalog) -> Result<Planned, PlanError> {
    let name = drop.name.as_str();
    if catalog.custom_type(name).is_some() {
        return Ok(Planned::DropType { name: name.to_owned() });
    }
    let error = CatalogError::UnknownType { name: name.to_owned() };
    if drop.if_exists {
        return Ok(Planned::Nothing { message: error.to_string() });
    }
    Err(PlanError::from(error).or_at(drop.name.span))
}

/// Plans DESCRIBE of a stream or table.
pub(super) fn describe(name: &Identifier, extended: bool, catalog: &Catalog) -> Result<Planned, PlanError> {
    if catalog.source(name.as_str()).or_else(|| system_table(name.as_str())).is_some() {
        return Ok(Planned::Describe { name: name.name.clone(), extended });
    }
    let similar = similar_source(name.as_str(), catalog);
    Err(PlanError::at(PlanErrorKind::UndescribedSource { name: name.name.clone(), similar }, name.span))
}

/// The running query that `statement`, EXPLAIN or DIAGNOSE, names.
pub(super) fn running_query(statement: &str, id: &Identifier, catalog: &Catalog) -> Result<QueryId, PlanError> {
    let found = catalog.query_named(id.as_str());
    found.map(|query| query.id.clone()).ok_or_else(|| {
        let text =
            format!("Query with id:{} does not exist, use SHOW QUERIES to view the full set of queries.", id.name);
        let hint = match catalog.source(id.as_str()) {
            Some(source) => Some(match &source.created_by_query {
                Some(query) => format!("{} is filled by {query}: {statement} {query}", id.name),
                None => format!("{} is a {}: DESCRIBE {} shows it", id.name, source.collection.noun(), id.name),
            }),
            None => nearest_hint(id.as_str(), catalog.queries().map(|query| query.id.as_str())),
        };
        PlanError::refused_with(text, hint, id.span)
    })
}
