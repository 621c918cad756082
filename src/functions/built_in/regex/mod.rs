//! Regular expressions.
//!
//! ```text
//! Java's pattern ── translation ──▶ plain, exact ── Pattern, kept by its thread ──▶ matches ── replacement ──▶ text
//! ```

mod pattern;
mod regexp_extract;
mod regexp_extract_all;
mod regexp_replace;
mod regexp_split_to_array;
mod replacement;
mod translation;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "REGULAR EXPRESSION";

pub(super) fn functions() -> Vec<Function> {
    let functions = functions![
        regexp_extract::whole,
        regexp_extract::group,
        regexp_extract_all::whole,
        regexp_extract_all::group,
        regexp_replace::regexp_replace,
        regexp_split_to_array::regexp_split_to_array,
    ];
    listed(CATEGORY, functions)
}
