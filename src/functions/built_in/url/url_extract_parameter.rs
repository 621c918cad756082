//! `URL_EXTRACT_PARAMETER(url, name)`.

use std::borrow::Cow;

use levada_udf::{Shown, scalar};

use super::uri::{NoUri, Uri, decoded};

/// The value of a parameter.
#[scalar(example("URL_EXTRACT_PARAMETER('http://host?a=1&b%20c=2%203', 'b c')" = "'2 3'"))]
pub(super) fn url_extract_parameter<'a>(
    /// The URL.
    url: &'a str,
    /// Name of the parameter.
    name: &str,
) -> Result<Option<Shown<Cow<'a, str>>>, NoUri<'a>> {
    let Some(query) = Uri::parse(url)?.query else { return Ok(None) };
    // Escapes are replaced first: those of '&' and '=' separate, too.
    Ok(match decoded(query) {
        Cow::Borrowed(query) => value(query, name).map(|value| Shown(Cow::Borrowed(value))),
        Cow::Owned(query) => value(&query, name).map(|value| Shown(Cow::Owned(value.to_owned()))),
    })
}

/// The value of the first parameter called `name`, empty if it has none.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let parameters = query.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    parameters.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::url_extract_parameter;

    #[test]
    fn the_first_of_a_name_counts() {
        let url = "http://h?a=1&b&c=&d=x=y&a=2&e%20f=%C3%A4+";
        let cases =
            [("a", Some("1")), ("b", Some("")), ("c", Some("")), ("d", Some("x=y")), ("e f", Some("ä+")), ("g", None)];
        for (name, expected) in cases {
            let found = url_extract_parameter(url, name).expect("a good URL").map(|value| value.0);
            assert_eq!(found.as_deref(), expected, "{name}");
        }
        assert!(url_extract_parameter("http://h", "a").is_ok_and(|value| value.is_none()));
        assert!(url_extract_parameter("http://h ", "a").is_err());
    }
}
