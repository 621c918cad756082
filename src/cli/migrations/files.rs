//! Migration files: `V000001__Add_orders.sql` is version 1, *Add orders*.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use crate::cli::Failure;

/// The last version that six digits can write.
pub(super) const VERSION_MAX: u32 = 999_999;
const DIGITS: usize = 6;
const EXTENSION: &str = ".sql";

/// A migration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MigrationFile {
    /// From 1.
    pub(super) version: u32,
    /// What it does, as people read it.
    pub(super) name: String,
    /// Where it is.
    pub(super) path: PathBuf,
}

impl MigrationFile {
    /// The text and its checksum.
    pub(super) fn read(&self) -> Result<(String, String), Failure> {
        let failed = |reason: &dyn std::fmt::Display| {
            Failure::new(format!("cannot read the migration file {}: {reason}", self.path.display()))
        };
        let bytes = fs::read(&self.path).map_err(|error| failed(&error))?;
        let checksum = checksum(&bytes);
        Ok((String::from_utf8(bytes).map_err(|_| failed(&"it is not UTF-8 text"))?, checksum))
    }
}

/// The migration files of a folder, by version.
#[derive(Debug)]
pub(super) struct Files(BTreeMap<u32, MigrationFile>);

impl Files {
    /// Reads the names in `folder`. Files of SQL that are none of versions are told.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: &io::Error| {
            Failure::new(format!("cannot read the folder of migrations {}: {error}", folder.display()))
                .with_hint("it lies beside the properties file, unless ksql.migrations.dir.override names another one")
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
            paths.push(entry.map_err(|error| failed(&error))?.path());
        }
        paths.sort();
        let (files, remarks) = Self::of_paths(paths)?;
        for remark in remarks {
            // Without a standard error there is nobody to tell.
            let _ = writeln!(io::stderr(), "warning: {remark}");
        }
        Ok(files)
    }

    fn of_paths(paths: Vec<PathBuf>) -> Result<(Self, Vec<String>), Failure> {
        let (mut files, mut remarks) = (BTreeMap::new(), Vec::new());
        for path in paths {
            let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            match parse_name(file_name) {
                Some((0, _)) => {
                    return Err(Failure::new(format!("{}: versions begin with 1", path.display())));
                }
                Some((version, name)) => {
                    let file = MigrationFile { version, name, path };
                    if let Some(other) = files.insert(version, file.clone()) {
                        let (one, two) = (other.path.display(), file.path.display());
                        return Err(Failure::new(format!("two files have version {version}: {one} and {two}"))
                            .with_hint("give one of them the next free version"));
                    }
                }
                None if file_name.ends_with(EXTENSION) && !file_name.starts_with('.') => remarks.push(format!(
                    "{} is no migration: its name is not of the form {}",
                    path.display(),
                    self::file_name(1, "Description")
                )),
                None => {}
            }
        }
        Ok((Self(files), remarks))
    }

    /// The file of `version`.
    pub(super) fn get(&self, version: u32) -> Option<&MigrationFile> {
        self.0.get(&version)
    }

    /// The file of `version`, which must be there.
    pub(super) fn require(&self, version: u32) -> Result<&MigrationFile, Failure> {
        self.get(version).ok_or_else(|| {
            let known: Vec<String> = self.0.keys().map(ToString::to_string).collect();
            let known =
                if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
            Failure::new(format!("version {version} has no migration file")).with_hint(known)
        })
    }

    /// That of the highest version.
    pub(super) fn last(&self) -> Option<&MigrationFile> {
        self.0.values().next_back()
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &MigrationFile> {
        self.0.values()
    }
}

/// The name of the file of `version`.
pub(super) fn file_name(version: u32, description: &str) -> String {
    format!("V{version:0DIGITS$}__{}{EXTENSION}", description.replace(' ', "_"))
}

/// Version and name of a migration, if `file_name` is that of one.
fn parse_name(file_name: &str) -> Option<(u32, String)> {
    let (digits, description) = file_name.strip_prefix('V')?.strip_suffix(EXTENSION)?.split_once("__")?;
    let is_version = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    let version = digits.parse().ok().filter(|_| is_version)?;
    (!description.is_empty()).then(|| (version, description.replace('_', " ")))
}

/// Reads what a migration does, which becomes a part of a file's name.
pub(super) fn parse_description(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("say what the migration does".to_owned());
    }
    match text.chars().find(|c| c.is_control() || matches!(c, '/' | '\\')) {
        Some(c) => Err(format!("it becomes the name of a file, which has no {c:?}")),
        None => Ok(text.to_owned()),
    }
}

/// MD5 as hexadecimal digits.
pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(bytes).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_names(names: &[&str]) -> Result<(Files, Vec<String>), String> {
        Files::of_paths(names.iter().map(PathBuf::from).collect()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn names_have_six_digits_and_a_description() {
        let check = |file_name: &str, expected: Option<(u32, &str)>| {
            let expected = expected.map(|(version, name)| (version, name.to_owned()));
            assert_eq!(parse_name(file_name), expected, "{file_name}");
        };
        check("V000001__Add_orders.sql", Some((1, "Add orders")));
        check("V123456__a__b.c.sql", Some((123_456, "a  b.c")));
        check("V000000__zero.sql", Some((0, "zero")));
        for wrong in
            ["V1__a.sql", "V0000001__a.sql", "V00000x__a.sql", "v000001__a.sql", "V000001_a.sql", "V000001__.sql"]
        {
            check(wrong, None);
        }
        assert_eq!(file_name(12, "Add orders"), "V000012__Add_orders.sql");
    }

    #[test]
    fn files_are_in_order_and_others_are_told() {
        let names = ["m/V000010__b.sql", "m/V000002__a.sql", "m/notes.md", "m/.x.sql", "m/add.sql"];
        let (files, remarks) = of_names(&names).expect("they can be read");
        assert_eq!(files.iter().map(|file| file.version).collect::<Vec<_>>(), [2, 10]);
        assert_eq!(files.last().map(|file| file.name.as_str()), Some("b"));
        assert_eq!(remarks, ["m/add.sql is no migration: its name is not of the form V000001__Description.sql"]);
        let missing = files.require(3).map(|file| file.version).map_err(|failure| failure.to_string());
        assert_eq!(missing, Err("version 3 has no migration file".to_owned()));
    }

    #[test]
    fn a_version_has_one_file() {
        let twice = of_names(&["V000002__a.sql", "V000002__b.sql"]).err();
        assert_eq!(twice.as_deref(), Some("two files have version 2: V000002__a.sql and V000002__b.sql"));
        assert_eq!(of_names(&["V000000__a.sql"]).err().as_deref(), Some("V000000__a.sql: versions begin with 1"));
    }

    #[test]
    fn descriptions_are_names_of_files() {
        assert_eq!(parse_description(" Add orders "), Ok("Add orders".to_owned()));
        for wrong in ["", "  ", "a/b", "a\\b", "a\nb"] {
            assert!(parse_description(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn checksums_are_those_of_md5() {
        assert_eq!(checksum(b""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(checksum(b"SELECT 1;\n"), "2bdf1665f56c0ce5b966d9c60a7f7eac");
    }
}
