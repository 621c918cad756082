//! What the properties say about the registry and how to reach it, by the names of ksqlDB and of Confluent's clients.
//!
//! | `ksql.schema.registry.` | |
//! |---|---|
//! | `url` | addresses, with commas between them; each may hold `user:password@` |
//! | `basic.auth.credentials.source`, `basic.auth.user.info` | `USER_INFO` and `user:password`, or `URL` |
//! | `bearer.auth.credentials.source`, `bearer.auth.token` | `STATIC_TOKEN` and the token |
//! | `ssl.truststore.location`, `ssl.ca.location`, `ssl.truststore.certificates` | whom to trust, PEM |
//! | `ssl.keystore.location`, or `ssl.certificate.location` and `ssl.key.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key` | who we are, PEM |
//! | `http.connect.timeout.ms`, `http.read.timeout.ms`, `max.retries`, `retries.wait.ms` | how long to wait |

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::http::pem;

/// What ksqlDB puts in front of the properties of the registry's client.
const PREFIX: &str = "ksql.schema.registry.";
/// What Confluent's client has in front of some of them.
const CLIENT_PREFIX: &str = "schema.registry.";

/// How a registry is reached.
pub(super) struct Settings {
    pub(super) addresses: Vec<Address>,
    pub(super) tls: TlsConfig,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) retry_pause: Duration,
}

/// Where a registry answers.
pub(super) struct Address {
    /// Without user, and without `/` at its end.
    pub(super) url: String,
    /// The header that says who we are.
    pub(super) authorization: Option<Secret>,
}

/// A text that is not to be seen.
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A property that cannot be used. Values are not shown: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{PREFIX}{name} cannot be used: {reason}")]
pub struct SettingError {
    name: String,
    reason: String,
}

fn fault<T>(name: &str, reason: impl Into<String>) -> Result<T, SettingError> {
    Err(SettingError { name: name.to_owned(), reason: reason.into() })
}

const CONNECT_TIMEOUT_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 10_000;
const RETRIES: u64 = 2;
const RETRY_PAUSE_MS: u64 = 100;

/// The properties of the registry, by their names without prefix.
struct Values<'a>(&'a BTreeMap<String, String>);

impl<'a> Values<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.0.get(&format!("{PREFIX}{name}"));
        let value = value.or_else(|| self.0.get(&format!("{PREFIX}{CLIENT_PREFIX}{name}")));
        value.map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, SettingError> {
        match self.get(name).map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => fault(name, "it is no whole number"),
        }
    }

    fn milliseconds(&self, name: &str, default: u64) -> Result<Duration, SettingError> {
        self.number(name, default).map(Duration::from_millis)
    }
}

impl Settings {
    /// What `properties` say; nothing if they name no address.
    pub(super) fn read(properties: &BTreeMap<String, String>) -> Result<Option<Self>, SettingError> {
        let values = Values(properties);
        let Some(urls) = values.get("url") else { return Ok(None) };
        let authorization = authorization(&values)?;
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
        let addresses: Result<Vec<Address>, _> = urls.map(|url| address(url, authorization.as_deref())).collect();
        let addresses = addresses?;
        if addresses.is_empty() {
            return fault("url", "it names no address");
        }
        Ok(Some(Self {
            addresses,
            tls: tls(&values)?,
            connect_timeout: values.milliseconds("http.connect.timeout.ms", CONNECT_TIMEOUT_MS)?,
            timeout: values.milliseconds("http.read.timeout.ms", TIMEOUT_MS)?,
            retries: u32::try_from(values.number("max.retries", RETRIES)?).unwrap_or(u32::MAX),
            retry_pause: values.milliseconds("retries.wait.ms", RETRY_PAUSE_MS)?,
        }))
    }
}

fn basic(user_info: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_info))
}

/// Who we are at all addresses.
fn authorization(values: &Values<'_>) -> Result<Option<String>, SettingError> {
    const BEARER: &str = "bearer.auth.credentials.source";
    const BASIC: &str = "basic.auth.credentials.source";
    match values.get(BEARER) {
        Some("STATIC_TOKEN") => {
            let Some(token) = values.get("bearer.auth.token") else {
                return fault("bearer.auth.token", "it is missing");
            };
            return Ok(Some(format!("Bearer {token}")));
        }
        Some(_) => return fault(BEARER, "only STATIC_TOKEN is supported"),
        None => {}
    }
    if let Some(token) = values.get("bearer.auth.token") {
        return Ok(Some(format!("Bearer {token}")));
    }
    let user_info = values.get("basic.auth.user.info");
    match (values.get(BASIC), user_info) {
        (Some("USER_INFO"), None) => fault("basic.auth.user.info", "it is missing"),
        (Some("USER_INFO") | None, Some(user_info)) if user_info.contains(':') => Ok(Some(basic(user_info))),
        (Some("USER_INFO") | None, Some(_)) => fault("basic.auth.user.info", "it is not of the form user:password"),
        (Some("URL" | "NONE") | None, _) => Ok(None),
        (Some(_), _) => fault(BASIC, "only USER_INFO, URL and NONE are supported"),
    }
}

fn address(url: &str, authorization: Option<&str>) -> Result<Address, SettingError> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme)) else {
        return fault("url", "an address begins with http:// or https://");
    };
    let (user_info, place) = match rest.split_once('/').map_or(rest, |(authority, _)| authority).rsplit_once('@') {
        Some((user_info, _)) => (Some(user_info), &rest[user_info.len() + 1..]),
        None => (None, rest),
    };
    if place.is_empty() || place.starts_with(['/', ':']) {
        return fault("url", "an address has no host");
    }
    let authorization = match user_info {
        Some(user_info) => Some(basic(&percent_decode_str(user_info).decode_utf8_lossy())),
        None => authorization.map(ToOwned::to_owned),
    };
    let url = format!("{scheme}://{}", place.trim_end_matches('/'));
    Ok(Address { url, authorization: authorization.map(Secret) })
}

fn tls(values: &Values<'_>) -> Result<TlsConfig, SettingError> {
    let mut builder = TlsConfig::builder();
    let trusted = text_of(values, &["ssl.truststore.location", "ssl.ca.location"], "ssl.truststore.certificates")?;
    builder = match trusted {
        Some((name, pem)) => builder.root_certs(RootCerts::new_with_certs(&certificates(name, &pem)?)),
        None => builder.root_certs(RootCerts::PlatformVerifier),
    };
    let chain_names = ["ssl.keystore.location", "ssl.certificate.location"];
    if let Some((name, pem)) = text_of(values, &chain_names, "ssl.keystore.certificate.chain")? {
        let key_names = ["ssl.key.location", "ssl.keystore.location"];
        let key = text_of(values, &key_names, "ssl.keystore.key")?;
        let Some((key_name, key)) = key else { return fault("ssl.key.location", "it is missing") };
        let client = ClientCert::new_with_certs(&certificates(name, &pem)?, private_key(key_name, &key)?);
        builder = builder.client_cert(Some(client));
    }
    if values.0.get(&format!("{PREFIX}ssl.endpoint.identification.algorithm")).is_some_and(String::is_empty) {
        let text = "the names in certificates are always checked";
        return fault("ssl.endpoint.identification.algorithm", text);
    }
    Ok(builder.build())
}

/// The text that stands in the property `inline`, or in a file that one of `files` names.
fn text_of<'n>(
    values: &Values<'_>,
    files: &[&'n str],
    inline: &'n str,
) -> Result<Option<(&'n str, Vec<u8>)>, SettingError> {
    if let Some(text) = values.get(inline) {
        return Ok(Some((inline, text.replace("\\n", "\n").into_bytes())));
    }
    for name in files {
        if let Some(path) = values.get(name) {
            return match std::fs::read(path) {
                Ok(bytes) => Ok(Some((name, bytes))),
                Err(error) => fault(name, format!("the file {path} cannot be read: {error}")),
            };
        }
    }
    Ok(None)
}

fn certificates(name: &str, pem: &[u8]) -> Result<Vec<Certificate<'static>>, SettingError> {
    pem::certificates(pem).or_else(|error| fault(name, error.to_string()))
}

fn private_key(name: &str, pem: &[u8]) -> Result<PrivateKey<'static>, SettingError> {
    pem::private_key(pem).or_else(|error| fault(name, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let properties = properties.iter().map(|&(name, value)| (format!("{PREFIX}{name}"), value.to_owned()));
        Settings::read(&properties.collect()).map_err(|error| error.to_string())
    }

    /// Addresses and what they are told.
    fn addresses(properties: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let settings = read(properties).expect("they can be used").expect("there is an address");
        settings.addresses.into_iter().map(|one| (one.url, one.authorization.map(|secret| secret.0))).collect()
    }

    fn of(url: &str, authorization: Option<&str>) -> (String, Option<String>) {
        (url.to_owned(), authorization.map(ToOwned::to_owned))
    }

    #[test]
    fn addresses_may_be_several_and_hold_a_user() {
        assert!(read(&[]).is_ok_and(|settings| settings.is_none()));
        assert!(read(&[("url", " ")]).is_ok_and(|settings| settings.is_none()));
        assert_eq!(addresses(&[("url", "http://a:8081")]), [of("http://a:8081", None)]);
        let both = addresses(&[("url", "http://a:1/, https://u:p%40@b/x/y/")]);
        assert_eq!(both, [of("http://a:1", None), of("https://b/x/y", Some("Basic dTpwQA=="))]);
    }

    #[test]
    fn users_and_tokens_come_from_properties_of_any_spelling() {
        let url = ("url", "http://a");
        let basic = [of("http://a", Some("Basic dTpw"))];
        let (info, source) = (("basic.auth.user.info", "u:p"), ("basic.auth.credentials.source", "USER_INFO"));
        assert_eq!(addresses(&[url, source, info]), basic);
        assert_eq!(addresses(&[url, info]), basic);
        assert_eq!(addresses(&[url, source, ("schema.registry.basic.auth.user.info", "u:p")]), basic);
        assert_eq!(addresses(&[url, info, ("basic.auth.credentials.source", "NONE")]), [of("http://a", None)]);
        let token = [("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "t")];
        assert_eq!(addresses(&[url, token[0], token[1]]), [of("http://a", Some("Bearer t"))]);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        let url = ("url", "http://a");
        for (properties, name) in [
            (vec![("url", "secret:8081")], "url"),
            (vec![("url", "http://user:secret@")], "url"),
            (vec![url, ("basic.auth.user.info", "secret")], "basic.auth.user.info"),
            (vec![url, ("basic.auth.credentials.source", "USER_INFO")], "basic.auth.user.info"),
            (vec![url, ("basic.auth.credentials.source", "SASL_INHERIT")], "basic.auth.credentials.source"),
            (vec![url, ("bearer.auth.credentials.source", "OAUTHBEARER")], "bearer.auth.credentials.source"),
            (vec![url, ("http.read.timeout.ms", "soon")], "http.read.timeout.ms"),
            (vec![url, ("ssl.truststore.location", "/nowhere/ca.pem")], "ssl.truststore.location"),
            (vec![url, ("ssl.truststore.certificates", "secret")], "ssl.truststore.certificates"),
            (vec![url, ("ssl.endpoint.identification.algorithm", "")], "ssl.endpoint.identification.algorithm"),
        ] {
            let error = read(&properties).err().unwrap_or_else(|| panic!("{properties:?}"));
            assert!(error.starts_with(&format!("{PREFIX}{name} cannot be used")), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(format!("{:?}", Secret("secret".to_owned())), "***");
    }
}
