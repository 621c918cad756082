//! `URL_EXTRACT_FRAGMENT(url)`.

use std::borrow::Cow;

use levada_udf::{Shown, scalar};

use super::uri::{NoUri, Uri, decoded};

/// What stands behind the '#'.
#[scalar(example("URL_EXTRACT_FRAGMENT('http://host/path?query#a%20b')" = "'a b'"))]
pub(super) fn url_extract_fragment(url: &str) -> Result<Option<Shown<Cow<'_, str>>>, NoUri<'_>> {
    Ok(Uri::parse(url)?.fragment.map(|fragment| Shown(decoded(fragment))))
}
