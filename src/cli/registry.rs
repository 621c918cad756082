//! `levada registry`: a schema registry over HTTP.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use crate::http::parse_listen;
use crate::registry::{self, EmbeddedRegistry};
use crate::shell::Interrupt;
use crate::storage::RocksStorage;

const EXAMPLES: &str = "\
Examples:
  levada registry                            at http://127.0.0.1:8081
  levada registry --listen 127.0.0.1:0       at any free port, which it says
  curl http://127.0.0.1:8081/subjects

It speaks the HTTP API of Confluent's Schema Registry, for clients of any
language. `levada run` and `levada shell` on embedded topics have a registry of
their own in their data directory, and need none of this.";

/// Arguments of `levada registry`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RegistryCommand {
    /// Address to listen at; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081")]
    listen: String,

    /// Directory of the schemas; created when missing
    #[arg(long = "data-dir", value_name = "DIR", default_value = "./levada-registry")]
    data_dir: PathBuf,
}

/// How often is looked whether it is to end.
const LOOK: Duration = Duration::from_secs(1);

impl RegistryCommand {
    /// Serves until told to stop.
    pub fn run(&self) -> Result<(), Failure> {
        let listen = parse_listen(&self.listen).map_err(|error| Failure::Usage(error.to_string()))?;
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let storage = RocksStorage::open(&self.data_dir).map_err(|error| Failure::new(error.to_string()))?;
        let registry = EmbeddedRegistry::open(storage).map_err(|error| Failure::new(error.to_string()))?;
        let server = registry::serve(Arc::new(registry), listen)
            .map_err(|error| Failure::new(format!("cannot listen at {listen}: {error}")))?;
        let mut out = io::stdout();
        writeln!(out, "schema registry at http://{}, data in {}", server.address(), self.data_dir.display())?;
        out.flush()?;
        while !interrupt.wait(LOOK) {}
        server.stop();
        Ok(())
    }
}
