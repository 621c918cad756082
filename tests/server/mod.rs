//! The HTTP server as programs see it: what is asked, and status, type and body of what comes back.

mod clients;
mod conformance;
mod connectors;
mod endpoints;
mod framings;
mod generated;
mod hostile;
mod http2;
mod identity;
mod limits;
mod load;
pub mod process;
mod secrets;
mod security;
mod wire;

use std::io::{self, Write as _};

/// Whether tests that need something from elsewhere must not be left out.
fn is_required() -> bool {
    std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required")
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "server: {text}"));
}
