//! `levada registry`: a schema registry over HTTP.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::data_dir::parse_property;
use crate::configuration;
use crate::engine::registry_access;
use crate::http::{HttpServer, Listen};
use crate::registry::{self, Access, EmbeddedRegistry};
use crate::shell::Interrupt;
use crate::storage::RocksStorage;

const EXAMPLES: &str = "\
Examples:
  levada registry                            at http://127.0.0.1:8081
  levada registry --listen 127.0.0.1:0       at any free port, which it says
  levada registry --config registry.properties
  curl http://127.0.0.1:8081/subjects

It speaks the HTTP API of Confluent's Schema Registry, for clients of any
language; properties have the names of that, too: listeners, ssl.keystore.location,
authentication.method and the like (docs/schema-registry.md). `levada run` and `levada shell` on embedded topics have a registry of
their own in their data directory, and need none of this.";

/// Arguments of `levada registry`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RegistryCommand {
    /// Address to listen at, unless the property listeners says it; port 0 is any that is free
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,

    /// Directory of the schemas; created when missing
    #[arg(long = "data-dir", value_name = "DIR", default_value = "./levada-registry")]
    data_dir: PathBuf,

    /// File of properties, repeatable; what a later one says counts more
    #[arg(long = "config", visible_alias = "config-file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Property, repeatable: authentication.method=BASIC
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = parse_property)]
    properties: Vec<(String, String)>,
}

/// Where a registry listens that is told nothing: this machine only.
const LISTEN: &str = "127.0.0.1:8081";
/// The property that says where.
const LISTENERS: &str = "listeners";
/// How often is looked whether it is to end.
const LOOK: Duration = Duration::from_secs(1);

impl RegistryCommand {
    /// Serves until told to stop.
    pub fn run(&self) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let properties = self.properties()?;
        let listens = self.listens(&properties)?;
        let access = registry_access(&properties).map_err(|error| failed(&error))?;
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let storage = RocksStorage::open(&self.data_dir).map_err(|error| failed(&error))?;
        let registry = Arc::new(EmbeddedRegistry::open(storage).map_err(|error| failed(&error))?);
        let serve = |listen: Listen| registry::serve_to(Arc::clone(&registry), listen, &access);
        let servers: Vec<HttpServer> =
            listens.into_iter().map(serve).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        let mut out = io::stdout();
        for server in &servers {
            writeln!(out, "schema registry at {}, data in {}", server.url(), self.data_dir.display())?;
        }
        out.flush()?;
        while !interrupt.wait(LOOK) {}
        servers.into_iter().for_each(HttpServer::stop);
        Ok(())
    }

    /// What files and the command line say. The environment is that of servers: it would send a registry to their listeners.
    fn properties(&self) -> Result<BTreeMap<String, String>, Failure> {
        let given = configuration::load(&self.files, std::iter::empty(), &self.properties);
        let given = given.map_err(|error| Failure::new(error.to_string()))?;
        // One that is misspelt could leave the registry open.
        given.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        let is_of_others = |name: &str| configuration::is_known(name) && name != LISTENERS && !Access::knows(name);
        for setting in given.settings().filter(|setting| is_of_others(&setting.name)) {
            tracing::warn!("a registry has no use for the property '{}' ({})", setting.name, setting.source);
        }
        Ok(given.values())
    }

    fn listens(&self, properties: &BTreeMap<String, String>) -> Result<Vec<Listen>, Failure> {
        let text = self.listen.as_ref().or_else(|| properties.get(LISTENERS)).map_or(LISTEN, String::as_str);
        let listens = text.split(',').map(Listen::parse).collect::<Result<_, _>>();
        listens.map_err(|error| Failure::Usage(error.to_string()))
    }
}
