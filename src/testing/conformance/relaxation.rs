//! What some cases are held to, where ksqlDB's own runner checks something that is not the language.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

/// Rules of a case, by the names of the collection's own list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Relaxation {
    /// Names of the rules.
    #[serde(default)]
    rules: Vec<String>,
    /// The part of the text that is still required.
    pub required: Option<String>,
}

impl Relaxation {
    fn has(&self, rule: &str) -> bool {
        self.rules.iter().any(|name| name == rule)
    }

    /// R1: any failure at run time will do.
    pub fn any_runtime_failure(&self) -> bool {
        self.has("R1")
    }

    /// R2: only the first line of a syntax error counts.
    pub fn first_line_of_syntax_error(&self) -> bool {
        self.has("R2")
    }

    /// R3: numbers with a point are compared as doubles.
    pub fn numbers_as_doubles(&self) -> bool {
        self.has("R3")
    }

    /// R4: internal topics need not exist.
    pub fn skips_internal_topics(&self) -> bool {
        self.has("R4")
    }
}

/// Relaxed and unfit cases of a collection.
#[derive(Debug, Default)]
pub struct Rules {
    relaxed: HashMap<String, Relaxation>,
    unfit: HashMap<String, String>,
}

#[derive(Deserialize)]
struct RelaxedFile {
    cases: Vec<RelaxedCase>,
}

#[derive(Deserialize)]
struct RelaxedCase {
    id: String,
    #[serde(default)]
    rules: Vec<String>,
    required: Option<String>,
}

#[derive(Deserialize)]
struct UnfitCase {
    id: String,
    #[serde(default)]
    reason: String,
}

/// File with the relaxed cases, beside the folders of the suites.
const RELAXED: &str = "relaxed.json";

/// File with the cases that are not run.
const UNFIT: &str = "unfit.json";

impl Rules {
    /// The rules that lie beside `file` or one folder above; none if there are no such files.
    pub fn near(file: &Path) -> io::Result<Self> {
        let mut rules = Self::default();
        if let Some(path) = find(file, RELAXED) {
            let read: RelaxedFile = serde_json::from_str(&fs::read_to_string(path)?)?;
            let relaxed = read.cases.into_iter();
            rules.relaxed =
                relaxed.map(|case| (case.id, Relaxation { rules: case.rules, required: case.required })).collect();
        }
        if let Some(path) = find(file, UNFIT) {
            let read: Vec<UnfitCase> = serde_json::from_str(&fs::read_to_string(path)?)?;
            rules.unfit = read.into_iter().map(|case| (case.id, case.reason)).collect();
        }
        Ok(rules)
    }

    /// What the case `id` is held to.
    pub fn relaxation(&self, id: &str) -> Relaxation {
        self.relaxed.get(id).cloned().unwrap_or_default()
    }

    /// Why the case `id` is not run, if it is not.
    pub fn unfit(&self, id: &str) -> Option<&str> {
        self.unfit.get(id).map(String::as_str)
    }
}

fn find(file: &Path, name: &str) -> Option<PathBuf> {
    file.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file())
}
