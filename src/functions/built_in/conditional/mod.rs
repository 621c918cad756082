//! What to do about NULL.

use super::{Function, scalar};

const CATEGORY: &str = "CONDITIONAL";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signature| scalar(CATEGORY, spelling, description, &[signature]);
    vec![
        function("COALESCE", "The first value that is not NULL.", "(first T, more T...) -> T"),
        function("IFNULL", "The first value, or the second where that is NULL.", "(value T, otherwise T) -> T"),
        function("NULLIF", "NULL where two values are equal, else the first.", "(value T, other T) -> T"),
    ]
}
