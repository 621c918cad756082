//! What properties say about a service elsewhere and how to reach it over HTTP: they begin with a prefix that names the service.
//!
//! | behind the prefix | |
//! |---|---|
//! | an address, or several with commas between them | `http://…` or `https://…`; each may hold `user:password@` |
//! | `ssl.truststore.location` with `ssl.truststore.password` | whom to trust, PEM or PKCS#12 |
//! | `ssl.ca.location`, `ssl.truststore.certificates` | the same, PEM |
//! | `ssl.keystore.location` with `ssl.keystore.password`, `ssl.key.password` | who we are, PEM or PKCS#12 |
//! | `ssl.certificate.location` and `ssl.key.location`, or `ssl.keystore.certificate.chain` and `ssl.keystore.key` | the same, PEM |

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::tls::{KEY, KEY_STORE, TRUST_STORE, TlsError};
use super::{client_stores, pem};

/// How names in certificates are checked.
const NAMES: &str = "ssl.endpoint.identification.algorithm";

/// A property, and the bytes that it stands for.
type Named = (&'static str, Vec<u8>);

/// The properties of one service.
#[derive(Debug, Clone, Copy)]
pub struct ClientProperties<'a> {
    properties: &'a BTreeMap<String, String>,
    /// The first one with a value counts.
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

    /// That the property `name` cannot be used for `reason`. It is told as it is spelled where it has a value, else with the first prefix.
    ///
    /// # Errors
    /// Always.
    pub fn fault<T>(&self, name: &str, reason: impl Into<String>) -> Result<T, SettingError> {
        let mut spellings = self.prefixes.iter().map(|prefix| format!("{prefix}{name}"));
        let has_value = |spelling: &String| self.properties.get(spelling).is_some_and(|value| !value.trim().is_empty());
        let name = spellings.clone().find(has_value).or_else(|| spellings.next()).unwrap_or_default();
        Err(SettingError { name, reason: reason.into() })
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
    /// A file that cannot be read, or that holds neither PEM nor, where it is a store, PKCS#12.
    pub fn tls(&self) -> Result<TlsConfig, SettingError> {
        let mut builder = TlsConfig::builder();
        builder = match self.authorities()? {
            Some((name, pem)) => builder.root_certs(RootCerts::new_with_certs(&self.certificates(name, &pem)?)),
            None => builder.root_certs(RootCerts::PlatformVerifier),
        };
        if let Some(((name, chain), (key_name, key))) = self.own()? {
            let (chain, key) = (self.certificates(name, &chain)?, self.private_key(key_name, &key)?);
            builder = builder.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        let names = self.properties.get(&format!("{}{NAMES}", self.prefixes.first().copied().unwrap_or_default()));
        if names.is_some_and(|algorithm| ["", "none"].contains(&algorithm.trim().to_ascii_lowercase().as_str())) {
            return self.fault(NAMES, "the names in certificates are always checked");
        }
        Ok(builder.build())
    }

    /// The certificates of whom to trust, with the property that has them.
    fn authorities(&self) -> Result<Option<Named>, SettingError> {
        if let Some(inline) = self.inline("ssl.truststore.certificates") {
            return Ok(Some(inline));
        }
        if let Some(pem) = self.stored(client_stores::authorities(|name| self.get(name)))? {
            return Ok(Some((TRUST_STORE, pem)));
        }
        self.file("ssl.ca.location")
    }

    /// Our certificates and their key, with the properties that have them.
    fn own(&self) -> Result<Option<(Named, Named)>, SettingError> {
        let chain = match self.inline("ssl.keystore.certificate.chain") {
            Some(inline) => Some(inline),
            None => match self.stored(client_stores::own(|name| self.get(name)))? {
                Some((chain, key)) => return Ok(Some(((KEY_STORE, chain), (KEY_STORE, key)))),
                None => self.file("ssl.certificate.location")?,
            },
        };
        let Some(chain) = chain else { return Ok(None) };
        let key = match self.inline("ssl.keystore.key") {
            Some(inline) => Some(inline),
            None => self.file(KEY)?,
        };
        match key {
            Some(key) => Ok(Some((chain, key))),
            None => self.fault(KEY, "it is missing"),
        }
    }

    /// The text that stands in the property `name`.
    fn inline(&self, name: &'static str) -> Option<Named> {
        self.get(name).map(|text| (name, text.replace("\\n", "\n").into_bytes()))
    }

    /// The file that the property `name` names.
    fn file(&self, name: &'static str) -> Result<Option<Named>, SettingError> {
        let Some(path) = self.get(name) else { return Ok(None) };
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some((name, bytes))),
            Err(error) => self.fault(name, format!("the file {path} cannot be read: {error}")),
        }
    }

    /// What a key store holds.
    fn stored<T>(&self, read: Result<T, TlsError>) -> Result<T, SettingError> {
        read.or_else(|error| match error {
            TlsError::File { property, file, reason } => {
                self.fault(property, format!("the file {file} cannot be read: {reason}"))
            }
            other => self.fault(KEY_STORE, other.to_string()),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIXES: &[&str] = &["service.", ""];

    fn tls(entries: &[(&str, &str)]) -> Result<TlsConfig, String> {
        let properties = entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        ClientProperties::new(&properties, PREFIXES).tls().map_err(|error| error.to_string())
    }

    #[test]
    fn certificates_come_from_pem_and_from_stores_of_java() {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("it can be written");
            path.to_string_lossy().into_owned()
        };
        let x509 = openssl::x509::X509::from_pem(certificate.as_bytes()).expect("its own certificate");
        let private = openssl::pkey::PKey::private_key_from_pem(key.as_bytes()).expect("its own key");
        let store = openssl::pkcs12::Pkcs12::builder().cert(&x509).pkey(&private).build2("secret").expect("a store");
        let store = file("client.p12", &store.to_der().expect("it is written"));
        let certificate_file = file("certificate.pem", certificate.as_bytes());
        let key_file = file("key.pem", key.as_bytes());
        let (trusted, kept) = ("service.ssl.truststore.location", "service.ssl.keystore.location");
        let password = ("service.ssl.keystore.password", "secret");
        for entries in [
            &[(trusted, store.as_str()), ("service.ssl.truststore.password", "secret"), (kept, &store), password][..],
            &[
                (trusted, &certificate_file),
                ("ssl.certificate.location", &certificate_file),
                ("ssl.key.location", &key_file),
            ],
            &[("ssl.ca.location", &certificate_file), (kept, &certificate_file), ("ssl.key.location", &key_file)],
            &[
                ("ssl.truststore.certificates", &certificate),
                ("ssl.keystore.certificate.chain", &certificate),
                ("ssl.keystore.key", &key),
            ],
        ] {
            let config = tls(entries).unwrap_or_else(|error| panic!("{entries:?}: {error}"));
            assert!(config.client_cert().is_some(), "{entries:?}");
            assert!(matches!(config.root_certs(), RootCerts::Specific(_)), "{entries:?}");
        }
        let wrong = tls(&[(kept, &store), ("service.ssl.keystore.password", "other")]).expect_err("it is locked");
        assert!(
            wrong.starts_with("service.ssl.keystore.location cannot be used") && !wrong.contains("other"),
            "{wrong}"
        );
        let keyless = tls(&[("ssl.certificate.location", &certificate_file)]).expect_err("there is no key");
        assert!(keyless.contains("ssl.key.location cannot be used: it is missing"), "{keyless}");
        let elsewhere = tls(&[("ssl.ca.location", "/nowhere/ca.pem")]).expect_err("there is no such file");
        assert!(elsewhere.starts_with("ssl.ca.location cannot be used"), "as it is spelled: {elsewhere}");
    }
}
