//! `levada migrations info`: which version the server has, and the state of all.

use std::collections::BTreeSet;
use std::io;

use chrono::DateTime;

use super::files::Files;
use super::history::History;
use super::metadata::{Metadata, NO_REASON, NONE, Record, State};
use super::server::{Server, say};
use super::settings::Settings;
use crate::cli::Failure;
use crate::cli::shell::screen;
use crate::engine::Listing;
use crate::shell::{Answer, OutputFormat};

const COLUMNS: [&str; 7] =
    ["Version", "Name", "State", "Previous Version", "Started On", "Completed On", "Error Reason"];

/// Shows the current version, the server, and a table of all versions.
pub(super) fn show(settings: &Settings) -> Result<(), Failure> {
    let server = Server::open(settings, &[])?;
    let metadata = Metadata::new(&server, settings)?;
    metadata.require()?;
    let files = Files::read(&settings.folder)?;
    let history = History::read(&metadata, &files)?;
    let current = history.current.as_ref().map_or_else(|| NONE.to_owned(), |current| current.version.to_string());
    say(&format!("Current migration version: {current}"))?;
    say(&format!("Server: {}", server.describe()?))?;
    let mut versions: BTreeSet<u32> = files.iter().map(|file| file.version).collect();
    versions.extend(history.applied.iter().chain(&history.current).map(|record| record.version));
    let mut rows = Vec::new();
    for version in versions {
        let applied = history.applied.iter().find(|record| record.version == version).cloned();
        let known = if applied.is_some() { applied } else { metadata.of(version)? };
        let name = files.get(version).map(|file| file.name.clone());
        rows.push(row(version, name, known.as_ref()));
    }
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let listing = Answer::listing(vec![Listing::table("", &COLUMNS, rows)]);
    screen(&mut out, &mut err, OutputFormat::Table).show(&listing, &|| false)??;
    Ok(())
}

fn row(version: u32, name: Option<String>, known: Option<&Record>) -> Vec<String> {
    let nothing = || NO_REASON.to_owned();
    let Some(known) = known else {
        let name = name.unwrap_or_else(nothing);
        return [vec![version.to_string(), name, State::Pending.to_string()], vec![nothing(); 4]].concat();
    };
    let reason = if known.error_reason.is_empty() { nothing() } else { known.error_reason.clone() };
    vec![
        version.to_string(),
        name.unwrap_or_else(|| known.name.clone()),
        known.state.to_string(),
        known.previous.map_or_else(|| NONE.to_owned(), |version| version.to_string()),
        time(&known.started_on),
        time(&known.completed_on),
        reason,
    ]
}

/// Milliseconds since the epoch, as people read them.
fn time(ms: &str) -> String {
    let time = ms.parse().ok().and_then(DateTime::from_timestamp_millis);
    time.map_or_else(|| NO_REASON.to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_applicable() {
        assert_eq!(row(3, Some("Add".to_owned()), None), ["3", "Add", "PENDING", "N/A", "N/A", "N/A", "N/A"]);
        let known = Record {
            version: 1,
            name: "Old".to_owned(),
            state: State::Running,
            checksum: String::new(),
            started_on: "1615441337127".to_owned(),
            completed_on: String::new(),
            previous: None,
            error_reason: NO_REASON.to_owned(),
        };
        let shown = row(1, None, Some(&known));
        assert_eq!(shown, ["1", "Old", "RUNNING", "<none>", "2021-03-11 05:42:17.127 UTC", "N/A", "N/A"]);
    }
}
