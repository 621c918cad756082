//! What may be done with system tables: SELECT without EMIT, and DESCRIBE.

use crate::catalog::{Catalog, DataSource, system_table};
use crate::sql::ast::{Identifier, Query, Statement};

use super::error::PlanError;

/// Whether `source` is a system table, rather than one that somebody has made under its name before it was one.
pub(super) fn is_system_table(source: &DataSource, catalog: &Catalog) -> bool {
    system_table(&source.name).is_some() && catalog.source(&source.name).is_none()
}

/// Whether `name` means a system table.
fn is_meant(name: &Identifier, catalog: &Catalog) -> bool {
    system_table(name.as_str()).is_some() && catalog.source(name.as_str()).is_none()
}

/// Refuses what cannot be done with system tables.
pub(super) fn check(statement: &Statement, catalog: &Catalog) -> Result<(), PlanError> {
    match statement {
        Statement::CreateSource(create) => changed(&create.name, catalog),
        Statement::CreateAsSelect(create) => {
            changed(&create.name, catalog)?;
            read_by_query(&create.query, catalog)
        }
        Statement::InsertSelect(insert) => {
            changed(&insert.target, catalog)?;
            read_by_query(&insert.query, catalog)
        }
        Statement::InsertValues(insert) => changed(&insert.target, catalog),
        Statement::AlterSource(alter) => changed(&alter.name, catalog),
        Statement::DropSource(drop) => changed(&drop.name, catalog),
        Statement::Query(query) if !query.is_pull() => read_by_query(query, catalog),
        _ => Ok(()),
    }
}

fn changed(name: &Identifier, catalog: &Catalog) -> Result<(), PlanError> {
    if !is_meant(name, catalog) {
        return Ok(());
    }
    let text = format!("{} is a system table: it can be read and not changed", name.name);
    Err(PlanError::refused_with_hint(text, format!("DESCRIBE {}; shows what is in it", name.name), name.span))
}

/// A query that goes on would need to be told when figures change.
fn read_by_query(query: &Query, catalog: &Catalog) -> Result<(), PlanError> {
    let Some(found) = query.from.sources().find(|source| is_meant(&source.name, catalog)) else { return Ok(()) };
    let text = format!("{} is a system table: only a SELECT without EMIT reads it", found.name.name);
    Err(PlanError::refused_with_hint(text, format!("SELECT * FROM {};", found.name.name), found.span))
}
