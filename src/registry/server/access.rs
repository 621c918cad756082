//! Who may do what with the registry, and the certificates that it shows.
//!
//! | asked | right |
//! |---|---|
//! | GET, POST that only looks something up or tries whether a schema fits | read |
//! | POST of a new version | write |
//! | DELETE, and PUT of levels and modes | define |

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use crate::http::{Authentication, Moment, Right, Rights, ServerOptions, Stranger, TlsError, forget, tls_acceptor};

/// The time, of whoever serves a registry: tokens have theirs.
pub type Now = Box<dyn Fn() -> Moment + Send + Sync>;

/// How a registry lets others in, by the properties that it is given: those of ksqlDB's server, which Confluent's registry has as well.
pub struct Access {
    properties: BTreeMap<String, String>,
    authentication: Authentication,
    rights: Rights,
    now: Now,
}

/// Why a registry cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A property is wrong, or the file of users is.
    #[error("{0}")]
    Setting(String),
    /// Its certificates are.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Beginnings of the properties that say who is let in, and how.
const KNOWN: [&str; 6] =
    ["ssl.", "authentication.", "oauthbearer.", "levada.authorization.", "levada.users.file", "java.security.auth."];

impl Access {
    /// What `properties` say. Nobody is asked who he is unless they say so.
    ///
    /// # Errors
    /// One that cannot be used.
    pub fn new(properties: &BTreeMap<String, String>, now: Now) -> Result<Self, AccessError> {
        let property = |name: &str| properties.get(name).cloned();
        Ok(Self {
            authentication: Authentication::new(property, "SchemaRegistry").map_err(AccessError::Setting)?,
            rights: Rights::new(property),
            properties: properties.clone(),
            now,
        })
    }

    /// Whether a registry obeys the property `name`.
    pub fn knows(name: &str) -> bool {
        KNOWN.iter().any(|known| name.starts_with(known))
    }

    /// How a server listens that lets others in so; with TLS or without.
    pub(super) fn options(&self, has_tls: bool) -> Result<ServerOptions, TlsError> {
        let tls = if has_tls { Some(tls_acceptor(&self.properties)?) } else { None };
        Ok(ServerOptions { tls, ..ServerOptions::default() })
    }

    async fn admit(&self, path: &str, headers: &HeaderMap, right: Right) -> Result<(), Problem> {
        let who = self.authentication.principal(path, headers, None, (self.now)()).await;
        let who = who.map_err(|stranger| match stranger {
            Stranger::Unknown => Problem::http(401, stranger.to_string()),
            Stranger::Excluded => Problem::http(403, stranger.to_string()),
        })?;
        if self.rights.allow(&who, right) {
            return Ok(());
        }
        let doing = match right {
            Right::Read => "read schemas",
            Right::Write => "register schemas",
            Right::Define => "delete schemas or change levels and modes",
        };
        Err(Problem::http(403, format!("you may not {doing}: {} says whose roles may", right.property())))
    }
}

/// What `request` needs.
fn needed(request: &Request) -> Right {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    match (request.method(), route) {
        (&Method::GET | &Method::HEAD | &Method::OPTIONS, _) => Right::Read,
        (&Method::POST, Some("/subjects/{subject}/versions")) => Right::Write,
        (&Method::POST, _) => Right::Read,
        _ => Right::Define,
    }
}

/// Lets requests through that may be answered.
pub(super) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let (path, headers) = (request.uri().path(), request.headers());
    match access.admit(path, headers, needed(&request)).await {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            forget(request).await;
            let mut response = problem.response();
            if response.status() == 401 {
                access.authentication.challenge(response.headers_mut());
            }
            response
        }
    }
}
