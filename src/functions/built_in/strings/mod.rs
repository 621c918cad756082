//! Texts.

mod as_value;
mod concat;

use levada_udf::scalars;

use super::{Function, listed, scalar};

const CATEGORY: &str = "STRING";
const OTHER: &str = "OTHER";

const TEXT_TO_TEXT: [&str; 1] = ["(text STRING) -> STRING"];
const MASKS: &str = "upper STRING, lower STRING, digit STRING, other STRING";

pub(super) fn functions() -> Vec<Function> {
    let mut functions = texts();
    functions.extend(masks());
    functions.extend(listed(CATEGORY, scalars![concat::texts, concat::bytes]));
    functions.extend(listed(OTHER, scalars![as_value::as_value]));
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
