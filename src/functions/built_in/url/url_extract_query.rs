//! `URL_EXTRACT_QUERY(url)`.

use std::borrow::Cow;

use levada_udf::{Shown, scalar};

use super::uri::{NoUri, Uri, decoded};

/// What stands behind the '?'.
#[scalar(example("URL_EXTRACT_QUERY('http://host/path?a=b%20c#fragment')" = "'a=b c'"))]
pub(super) fn url_extract_query(url: &str) -> Result<Option<Shown<Cow<'_, str>>>, NoUri<'_>> {
    Ok(Uri::parse(url)?.query.map(|query| Shown(decoded(query))))
}
