//! URIs as `java.net.URI` takes them apart: RFC 2396, to which it adds addresses of IPv6, characters beyond ASCII and empty
//! authorities.
//!
//! ```text
//! scheme ":" [ "//" authority ] path [ "?" query ] [ "#" fragment ]      the scheme may be missing
//! scheme ":" anything                            [ "#" fragment ]        opaque: has no host, path and query
//!
//! authority = [ user "@" ] host [ ":" port ]     or a name that is no host: then there is neither host nor port
//! ```

use std::borrow::Cow;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

/// The parts of a URI that functions ask for, as they stand in the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uri<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<i32>,
    /// Empty rather than missing, but for opaque ones.
    pub(super) path: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

/// A text that is no URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no URL: {problem}")]
pub(super) struct NoUri<'a> {
    text: &'a str,
    problem: &'static str,
}

impl<'a> Uri<'a> {
    /// # Errors
    /// `text` is no URI.
    pub(super) fn parse(text: &'a str) -> Result<Self, NoUri<'a>> {
        Self::parts(text).map_err(|problem| NoUri { text, problem })
    }

    fn parts(text: &'a str) -> Result<Self, &'static str> {
        let mut uri = Self::default();
        let mut rest = text;
        if let Some((before, fragment)) = text.split_once('#') {
            check(fragment, URI_CHARACTERS, "the fragment has a character that must be escaped")?;
            uri.fragment = Some(fragment);
            rest = before;
        }
        if let Some(colon) = rest.find([':', '/', '?']).filter(|&index| rest.as_bytes()[index] == b':') {
            let scheme = &rest[..colon];
            let is_in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
            if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) || !scheme.bytes().all(is_in_scheme) {
                return Err("what stands before the ':' is no scheme");
            }
            uri.scheme = Some(scheme);
            rest = &rest[colon + 1..];
            if !rest.starts_with('/') {
                if rest.is_empty() {
                    return Err("nothing follows the scheme");
                }
                check(rest, URI_CHARACTERS, "there is a character that must be escaped")?;
                return Ok(uri);
            }
        }
        if let Some((before, query)) = rest.split_once('?') {
            check(query, URI_CHARACTERS, "the query has a character that must be escaped")?;
            uri.query = Some(query);
            rest = before;
        }
        if let Some(after) = rest.strip_prefix("//") {
            let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            if !authority.is_empty() {
                (uri.host, uri.port) = host_and_port(authority)?;
            } else if path.is_empty() && uri.query.is_none() && uri.fragment.is_none() {
                return Err("nothing follows the '//'");
            }
            rest = path;
        }
        check(rest, b":@&=+$,;/", "the path has a character that must be escaped")?;
        uri.path = Some(rest);
        Ok(uri)
    }
}

/// Reserved characters: where they have no meaning they stand for themselves.
const URI_CHARACTERS: &[u8] = b";/?:@&=+$,[]";

/// Host and port of an authority; neither if it is a name that is no host.
fn host_and_port(authority: &str) -> Result<(Option<&str>, Option<i32>), &'static str> {
    let is_name = allowed(authority, b"$,;:@&=+")? == authority.len();
    let is_server = allowed(authority, b"%;:&=+$,@[]")? == authority.len();
    match server(authority).filter(|_| is_server) {
        Some((host, port)) => Ok((Some(host), port)),
        None if is_name => Ok((None, None)),
        None => Err("what follows the '//' is neither a host nor a name"),
    }
}

/// Host and port of an authority that has a host.
fn server(authority: &str) -> Option<(&str, Option<i32>)> {
    let host_and_port = match authority.split_once('@') {
        Some((user, rest)) => {
            check(user, b";:&=+$,", "").ok()?;
            rest
        }
        None => authority,
    };
    let end = match host_and_port.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => host_and_port.find(':').unwrap_or(host_and_port.len()),
    };
    let (host, port) = host_and_port.split_at(end);
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => is_ipv6_address(address),
        None => is_ipv4_address(host) || is_host_name(host),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        Some(_) => return None,
    };
    is_host.then_some((host, port))
}

fn is_ipv6_address(text: &str) -> bool {
    let (address, scope) = text.split_once('%').map_or((text, None), |(address, scope)| (address, Some(scope)));
    let is_in_scope = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    let is_scope = |scope: &str| !scope.is_empty() && scope.bytes().all(is_in_scope);
    address.parse::<Ipv6Addr>().is_ok() && scope.is_none_or(is_scope)
}

fn is_ipv4_address(text: &str) -> bool {
    let is_byte = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u8>().is_ok();
    text.split('.').count() == 4 && text.split('.').all(is_byte)
}

/// Labels of letters, digits and inner hyphens; the last of several begins with a letter.
fn is_host_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|&byte| byte == b'-' || edge(Some(&byte)))
    };
    let begins_well = |last: &str| last.starts_with(|first: char| first.is_ascii_alphabetic());
    text.split('.').all(is_label) && text.rsplit_once('.').is_none_or(|(_, last)| begins_well(last))
}

/// # Errors
/// `problem`, if there is a character in `part` that is neither of `more` nor allowed anywhere; or an escape is broken.
fn check(part: &str, more: &[u8], problem: &'static str) -> Result<(), &'static str> {
    if allowed(part, more)? == part.len() { Ok(()) } else { Err(problem) }
}

/// Where the first character stands that is neither of `more` nor allowed anywhere.
///
/// # Errors
/// An escape before it is broken.
fn allowed(part: &str, more: &[u8]) -> Result<usize, &'static str> {
    let bytes = part.as_bytes();
    for (index, character) in part.char_indices() {
        let byte = bytes[index];
        let is_allowed = if character.is_ascii() {
            byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) || more.contains(&byte)
        } else {
            !character.is_control() && !character.is_whitespace()
        };
        if is_allowed {
            continue;
        }
        if byte != b'%' {
            return Ok(index);
        }
        if escaped(&bytes[index..]).is_none() {
            return Err("there is a '%' without two hexadecimal digits");
        }
    }
    Ok(part.len())
}

/// The byte that the escape `%XX` at the start of `bytes` stands for.
pub(super) fn escaped(bytes: &[u8]) -> Option<u8> {
    let digit = |index| bytes.get(index).and_then(|&byte| char::from(byte).to_digit(16));
    (bytes.first() == Some(&b'%')).then_some(())?;
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

/// `part` with escapes replaced by the UTF-8 that they stand for; U+FFFD is for what is none.
pub(super) fn decoded(part: &str) -> Cow<'_, str> {
    percent_decode_str(part).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of `text` in one line; a part that is missing is `-`.
    fn shown(text: &str) -> String {
        match Uri::parse(text) {
            Ok(uri) => {
                let port = uri.port.map(|port| port.to_string());
                let parts = [uri.scheme, uri.host, port.as_deref(), uri.path, uri.query, uri.fragment];
                parts.map(|part| part.unwrap_or("-")).join(" ")
            }
            Err(error) => format!("error: {}", error.problem),
        }
    }

    #[test]
    fn parts_are_found() {
        let cases = [
            ("http://test@confluent.io:8080/a/b?q=1&r#frag", "http confluent.io 8080 /a/b q=1&r frag"),
            ("http://www.test.com?query#fragment", "http www.test.com -  query fragment"),
            ("www.confluent.io", "- - - www.confluent.io - -"),
            ("", "- - -  - -"),
            ("a/b:c", "- - - a/b:c - -"),
            ("?a:b", "- - -  a:b -"),
            ("mailto:a@b.c?x#y", "mailto - - - - y"),
            ("file:///tmp/x", "file - - /tmp/x - -"),
            ("//host", "- host -  - -"),
            ("//?q", "- - -  q -"),
            ("http:/a//b", "http - - /a//b - -"),
            ("http://h:", "http h -  - -"),
            ("http://h?a/b?c", "http h -  a/b?c -"),
            ("HTTP+x-1.2://H-1.example./", "HTTP+x-1.2 H-1.example. - / - -"),
            ("http://é/ü?ö#ß", "http - - /ü ö ß"),
            ("http://h/%C3%A4%20", "http h - /%C3%A4%20 - -"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn hosts_are_names_and_addresses() {
        let hosts = [
            ("1.2.3.4:5", "1.2.3.4 5"),
            ("1", "1 -"),
            ("a.b-c.d9.", "a.b-c.d9. -"),
            ("u:p@[::1]:80", "[::1] 80"),
            ("[fe80::1%eth0]", "[fe80::1%eth0] -"),
            ("[::ffff:1.2.3.4]", "[::ffff:1.2.3.4] -"),
            // Names that are no hosts.
            ("a_b", "- -"),
            ("a.1", "- -"),
            ("1.2.3.256", "- -"),
            ("1.2.3", "- -"),
            ("-a", "- -"),
            ("a-.b", "- -"),
            ("a..b", "- -"),
            ("h:x", "- -"),
            ("h:99999999999", "- -"),
            ("a%20b", "- -"),
            ("a@b@c", "- -"),
        ];
        for (authority, expected) in hosts {
            assert_eq!(shown(&format!("http://{authority}")), format!("http {expected}  - -"), "{authority}");
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        let texts = [
            ":a",
            "1a:b",
            "a b:c",
            "http:",
            "http:#x",
            "//",
            "http://",
            "http://h/a b",
            "http://h/\u{a0}",
            "http://h/\u{85}",
            "http://h/a|b",
            "http://h/%",
            "http://h/%2",
            "http://h/%2g",
            "http://h?a b",
            "http://h#a#b",
            "http://h#{",
            "http://a b",
            "http://[::1",
            "http://[1.2.3.4]",
            "http://[::1]x",
            "http://[::1%]",
            "http://h/[",
            "http://%zz",
            "a:b^c",
            "http://a\"b",
        ];
        for text in texts {
            assert!(shown(text).starts_with("error: "), "{text}: {}", shown(text));
        }
        let error = Uri::parse("http://h/%").expect_err("a broken escape");
        assert_eq!(error.to_string(), "'http://h/%' is no URL: there is a '%' without two hexadecimal digits");
    }

    #[test]
    fn escapes_are_utf_8() {
        let cases = [("a+b", "a+b"), ("%41%c3%A4ß", "Aäß"), ("%ff%41%C3", "\u{FFFD}A\u{FFFD}"), ("%25%20", "% ")];
        for (part, expected) in cases {
            assert_eq!(decoded(part), expected, "{part}");
        }
    }
}
