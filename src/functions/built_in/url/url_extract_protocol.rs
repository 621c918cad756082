//! `URL_EXTRACT_PROTOCOL(url)`.

use levada_udf::scalar;

use super::uri::{NoUri, Uri};

/// The protocol.
#[scalar(example("URL_EXTRACT_PROTOCOL('http://user@host:8080/path')" = "'http'"))]
pub(super) fn url_extract_protocol(url: &str) -> Result<Option<&str>, NoUri<'_>> {
    Ok(Uri::parse(url)?.scheme)
}
