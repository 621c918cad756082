//! Several rows of each row.

mod cube_explode;
mod explode;

use super::{Function, function};
use crate::functions::function::FunctionKind;

const CATEGORY: &str = "TABLE";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| {
        function(FunctionKind::Table, CATEGORY, spelling, description, signatures)
    };
    vec![
        function(
            "explode",
            "A row for every element of an array.",
            &["(array ARRAY<T>) -> T", "(array ARRAY<DECIMAL>) -> DECIMAL"],
        )
        .expanded_by(&explode::body()),
        function(
            "cube_explode",
            "A row for every subset of the elements, the others NULL.",
            &["(columns ARRAY<T>) -> ARRAY<T>"],
        )
        .expanded_by(&cube_explode::body()),
    ]
}
