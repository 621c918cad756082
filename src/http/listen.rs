//! Addresses that a server may be told to listen at.

use std::net::{SocketAddr, ToSocketAddrs as _};

/// Why nothing can listen there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// It is no address.
    #[error("'{0}' is no address to listen at: write it as HOST:PORT, such as 127.0.0.1:8081")]
    NoAddress(String),
    /// The name of the host leads nowhere.
    #[error("the host of '{0}' is not known: {1}")]
    UnknownHost(String, String),
}

/// Where to listen, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// Whether TLS is spoken.
    pub has_tls: bool,
}

impl Listen {
    /// Reads `http://HOST:PORT` or `https://HOST:PORT`; without either in front it is the former.
    pub fn parse(text: &str) -> Result<Self, ListenError> {
        let text = text.trim();
        let (address, has_tls) = match text.strip_prefix("https://") {
            Some(address) => (address, true),
            None => (text.strip_prefix("http://").unwrap_or(text), false),
        };
        Ok(Self { address: resolve(text, address.trim_end_matches('/'))?, has_tls })
    }

    /// How the scheme of its addresses is written.
    pub fn scheme(self) -> &'static str {
        if self.has_tls { "https" } else { "http" }
    }
}

/// What `HOST:PORT` is, of which port 0 is any that is free; `text` is how it was written.
fn resolve(text: &str, address: &str) -> Result<SocketAddr, ListenError> {
    if let Ok(address) = address.parse() {
        return Ok(address);
    }
    let has_port = address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port {
        return Err(ListenError::NoAddress(text.to_owned()));
    }
    let unknown = |reason: &str| ListenError::UnknownHost(text.to_owned(), reason.to_owned());
    let mut found = address.to_socket_addrs().map_err(|error| unknown(&error.to_string()))?;
    found.next().ok_or_else(|| unknown("it has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_form() {
        for (text, expected) in [
            ("127.0.0.1:8081", "http://127.0.0.1:8081"),
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
            (" https://[::1]:0/", "https://[::1]:0"),
        ] {
            let read = Listen::parse(text).map(|listen| format!("{}://{}", listen.scheme(), listen.address));
            assert_eq!(read, Ok(expected.to_owned()));
        }
        assert!(Listen::parse("localhost:80").is_ok_and(|listen| listen.address.ip().is_loopback()));
        for text in ["8081", "localhost", ":8081", "localhost:http", "ftp://localhost:8081", ""] {
            assert!(Listen::parse(text).is_err(), "{text}");
        }
    }
}
