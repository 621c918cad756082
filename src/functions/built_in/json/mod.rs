//! Texts that are JSON.

use super::{Function, scalar};

const CATEGORY: &str = "JSON";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signature| scalar(CATEGORY, spelling, description, &[signature]);
    vec![
        function(
            "extractjsonfield",
            "What is at a path, $.a[0].b, of a document.",
            "(json STRING, path STRING) -> STRING",
        ),
        function("is_json_string", "Whether the text is a document.", "(json STRING) -> BOOLEAN"),
        function("json_array_contains", "Whether an array has a value.", "(json STRING, value T) -> BOOLEAN"),
        function("json_array_length", "How many elements an array has.", "(json STRING) -> INT"),
        function(
            "json_concat",
            "Objects merged, or values one after the other in an array.",
            "(documents STRING...) -> STRING",
        ),
        function("json_items", "The elements of an array.", "(json STRING) -> ARRAY<STRING>"),
        function("json_keys", "The keys of an object.", "(json STRING) -> ARRAY<STRING>"),
        function("json_records", "The entries of an object.", "(json STRING) -> MAP<STRING, STRING>"),
        function("to_json_string", "Any value as a document.", "(value T) -> STRING"),
    ]
}
