//! `levada udf new`: a crate that can be built, with a function of each kind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Checks the name of a crate: cargo takes no other, and a library is called after it.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let is_good =
        text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit() || "_-".contains(c));
    if is_good { Ok(text.to_owned()) } else { Err("write it with a-z, 0-9, - and _, a letter first".to_owned()) }
}

/// Why a crate cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    /// Nothing is overwritten.
    #[error("{} is there already: give another name, or another folder with --path", .0.display())]
    Exists(PathBuf),
    /// `levada-udf` is not where it should be.
    #[error(
        "levada-udf is not in {}: give the folder udfs/api of Levada's source with --api", .0.display()
    )]
    NoApi(PathBuf),
    /// A file or folder.
    #[error("cannot write {}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Where this program was built: beside its source, as a rule.
const API: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/udfs/api");

/// Writes the crate `name` into the new folder `folder`, which links the crate at `api`.
pub(super) fn write(name: &str, folder: &Path, api: Option<&Path>) -> Result<(), TemplateError> {
    if folder.exists() {
        return Err(TemplateError::Exists(folder.to_owned()));
    }
    let api = api.unwrap_or(Path::new(API));
    let found = api.canonicalize().ok().filter(|api| api.join("Cargo.toml").is_file());
    let api = found.ok_or_else(|| TemplateError::NoApi(api.to_owned()))?;
    let files = [
        ("Cargo.toml", manifest(name, &api)),
        ("src/lib.rs", SOURCE.to_owned()),
        (".gitignore", "/target\n".to_owned()),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        let folder = path.parent().unwrap_or(folder);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        written.map_err(|error| TemplateError::Io { path: path.clone(), error })?;
    }
    Ok(())
}

/// What to do with the crate.
pub(super) fn next_steps(name: &str, folder: &Path) -> String {
    let library = name.replace('-', "_");
    format!(
        "{folder} is written. Next:\n\n  cd {folder}\n  cargo test\n  cargo build --release\n  \
         levada udf check target/release/lib{library}.so\n\n\
         Then, in a shell or a client of a running server:\n\n  \
         CREATE FUNCTION greet USING '{folder}/target/release/lib{library}.so';",
        folder = folder.display()
    )
}

fn manifest(name: &str, api: &Path) -> String {
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib", "rlib"]

[dependencies]
levada-udf = {{ path = "{}" }}

# A crate of its own, wherever it lies.
[workspace]
"#,
        api.display()
    )
}

const SOURCE: &str = r#"//! Functions of SQL.

use levada_udf::{aggregate, plugin, scalar, table};

plugin![greet, Longest, words];

/// A friendly word.
#[scalar(example("greet('Ada', 2)" = "'Hello, Ada! Hello, Ada!'"))]
fn greet(
    /// Whom.
    name: &str,
    /// How often.
    times: i32,
) -> Result<String, String> {
    let times = usize::try_from(times).map_err(|_| format!("{times} times is less than never"))?;
    Ok(vec![format!("Hello, {name}!"); times].join(" "))
}

/// The state of a group.
#[derive(Default)]
pub struct Longest {
    text: Option<String>,
}

/// The longest text of a group, the first of several.
#[aggregate(example("longest(v) FROM VALUES ('a'), ('abc'), ('ab') AS (v)" = "'abc'"))]
impl Longest {
    fn add(
        &mut self,
        /// What is measured.
        text: &str,
    ) {
        if self.text.as_ref().is_none_or(|longest| text.len() > longest.len()) {
            self.text = Some(text.to_owned());
        }
    }

    fn merge(&mut self, later: &Self) {
        if let Some(text) = &later.text {
            self.add(text);
        }
    }

    fn result(&self) -> Option<String> {
        self.text.clone()
    }

    fn store(&self) -> Option<String> {
        self.text.clone()
    }

    fn restore(text: Option<String>) -> Self {
        Self { text }
    }
}

/// A row for every word.
#[table(example("words('to be or')" = "ARRAY['to', 'be', 'or']"))]
fn words(
    /// What is taken apart.
    text: &str,
) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_said_as_often_as_wanted() {
        assert_eq!(greet("Ada", 1).as_deref(), Ok("Hello, Ada!"));
        assert!(greet("Ada", -1).is_err());
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_cargo_takes() {
        assert_eq!(parse_name("geo-tools2"), Ok("geo-tools2".to_owned()));
        for wrong in ["", "2geo", "Geo", "a b", "../x"] {
            assert!(parse_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let api = Path::new(env!("CARGO_MANIFEST_DIR")).join("udfs/api");
        let error = write("geo", folder.path(), Some(&api)).expect_err("the folder is there");
        assert!(matches!(error, TemplateError::Exists(_)), "{error}");
        let error = write("geo", &folder.path().join("geo"), Some(folder.path())).expect_err("no crate is there");
        assert!(error.to_string().contains("--api"), "{error}");
        assert!(!folder.path().join("geo").exists());
    }
}
