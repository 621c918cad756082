//! The schema registry against Apache Avro's own rules, and against clients that others have written.

mod avro_rules;
mod command;
mod kafkajs;
mod parcels;
mod python_clients;

pub use command::Served;

use std::io::{self, Write as _};

/// Whether tests that need something from elsewhere must not be left out.
fn is_required() -> bool {
    std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required")
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "registry: {text}"));
}
