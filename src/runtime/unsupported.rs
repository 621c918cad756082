//! Steps that can be planned and explained but not run yet.

use super::RuntimeError;
use crate::plan::{Collection, PlanNode, QueryPlan};

/// Refuses `plan` if a step of it cannot be run.
pub fn check(plan: &QueryPlan) -> Result<(), RuntimeError> {
    check_step(&plan.root)
}

fn check_step(node: &PlanNode) -> Result<(), RuntimeError> {
    if let Some(refusal) = refusal(node) {
        return Err(refusal);
    }
    node.inputs().into_iter().try_for_each(check_step)
}

/// Why the step itself cannot be run.
pub(super) fn refusal(node: &PlanNode) -> Option<RuntimeError> {
    let what = match node {
        PlanNode::StreamStreamJoin(_) => "joins of two streams",
        PlanNode::TableTableJoin(_) => "joins of two tables",
        PlanNode::ForeignKeyJoin(_) => "foreign-key joins",
        PlanNode::StreamTableJoin { right, .. } if right.window().is_some() => "joins with a windowed table",
        PlanNode::Rekey { input, .. } if input.window().is_some() && input.collection() == Collection::Table => {
            "GROUP BY over a table with a windowed key"
        }
        _ => return None,
    };
    Some(RuntimeError::NotSupported { what })
}
