//! WINDOW: sizes, grace and retention.

use crate::sql::Span;
use crate::sql::ast::{TimeSpan, WindowExpression, WindowKind as Written};

use super::error::PlanError;
use super::{WindowShape, WindowSpec};

/// Longest time that late rows are waited for when nothing else is said.
pub(super) const GRACE_DEFAULT_MS: i64 = 24 * 3_600_000;

/// The windows that `written` describes. Results that come when a window has closed (`is_final`) wait for no late rows unless
/// GRACE PERIOD says so.
pub(super) fn spec(written: &WindowExpression, is_final: bool) -> Result<WindowSpec, PlanError> {
    let (shape, length_ms) = shape(written)?;
    let by_default = if is_final { 0 } else { (GRACE_DEFAULT_MS - length_ms).max(0) };
    let grace_ms = written.grace.map_or(by_default, TimeSpan::as_millis);
    if grace_ms < 0 {
        return Err(PlanError::refused("Grace period must not be negative.", written.span));
    }
    let kept_ms = length_ms.saturating_add(grace_ms);
    let retention_ms = written.retention.map_or(kept_ms, TimeSpan::as_millis);
    if retention_ms < kept_ms {
        return Err(too_short(shape, length_ms, grace_ms, retention_ms, written.span));
    }
    Ok(WindowSpec { shape, grace_ms, retention_ms })
}

/// The shape, and how long a window is after its last row at most.
fn shape(written: &WindowExpression) -> Result<(WindowShape, i64), PlanError> {
    let refused = |text: &str| Err(PlanError::refused(text, written.span));
    let (size_ms, advance_ms) = match written.kind {
        Written::Tumbling { size } => (size.as_millis(), size.as_millis()),
        Written::Hopping { size, advance } => (size.as_millis(), advance.as_millis()),
        Written::Session { gap } => {
            let gap_ms = gap.as_millis();
            if gap_ms < 0 {
                return refused("Gap time cannot be negative.");
            }
            return Ok((WindowShape::Session { gap_ms }, gap_ms));
        }
    };
    if size_ms <= 0 {
        return refused("Window size must be larger than zero.");
    }
    if advance_ms <= 0 || advance_ms > size_ms {
        return refused("Window advancement interval should be more than zero and less than window duration.");
    }
    Ok((WindowShape::Time { size_ms, advance_ms }, size_ms))
}

fn too_short(shape: WindowShape, length_ms: i64, grace_ms: i64, retention_ms: i64, span: Span) -> PlanError {
    let text = match shape {
        WindowShape::Time { .. } => format!(
            "The retention period of the window store must be no smaller than its window size plus the grace period. \
             Got size=[{length_ms}], grace=[{grace_ms}], retention=[{retention_ms}]"
        ),
        WindowShape::Session { .. } => format!(
            "The retention period of the session store must be no smaller than the session inactivity gap plus the \
             grace period. Got gap=[{length_ms}], grace=[{grace_ms}], retention=[{retention_ms}]"
        ),
    };
    let hint = if grace_ms == 0 {
        "leave RETENTION out, or give it at least the length of a window"
    } else {
        "without GRACE PERIOD, rows up to 24 hours late are accepted"
    };
    PlanError::refused_with_hint(text, hint, span)
}
