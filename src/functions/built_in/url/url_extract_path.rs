//! `URL_EXTRACT_PATH(url)`.

use std::borrow::Cow;

use levada_udf::{Shown, scalar};

use super::uri::{NoUri, Uri, decoded};

/// The path.
#[scalar(example("URL_EXTRACT_PATH('http://host/path?query#fragment')" = "'/path'"))]
pub(super) fn url_extract_path(url: &str) -> Result<Option<Shown<Cow<'_, str>>>, NoUri<'_>> {
    Ok(Uri::parse(url)?.path.map(|path| Shown(decoded(path))))
}
