//! `WHENCONDITION` and `WHENRESULT`: they fail where CASE should not have called them.

use levada_udf::scalar;

const CALLED: &str = "it was called though it need not be";

/// Fails unless it is to be evaluated.
#[scalar(name = "WHENCONDITION")]
pub(super) fn condition(ret: bool, evaluate: bool) -> Result<bool, &'static str> {
    if evaluate { Ok(ret) } else { Err(CALLED) }
}

/// Fails unless it is to be evaluated.
#[scalar(name = "WHENRESULT")]
pub(super) fn result(ret: i32, evaluate: bool) -> Result<i32, &'static str> {
    if evaluate { Ok(ret) } else { Err(CALLED) }
}
