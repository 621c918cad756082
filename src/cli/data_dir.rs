//! The options that say which engine to open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::configuration::{self, Configuration};
use crate::engine::Engine;

/// Where the data directory is when `--data-dir` does not say.
pub(super) const DEFAULT: &str = "./levada-data";

/// `--data-dir`, `--config` and `--property`, shared by all commands that open an engine.
#[derive(Debug, Clone, clap::Args)]
pub struct DataDir {
    /// Directory of topics, state and offsets; created when missing
    #[arg(long = "data-dir", value_name = "DIR", default_value = DEFAULT)]
    pub path: PathBuf,

    /// File of server properties as ksqlDB has them, repeatable; what a later one says counts more
    #[arg(long = "config", visible_alias = "config-file", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Server property by its ksqlDB name, repeatable: ksql.streams.auto.offset.reset=earliest
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = parse_property)]
    properties: Vec<(String, String)>,
}

impl DataDir {
    /// Opens the engine of this directory.
    pub fn open(&self) -> Result<Engine, Failure> {
        Ok(Engine::open(&self.path, self.configuration()?)?)
    }

    /// The properties of files, the environment and the command line.
    pub fn configuration(&self) -> Result<Configuration, Failure> {
        loaded(&self.files, &self.properties)
    }

    /// What the files and the command line say, without the environment: of a process that is no server.
    pub fn given_properties(&self) -> Result<BTreeMap<String, String>, Failure> {
        let given = configuration::load(&self.files, std::iter::empty(), &self.properties);
        let given = given.map_err(|error| Failure::new(error.to_string()))?;
        Ok(given.values())
    }

    /// Opens the engine for a while: the servers of a service on a cluster do not wait for it to come back.
    pub fn open_for_a_while(&self) -> Result<Engine, Failure> {
        Ok(Engine::open(&self.path, self.configuration()?.or("group.instance.id", ""))?)
    }

    /// Opens the engine to look at what there is: nothing runs.
    pub fn open_to_look(&self) -> Result<Engine, Failure> {
        Ok(Engine::open_to_look(&self.path, self.configuration()?)?)
    }

    /// Whether queries begin with the first record unless a `SET` says otherwise.
    pub fn reads_from_start(&self) -> bool {
        let configuration = self.configuration().unwrap_or_default();
        configuration.value("auto.offset.reset").is_some_and(|value| value.eq_ignore_ascii_case("earliest"))
    }

    /// The option that another command needs to see the same data, empty when it is the default.
    pub fn option(&self) -> String {
        if self.path == Path::new(DEFAULT) { String::new() } else { format!(" --data-dir {}", self.path.display()) }
    }
}

/// The properties of `files`, of the environment of the process, and of `arguments`.
pub(super) fn loaded(files: &[PathBuf], arguments: &[(String, String)]) -> Result<Configuration, Failure> {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    configuration::load(files, environment, arguments).map_err(|error| Failure::new(error.to_string()))
}

/// Reads `key=value`; the value may hold further `=`.
pub(super) fn parse_property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as key=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_property;

    #[test]
    fn properties_split_at_the_first_equals_sign() {
        let check = |text: &str, key: &str, value: &str| {
            assert_eq!(parse_property(text), Ok((key.to_owned(), value.to_owned())));
        };
        check("a.b=c", "a.b", "c");
        check("a=b=c", "a", "b=c");
        check("a=", "a", "");
        assert!(parse_property("a.b").is_err());
        assert!(parse_property("=c").is_err());
    }
}
