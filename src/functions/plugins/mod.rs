//! Functions of users: libraries that are built against `levada_udf` and loaded while the process runs.
//!
//! ```text
//! FILE.so ── library: is it one, for this interface? ──▶ Plugin ── describe ──▶ Function ──▶ Registry
//!                                                          ▲                        │
//!                              arrays of Arrow's C interface └──── remote: evaluate ◀─┘
//! ```
//!
//! A library stays loaded until the process ends: arrays it has made may be anywhere. It is loaded from a copy, so that its file may be
//! overwritten, and loaded again.

mod columns;
mod library;
mod remote;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use levada_udf::abi::Plugin;
use levada_udf::describe::Described;
use levada_udf::{Body, Configuration, Kind};

use self::library::{Instance, Library};
use self::remote::{RemoteAggregate, RemoteScalar};
use super::function::Function;
use super::{Registry, definition};

pub use watch::{RunningCall, Usage, complaints, hanging, on_behalf_of, tell_slower_than, usage};

/// Why a plug-in is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Cannot load functions from {}: {reason}", path.display())]
pub struct PluginError {
    /// The file or folder.
    pub path: PathBuf,
    /// For people.
    pub reason: String,
}

/// Category of functions whose author gives none, as in ksqlDB.
const CATEGORY: &str = "OTHER";

/// The functions in the file `path`, opened with those of `properties` that are meant for them.
///
/// # Errors
/// It is no plug-in, one for another interface, says of its functions what cannot be understood, or a function cannot be opened.
pub fn load(path: &Path, properties: &BTreeMap<String, String>) -> Result<Vec<Function>, PluginError> {
    let refused = |reason: String| PluginError { path: path.to_owned(), reason };
    Library::open(path).and_then(|library| functions_of(library, Some(path), properties)).map_err(refused)
}

/// The functions of a plug-in that is linked into the process instead of being loaded; otherwise nothing is different.
///
/// # Errors
/// As [`load`].
pub fn linked(plugin: &'static Plugin, properties: &BTreeMap<String, String>) -> Result<Vec<Function>, String> {
    // SAFETY: it is one, and static.
    let library = Box::leak(Box::new(unsafe { Library::of(plugin) }?));
    functions_of(library, None, properties)
}

fn functions_of(
    library: &'static Library,
    path: Option<&Path>,
    properties: &BTreeMap<String, String>,
) -> Result<Vec<Function>, String> {
    let rows = library.functions()?;
    if rows.is_empty() {
        return Err("there is no function in it".to_owned());
    }
    let (mut functions, mut opened) = (Vec::new(), BTreeMap::new());
    for row in &rows {
        let kind = kind_of(row)?;
        let body = match opened.get(&row.function) {
            Some(body) => Body::clone(body),
            None => {
                let body = body(library, row, &kind, properties).map_err(|reason| format!("{}: {reason}", row.name))?;
                opened.insert(row.function, body.clone());
                body
            }
        };
        let described = definition::Described {
            name: &row.name,
            category: if row.category.is_empty() { CATEGORY } else { &row.category },
            description: &row.description,
            author: "",
            origin: path,
            is_volatile: row.is_volatile,
            kind,
            signature: &row.signature,
            parameters: row.parameters.iter().map(String::as_str).collect(),
            examples: row.examples.clone(),
        };
        definition::add(&mut functions, &described, &body).map_err(|error| error.to_string())?;
    }
    Ok(functions)
}

fn kind_of(row: &Described) -> Result<Kind, String> {
    match row.kind.as_str() {
        "SCALAR" => Ok(Kind::Scalar),
        "AGGREGATE" => {
            let keeps = Some(row.keeps.clone()).filter(|keeps| !keeps.is_empty());
            Ok(Kind::Aggregate { keeps, has_undo: row.has_undo })
        }
        "TABLE" => Ok(Kind::Table { rows_max: usize::try_from(row.rows_max).unwrap_or(usize::MAX).max(1) }),
        other => Err(format!("{} is a function of the kind {other}, which this server does not know", row.name)),
    }
}

/// Opens a function.
fn body(
    library: &'static Library,
    row: &Described,
    kind: &Kind,
    properties: &BTreeMap<String, String>,
) -> Result<Body, String> {
    let properties = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let instance = Instance::open(library, row.function, &Configuration::new(&row.name, properties))?;
    Ok(match kind {
        Kind::Aggregate { .. } => Body::Aggregate(Arc::new(RemoteAggregate::new(instance, &row.name))),
        Kind::Scalar | Kind::Table { .. } => Body::Scalar(Arc::new(RemoteScalar::new(instance, &row.name))),
    })
}

/// Adds the functions of all plug-ins in `folder` to `registry`, file by file in the order of their names. A folder that is not there has
/// none. What cannot be used is left out and told.
pub fn load_folder(folder: &Path, properties: &BTreeMap<String, String>, registry: &mut Registry) -> Vec<PluginError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_library(path)).collect();
    paths.sort();
    let added = paths.iter().map(|path| load(path, properties).and_then(|functions| add(functions, path, registry)));
    added.filter_map(Result::err).collect()
}

fn is_library(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
}

/// Adds `functions` of the file `path`.
///
/// # Errors
/// There is another function of one of their names; then none is added.
pub fn add(functions: Vec<Function>, path: &Path, registry: &mut Registry) -> Result<(), PluginError> {
    let taken = functions.iter().find_map(|function| registry.get(&function.spelling));
    if let Some(taken) = taken {
        let whose = taken.origin.as_ref().map_or_else(|| "Levada itself".to_owned(), |path| path.display().to_string());
        let reason = format!("the function {} is there already, from {whose}", taken.name());
        return Err(PluginError { path: path.to_owned(), reason });
    }
    functions.into_iter().for_each(|function| registry.add(function));
    Ok(())
}
