//! The folder of a project: `new-project` makes it, `create` adds a file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::files::{self, Files, VERSION_MAX};
use super::server::say;
use super::settings;
use crate::cli::Failure;
use crate::shell::{Access, RemoteBackend};

/// The properties file of a project.
pub(super) const PROPERTIES_FILE: &str = "ksql-migrations.properties";
/// The folder beside it with the migration files.
pub(super) const FOLDER: &str = "migrations";

/// Makes the project `folder` for the server at `url`. What there is already stays.
pub(super) fn create(folder: &Path, url: &str) -> Result<(), Failure> {
    // Nothing is asked yet: the address is read.
    RemoteBackend::new(url, Access::default(), false)?;
    let file = folder.join(PROPERTIES_FILE);
    if file.exists() {
        let text = format!("{} is there already", file.display());
        return Err(Failure::new(text).with_hint("its line ksql.server.url says the server"));
    }
    let migrations = folder.join(FOLDER);
    fs::create_dir_all(&migrations).map_err(|error| unwritable(&migrations, &error))?;
    write_new(&file, &settings::template(url))?;
    say(&format!("made {} and {}{}", file.display(), migrations.display(), std::path::MAIN_SEPARATOR))
}

/// Makes an empty migration file in `folder`.
pub(super) fn create_file(folder: &Path, description: &str, version: Option<u32>) -> Result<(), Failure> {
    let files = Files::read(folder)?;
    let version = match version {
        Some(version) => version,
        None => files.last().map_or(1, |last| last.version + 1),
    };
    if let Some(taken) = files.get(version) {
        return Err(Failure::new(format!("version {version} is taken: {}", taken.path.display())));
    }
    if version > VERSION_MAX {
        return Err(Failure::new(format!("there is no version behind {VERSION_MAX}")));
    }
    let path = folder.join(files::file_name(version, description));
    write_new(&path, "")?;
    say(&format!("made {}", path.display()))
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}
