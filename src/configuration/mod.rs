//! Properties: all that are known, and those that a server is given.
//!
//! ```text
//! --config FILE ── java_properties ──┐
//! KSQL_…, LEVADA_… ── environment ───┼── load ──▶ Configuration: values with their sources, warnings ──▶ engine, server
//! --property NAME=VALUE ─────────────┘     │
//!                                        known ◀── table: name, default, unit, where it may be set, meaning ──▶ docs
//! ```
//!
//! [`load`] is all that a command needs:
//!
//! ```
//! use levada::configuration::load;
//!
//! let arguments = [("ksql.streams.auto.offset.reset".to_owned(), "earliest".to_owned())];
//! let environment = [("KSQL_LISTENERS".to_owned(), "http://0.0.0.0:8088".to_owned())];
//! let configuration = load(&[], environment, &arguments)?;
//! assert_eq!(configuration.value("auto.offset.reset"), Some("earliest"));
//! assert_eq!(configuration.value("listeners"), Some("http://0.0.0.0:8088"));
//! assert_eq!(configuration.value("ksql.max.push.queries"), Some("100")); // its default
//! # Ok::<(), levada::configuration::ConfigurationError>(())
//! ```

mod client_names;
mod environment;
pub mod java_properties;
mod known;
mod load;
mod overrides;
mod property;
mod secret;
mod table;

pub use known::{
    PropertyError, STREAMS_PREFIX, canonical_name, check_name, check_session, described, is_known, shown_name,
};
pub use load::{Configuration, ConfigurationError, Setting, Source, load};
pub use overrides::check_override;
pub use property::{Kind, Property, Scope, Unit};
pub use secret::{is_secret, shown_value};
pub use table::{SECTIONS, Section, find, properties};

/// Topics of Kafka, its registry, Connect and the engines themselves, as ksqlDB lists them.
pub const RESERVED_TOPICS: &str = "_confluent.*,__confluent.*,_schemas,__consumer_offsets,__transaction_state,\
                                   connect-configs,connect-offsets,connect-status,connect-statuses";

/// Beginnings of properties that have names of their own, and what they are for.
pub fn open_prefixes() -> impl Iterator<Item = (&'static str, &'static str)> {
    known::OPEN_PREFIXES.into_iter()
}
