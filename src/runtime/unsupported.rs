//! Steps that can be planned and explained but not run yet.

use super::RuntimeError;
use crate::plan::{Collection, PlanNode, QueryPlan, WindowShape};

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
        PlanNode::Aggregate(aggregate) if aggregate.is_final => "EMIT FINAL",
        PlanNode::Aggregate(aggregate) => match aggregate.window.as_ref()?.shape {
            WindowShape::Session { .. } => return Some(session_windows()),
            WindowShape::Time { .. } => return None,
        },
        PlanNode::Rekey { input, .. } if input.window().is_some() && input.collection() == Collection::Table => {
            "GROUP BY over a table with a windowed key"
        }
        _ => return None,
    };
    Some(RuntimeError::NotSupported { what })
}

/// The refusal of SESSION windows.
pub(super) fn session_windows() -> RuntimeError {
    RuntimeError::NotSupported { what: "SESSION windows" }
}
