//! `URL_EXTRACT_PORT(url)`.

use levada_udf::scalar;

use super::uri::{NoUri, Uri};

/// The port.
#[scalar(example("URL_EXTRACT_PORT('http://user@host:8080/path')" = "8080"))]
pub(super) fn url_extract_port(url: &str) -> Result<Option<i32>, NoUri<'_>> {
    Ok(Uri::parse(url)?.port)
}
