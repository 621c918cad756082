//! What makes a plan cheaper without changing a record of its results, or a dead letter: passes over the analysed plan, one after the
//! other, a file each.
//!
//! ```text
//! PlanNode ─▶ fold constants ─▶ filter before join ─▶ repartition avoided ─▶ unused columns ─▶ QueryPlan
//! ```
//!
//! The order matters: what is folded away is used no longer, a filter that has moved below a join leaves columns behind that nobody
//! above it uses. Every pass looks at each step once. What one has done is a line of EXPLAIN.

mod constants;
mod filters;
mod repartitions;
mod unused_columns;

use super::{Collection, Expr, PlanNode, QueryPlan, Sink, Source};
use crate::formats::{Format, Serde};
use crate::types::Schema;

/// A pass: its name in EXPLAIN, and what it does to the last step of a plan and all below, which it lists.
struct Pass {
    name: &'static str,
    apply: fn(&mut PlanNode, &mut Vec<String>),
}

/// All passes, in the order in which they run.
const PASSES: [Pass; 4] = [
    Pass { name: "fold constants", apply: constants::apply },
    Pass { name: "filter before join", apply: filters::apply },
    Pass { name: "repartition avoided", apply: repartitions::apply },
    Pass { name: "unused columns", apply: unused_columns::apply },
];

/// Something that a pass has done to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Name of the pass.
    pub pass: &'static str,
    /// What it has done.
    pub what: String,
}

/// The plan of the analysed steps `root`.
pub(super) fn planned(mut root: PlanNode, sink: Option<Sink>, limit: Option<u64>) -> QueryPlan {
    let mut changes = Vec::new();
    for pass in &PASSES {
        let mut done = Vec::new();
        (pass.apply)(&mut root, &mut done);
        changes.extend(done.into_iter().map(|what| Change { pass: pass.name, what }));
    }
    QueryPlan { root, sink, limit, changes }
}

/// Folds the constants of `expressions`, which are over columns called `names`, where there are no steps (`pull`).
pub(super) fn folded<'e>(
    expressions: impl IntoIterator<Item = &'e mut Expr>,
    names: &dyn Fn() -> Vec<String>,
) -> Vec<Change> {
    let done = constants::fold(expressions, names);
    done.into_iter().map(|what| Change { pass: PASSES[0].name, what }).collect()
}

/// Puts what `make` makes of the step `node` in its place.
fn replace(node: &mut PlanNode, make: impl FnOnce(PlanNode) -> PlanNode) {
    let taken = std::mem::replace(node, nothing());
    *node = make(taken);
}

/// What a filter filters.
fn without_filter(node: PlanNode) -> PlanNode {
    match node {
        PlanNode::Filter { input, .. } => *input,
        other => other,
    }
}

/// A step that stands for one that is being made; it costs no allocation.
fn nothing() -> PlanNode {
    let serde = || Serde { format: Format::None, wrap_single: false };
    PlanNode::Source(Source {
        name: String::new(),
        topic: String::new(),
        collection: Collection::Stream,
        key_serde: serde(),
        value_serde: serde(),
        declared: Schema::default(),
        needed: Vec::new(),
        envelope: None,
        window: None,
        timestamp: None,
        pseudo_columns: Vec::new(),
        materialized: false,
        old_rows_known: true,
    })
}
