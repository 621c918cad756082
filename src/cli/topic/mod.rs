//! `levada topic`: look at topics, put records in, get records out.
//!
//! ```text
//! list · create · describe · delete ─▶ inspect ───────────────────────────────┐
//! produce ─▶ lines of standard input ─▶ json_fields, …_format ──▶ Appender ───┼─▶ Topics
//! listen  ─▶ messages of sockets ─▶ syslog, as JSON ──────────────▶ Appender ───┤
//! import  ─▶ csv_file ─▶ column_type (inference) ─▶ json_row ─────▶ Appender ───┤
//! consume ◀─ text or JSON lines, in order of time ◀─ shown (formats) ◀────────────┘
//! ```

pub(super) mod appender;
mod column_type;
mod consume;
mod csv_file;
mod hex;
mod import;
mod inspect;
mod json_fields;
mod json_row;
mod key_format;
mod lines;
mod listen;
mod messages;
mod produce;
mod refusals;
mod shown;
pub(super) mod time_text;
mod value_format;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal as _, LineWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::Failure;
use super::counted::counted;
use super::data_dir::{self, loaded, parse_property};
use crate::engine::schema_registry;
use crate::registry::{RegistryError, SchemaRegistry};
use crate::runtime::clock::{Clock, SystemClock};
use crate::shell::{BesideLive, Interrupt};
use crate::topics::{self, TopicError, Topics};

/// Look at topics, put records in, get records out
#[derive(Debug, clap::Args)]
pub struct TopicCommand {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    place: Place,
}

/// Where topics are.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// Directory of topics, state and offsets; created when missing by what writes
    #[arg(long, global = true, value_name = "DIR", default_value = data_dir::DEFAULT)]
    data_dir: PathBuf,

    /// File of server properties as ksqlDB has them, repeatable; what a later one says counts more
    #[arg(long = "config-file", global = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Property by its ksqlDB name, repeatable; with bootstrap.servers=HOST:PORT the topics are those of that Kafka cluster
    #[arg(long = "property", global = true, value_name = "KEY=VALUE", value_parser = parse_property)]
    properties: Vec<(String, String)>,
}

/// What every data directory holds.
const STORE: &str = "store";

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List topics
    List(inspect::List),
    /// Create a topic
    Create(inspect::Create),
    /// Show a topic's settings and the offsets of its partitions
    Describe(inspect::Describe),
    /// Delete a topic with all its records
    Delete(inspect::Delete),
    /// Append one record per line of standard input
    Produce(produce::Produce),
    /// Append one record per message that comes over a socket: the system log of other machines
    Listen(listen::Listen),
    /// Print records, one per line
    Consume(consume::Consume),
    /// Append one JSON record per row of a CSV file
    Import(import::Import),
}

impl Action {
    /// Whether a data directory that is missing comes into being: one to look at is none that was mistyped.
    fn creates(&self) -> bool {
        match self {
            Self::Create(_) | Self::Produce(_) | Self::Listen(_) | Self::Import(_) => true,
            Self::List(_) | Self::Describe(_) | Self::Delete(_) | Self::Consume(_) => false,
        }
    }
}

/// What a command reads, writes and asks while it works.
pub struct Streams<'a> {
    /// Standard input. Owned, because a thread of its own waits for it.
    pub input: Box<dyn Read + Send>,
    /// Whether a person types it: nothing is shown then that changes where they type.
    pub is_typed: bool,
    /// Standard output: results.
    pub output: &'a mut dyn Write,
    /// Standard error: notices about the work.
    pub notices: &'a mut dyn Write,
    /// Whether somebody asked the work to stop (Ctrl-C). Asked at least every tenth of a second.
    pub stop: &'a dyn Fn() -> bool,
    /// Milliseconds since the epoch.
    pub now_ms: &'a dyn Fn() -> i64,
}

/// Where records are read and written.
#[derive(Clone, Copy)]
pub(super) struct Records<'a> {
    topics: &'a dyn Topics,
    properties: &'a BTreeMap<String, String>,
}

impl Records<'_> {
    /// Where the schemas of records are; `None` on a cluster without a registry.
    pub(super) fn registry(&self) -> Result<Option<Arc<dyn SchemaRegistry>>, TopicFailure> {
        schema_registry(self.topics, self.properties).map_err(|error| TopicFailure::Registry(error.to_string()))
    }
}

/// Why a command failed. The text is for the person who typed it.
#[derive(Debug, thiserror::Error)]
pub enum TopicFailure {
    /// The topics refused.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// A file cannot be read, or not as CSV.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file as typed.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Options do not fit the file or the topic.
    #[error("{0}")]
    Options(String),
    /// The schema registry cannot be asked.
    #[error("{0}")]
    Registry(String),
    /// Standard input or output failed.
    #[error("cannot read or write: {0}")]
    Io(io::Error),
    /// The reader of standard output has gone (`| head -1`). Never leaves [`TopicCommand::run`].
    #[error("the reader of the output has gone")]
    ClosedPipe,
    /// Some input could not become records; which and why was printed. The rest was appended.
    #[error("{refused} of {} refused, {}", counted(*all, what), if refused == all { "nothing was appended" } else { "the others were appended" })]
    Refused {
        /// How many were refused.
        refused: u64,
        /// How many there were.
        all: u64,
        /// `line` or `row`.
        what: &'static str,
    },
    /// The work was asked to stop before its end.
    #[error("stopped after {}", counted(*appended, "record"))]
    Stopped {
        /// Records that were appended before.
        appended: u64,
    },
}

impl From<TopicFailure> for Failure {
    fn from(failure: TopicFailure) -> Self {
        Self::new(failure.to_string())
    }
}

impl From<RegistryError> for TopicFailure {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error.to_string())
    }
}

impl From<io::Error> for TopicFailure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Io(error),
        }
    }
}

/// Topics, and what is said of the server.
pub(super) struct Opened {
    topics: Arc<dyn Topics>,
    properties: BTreeMap<String, String>,
}

impl Opened {
    /// Where records are read and written.
    pub(super) fn records(&self) -> Records<'_> {
        Records { topics: self.topics.as_ref(), properties: &self.properties }
    }
}

impl Place {
    /// The topics there; `creates` says whether a data directory that is missing comes into being.
    pub(super) fn open(&self, creates: bool) -> Result<Opened, Failure> {
        let properties = loaded(&self.files, &self.properties)?.values();
        // There is something to look at in a cluster, and in a data directory that is Levada's.
        let has_topics = topics::is_cluster(&properties) || self.data_dir.join(STORE).is_dir();
        if !creates && !has_topics {
            return Err(Failure::new(format!("no data directory at {}", self.data_dir.display())));
        }
        let topics = topics::open_without_state(&self.data_dir, &properties).map_err(TopicFailure::from)?;
        Ok(Opened { topics, properties })
    }

    /// Adds what another way of writing the command line says.
    pub(super) fn add(&mut self, files: Vec<PathBuf>, properties: Vec<(String, String)>) {
        self.files.extend(files);
        self.properties.extend(properties);
    }
}

impl TopicCommand {
    /// Runs the command on the topics of its data directory, with the streams of this process.
    pub fn run(self) -> Result<(), Failure> {
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let clock = SystemClock::new();
        let mut output = BufWriter::new(io::stdout());
        let mut streams = Streams {
            input: Box::new(io::stdin()),
            output: &mut output,
            is_typed: io::stdin().is_terminal(),
            notices: &mut LineWriter::new(BesideLive),
            stop: &|| interrupt.is_requested(),
            now_ms: &|| clock.now_ms(),
        };
        let opened = self.place.open(self.action.creates())?;
        Ok(self.run_on(opened.records(), &mut streams)?)
    }

    fn run_on(self, records: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let topics = records.topics;
        let done = match self.action {
            Action::List(list) => list.run(topics, streams),
            Action::Create(create) => create.run(topics, streams),
            Action::Describe(describe) => describe.run(topics, streams),
            Action::Delete(delete) => delete.run(topics, streams),
            Action::Produce(produce) => produce.run(records, streams),
            Action::Listen(listen) => listen.run(records, streams),
            Action::Consume(consume) => consume.run(records, streams),
            Action::Import(import) => import.run(records, streams),
        };
        match done.and_then(|()| Ok(streams.output.flush()?)) {
            Err(TopicFailure::ClosedPipe) => Ok(()),
            other => other,
        }
    }
}
