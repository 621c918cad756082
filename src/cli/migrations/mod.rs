//! `levada migrations`: versions of what a server has, each a file of statements that is applied once. The counterpart of ksqlDB's
//! `ksql-migrations`, with its projects, its files and its metadata.
//!
//! ```text
//! ksql-migrations.properties ─▶ Settings ─▶ Server ─▶ Metadata: stream of events ─▶ table of versions, on the server
//! migrations/V000001__….sql ──▶ Files ──────────┐          │ ▲
//!                                               ▼          ▼ │ RUNNING, then MIGRATED or ERROR
//!                                           History: what was applied, and whether the files are still those
//!                                               │
//!           info, validate ◀────────────────────┴──▶ apply: Migration (statements of a file, all read before the first is sent)
//! ```

mod apply;
mod files;
mod history;
mod info;
mod metadata;
mod project;
mod server;
mod settings;
mod statements;

use std::path::PathBuf;

use self::apply::Apply;
use self::files::{Files, VERSION_MAX};
use self::history::History;
use self::metadata::Metadata;
use self::server::Server;
use self::settings::Settings;
use super::Failure;

const EXAMPLES: &str = "\
Examples:
  levada migrations new-project ./shop http://localhost:8088
  cd shop
  levada migrations initialize-metadata      once a server
  levada migrations create Add_orders        migrations/V000001__Add_orders.sql
  levada migrations apply --next --dry-run   what would be applied
  levada migrations apply --all
  levada migrations info

Projects, files and metadata are those of ksql-migrations; both can be used in turns.";

/// Arguments of `levada migrations`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct MigrationsCommand {
    #[command(subcommand)]
    action: Action,

    /// Properties file of the project; the folder migrations beside it has the files
    #[arg(short, long, global = true, value_name = "FILE", default_value = project::PROPERTIES_FILE)]
    config_file: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make the folder of a project with its properties file
    NewProject {
        /// Folder; made if it is missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,

        /// Server, ours or ksqlDB's: http://localhost:8088
        #[arg(value_name = "URL")]
        url: String,
    },
    /// Make the stream and the table on the server that say what was applied
    InitializeMetadata,
    /// Make an empty migration file
    Create {
        /// What the migration does, with _ between the words
        #[arg(value_name = "DESCRIPTION", value_parser = files::parse_description)]
        description: String,

        /// Its version; the next one unless it is said
        #[arg(short, long, value_name = "N", value_parser = parse_version)]
        version: Option<u32>,
    },
    /// Apply migrations that were not applied yet
    Apply(Apply),
    /// Show which version the server has, and the state of all
    Info,
    /// Check that the files of applied migrations are still those that were applied
    Validate,
    /// Call a migration failed whose `apply` did not come to its end: it is RUNNING, and nothing is
    Abort,
    /// Remove the stream and the table, with their topics; what was applied stays
    DestroyMetadata,
}

/// Reads a version.
fn parse_version(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(version @ 1..=VERSION_MAX) => Ok(version),
        _ => Err(format!("a version is a number from 1 to {VERSION_MAX}")),
    }
}

impl MigrationsCommand {
    /// Does what the command line says.
    pub fn run(&self) -> Result<(), Failure> {
        if let Action::NewProject { folder, url } = &self.action {
            return project::create(folder, url);
        }
        let settings = Settings::read(&self.config_file)?;
        match &self.action {
            Action::NewProject { .. } => Ok(()),
            Action::Create { description, version } => project::create_file(&settings.folder, description, *version),
            Action::InitializeMetadata => Metadata::new(&Server::open(&settings, &[])?, &settings)?.initialize(),
            Action::DestroyMetadata => Metadata::new(&Server::open(&settings, &[])?, &settings)?.destroy(),
            Action::Apply(apply) => apply.run(&settings),
            Action::Info => info::show(&settings),
            Action::Validate => validate(&settings),
            Action::Abort => abort(&settings),
        }
    }
}

fn validate(settings: &Settings) -> Result<(), Failure> {
    let server = Server::open(settings, &[])?;
    let metadata = Metadata::new(&server, settings)?;
    metadata.require()?;
    let history = History::read(&metadata, &Files::read(&settings.folder)?)?;
    history.check()?;
    server::say(&match history.applied.len() {
        0 => "no migration was applied yet".to_owned(),
        count => format!("{} and unchanged", super::counted::counted(count as u64, "applied migration")),
    })
}

fn abort(settings: &Settings) -> Result<(), Failure> {
    let server = Server::open(settings, &[])?;
    let metadata = Metadata::new(&server, settings)?;
    metadata.require()?;
    match metadata.current()?.filter(|current| current.state == metadata::State::Running) {
        Some(running) => {
            let version = running.version;
            let aborted = running.failed("aborted by hand");
            metadata.write(&aborted)?;
            metadata.see(&aborted)?;
            server::say(&format!("version {version} is ERROR now; `apply` tries it again"))
        }
        None => server::say("no migration is RUNNING"),
    }
}
