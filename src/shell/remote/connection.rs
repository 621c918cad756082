//! Requests to a server, and what it says when it refuses one.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::Response;
use ureq::tls::{ClientCert, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

use crate::engine::EngineError;
use crate::http::pem;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer answers of statements are not read; rows may be as many as they are.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
const JSON: &str = "application/json";
const AUTHORIZATION: &str = "authorization";
/// Servers differ in what they take PRINT for.
const LINES: &str = "application/vnd.ksqlapi.delimited.v1, application/json;q=0.9";

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name and a password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Credentials {
    /// The header `authorization`.
    pub(super) fn header(&self) -> String {
        match self {
            Self::Basic(user, password) => format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            Self::Bearer(token) => format!("Bearer {token}"),
        }
    }
}

/// Whom to trust and who we are, as PEM; nothing of it: whom the system trusts, and nobody.
#[derive(Clone, Default)]
pub struct Certificates {
    /// Authorities whose servers are trusted.
    pub authorities: Option<Vec<u8>>,
    /// Our certificate, and its key.
    pub own: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (is_told, is_shown) = (self.authorities.is_some(), self.own.is_some());
        f.debug_struct("Certificates").field("authorities", &is_told).field("own", &is_shown).finish()
    }
}

impl Certificates {
    fn tls(&self) -> Result<TlsConfig, pem::PemError> {
        let roots = match &self.authorities {
            Some(pem) => RootCerts::new_with_certs(&pem::certificates(pem)?),
            None => RootCerts::PlatformVerifier,
        };
        let own = match &self.own {
            Some((chain, key)) => Some(ClientCert::new_with_certs(&pem::certificates(chain)?, pem::private_key(key)?)),
            None => None,
        };
        Ok(TlsConfig::builder().root_certs(roots).client_cert(own).build())
    }
}

/// Who asks a server, and how.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who asks; nobody in particular without.
    pub credentials: Option<Credentials>,
    /// Whom to trust and who we are in TLS.
    pub certificates: Certificates,
    /// Further headers of every request. One that says who asks counts more than the credentials.
    pub headers: Vec<(String, String)>,
    /// What to do about a server that does not let us in.
    pub advice: Advice,
}

/// What a person may do about a server that cannot be asked: it depends on where the person says how it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// About one that wants to know who asks.
    pub credentials: &'static str,
    /// About one whose certificate is not trusted.
    pub authorities: &'static str,
    /// About one that is not there.
    pub address: &'static str,
}

/// By the options and commands of the shell.
impl Default for Advice {
    fn default() -> Self {
        Self {
            credentials: "-u NAME says who asks (with --password, or the password is asked for), --token has a token",
            authorities: "--ca names a file with the certificate that the server's is signed by",
            address: "does it run there? `levada server` starts one at http://127.0.0.1:8088; `server URL` asks another one",
        }
    }
}

/// A server, and how it is asked.
pub(super) struct Connection {
    agent: Agent,
    /// `https://host:port`, without `/` at its end.
    pub(super) url: String,
    /// Headers of every request.
    headers: Vec<(String, String)>,
    advice: Advice,
}

impl Connection {
    /// Prepares to ask the server at `url`, which may hold `user:password@`. Nothing is asked yet.
    pub(super) fn new(url: &str, access: &Access) -> Result<Self, EngineError> {
        let (url, of_url) = parse_url(url)?;
        let mut headers = access.headers.clone();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION)) {
            let credentials = of_url.as_ref().or(access.credentials.as_ref());
            headers.extend(credentials.map(|credentials| (AUTHORIZATION.to_owned(), credentials.header())));
        }
        Ok(Self { agent: agent(&access.certificates)?, url, headers, advice: access.advice })
    }

    /// Asks; the answer is one of success.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Response<Body>, EngineError> {
        self.post_for(JSON, path, body)
    }

    /// The same for an answer that is text: records of PRINT.
    pub(super) fn post_for_text(&self, path: &str, body: &Value) -> Result<Response<Body>, EngineError> {
        self.post_for(LINES, path, body)
    }

    fn post_for(&self, accept: &str, path: &str, body: &Value) -> Result<Response<Body>, EngineError> {
        let request = self.agent.post(format!("{}{path}", self.url));
        let request = self.with_headers(request.header("accept", accept).header("content-type", JSON));
        self.granted(request.send(body.to_string()))
    }

    /// What a request is answered with.
    pub(super) fn post_for_json(&self, path: &str, body: &Value) -> Result<Value, EngineError> {
        let answer = self.post(path, body)?;
        self.json(answer)
    }

    /// What is at `path`.
    pub(super) fn get(&self, path: &str) -> Result<Value, EngineError> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("accept", JSON);
        let answer = self.granted(self.with_headers(request).call())?;
        self.json(answer)
    }

    fn with_headers<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    fn json(&self, mut answer: Response<Body>) -> Result<Value, EngineError> {
        let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let bytes = bytes.map_err(|error| self.lost(&error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|_| self.no_such_server())
    }

    fn granted(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, EngineError> {
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let mut answer = answer;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().unwrap_or_default();
        Err(self.refusal(status, &serde_json::from_slice(&text).unwrap_or_default()))
    }

    fn refusal(&self, status: u16, body: &Value) -> EngineError {
        if let Some(error) = error_of(body) {
            return match status {
                401 if error.hint.is_none() => error.with_hint(self.advice.credentials),
                _ => error,
            };
        }
        let says_who = |(name, _): &(String, String)| name.eq_ignore_ascii_case(AUTHORIZATION);
        let (url, no_name) = (&self.url, !self.headers.iter().any(says_who));
        match status {
            401 if no_name => EngineError::new(format!("the server at {url} wants to know who asks"))
                .with_hint(self.advice.credentials),
            401 => EngineError::new(format!("the server at {url} does not accept this name and password or token")),
            403 => EngineError::new(format!("the server at {url} does not allow this")),
            404 => self.no_such_server(),
            _ => EngineError::new(format!("the server at {url} has answered with status {status}")),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> EngineError {
        let url = &self.url;
        let reason = match error {
            ureq::Error::Io(error) => error.to_string(),
            ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
            ureq::Error::HostNotFound => "the host is not known".to_owned(),
            ureq::Error::ConnectionFailed => "no connection".to_owned(),
            error => error.to_string(),
        };
        let text = format!("the server at {url} cannot be reached: {reason}");
        let hint = if reason.contains("certificate") || reason.contains("UnknownIssuer") {
            self.advice.authorities
        } else {
            self.advice.address
        };
        let told = EngineError::new(text).with_hint(hint);
        if was_never_there(error) { told.with_code(UNREACHABLE) } else { told }
    }

    /// The answer has begun and broken off.
    pub(super) fn lost(&self, reason: &str) -> EngineError {
        let text = format!("the connection to {} was lost: {reason}", self.url);
        EngineError::new(text).with_hint("the next statement connects again")
    }

    fn no_such_server(&self) -> EngineError {
        EngineError::new(format!("what answers at {} is no ksqlDB server", self.url))
    }
}

/// Makes requests with `certificates`.
pub(super) fn agent(certificates: &Certificates) -> Result<Agent, EngineError> {
    let tls =
        certificates.tls().map_err(|error| EngineError::new(format!("the certificates cannot be used: {error}")))?;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        // A server may have been started again since the last statement: each has a connection of its own.
        .max_idle_connections(0)
        .tls_config(tls)
        .user_agent(concat!("levada/", env!("CARGO_PKG_VERSION")));
    Ok(config.build().new_agent())
}

/// The code of an error that says that there was no connection: nothing was sent.
pub(super) const UNREACHABLE: u32 = 0;

fn was_never_there(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => true,
        _ => false,
    }
}

/// The error that `body` tells of, if it does.
pub(super) fn error_of(body: &Value) -> Option<EngineError> {
    let message = body["message"].as_str()?;
    let number = |name: &str| body[name].as_u64().map(|number| number as usize);
    let position = number("line").zip(number("column")).or_else(|| place_in(message));
    Some(EngineError {
        message: without_statement(message).to_owned(),
        position,
        hint: body["hint"].as_str().map(ToOwned::to_owned),
        code: body["error_code"].as_u64().and_then(|code| u32::try_from(code).ok()),
    })
}

/// A message says the statement once more, which the shell shows in its own way.
fn without_statement(message: &str) -> &str {
    message.split_once("\nStatement: ").map_or(message, |(before, _)| before).trim_end()
}

/// The place with which messages of the parser begin: `line 1:8: `.
fn place_in(message: &str) -> Option<(usize, usize)> {
    let (line, rest) = message.strip_prefix("line ")?.split_once(':')?;
    let (column, _) = rest.split_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The address, and who asks if it says so.
fn parse_url(text: &str) -> Result<(String, Option<Credentials>), EngineError> {
    let wrong =
        || EngineError::new(format!("{text} is no address of a server")).with_hint("write it as http://localhost:8088");
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    if !["http", "https"].contains(&scheme) {
        return Err(wrong());
    }
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    let place = place.trim_end_matches('/');
    if place.is_empty() || place.starts_with(':') || place.contains(char::is_whitespace) {
        return Err(wrong());
    }
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        Credentials::Basic(decoded(name), decoded(password))
    });
    Ok((format!("{scheme}://{place}"), credentials))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_may_hold_a_user_and_lack_a_scheme() {
        let url = |text: &str| parse_url(text).map(|(url, _)| url).ok();
        assert_eq!(url("localhost:8088").as_deref(), Some("http://localhost:8088"));
        assert_eq!(url("https://a/b/").as_deref(), Some("https://a/b"));
        for wrong in ["ftp://a", "http://", "http://:80", "two words"] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
        let (url, user) = parse_url("https://ann:p%40ss@a:1").expect("it is an address");
        assert_eq!((url.as_str(), user), ("https://a:1", Some(Credentials::Basic("ann".into(), "p@ss".into()))));
        assert_eq!(Credentials::Basic("u".into(), "p".into()).header(), "Basic dTpw");
        assert_eq!(format!("{:?}", Credentials::Bearer("secret".into())), "***");
    }

    #[test]
    fn errors_have_their_place_wherever_the_server_says_it() {
        let error = error_of(&json!({"message": "no", "line": 2, "column": 3, "hint": "x", "error_code": 40001}));
        let error = error.expect("it is one");
        assert_eq!((error.position, error.hint.as_deref(), error.code), (Some((2, 3)), Some("x"), Some(40001)));
        let of_ksqldb = json!({"message": "line 1:8: Syntax Error\nno\nStatement: SELECT", "error_code": 40001});
        let error = error_of(&of_ksqldb).expect("it is one");
        assert_eq!((error.message.as_str(), error.position), ("line 1:8: Syntax Error\nno", Some((1, 8))));
        assert!(error_of(&json!({"a": 1})).is_none());
    }
}
