//! What servers ask each other: HTTP/2, one connection to each, on which many requests are under way at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Where a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// Whether TLS is spoken there.
    pub has_tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// Reads `http://HOST:PORT` or `https://HOST:PORT`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('/');
        let (has_tls, authority) = match text.split_once("://") {
            Some(("https", authority)) => (true, authority),
            Some(("http", authority)) => (false, authority),
            Some(_) => return None,
            None => (false, text),
        };
        let (host, port) = authority.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port > 0)?;
        (!host.is_empty() && !host.contains('/')).then(|| Self { has_tls, host: host.to_owned(), port })
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.has_tls { "https" } else { "http" }, self.authority())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there, or not the one that should be.
    #[error("no connection: {0}")]
    Connection(String),
    /// It has not answered in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(String),
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Path and query.
    pub path: &'static str,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

type Sender = SendRequest<Full<Bytes>>;
/// The connection to one server, once there is one; locked while it is made.
type Slot = Arc<tokio::sync::Mutex<Option<Sender>>>;

/// Connections to other servers.
#[derive(Default)]
pub struct Client {
    tls: Option<Arc<ClientConfig>>,
    slots: Mutex<HashMap<Origin, Slot>>,
}

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(2);
/// How often an idle connection is tried, and how long an answer to that may take.
const ALIVE: Duration = Duration::from_secs(5);
/// Bytes of one answer, and of all, that may be under way.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

impl Client {
    /// A client that speaks TLS as `tls` says, where it is asked to.
    pub fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls, slots: Mutex::default() }
    }

    /// Sends `ask` to `origin` with POST. What is asked must do no harm when it is asked twice.
    pub async fn post(&self, origin: &Origin, ask: &Ask, patience: Duration) -> Result<Reply, ClientError> {
        timeout(patience, self.post_again(origin, ask)).await.unwrap_or(Err(ClientError::Timeout(patience)))
    }

    /// A connection that was left alone may be gone: then there is another one.
    async fn post_again(&self, origin: &Origin, ask: &Ask) -> Result<Reply, ClientError> {
        let (sender, is_new) = self.sender(origin).await?;
        match send(sender, origin, ask).await {
            Err(ClientError::Lost(_)) if !is_new => {
                let (sender, _) = self.sender(origin).await?;
                send(sender, origin, ask).await
            }
            answered => answered,
        }
    }

    /// A connection to `origin`, and whether it was made for this.
    async fn sender(&self, origin: &Origin) -> Result<(Sender, bool), ClientError> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(origin.clone()).or_default())
        };
        let mut slot = slot.lock().await;
        if let Some(sender) = slot.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((sender.clone(), false));
        }
        let connected = timeout(CONNECTING, self.connect(origin)).await;
        let sender = connected.unwrap_or_else(|_| Err(ClientError::Connection("it does not answer".to_owned())))?;
        Ok((slot.insert(sender).clone(), true))
    }

    async fn connect(&self, origin: &Origin) -> Result<Sender, ClientError> {
        let failed = |error: &dyn fmt::Display| ClientError::Connection(error.to_string());
        let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await.map_err(|error| failed(&error))?;
        stream.set_nodelay(true).map_err(|error| failed(&error))?;
        if !origin.has_tls {
            return converse(stream).await;
        }
        let tls = self.tls.as_ref().ok_or_else(|| failed(&"this server has no certificates to speak TLS with"))?;
        let name = ServerName::try_from(origin.host.clone()).map_err(|error| failed(&error))?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        converse(stream.map_err(|error| failed(&error))?).await
    }
}

/// Speaks HTTP/2 on `stream` for as long as there is one who asks.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Sender, ClientError> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(ALIVE).keep_alive_timeout(ALIVE);
    builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|error| ClientError::Connection(error.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection to another server has ended: {error}");
        }
    });
    Ok(sender)
}

async fn send(mut sender: Sender, origin: &Origin, ask: &Ask) -> Result<Reply, ClientError> {
    let lost = |error: hyper::Error| ClientError::Lost(error.to_string());
    let uri: Uri = format!("{origin}{}", ask.path)
        .parse()
        .map_err(|_| ClientError::Connection(format!("'{origin}' is no address")))?;
    let mut request = Request::new(Full::new(ask.body.clone()));
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (Method::POST, uri, ask.headers.clone());
    sender.ready().await.map_err(lost)?;
    let response = sender.send_request(request).await.map_err(lost)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(lost)?.to_bytes();
    Ok(Reply { status, body })
}

impl Ask {
    /// A request with `body`, which is JSON, in the name of whoever `authorization` says.
    pub fn json(path: &'static str, body: String, authorization: Option<&axum::http::HeaderValue>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/json"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Self { path, headers, body: body.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::post;

    use super::super::HttpServer;
    use super::*;

    #[test]
    fn addresses_of_servers_are_read() {
        let origin = |text: &str| Origin::parse(text).map(|origin| origin.to_string());
        for (text, expected) in [
            ("http://a.b:8088", Some("http://a.b:8088")),
            ("https://[::1]:8088/", Some("https://[::1]:8088")),
            ("10.0.0.1:80", Some("http://10.0.0.1:80")),
            ("http://a", None),
            ("http://a:0", None),
            ("ftp://a:1", None),
            ("http://:1", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }

    /// A certificate with its key in a file, as properties name it: for `name`, as an authority of its own or not.
    fn own(folder: &std::path::Path, name: &str, is_authority: bool) -> BTreeMap<String, String> {
        let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        if is_authority {
            parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let file = folder.join(format!("{name}-{is_authority}.pem"));
        std::fs::write(&file, certificate.pem() + &key.serialize_pem()).expect("it can be written");
        let file = file.display().to_string();
        [
            ("ssl.keystore.location", &*file),
            ("ssl.truststore.location", &*file),
            ("ssl.client.authentication", "REQUIRED"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    #[test]
    fn servers_believe_the_certificate_that_they_have_themselves_and_no_other() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder for the test");
        for (name, is_authority) in [("127.0.0.1", false), ("127.0.0.1", true), ("elsewhere", false)] {
            let properties = own(folder.path(), name, is_authority);
            let tls = Some(super::super::tls_acceptor(&properties).expect("certificates"));
            let app = Router::new().route("/", post(async || "here"));
            let options = super::super::ServerOptions { tls, ..Default::default() };
            let server = HttpServer::start_with("test-tls", SocketAddr::from(([127, 0, 0, 1], 0)), app, options);
            let server = server.expect("it can listen");
            let origin = Origin::parse(&format!("https://{}", server.address())).expect("an address");
            let asked = |properties: &BTreeMap<String, String>| {
                let client = Client::new(super::super::tls_connector(properties).expect("certificates"));
                let ask = Ask::json("/", String::new(), None);
                let reply = client.post(&origin, &ask, Duration::from_secs(10));
                runtime.block_on(reply).map(|reply| reply.status)
            };
            assert_eq!(asked(&properties), Ok(StatusCode::OK), "{name} {is_authority}");
            assert!(asked(&own(folder.path(), "other", false)).is_err(), "{name} {is_authority}: another certificate");
            assert!(asked(&BTreeMap::new()).is_err(), "none at all");
        }
    }

    #[test]
    fn a_server_that_has_begun_anew_is_reached_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let start = |address: SocketAddr, word: &'static str| {
            HttpServer::start("test-client", address, Router::new().route("/", post(move || async move { word })))
                .expect("it can listen")
        };
        let first = start(SocketAddr::from(([127, 0, 0, 1], 0)), "first");
        let address = first.address();
        let origin = Origin::parse(&address.to_string()).expect("an address");
        let client = Client::default();
        let ask = Ask::json("/", String::new(), None);
        let asked = || {
            let reply = runtime.block_on(client.post(&origin, &ask, Duration::from_secs(10)));
            reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned())
        };
        assert_eq!(asked(), Ok("first".to_owned()));
        assert_eq!(asked(), Ok("first".to_owned()));
        first.stop();
        assert!(matches!(asked(), Err(ClientError::Connection(_) | ClientError::Lost(_))));
        let _second = start(address, "second");
        assert_eq!(asked(), Ok("second".to_owned()));
    }
}
