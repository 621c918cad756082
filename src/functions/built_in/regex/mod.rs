//! Regular expressions.

use super::{Function, scalar};

const CATEGORY: &str = "REGULAR EXPRESSION";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function(
            "regexp_extract",
            "The first match of a pattern, or of one of its groups.",
            &["(pattern STRING, text STRING) -> STRING", "(pattern STRING, text STRING, group INT) -> STRING"],
        ),
        function(
            "regexp_extract_all",
            "All matches of a pattern, or of one of its groups.",
            &[
                "(pattern STRING, text STRING) -> ARRAY<STRING>",
                "(pattern STRING, text STRING, group INT) -> ARRAY<STRING>",
            ],
        ),
        function(
            "regexp_replace",
            "The text with all matches of a pattern replaced.",
            &["(text STRING, pattern STRING, replacement STRING) -> STRING"],
        ),
        function(
            "regexp_split_to_array",
            "The parts between matches of a pattern.",
            &["(text STRING, pattern STRING) -> ARRAY<STRING>"],
        ),
    ]
}
