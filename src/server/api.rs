//! The HTTP API of one process: its listeners, and its end in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::{Server, cluster};
use crate::engine::Engine;
use crate::http::{HttpServer, Limits, Listen, ServerOptions, TlsError, tls_acceptor};

/// As in ksqlDB: connections on which nothing is sent.
const IDLE_MAX: Duration = Duration::from_hours(24);
/// Connections of an API server: a push query has one each.
const CONNECTIONS_MAX: usize = 16_384;
/// Requests that are worked on at the same time.
const WORK_THREADS: usize = 32;
/// How long the others get to learn that this server stops, and how often is looked whether they have.
const TELLING: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);
/// How long what servers tell each other may take when they stop.
const ENDING: Duration = Duration::from_secs(1);

/// Why a server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A property is wrong.
    #[error("{0}")]
    Setting(String),
    /// Its certificates are.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It cannot listen.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The system gives no threads.
    #[error("cannot start what tells other servers: {0}")]
    Threads(io::Error),
}

/// A server that answers until it is stopped or dropped.
pub struct ApiServer {
    server: Arc<Server>,
    listeners: Vec<(HttpServer, Listen)>,
    agents: Option<Runtime>,
}

impl ApiServer {
    /// Serves `engine` at `listens`, and to other servers at `ksql.internal.listener`, as the engine's properties say. With `file`, which
    /// says all that runs, nobody changes that.
    ///
    /// # Errors
    /// What cannot be used of the properties; an address at which nobody can listen.
    pub fn start(engine: &Arc<Engine>, listens: &[Listen], file: Option<&str>) -> Result<Self, ServerError> {
        let server = Arc::new(Server::new(engine, file)?);
        let internal = internal_listener(engine)?;
        let mut listeners = Vec::new();
        for listen in listens {
            listeners.push(begin(&server, *listen, internal.is_none(), None)?);
        }
        let reached = |(http, listen): &(HttpServer, Listen)| (http.address(), listen.has_tls);
        let first =
            listeners.first().map(reached).ok_or_else(|| ServerError::Setting("no listener is given".to_owned()))?;
        let mut for_servers = None;
        if let Some(listen) = internal {
            let clients = engine.property("ksql.internal.ssl.client.authentication");
            listeners.push(begin(&server, listen, true, Some(clients.unwrap_or_else(|| "NONE".to_owned())))?);
            for_servers = listeners.last().map(reached);
        }
        let origin = cluster::own_origin(engine, first, for_servers).map_err(ServerError::Setting)?;
        server.cluster.set_origin(origin);
        server.cluster.announce(engine, false);
        let agents = cluster::start_agents(&server).map_err(ServerError::Threads)?;
        Ok(Self { server, listeners, agents })
    }

    /// The first address at which it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.first().map(|(http, _)| http.address())
    }

    /// Where it listens, that for servers last.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        self.listeners.iter().map(|(http, listen)| format!("{}://{}", listen.scheme(), http.address()))
    }

    /// Ends in order: it says that it is not ready any more, to load balancers and to other servers, takes no more connections, and
    /// ends when the open requests are answered, or after a few seconds.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        let engine = &self.server.engine;
        self.server.stops.store(true, Ordering::Release);
        self.server.cluster.announce(engine, true);
        let delay = engine.property("levada.shutdown.delay.ms").and_then(|text| text.trim().parse().ok());
        let delay = Duration::from_millis(delay.unwrap_or(0));
        let since = engine.elapsed();
        let waited = || engine.elapsed().saturating_sub(since);
        while waited() < delay || (!engine.is_announced() && waited() < TELLING) {
            std::thread::park_timeout(LOOK);
        }
        engine.end_pushes("the server is stopping: ask again");
        self.listeners.clear();
        if let Some(agents) = self.agents.take() {
            agents.shutdown_timeout(ENDING);
        }
    }
}

fn internal_listener(engine: &Engine) -> Result<Option<Listen>, ServerError> {
    let text = engine.property("ksql.internal.listener").filter(|text| !text.trim().is_empty());
    let listen = text.map(|text| Listen::parse(&text)).transpose();
    listen.map_err(|error| ServerError::Setting(format!("ksql.internal.listener: {error}")))
}

/// Listens at `listen`. `clients`, where it is given, says whether those who connect show certificates, in place of the property for
/// the other listeners.
fn begin(
    server: &Arc<Server>,
    listen: Listen,
    for_servers: bool,
    clients: Option<String>,
) -> Result<(HttpServer, Listen), ServerError> {
    let mut properties = server.engine.properties();
    if let Some(clients) = clients {
        properties.insert("ssl.client.authentication".to_owned(), clients);
    }
    let tls = if listen.has_tls { Some(tls_acceptor(&properties)?) } else { None };
    let number = |name: &str| properties.get(name).and_then(|value| value.trim().parse::<u64>().ok());
    let connections = number("levada.connections.max").map_or(CONNECTIONS_MAX, |max| max.max(1) as usize);
    let idle = number("ksql.idle.connection.timeout.seconds").filter(|seconds| *seconds > 0);
    let limits = Limits { connections, idle: idle.map_or(IDLE_MAX, Duration::from_secs), ..Limits::default() };
    let options = ServerOptions { tls, limits, work_threads: WORK_THREADS };
    let http = HttpServer::start_with("http-api", listen.address, server.router(for_servers), options);
    Ok((http.map_err(|error| ServerError::Listen(listen.address, error))?, listen))
}
