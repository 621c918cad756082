//! Texts that are JSON.
//!
//! A text is read once, by a [`scanner`] that checks all of it and builds nothing. What follows the first value is not looked
//! at, as Jackson does; a text without a value is no error, but has none of what is asked for.

mod compact;
mod extractjsonfield;
mod is_json_string;
mod json_array_contains;
mod json_array_length;
mod json_concat;
mod json_items;
mod json_keys;
mod json_records;
mod members;
mod path;
mod scanner;
mod to_json_string;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "JSON";

pub(super) fn functions() -> Vec<Function> {
    let functions = functions![
        extractjsonfield::extractjsonfield,
        is_json_string::is_json_string,
        json_array_contains::json_array_contains,
        json_array_length::json_array_length,
        json_concat::json_concat,
        json_items::json_items,
        json_keys::json_keys,
        json_records::json_records,
        to_json_string::to_json_string,
    ];
    listed(CATEGORY, functions)
}
