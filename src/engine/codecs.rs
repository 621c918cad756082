//! Formats that the language knows and whose bytes nothing reads or writes yet: statements that would have to are refused
//! before they leave anything behind.

use super::EngineError;
use crate::catalog::Catalog;
use crate::formats::Serde;
use crate::plan::{Planned, QueryPlan};

/// Whether what `planned` reads and writes can be read and written.
pub(super) fn check(planned: &Planned, catalog: &Catalog) -> Result<(), EngineError> {
    match planned {
        Planned::CreateSource(create) => create.query.as_ref().map_or(Ok(()), check_query),
        Planned::CreateAs(create) => check_query(&create.query),
        Planned::InsertInto(insert) => check_query(&insert.query),
        Planned::Push(push) | Planned::PullStream(push) => check_query(&push.query),
        Planned::InsertValues(row) => {
            let target = catalog.source(&row.target).into_iter();
            check_serdes(target.flat_map(|target| [&target.key_serde, &target.value_serde]))
        }
        _ => Ok(()),
    }
}

fn check_query(query: &QueryPlan) -> Result<(), EngineError> {
    let sources = query.root.sources().into_iter();
    let sink = query.sink.iter().flat_map(|sink| [&sink.key_serde, &sink.value_serde]);
    check_serdes(sources.flat_map(|source| [&source.key_serde, &source.value_serde]).chain(sink))
}

fn check_serdes<'a>(mut serdes: impl Iterator<Item = &'a Serde>) -> Result<(), EngineError> {
    serdes.try_for_each(|serde| serde.check_codec().map_err(EngineError::environment))
}
