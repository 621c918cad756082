//! `levada server`: ksqlDB's HTTP API.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use super::progress::{Figures, Progress};
use super::service_manager::{State, notify};
use super::{DataDir, Failure, run};
use crate::engine::{Engine, ServerState};
use crate::http::Listen;
use crate::server::ApiServer;
use crate::shell::Interrupt;

const EXAMPLES: &str = "\
Examples:
  levada server                              at http://127.0.0.1:8088
  levada server --listen 0.0.0.0:8088        for other machines, too
  levada server --property bootstrap.servers=broker:9092
  curl http://127.0.0.1:8088/info
  curl http://127.0.0.1:8088/ksql -d '{\"ksql\": \"SHOW STREAMS;\"}'

It speaks ksqlDB's HTTP API: clients, tools and user interfaces of ksqlDB work
with it as they are.";

/// Arguments of `levada server`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ServerCommand {
    #[command(flatten)]
    data: DataDir,

    /// File of all that is to run, unless the property ksql.queries.file says it: nothing is changed over HTTP then
    #[arg(long, value_name = "FILE")]
    queries_file: Option<String>,

    /// Address to listen at, unless the property listeners says it; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
}

/// Where a server listens that is told nothing: this machine only.
const LISTEN: &str = "127.0.0.1:8088";
/// How often is looked whether it is to end.
const LOOK: Duration = Duration::from_millis(500);

impl ServerCommand {
    /// Serves until told to stop.
    pub fn run(&self) -> Result<(), Failure> {
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let engine = Arc::new(self.data.open()?);
        let file =
            self.queries_file.clone().or_else(|| engine.property("ksql.queries.file")).filter(|file| !file.is_empty());
        if let Some(file) = &file {
            run::apply(&engine, (file, &run::read(file)?), true, interrupt)?;
        }
        let listen = self.listen.clone().or_else(|| engine.property("listeners")).unwrap_or_else(|| LISTEN.to_owned());
        let listens = listen.split(',').map(Listen::parse).collect::<Result<Vec<_>, _>>();
        let listens = listens.map_err(|error| Failure::Usage(error.to_string()))?;
        let server = ApiServer::start(&engine, &listens, file.as_deref());
        let server = server.map_err(|error| Failure::new(error.to_string()))?;
        let mut out = io::stdout();
        for address in server.addresses() {
            writeln!(out, "{address}")?;
        }
        if let Some(address) = engine.registry_url() {
            writeln!(out, "schema registry at {address}")?;
        }
        out.flush()?;
        let addresses: Vec<String> = server.addresses().collect();
        notify(State::Ready, &format!("listening at {}", addresses.join(", ")));
        let mut catching_up = Some(Progress::new());
        while !interrupt.wait(LOOK) {
            catching_up = catching_up.and_then(|progress| shown_until_caught_up(progress, &engine));
            engine.maintain();
        }
        drop(catching_up);
        notify(State::Stopping, "committing what was processed");
        server.stop();
        drop(engine);
        Ok(())
    }
}

/// Shows how far the queries are that come back and catch up after a start; none once they have.
fn shown_until_caught_up(mut progress: Progress, engine: &Engine) -> Option<Progress> {
    let queries = engine.queries();
    let comes_back = engine.server_state() != ServerState::Complete;
    if !comes_back && Figures::of(&queries).lag == 0 {
        return None;
    }
    progress.note(&queries);
    (comes_back || progress.is_behind()).then_some(progress)
}
