//! `CREATE SOURCE TABLE`: a query that writes no topic and only keeps the table's rows.

use crate::catalog::DataSource;

use super::source::source;
use super::{PlanNode, PseudoColumn, QueryPlan, passes};

/// The query that keeps the rows of `data` for pull queries.
pub(super) fn query(data: &DataSource) -> QueryPlan {
    let needed = vec![true; data.schema.value.len()];
    let headers = data.headers.iter().cloned().map(PseudoColumn::Header).collect();
    passes::planned(PlanNode::Source(source(data, needed, headers, true)), None, None)
}
