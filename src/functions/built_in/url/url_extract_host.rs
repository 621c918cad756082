//! `URL_EXTRACT_HOST(url)`.

use levada_udf::scalar;

use super::uri::{NoUri, Uri};

/// The host.
#[scalar(example("URL_EXTRACT_HOST('http://user@host:8080/path')" = "'host'"))]
pub(super) fn url_extract_host(url: &str) -> Result<Option<&str>, NoUri<'_>> {
    Ok(Uri::parse(url)?.host)
}
