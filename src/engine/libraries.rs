//! Libraries of functions as statements need them: as the files are now, and as the command log knew them.
//!
//! The log has beside a statement what the functions were that it has made. So whatever has become of a file, what queries do is
//! known; only nothing computes the function, which is a fault of it that the queries tell.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::catalog::{FunctionDefinition, FunctionInfo};
use crate::functions::{Function, FunctionKind, Variation, plugins, signature};
use crate::plan::{LibraryLookup, LoadedLibrary, Planned};

/// A function as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFunction {
    name: String,
    kind: RecordedKind,
    #[serde(default)]
    volatile: bool,
    variations: Vec<RecordedVariation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RecordedKind {
    Scalar,
    Aggregate,
    Table,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedVariation {
    signature: String,
    /// What an aggregate keeps per group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intermediate: Option<String>,
    /// Rows can be taken back of it.
    #[serde(default)]
    undo: bool,
}

/// What the log is to keep of the functions that `planned` takes from a library.
pub fn recorded(planned: &Planned) -> Vec<RecordedFunction> {
    let Planned::CreateFunctions(create) = planned else { return Vec::new() };
    let of_library =
        |(_, info): &&(Function, FunctionInfo)| matches!(info.definition, FunctionDefinition::Library { .. });
    create.functions.iter().filter(of_library).map(|(function, _)| RecordedFunction::of(function)).collect()
}

impl RecordedFunction {
    fn of(function: &Function) -> Self {
        let variation = |variation: &Variation| RecordedVariation {
            signature: signature::text(variation),
            intermediate: variation.intermediate.as_ref().map(signature::type_text),
            undo: variation.has_undo,
        };
        Self {
            name: function.spelling.clone(),
            kind: match function.kind {
                FunctionKind::Scalar => RecordedKind::Scalar,
                FunctionKind::Aggregate => RecordedKind::Aggregate,
                FunctionKind::Table => RecordedKind::Table,
            },
            volatile: function.is_volatile,
            variations: function.variations.iter().map(variation).collect(),
        }
    }

    /// The function, which nothing computes.
    fn function(&self, path: &str) -> Result<Function, String> {
        let mut variations = Vec::new();
        for recorded in &self.variations {
            for mut variation in signature::variations(&recorded.signature).map_err(|error| error.to_string())? {
                let kept = recorded.intermediate.as_deref().map(signature::param_type).transpose();
                variation.intermediate = kept.map_err(|error| error.to_string())?;
                variation.has_undo = recorded.undo;
                variations.push(variation);
            }
        }
        Ok(Function {
            spelling: self.name.clone(),
            kind: match self.kind {
                RecordedKind::Scalar => FunctionKind::Scalar,
                RecordedKind::Aggregate => FunctionKind::Aggregate,
                RecordedKind::Table => FunctionKind::Table,
            },
            category: "OTHER".to_owned(),
            description: String::new(),
            author: String::new(),
            origin: Some(path.into()),
            examples: Vec::new(),
            is_volatile: self.volatile,
            variations,
        })
    }
}

/// Files as they are now, whose functions are told these properties of the server.
pub(super) struct Installed<'a>(pub(super) &'a BTreeMap<String, String>);

impl LibraryLookup for Installed<'_> {
    fn load(&self, path: &str) -> Result<LoadedLibrary, String> {
        let functions = plugins::load(Path::new(path), self.0).map_err(|error| error.to_string())?;
        Ok(LoadedLibrary { functions, fault: None })
    }
}

/// Functions as a command of the log knew them.
pub(super) struct Recorded<'a> {
    pub(super) functions: &'a [RecordedFunction],
    /// Looks at the file; without this that is still to be done.
    pub(super) installed: Option<Installed<'a>>,
}

impl LibraryLookup for Recorded<'_> {
    fn load(&self, path: &str) -> Result<LoadedLibrary, String> {
        let known = self.functions.iter().map(|function| function.function(path)).collect::<Result<Vec<_>, _>>()?;
        let Some(installed) = &self.installed else {
            return Ok(LoadedLibrary { functions: known, fault: Some(format!("{path} is not loaded yet")) });
        };
        let mut files = Files::new(installed);
        let found = known.iter().map(|known| files.find(known, path)).collect::<Result<Vec<_>, _>>();
        Ok(match found {
            Ok(functions) => LoadedLibrary { functions, fault: None },
            Err(reason) => LoadedLibrary { functions: known, fault: Some(reason) },
        })
    }
}

/// Files that are loaded once for many functions.
pub(super) struct Files<'a> {
    installed: &'a Installed<'a>,
    by_path: BTreeMap<String, Result<Vec<Function>, String>>,
}

impl<'a> Files<'a> {
    /// No file yet.
    pub(super) fn new(installed: &'a Installed<'a>) -> Self {
        Self { installed, by_path: BTreeMap::new() }
    }

    /// The function `known` from the file `path`, called as before.
    ///
    /// # Errors
    /// The file cannot be used, or has no such function any more.
    pub(super) fn find(&mut self, known: &Function, path: &str) -> Result<Function, String> {
        let load = || self.installed.load(path).map(|library| library.functions);
        let all = self.by_path.entry(path.to_owned()).or_insert_with(load).as_ref().map_err(Clone::clone)?;
        let mut found =
            all.iter().find(|function| function.name() == known.name()).cloned().ok_or_else(|| {
                format!("Cannot load functions from {path}: there is no {} in it any more", known.name())
            })?;
        let variation = |before: &Variation| {
            let same = found.variations.iter().find(|variation| variation.is_called_as(before)).cloned();
            same.filter(|_| found.kind == known.kind).ok_or_else(|| {
                let call = Function::call_text(&known.name(), before);
                format!(
                    "Cannot load functions from {path}: there is no {call} -> {} in it any more",
                    before.returns.shown()
                )
            })
        };
        found.variations = known.variations.iter().map(variation).collect::<Result<_, String>>()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Registry;

    #[test]
    fn what_is_recorded_of_a_function_is_enough_to_plan_its_calls() {
        let registry = Registry::default();
        for name in ["SUBSTRING", "TOPK", "AVG", "EXPLODE", "GREATEST", "RANDOM"] {
            let function = registry.get(name).expect("it is built in");
            let is_written = |variation: &&Variation| matches!(variation.returns, crate::functions::Returns::Type(_));
            let variations = function.variations.iter().filter(is_written).cloned().collect();
            let function = Function { variations, ..function.clone() };
            let text = serde_json::to_string(&RecordedFunction::of(&function)).expect("it is plain data");
            let recorded: RecordedFunction = serde_json::from_str(&text).expect("it was just written");
            let known = recorded.function("f.so").expect("good signatures");
            assert_eq!((known.kind, known.is_volatile), (function.kind, function.is_volatile), "{name}");
            assert_eq!(known.variations.len(), function.variations.len(), "{name}");
            let pairs = known.variations.iter().zip(&function.variations);
            pairs.for_each(|(known, variation)| assert!(known.is_called_as(variation) && !known.has_body(), "{text}"));
        }
    }

    #[test]
    fn a_function_whose_file_is_gone_is_known_by_what_it_was() {
        let registry = Registry::default();
        let functions = [RecordedFunction::of(registry.get("LEN").expect("it is built in"))];
        let lookup = Recorded { functions: &functions, installed: Some(Installed(&BTreeMap::new())) };
        let library = lookup.load("/nowhere/f.so").expect("what was in it is known");
        assert_eq!(library.functions[0].name(), "LEN");
        let fault = "Cannot load functions from /nowhere/f.so: No such file or directory (os error 2)";
        assert_eq!(library.fault.as_deref(), Some(fault));
    }
}
