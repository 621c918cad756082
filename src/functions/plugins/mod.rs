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

mod library;
mod remote;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use levada_udf::describe::Described;

use self::library::Library;
use self::remote::RemoteScalar;
use super::function::{Function, FunctionKind, Variation};
use super::{Registry, ScalarBody, signature};

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

/// The functions in the file `path`.
///
/// # Errors
/// It is no plug-in, one for another interface, or says of its functions what cannot be understood.
pub fn load(path: &Path) -> Result<Vec<Function>, PluginError> {
    let refused = |reason: String| PluginError { path: path.to_owned(), reason };
    Library::open(path).and_then(|library| functions_of(library, path)).map_err(refused)
}

fn functions_of(library: &'static Library, path: &Path) -> Result<Vec<Function>, String> {
    let described = library.functions()?;
    if described.is_empty() {
        return Err("there is no function in it".to_owned());
    }
    let mut functions: Vec<Function> = Vec::new();
    for row in described {
        let variations = variations(library, &row)?;
        match functions.iter_mut().find(|function| function.spelling.eq_ignore_ascii_case(&row.name)) {
            Some(function) => function.variations.extend(variations),
            None => functions.push(function(row, path, variations)),
        }
    }
    Ok(functions)
}

fn variations(library: &'static Library, row: &Described) -> Result<Vec<Variation>, String> {
    let mut variations = signature::variations(&row.signature).map_err(|error| format!("{}: {error}", row.name))?;
    let body = ScalarBody::from(Arc::new(RemoteScalar::new(library, row.function, &row.name)) as Arc<_>);
    for variation in &mut variations {
        variation.scalar = Some(body.clone());
        for (parameter, description) in variation.parameters.iter_mut().zip(&row.parameters) {
            parameter.description.clone_from(description);
        }
    }
    Ok(variations)
}

fn function(row: Described, path: &Path, variations: Vec<Variation>) -> Function {
    Function {
        spelling: row.name,
        kind: FunctionKind::Scalar,
        category: if row.category.is_empty() { CATEGORY.to_owned() } else { row.category },
        description: row.description,
        author: String::new(),
        origin: Some(path.to_owned()),
        examples: row.examples,
        is_volatile: row.is_volatile,
        variations,
    }
}

/// Adds the functions of all plug-ins in `folder` to `registry`, file by file in the order of their names. A folder that is not there has
/// none. What cannot be used is left out and told.
pub fn load_folder(folder: &Path, registry: &mut Registry) -> Vec<PluginError> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_library(path)).collect();
    paths.sort();
    let added = paths.iter().map(|path| load(path).and_then(|functions| add(functions, path, registry)));
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
