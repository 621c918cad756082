//! Formats whose bytes nothing reads or writes without a registry: statements that would have to are refused before they
//! leave anything behind.

use super::{EngineError, Shared};
use crate::catalog::Catalog;
use crate::formats::Serde;
use crate::plan::{Planned, QueryPlan};

/// Whether what `planned` reads and writes can be read and written.
pub(super) fn check(shared: &Shared, planned: &Planned, catalog: &Catalog) -> Result<(), EngineError> {
    let serdes: Vec<&Serde> = match planned {
        Planned::InsertValues(row) => {
            let target = catalog.source(&row.target).into_iter();
            target.flat_map(|target| [&target.key_serde, &target.value_serde]).collect()
        }
        Planned::Push(push) | Planned::PullStream(push) => of_query(&push.query).collect(),
        Planned::Read(read) => read.root.topics().into_iter().flat_map(|push| of_query(&push.query)).collect(),
        planned => planned.query().into_iter().flat_map(of_query).collect(),
    };
    for serde in serdes {
        if serde.needs_registry() {
            shared.registry().map_err(EngineError::new)?;
        }
    }
    Ok(())
}

/// How the records of a query's sources and sink are laid out.
pub(super) fn of_query(query: &QueryPlan) -> impl Iterator<Item = &Serde> {
    let sources = query.root.sources().into_iter();
    let sink = query.sink.iter().flat_map(|sink| [&sink.key_serde, &sink.value_serde]);
    sources.flat_map(|source| [&source.key_serde, &source.value_serde]).chain(sink)
}
