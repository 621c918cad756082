//! Several rows of each row.

mod cube_explode;
mod explode;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "TABLE";

pub(super) fn functions() -> Vec<Function> {
    listed(CATEGORY, functions![explode::explode, cube_explode::cube_explode])
}
