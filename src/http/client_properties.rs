//! What properties say about a service elsewhere and how to reach it over HTTP: they begin with a prefix that names the service.
//!
//! | behind the prefix | |
//! |---|---|
//! | an address, or several with commas between them | `http://…` or `https://…`; each may hold `user:password@` |
//! | `ssl.truststore.location`, `ssl.ca.location`, `ssl.truststore.certificates` | whom to trust, PEM |
//! | `ssl.keystore.location`, or `ssl.certificate.location` and `ssl.key.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key` | who we are, PEM |

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::pem;

/// How names in certificates are checked.
const NAMES: &str = "ssl.endpoint.identification.algorithm";

/// The properties of one service.
#[derive(Debug, Clone, Copy)]
pub struct ClientProperties<'a> {
    properties: &'a BTreeMap<String, String>,
    /// The first one with a value counts, and names the property where something is wrong.
    prefixes: &'static [&'static str],
}

/// Where a service answers.
#[derive(Debug, Clone)]
pub struct Address {
    /// Without user, and without `/` at its end.
    pub url: String,
    /// The header that says who we are.
    pub authorization: Option<Secret>,
}

/// A text that is not to be seen.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A property that cannot be used. Values are not shown: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot be used: {reason}")]
pub struct SettingError {
    name: String,
    reason: String,
}

impl<'a> ClientProperties<'a> {
    /// Those of `properties` that begin with one of `prefixes`, of which there is at least one.
    pub fn new(properties: &'a BTreeMap<String, String>, prefixes: &'static [&'static str]) -> Self {
        Self { properties, prefixes }
    }

    /// The value of `name`, which stands behind a prefix.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let values = self.prefixes.iter().filter_map(|prefix| self.properties.get(&format!("{prefix}{name}")));
        values.map(|value| value.trim()).find(|value| !value.is_empty())
    }

    /// The whole number `name`.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, SettingError> {
        match self.get(name).map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => self.fault(name, "it is no whole number"),
        }
    }

    /// The time `name`.
    ///
    /// # Errors
    /// It is no number of milliseconds.
    pub fn milliseconds(&self, name: &str, default: u64) -> Result<Duration, SettingError> {
        self.number(name, default).map(Duration::from_millis)
    }

    /// That the property `name` cannot be used for `reason`.
    ///
    /// # Errors
    /// Always.
    pub fn fault<T>(&self, name: &str, reason: impl Into<String>) -> Result<T, SettingError> {
        let prefix = self.prefixes.first().copied().unwrap_or_default();
        Err(SettingError { name: format!("{prefix}{name}"), reason: reason.into() })
    }

    /// The addresses in `urls`, the value of `url`; those that hold no user are told `authorization`.
    ///
    /// # Errors
    /// One is no address, or there is none.
    pub fn addresses(&self, urls: &str, authorization: Option<&str>) -> Result<Vec<Address>, SettingError> {
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
        let addresses: Vec<Address> = urls.map(|url| self.address(url, authorization)).collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return self.fault("url", "it names no address");
        }
        Ok(addresses)
    }

    fn address(&self, url: &str, authorization: Option<&str>) -> Result<Address, SettingError> {
        let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))
        else {
            return self.fault("url", "an address begins with http:// or https://");
        };
        let (user_info, place) = match rest.split_once('/').map_or(rest, |(authority, _)| authority).rsplit_once('@') {
            Some((user_info, _)) => (Some(user_info), &rest[user_info.len() + 1..]),
            None => (None, rest),
        };
        if place.is_empty() || place.starts_with(['/', ':']) {
            return self.fault("url", "an address has no host");
        }
        let authorization = match user_info {
            Some(user_info) => Some(basic(&percent_decode_str(user_info).decode_utf8_lossy())),
            None => authorization.map(ToOwned::to_owned),
        };
        let url = format!("{scheme}://{}", place.trim_end_matches('/'));
        Ok(Address { url, authorization: authorization.map(Secret) })
    }

    /// Whom to trust, and who we are.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no PEM.
    pub fn tls(&self) -> Result<TlsConfig, SettingError> {
        let mut builder = TlsConfig::builder();
        let trusted = self.text_of(&["ssl.truststore.location", "ssl.ca.location"], "ssl.truststore.certificates")?;
        builder = match trusted {
            Some((name, pem)) => builder.root_certs(RootCerts::new_with_certs(&self.certificates(name, &pem)?)),
            None => builder.root_certs(RootCerts::PlatformVerifier),
        };
        let chain_names = ["ssl.keystore.location", "ssl.certificate.location"];
        if let Some((name, pem)) = self.text_of(&chain_names, "ssl.keystore.certificate.chain")? {
            let key_names = ["ssl.key.location", "ssl.keystore.location"];
            let key = self.text_of(&key_names, "ssl.keystore.key")?;
            let Some((key_name, key)) = key else { return self.fault("ssl.key.location", "it is missing") };
            let client = ClientCert::new_with_certs(&self.certificates(name, &pem)?, self.private_key(key_name, &key)?);
            builder = builder.client_cert(Some(client));
        }
        let names = self.properties.get(&format!("{}{NAMES}", self.prefixes.first().copied().unwrap_or_default()));
        if names.is_some_and(|algorithm| ["", "none"].contains(&algorithm.trim().to_ascii_lowercase().as_str())) {
            return self.fault(NAMES, "the names in certificates are always checked");
        }
        Ok(builder.build())
    }

    /// The text that stands in the property `inline`, or in a file that one of `files` names.
    fn text_of<'n>(&self, files: &[&'n str], inline: &'n str) -> Result<Option<(&'n str, Vec<u8>)>, SettingError> {
        if let Some(text) = self.get(inline) {
            return Ok(Some((inline, text.replace("\\n", "\n").into_bytes())));
        }
        for name in files {
            if let Some(path) = self.get(name) {
                return match std::fs::read(path) {
                    Ok(bytes) => Ok(Some((name, bytes))),
                    Err(error) => self.fault(name, format!("the file {path} cannot be read: {error}")),
                };
            }
        }
        Ok(None)
    }

    fn certificates(&self, name: &str, pem: &[u8]) -> Result<Vec<Certificate<'static>>, SettingError> {
        pem::certificates(pem).or_else(|error| self.fault(name, error.to_string()))
    }

    fn private_key(&self, name: &str, pem: &[u8]) -> Result<PrivateKey<'static>, SettingError> {
        pem::private_key(pem).or_else(|error| self.fault(name, error.to_string()))
    }
}

/// The header that says `user_info`, which is `user:password`.
pub fn basic(user_info: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_info))
}

/// What went wrong with a request, without what was sent.
pub fn request_failure(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(status) => format!("it answers with the status {status}"),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
        ureq::Error::HostNotFound => "the host is not known".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::BadUri(_) => "it is no address".to_owned(),
        error => error.to_string(),
    }
}

/// A name as it stands in a path.
pub fn path_segment(name: &str) -> PercentEncode<'_> {
    /// All but what may stand anywhere in an address (RFC 3986).
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, RESERVED)
}
