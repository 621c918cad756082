//! The log: standard error, warnings and worse unless `LEVADA_LOG` says otherwise, as text unless `LEVADA_LOG_FORMAT` is `json`.

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FormatEvent;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;

use super::log_lines::JsonLines;
use crate::shell::{BesideLive, Palette};

/// Environment variable with the log filter: `info`, `debug`, `levada::runtime=trace`.
const FILTER_VARIABLE: &str = "LEVADA_LOG";

/// Environment variable with the form of the log: `text` or `json`.
const FORM_VARIABLE: &str = "LEVADA_LOG_FORMAT";

/// Sends log events of this process to standard error. A person at a terminal gets short lines; a file, which others
/// read later, gets the date and the module too.
pub fn start() {
    let log = tracing_subscriber::fmt().with_writer((|| BesideLive) as fn() -> BesideLive);
    if std::env::var(FORM_VARIABLE).is_ok_and(|form| form.eq_ignore_ascii_case("json")) {
        init(log.event_format(JsonLines));
    } else if io::stderr().is_terminal() {
        init(log.with_ansi(Palette::of(&io::stderr()).is_coloured()).with_target(false).with_timer(TimeOfDay));
    } else {
        init(log.with_ansi(false));
    }
}

type Log<E> = tracing_subscriber::fmt::SubscriberBuilder<DefaultFields, E, LevelFilter, fn() -> BesideLive>;

fn init<E: FormatEvent<tracing_subscriber::Registry, DefaultFields> + Send + Sync + 'static>(log: Log<E>) {
    // The filter language is parsed only when somebody uses it: most starts are one short command.
    let started = match std::env::var(FILTER_VARIABLE) {
        Ok(filter) => log.with_env_filter(EnvFilter::new(filter)).try_init(),
        Err(_) => log.with_max_level(LevelFilter::WARN).try_init(),
    };
    // A second start keeps the first log; the process has one either way.
    drop(started);
}

/// `14:03:59`, local time.
struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, text: &mut Writer<'_>) -> fmt::Result {
        write!(text, "{}", chrono::Local::now().format("%H:%M:%S"))
    }
}
