//! All functions that statements may call.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::built_in;
use super::function::{Function, FunctionKind};

/// Functions by name. The default has the built-in ones. Copies share everything until one of them changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    /// By the name in capitals.
    functions: Arc<BTreeMap<String, Function>>,
}

impl Default for Registry {
    fn default() -> Self {
        static BUILT_IN: LazyLock<Arc<BTreeMap<String, Function>>> = LazyLock::new(|| {
            Arc::new(built_in::functions().into_iter().map(|function| (function.name(), function)).collect())
        });
        Self { functions: Arc::clone(&BUILT_IN) }
    }
}

impl Registry {
    /// The function called `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.functions.get(&name.to_uppercase())
    }

    /// The function called `name` if it is of `kind`.
    pub fn of_kind(&self, name: &str, kind: FunctionKind) -> Option<&Function> {
        self.get(name).filter(|function| function.kind == kind)
    }

    /// All functions by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values()
    }

    /// Adds `function`, in place of one of the same name.
    pub fn add(&mut self, function: Function) {
        Arc::make_mut(&mut self.functions).insert(function.name(), function);
    }
}
