//! The log: standard error, warnings and worse unless `LEVADA_LOG` says otherwise.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Environment variable with the log filter: `info`, `debug`, `levada::runtime=trace`.
const FILTER_VARIABLE: &str = "LEVADA_LOG";

/// Sends log events of this process to standard error.
pub fn start() {
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // The filter language is parsed only when somebody uses it: most starts are one short command.
    let started = match std::env::var(FILTER_VARIABLE) {
        Ok(filter) => log.with_env_filter(EnvFilter::new(filter)).try_init(),
        Err(_) => log.with_max_level(LevelFilter::WARN).try_init(),
    };
    // A second start keeps the first log; the process has one either way.
    drop(started);
}
