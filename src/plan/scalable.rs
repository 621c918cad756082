//! Scalable push queries: those whose rows are taken from what another query writes, as it writes it (semantics 10.4).
//!
//! Whatever it reads is a stream of changes then: nothing is kept, no row is compared with the one before. Rows without a value
//! are left out, and so are rows without a key where there should be one.

use crate::catalog::{Catalog, Collection};
use crate::sql::ast::{Query, Refinement};

use super::settings::Settings;
use super::{Expr, PlanNode, PseudoColumn, Source};

/// Whether `query`, planned as `root`, is one.
pub(super) fn is_scalable(query: &Query, root: &PlanNode, catalog: &Catalog, settings: &Settings) -> bool {
    let is = |name: &str, wanted: &str| settings.property_now(name).map(|value| value.eq_ignore_ascii_case(wanted));
    let is_on = is("ksql.query.push.v2.enabled", "true").unwrap_or(false);
    if !is_on || !is("auto.offset.reset", "latest").unwrap_or(true) {
        return false;
    }
    let plain = query.partition_by.is_none() && query.refinement == Some(Refinement::Changes);
    let is_place = |column: &PseudoColumn| matches!(column, PseudoColumn::RowPartition | PseudoColumn::RowOffset);
    let source = root.tapped_source().filter(|source| !source.pseudo_columns.iter().any(is_place));
    plain && source.is_some_and(|source| catalog.writers(&source.name).count() == 1)
}

/// The steps `root` over the changes of their source, one by one.
pub(super) fn over_changes(root: PlanNode) -> PlanNode {
    match root {
        PlanNode::Source(source) => {
            let key = source.declared.key.iter().enumerate();
            let is_there = key.map(|(index, column)| Expr::is_not_null(Expr::column(index, column.sql_type.clone())));
            let any = is_there.reduce(|one, other| Expr::or(one, other).expect("both are conditions"));
            let changes = PlanNode::Source(Source { collection: Collection::Stream, materialized: false, ..source });
            match any {
                Some(predicate) => PlanNode::Filter { input: Box::new(changes), predicate },
                None => changes,
            }
        }
        PlanNode::Filter { input, predicate } => PlanNode::Filter { input: Box::new(over_changes(*input)), predicate },
        PlanNode::Project { input, key, columns } => {
            PlanNode::Project { input: Box::new(over_changes(*input)), key, columns }
        }
        other => other,
    }
}
