//! Several servers of one service answer as one: each knows where the others are, who of them lives and how far their copies of state
//! are, and asks those that have what it lacks.
//!
//! ```text
//! announcements (topic of the service) ─▶ members ─┐
//! /heartbeat ─▶ heartbeats: who lives ─────────────┼─▶ routing: which partition to ask whom ─▶ http::Client ─▶ /query-stream
//! /lag ───────▶ lags: how far copies are ──────────┘            ▲                                  (rows as Arrow)
//!                                       peers: partitions of a read
//! ```
//!
//! What one server asks of another in a client's name carries that client's `Authorization`, and is answered of what the other has
//! itself: nothing is passed on twice. What servers tell each other carries a word that only those know who read the service's topic.

mod agents;
mod endpoints;
mod heartbeats;
mod lags;
mod members;
mod peers;
mod routing;
mod status;
mod wire;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use subtle::ConstantTimeEq as _;

use crate::engine::Engine;
use crate::http::{Client, Origin, tls_connector};
use crate::topics::Announced;
use heartbeats::Heartbeats;
use lags::{HostLags, Lags};
use members::{Member, Members, Told};

pub use agents::start as start_agents;
pub use endpoints::{closed_routes, routes};
pub use members::own_origin;
pub use peers::ClientPeers;
pub use routing::{Forwarded, gather};
pub use wire::encode as encode_arrow;

/// The header with the word of the server that is asked.
const WORD: &str = "levada-server-word";

/// What a server knows of the others, and of itself as one of them.
pub struct Cluster {
    client: Client,
    /// Where others reach this server.
    own: OnceLock<Origin>,
    /// What others show who tell this server something.
    word: String,
    /// The servers that have told where they are, as made of what was told last.
    members: Mutex<(Announced, Arc<Members>)>,
    heartbeats: Heartbeats,
    lags: Lags,
    /// How long another server may take to answer.
    forwarding: Duration,
    /// Whether servers are asked that only keep state at hand.
    standby_reads: bool,
}

/// As in ksqlDB.
const FORWARDING: Duration = Duration::from_secs(20);

impl Cluster {
    /// What the properties of `engine` say.
    pub fn new(engine: &Engine) -> Self {
        let property = |name: &str| engine.property(name).filter(|value| !value.trim().is_empty());
        let number = |name: &str| property(name).and_then(|value| value.trim().parse::<u64>().ok());
        let milliseconds = |name: &str, default: u64| Duration::from_millis(number(name).unwrap_or(default));
        let is_on = |name: &str| property(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        // Certificates may be there for Kafka only: where this server speaks HTTPS itself, it says what is wrong with them.
        let tls = engine.server_id().map_or(Ok(None), |_| tls_connector(&engine.properties()));
        let tls = tls.unwrap_or_else(|error| {
            tracing::warn!("other servers cannot be asked over HTTPS: {error}");
            None
        });
        Self {
            client: Client::new(tls),
            own: OnceLock::new(),
            word: members::new_word(),
            members: Mutex::default(),
            heartbeats: Heartbeats {
                is_on: is_on("ksql.heartbeat.enable"),
                send: milliseconds("ksql.heartbeat.send.interval.ms", 100),
                check: milliseconds("ksql.heartbeat.check.interval.ms", 200),
                window: milliseconds("ksql.heartbeat.window.ms", 2000),
                missed: number("ksql.heartbeat.missed.threshold.ms").unwrap_or(3).clamp(1, 1_000_000) as u32,
                heard: Mutex::default(),
            },
            lags: Lags {
                is_on: is_on("ksql.lag.reporting.enable"),
                send: milliseconds("ksql.lag.reporting.send.interval.ms", 5000),
                told: Mutex::default(),
            },
            forwarding: number("ksql.query.pull.forwarding.timeout.ms").map_or(FORWARDING, Duration::from_millis),
            standby_reads: is_on("ksql.query.pull.enable.standby.reads"),
        }
    }

    /// Takes note of where others reach this server.
    pub fn set_origin(&self, origin: Origin) {
        self.own.get_or_init(|| origin);
    }

    /// How this server is called: `host:port`.
    pub fn host(&self) -> String {
        self.own.get().map_or_else(|| "localhost:8088".to_owned(), Origin::authority)
    }

    /// Tells the others where this server is, or that it goes.
    pub fn announce(&self, engine: &Engine, leaves: bool) {
        if let (Some(_), Some(origin)) = (engine.server_id(), self.own.get()) {
            engine.announce(Told::new(origin, &self.word, leaves).to_bytes());
        }
    }

    /// The servers that have told where they are, this one and those that are gone among them.
    fn members(&self, engine: &Engine) -> Arc<Members> {
        let told = engine.announced();
        let mut known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.0, &told) {
            *known = (Arc::clone(&told), Arc::new(members::read(&told)));
        }
        Arc::clone(&known.1)
    }

    /// The other servers that can be asked.
    fn others(&self, engine: &Engine) -> Vec<Member> {
        let members = self.members(engine);
        let own = engine.server_id().unwrap_or_default();
        let others = engine.servers().into_iter().filter(|id| id != own);
        others.filter_map(|id| members.get(&id).filter(|member| !member.leaves).cloned()).collect()
    }

    /// Whether who sends `headers` is a server of this service.
    pub fn is_server(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(WORD).map_or(&[][..], |value| value.as_bytes());
        !self.word.is_empty() && bool::from(self.word.as_bytes().ct_eq(shown))
    }
}
