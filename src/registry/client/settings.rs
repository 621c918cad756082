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
use std::time::Duration;

use ureq::tls::TlsConfig;

use crate::http::{Address, ClientProperties, SettingError, basic};

/// What ksqlDB puts in front of the properties of the registry's client, and what Confluent's client has in front of some of them.
const PREFIXES: &[&str] = &["ksql.schema.registry.", "ksql.schema.registry.schema.registry."];

/// How a registry is reached.
pub(super) struct Settings {
    pub(super) addresses: Vec<Address>,
    pub(super) tls: TlsConfig,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) retry_pause: Duration,
}

const CONNECT_TIMEOUT_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 10_000;
const RETRIES: u64 = 2;
const RETRY_PAUSE_MS: u64 = 100;

impl Settings {
    /// What `properties` say; nothing if they name no address.
    pub(super) fn read(properties: &BTreeMap<String, String>) -> Result<Option<Self>, SettingError> {
        let values = ClientProperties::new(properties, PREFIXES);
        let Some(urls) = values.get("url") else { return Ok(None) };
        let authorization = authorization(&values)?;
        Ok(Some(Self {
            addresses: values.addresses(urls, authorization.as_deref())?,
            tls: values.tls()?,
            connect_timeout: values.milliseconds("http.connect.timeout.ms", CONNECT_TIMEOUT_MS)?,
            timeout: values.milliseconds("http.read.timeout.ms", TIMEOUT_MS)?,
            retries: u32::try_from(values.number("max.retries", RETRIES)?).unwrap_or(u32::MAX),
            retry_pause: values.milliseconds("retries.wait.ms", RETRY_PAUSE_MS)?,
        }))
    }
}

/// Who we are at all addresses.
fn authorization(values: &ClientProperties<'_>) -> Result<Option<String>, SettingError> {
    const BEARER: &str = "bearer.auth.credentials.source";
    const BASIC: &str = "basic.auth.credentials.source";
    match values.get(BEARER) {
        Some("STATIC_TOKEN") => {
            let Some(token) = values.get("bearer.auth.token") else {
                return values.fault("bearer.auth.token", "it is missing");
            };
            return Ok(Some(format!("Bearer {token}")));
        }
        Some(_) => return values.fault(BEARER, "only STATIC_TOKEN is supported"),
        None => {}
    }
    if let Some(token) = values.get("bearer.auth.token") {
        return Ok(Some(format!("Bearer {token}")));
    }
    let user_info = values.get("basic.auth.user.info");
    match (values.get(BASIC), user_info) {
        (Some("USER_INFO"), None) => values.fault("basic.auth.user.info", "it is missing"),
        (Some("USER_INFO") | None, Some(user_info)) if user_info.contains(':') => Ok(Some(basic(user_info))),
        (Some("USER_INFO") | None, Some(_)) => {
            values.fault("basic.auth.user.info", "it is not of the form user:password")
        }
        (Some("URL" | "NONE") | None, _) => Ok(None),
        (Some(_), _) => values.fault(BASIC, "only USER_INFO, URL and NONE are supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Secret;

    fn read(properties: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let properties = properties.iter().map(|&(name, value)| (format!("{}{name}", PREFIXES[0]), value.to_owned()));
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
            assert!(error.starts_with(&format!("{}{name} cannot be used", PREFIXES[0])), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!(format!("{:?}", Secret("secret".to_owned())), "***");
    }
}
