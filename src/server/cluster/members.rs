//! Where the servers of a service are: each tells the others, by a topic that only they should read.
//!
//! ```text
//! {"version": 1, "address": "http://10.0.0.7:8088", "word": "…", "leaves": false}
//! ```

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::http::Origin;
use crate::topics::Announced;

const VERSION: u32 = 1;

/// What a server tells of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    version: u32,
    address: String,
    word: String,
    #[serde(default)]
    leaves: bool,
}

impl Told {
    /// What is told of the server at `origin`.
    pub fn new(origin: &Origin, word: &str, leaves: bool) -> Self {
        Self { version: VERSION, address: origin.to_string(), word: word.to_owned(), leaves }
    }

    /// As it is told.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub origin: Origin,
    /// What is shown to it, so that it believes.
    pub word: HeaderValue,
    /// Whether it has said that it goes.
    pub leaves: bool,
}

/// Servers by their identities.
pub type Members = BTreeMap<String, Member>;

/// The servers that have told what is understood.
pub fn read(told: &Announced) -> Members {
    let member = |(id, bytes): (&String, &std::sync::Arc<[u8]>)| {
        let word: Told = serde_json::from_slice(bytes).ok()?;
        let origin = Origin::parse(&word.address)?;
        let shown = HeaderValue::from_str(&word.word).ok()?;
        (word.version == VERSION).then(|| (id.clone(), Member { origin, word: shown, leaves: word.leaves }))
    };
    told.iter().filter_map(member).collect()
}

/// A word that nobody can guess.
pub fn new_word() -> String {
    let mut bytes = [0; 32];
    // Without a source of random numbers nobody is believed, rather than everybody.
    let drawn = openssl::rand::rand_bytes(&mut bytes).is_ok();
    if drawn { STANDARD.encode(bytes) } else { String::new() }
}

/// Where others reach a server that listens at `listens`, the first of its addresses, with `has_tls`, and at `internal`, for servers
/// only, if it does: as `ksql.advertised.listener` says, else at the internal address, else at the first. An address that stands for
/// all of a machine's is that towards the brokers.
///
/// # Errors
/// What is wrong with the property.
pub fn own_origin(
    engine: &Engine,
    listens: (SocketAddr, bool),
    internal: Option<(SocketAddr, bool)>,
) -> Result<Origin, String> {
    if let Some(text) = engine.property("ksql.advertised.listener").filter(|text| !text.trim().is_empty()) {
        let wrong = || format!("'{text}' is no value of ksql.advertised.listener: write it as http://HOST:PORT");
        return Origin::parse(&text).ok_or_else(wrong);
    }
    let (address, has_tls) = internal.unwrap_or(listens);
    let towards = || engine.property("bootstrap.servers").and_then(|servers| address_towards(&servers));
    let ip = if address.ip().is_unspecified() { towards().unwrap_or(address.ip()) } else { address.ip() };
    Ok(Origin { has_tls, host: ip.to_string(), port: address.port() })
}

/// The address that this machine has for the first of `servers` that is known. Nothing is sent.
fn address_towards(servers: &str) -> Option<IpAddr> {
    servers.split(',').find_map(|server| {
        let server = server.rsplit("//").next().unwrap_or(server).trim();
        let any = |family: &str| {
            let socket = UdpSocket::bind(family).ok()?;
            socket.connect(server).ok()?;
            Some(socket.local_addr().ok()?.ip())
        };
        any("0.0.0.0:0").or_else(|| any("[::]:0"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_understood_and_the_rest_passed_over() {
        let origin = Origin::parse("http://10.0.0.7:8088").expect("an address");
        let told: Announced = std::sync::Arc::new(BTreeMap::from([
            ("a".to_owned(), Told::new(&origin, "w", false).to_bytes().into()),
            ("b".to_owned(), Told::new(&origin, "w", true).to_bytes().into()),
            ("newer".to_owned(), br#"{"version": 2, "address": "http://a:1", "word": "w"}"#[..].into()),
            ("damaged".to_owned(), b"?"[..].into()),
        ]));
        let members = read(&told);
        assert_eq!(members.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((members["a"].origin.clone(), members["a"].leaves, members["b"].leaves), (origin, false, true));
    }

    #[test]
    fn words_differ() {
        assert_ne!(new_word(), new_word());
        assert_eq!(new_word().len(), 44);
    }

    #[test]
    fn the_address_towards_this_machine_is_its_own() {
        assert_eq!(address_towards("PLAINTEXT://127.0.0.1:9092, nowhere"), Some(IpAddr::from([127, 0, 0, 1])));
    }
}
