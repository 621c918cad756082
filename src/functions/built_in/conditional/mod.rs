//! What to do about NULL.

mod coalesce;
mod ifnull;
mod nullif;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "CONDITIONAL";

pub(super) fn functions() -> Vec<Function> {
    listed(CATEGORY, functions![coalesce::coalesce, ifnull::ifnull, nullif::nullif])
}
