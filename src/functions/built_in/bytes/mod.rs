//! Between texts, numbers and bytes.

use super::{Function, scalar};

const CATEGORY: &str = "STRING";

pub(super) fn functions() -> Vec<Function> {
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
