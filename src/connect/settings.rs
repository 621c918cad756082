//! What the properties say about Kafka Connect and how to reach it, by ksqlDB's names.
//!
//! | `ksql.connect.` | |
//! |---|---|
//! | `url` | addresses, with commas between them; each may hold `user:password@` |
//! | `basic.auth.credentials.source`, `basic.auth.credentials.file` | `FILE`, and a file with `username` and `password` |
//! | `basic.auth.credentials.reload` | whether that file is read again for each statement |
//! | `request.timeout.ms` | how long an answer may take |
//! | `ssl.…` | see [`ClientProperties`]; without the prefix, where there is none with it |

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::tls::TlsConfig;

use crate::configuration::java_properties;
use crate::http::{Address, ClientProperties, SettingError, basic};

const PREFIX: &[&str] = &["ksql.connect."];
/// As ksqlDB, Connect's client trusts whom the server trusts, unless it is told otherwise.
const TLS_PREFIXES: &[&str] = &["ksql.connect.", ""];

const URL: &str = "http://localhost:8083";
const TIMEOUT_MS: u64 = 5_000;
const FILE: &str = "basic.auth.credentials.file";
const SOURCE: &str = "basic.auth.credentials.source";
const RELOAD: &str = "basic.auth.credentials.reload";

/// How Kafka Connect is reached.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) addresses: Vec<Address>,
    pub(super) tls: TlsConfig,
    pub(super) timeout: Duration,
    /// Whether they are to be read again for each statement.
    pub(super) are_reloaded: bool,
}

impl Settings {
    /// What `properties` say.
    pub(super) fn read(properties: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let values = ClientProperties::new(properties, PREFIX);
        let authorization = authorization(&values)?;
        let addresses = values.addresses(values.get("url").unwrap_or(URL), authorization.as_deref())?;
        let has_tls = addresses.iter().any(|address| address.url.starts_with("https://"));
        let tls = ClientProperties::new(properties, TLS_PREFIXES);
        let timeout = values.milliseconds("request.timeout.ms", TIMEOUT_MS)?;
        if timeout.is_zero() {
            return values.fault("request.timeout.ms", "no answer takes no time");
        }
        Ok(Self {
            addresses,
            tls: if has_tls { tls.tls()? } else { TlsConfig::default() },
            timeout,
            are_reloaded: values.get(RELOAD).is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }
}

/// Who we are at all addresses.
fn authorization(values: &ClientProperties<'_>) -> Result<Option<String>, SettingError> {
    match values.get(SOURCE).unwrap_or("NONE").to_ascii_uppercase().as_str() {
        "NONE" => Ok(None),
        "FILE" => {
            let Some(path) = values.get(FILE) else { return values.fault(FILE, "it is missing") };
            let read = std::fs::read(path).map_err(|error| error.to_string());
            let text = read.map(java_properties::text_of);
            let entries = text.and_then(|text| java_properties::read(&text).map_err(|error| error.to_string()));
            let entries = match entries {
                Ok(entries) => entries,
                Err(reason) => return values.fault(FILE, format!("the file {path} cannot be read: {reason}")),
            };
            let of = |name: &str| entries.iter().rev().find(|entry| entry.name == name).map(|entry| entry.value.trim());
            match (of("username"), of("password")) {
                (Some(username), Some(password)) => Ok(Some(basic(&format!("{username}:{password}")))),
                _ => values.fault(FILE, format!("the file {path} has no username and password, one on each line")),
            }
        }
        _ => values.fault(SOURCE, "only FILE and NONE are supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Result<Settings, String> {
        let properties = properties.iter().map(|&(name, value)| (format!("ksql.connect.{name}"), value.to_owned()));
        Settings::read(&properties.collect()).map_err(|error| error.to_string())
    }

    fn addresses(properties: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let settings = read(properties).expect("they can be used");
        settings.addresses.into_iter().map(|one| (one.url, one.authorization.map(|secret| secret.0))).collect()
    }

    #[test]
    fn connect_is_looked_for_on_this_machine_unless_addresses_are_named() {
        assert_eq!(addresses(&[]), [("http://localhost:8083".to_owned(), None)]);
        assert_eq!(read(&[]).expect("the defaults can be used").timeout, Duration::from_secs(5));
        let several = addresses(&[("url", "http://a:1/, https://u:p@b:2/connect")]);
        let expected = [("http://a:1", None), ("https://b:2/connect", Some("Basic dTpw"))];
        assert_eq!(several, expected.map(|(url, said)| (url.to_owned(), said.map(str::to_owned))));
    }

    #[test]
    fn a_file_says_who_asks() {
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(file.path(), "# of Connect\nusername: u\npassword: p\n").expect("it can be written");
        let path = file.path().display().to_string();
        let of = |source: &str| addresses(&[(SOURCE, source), (FILE, &path)])[0].1.clone();
        assert_eq!(of("FILE"), Some("Basic dTpw".to_owned()));
        assert_eq!(of("none"), None);
        assert!(!read(&[(SOURCE, "FILE"), (FILE, &path)]).expect("they can be used").are_reloaded);
        assert!(read(&[(RELOAD, "true")]).expect("they can be used").are_reloaded);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        let empty = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(empty.path(), "username=secret\n").expect("it can be written");
        let path = empty.path().display().to_string();
        for (properties, name) in [
            (vec![("url", "secret:8083")], "url"),
            (vec![("url", ",")], "url"),
            (vec![("request.timeout.ms", "soon")], "request.timeout.ms"),
            (vec![("request.timeout.ms", "0")], "request.timeout.ms"),
            (vec![(SOURCE, "KEYCHAIN")], SOURCE),
            (vec![(SOURCE, "FILE")], FILE),
            (vec![(SOURCE, "FILE"), (FILE, "/nowhere/at-all")], FILE),
            (vec![(SOURCE, "FILE"), (FILE, &*path)], FILE),
            (vec![("url", "https://a"), ("ssl.truststore.location", "/nowhere/ca.pem")], "ssl.truststore.location"),
            (
                vec![("url", "https://a"), ("ssl.endpoint.identification.algorithm", "none")],
                "ssl.endpoint.identification.algorithm",
            ),
        ] {
            let error = read(&properties).err().unwrap_or_else(|| panic!("{properties:?}"));
            assert!(error.starts_with(&format!("ksql.connect.{name} cannot be used")), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn certificates_of_the_server_are_those_of_connect_unless_it_has_its_own() {
        let read = |own: Option<&str>| {
            let mut properties = BTreeMap::from([
                ("ksql.connect.url".to_owned(), "https://a".to_owned()),
                ("ssl.truststore.location".to_owned(), "/nowhere/server.pem".to_owned()),
            ]);
            let own = own.map(|own| ("ksql.connect.ssl.truststore.location".to_owned(), own.to_owned()));
            properties.extend(own);
            Settings::read(&properties).expect_err("there is no such file").to_string()
        };
        assert!(read(None).contains("/nowhere/server.pem"));
        assert!(read(Some("/nowhere/connect.pem")).contains("/nowhere/connect.pem"));
    }
}
