//! Parts of URLs.

use super::{Function, scalar};

const CATEGORY: &str = "URL";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signature| scalar(CATEGORY, spelling, description, &[signature]);
    vec![
        function("url_decode_param", "A parameter as it was before it was encoded.", "(text STRING) -> STRING"),
        function("url_encode_param", "A text as a parameter of a URL.", "(text STRING) -> STRING"),
        function("url_extract_fragment", "What stands behind the '#'.", "(url STRING) -> STRING"),
        function("url_extract_host", "The host.", "(url STRING) -> STRING"),
        function("url_extract_parameter", "The value of a parameter.", "(url STRING, name STRING) -> STRING"),
        function("url_extract_path", "The path.", "(url STRING) -> STRING"),
        function("url_extract_port", "The port.", "(url STRING) -> INT"),
        function("url_extract_protocol", "The protocol.", "(url STRING) -> STRING"),
        function("url_extract_query", "What stands behind the '?'.", "(url STRING) -> STRING"),
    ]
}
