//! Which versions were applied, one after the other, and whether their files are still the same.

use std::collections::BTreeSet;

use super::files::Files;
use super::metadata::{Metadata, Record, State};
use crate::cli::Failure;
use crate::engine::EngineError;

/// What was applied.
pub(super) struct History {
    /// The version that somebody has begun to apply last.
    pub(super) current: Option<Record>,
    /// Versions that were applied, the last one first.
    pub(super) applied: Vec<Record>,
    /// What is wrong with them.
    faults: Vec<String>,
}

impl History {
    /// Goes back from the current version, each time to the one before.
    pub(super) fn read(metadata: &Metadata<'_>, files: &Files) -> Result<Self, Failure> {
        let current = metadata.current()?;
        let (applied, mut faults) = chain(current.as_ref(), |version| metadata.of(version))?;
        for record in &applied {
            faults.extend(changed(record, files)?);
        }
        Ok(Self { current, applied, faults })
    }

    /// The last version that was applied.
    pub(super) fn latest(&self) -> Option<u32> {
        self.current.as_ref().and_then(Record::latest_applied)
    }

    /// What was applied of `version`.
    pub(super) fn has(&self, version: u32) -> bool {
        self.applied.iter().any(|record| record.version == version)
    }

    /// Fails if something is wrong.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(Failure::new(self.faults.join("\n       ")).with_hint(
            "what was applied stays as it is: put the files back, and say what is to change in a new migration",
        ))
    }
}

/// The versions that were applied, from that of `current` back, and what is wrong with what is known of them.
fn chain(
    current: Option<&Record>,
    of: impl Fn(u32) -> Result<Option<Record>, EngineError>,
) -> Result<(Vec<Record>, Vec<String>), EngineError> {
    let (mut applied, mut faults, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut next = current.and_then(Record::latest_applied);
    while let Some(version) = next {
        if !seen.insert(version) {
            faults.push(format!("version {version} comes before itself in the metadata"));
            break;
        }
        let Some(record) = of(version)? else {
            faults.push(format!("version {version} was applied, and the metadata does not know it"));
            break;
        };
        if record.state != State::Migrated {
            faults.push(format!("version {version} was applied, and the metadata calls it {}", record.state));
        }
        next = record.previous;
        applied.push(record);
    }
    Ok((applied, faults))
}

/// What has become of the file of a version that was applied.
fn changed(record: &Record, files: &Files) -> Result<Option<String>, Failure> {
    let (version, name) = (record.version, &record.name);
    let Some(file) = files.get(version) else {
        return Ok(Some(format!("version {version}, {name}, was applied, and its file is gone")));
    };
    let (_, checksum) = file.read()?;
    let is_same = checksum.eq_ignore_ascii_case(&record.checksum);
    Ok((!is_same).then(|| {
        format!(
            "{} has changed since it was applied: its checksum was {}, and is {checksum}",
            file.path.display(),
            record.checksum
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u32, state: State, previous: Option<u32>) -> Record {
        Record {
            version,
            name: format!("version {version}"),
            state,
            checksum: String::new(),
            started_on: String::new(),
            completed_on: String::new(),
            previous,
            error_reason: String::new(),
        }
    }

    /// Versions that were applied and faults, if `known` is what is known and the first of it is the current one.
    fn walked(known: &[Record]) -> (Vec<u32>, Vec<String>) {
        let of = |version| Ok(known.iter().find(|record| record.version == version).cloned());
        let (applied, faults) = chain(known.first(), of).expect("nothing is asked");
        (applied.iter().map(|record| record.version).collect(), faults)
    }

    #[test]
    fn versions_are_followed_to_the_first() {
        use State::{Error, Migrated, Running};
        assert_eq!(walked(&[]), (vec![], vec![]));
        let (one, three) = (record(1, Migrated, None), record(3, Migrated, Some(1)));
        assert_eq!(walked(&[three.clone(), one.clone()]), (vec![3, 1], vec![]));
        for state in [Error, Running] {
            assert_eq!(walked(&[record(5, state, Some(3)), three.clone(), one.clone()]), (vec![3, 1], vec![]));
        }
        assert_eq!(walked(&[record(1, Error, None)]), (vec![], vec![]));
    }

    #[test]
    fn a_history_that_cannot_be_is_told() {
        use State::{Error, Migrated};
        let (applied, faults) = walked(&[record(3, Migrated, Some(2))]);
        assert_eq!((applied, faults.len()), (vec![3], 1), "version 2 is missing");
        let (_, faults) = walked(&[record(3, Migrated, Some(2)), record(2, Error, None)]);
        assert_eq!(faults, ["version 2 was applied, and the metadata calls it ERROR"]);
        let (_, faults) = walked(&[record(3, Migrated, Some(2)), record(2, Migrated, Some(3))]);
        assert_eq!(faults, ["version 3 comes before itself in the metadata"]);
    }
}
