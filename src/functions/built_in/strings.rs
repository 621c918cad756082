//! Texts and bytes.

use super::{Function, ScalarBody, concat, scalar};

const CATEGORY: &str = "STRING";
const REGEX: &str = "REGULAR EXPRESSION";
const OTHER: &str = "OTHER";

const TEXT_TO_TEXT: [&str; 1] = ["(text STRING) -> STRING"];
const MASKS: &str = "upper STRING, lower STRING, digit STRING, other STRING";

pub(super) fn functions() -> Vec<Function> {
    let mut functions = texts();
    functions.extend(masks());
    functions.extend(bytes());
    functions.extend(regular_expressions());
    functions
}

fn texts() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function(
            "chr",
            "The character with this code point, or of this \\uXXXX escape.",
            &["INT STRING: (code %) -> STRING"],
        ),
        function(
            "concat",
            "Texts or bytes one after the other; NULLs are left out.",
            &["STRING BYTES: (first %, more %...) -> %"],
        )
        .computed_by(&concat::body()),
        function(
            "concat_ws",
            "Texts or bytes one after the other, with the first in between; NULLs are left out.",
            &["STRING BYTES: (separator %, first %, more %...) -> %"],
        ),
        function("elt", "The text at a position of the list.", &["(position INT, texts STRING...) -> STRING"]),
        function(
            "encode",
            "A text in another encoding: hex, utf8, ascii or base64.",
            &["(text STRING, from STRING, to STRING) -> STRING"],
        ),
        function(
            "field",
            "The position of a text in the list, 0 if it is not there.",
            &["(text STRING, texts STRING...) -> INT"],
        ),
        function("initcap", "Every word with a capital first letter and small ones after it.", &TEXT_TO_TEXT),
        function(
            "instr",
            "The position of one text in another, 0 if it is not there.",
            &[
                "(text STRING, part STRING) -> INT",
                "(text STRING, part STRING, position INT) -> INT",
                "(text STRING, part STRING, position INT, occurrence INT) -> INT",
            ],
        ),
        function("lcase", "The text in small letters.", &TEXT_TO_TEXT),
        function("len", "The number of characters or bytes.", &["STRING BYTES: (value %) -> INT"]),
        function(
            "lpad",
            "The value with padding before it, so long or cut to that.",
            &["STRING BYTES: (value %, length INT, padding %) -> %"],
        ),
        function("md5", "The MD5 digest in hexadecimal digits.", &TEXT_TO_TEXT),
        function(
            "replace",
            "The text with a part replaced wherever it occurs.",
            &["(text STRING, old STRING, new STRING) -> STRING"],
        ),
        function(
            "rpad",
            "The value with padding after it, so long or cut to that.",
            &["STRING BYTES: (value %, length INT, padding %) -> %"],
        ),
        function("split", "The parts between delimiters.", &["STRING BYTES: (value %, delimiter %) -> ARRAY<%>"]),
        function(
            "split_to_map",
            "A map of the entries in a text.",
            &["(text STRING, entry_delimiter STRING, key_delimiter STRING) -> MAP<STRING, STRING>"],
        ),
        function(
            "substring",
            "The part from a position on, so long or to the end; a negative position counts from the end.",
            &[
                "(text STRING, position INT) -> STRING",
                "(text STRING, position INT, length INT) -> STRING",
                "(bytes BYTES, position INT) -> BYTES",
                "(bytes BYTES, position INT, length INT) -> BYTES",
            ],
        ),
        function("trim", "The text without blanks at its ends.", &TEXT_TO_TEXT),
        function("ucase", "The text in capitals.", &TEXT_TO_TEXT),
        function("UUID", "A random UUID, or the one that 16 bytes make.", &["() -> STRING", "(bytes BYTES) -> STRING"]),
        scalar(OTHER, "AS_VALUE", "A copy of a key column for the value.", &["(column T) -> T"])
            .computed_by(&ScalarBody::new(|arguments, rows, _| arguments[0].expanded(rows))),
    ]
}

/// Texts with characters replaced by the class they belong to.
fn masks() -> Vec<Function> {
    let with_count =
        ["(text STRING, count INT) -> STRING".to_owned(), format!("(text STRING, count INT, {MASKS}) -> STRING")];
    let with_count = [with_count[0].as_str(), with_count[1].as_str()];
    let all = format!("(text STRING, {MASKS}) -> STRING");
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function("mask", "The text with every character masked.", &[TEXT_TO_TEXT[0], all.as_str()]),
        function("mask_keep_left", "The text with all but the first characters masked.", &with_count),
        function("mask_keep_right", "The text with all but the last characters masked.", &with_count),
        function("mask_left", "The text with the first characters masked.", &with_count),
        function("mask_right", "The text with the last characters masked.", &with_count),
    ]
}

/// Between texts, numbers and bytes.
fn bytes() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    let number = |spelling, description, result: &str| {
        let signatures = [format!("(bytes BYTES) -> {result}"), format!("(bytes BYTES, order STRING) -> {result}")];
        function(spelling, description, &[signatures[0].as_str(), signatures[1].as_str()])
    };
    vec![
        number("bigint_from_bytes", "The BIGINT that 8 bytes hold.", "BIGINT"),
        number("double_from_bytes", "The DOUBLE that 8 bytes hold.", "DOUBLE"),
        number("int_from_bytes", "The INTEGER that 4 bytes hold.", "INT"),
        function(
            "from_bytes",
            "Bytes as a text: hex, utf8, ascii or base64.",
            &["(bytes BYTES, encoding STRING) -> STRING"],
        ),
        function(
            "to_bytes",
            "The bytes of a text: hex, utf8, ascii or base64.",
            &["(text STRING, encoding STRING) -> BYTES"],
        ),
    ]
}

fn regular_expressions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(REGEX, spelling, description, signatures);
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
