//! All functions that statements may call.

use std::sync::LazyLock;

use rpds::RedBlackTreeMapSync;

use super::function::{Function, FunctionKind};
use super::{Now, built_in};

/// Functions by name. The default has the built-in ones. A copy costs nothing and a change only what it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    /// By the name in capitals.
    functions: RedBlackTreeMapSync<String, Function>,
}

impl Default for Registry {
    fn default() -> Self {
        static BUILT_IN: LazyLock<RedBlackTreeMapSync<String, Function>> =
            LazyLock::new(|| built_in::functions().into_iter().map(|function| (function.name(), function)).collect());
        Self { functions: BUILT_IN.clone() }
    }
}

impl Registry {
    /// With `now` telling the time to the built-in functions whose answer it is.
    #[must_use]
    pub fn with_clock(mut self, now: &Now) -> Self {
        for (name, body) in built_in::told_by(now) {
            let variations = self.functions.get_mut(name).map(|function| &mut function.variations);
            let of_now = variations.into_iter().flatten().filter(|variation| variation.parameters.is_empty());
            of_now.for_each(|variation| variation.scalar = Some(body.clone()));
        }
        self
    }

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
        self.functions.insert_mut(function.name(), function);
    }

    /// Removes the function called `name`, in any case.
    pub fn remove(&mut self, name: &str) {
        self.functions.remove_mut(&name.to_uppercase());
    }

    /// Adds a function with these `signatures` and no body.
    #[cfg(test)]
    pub(crate) fn define(&mut self, spelling: &str, kind: FunctionKind, signatures: &[&str]) -> &mut Function {
        let read = |text: &&str| super::signature::variations(text).expect("a good signature");
        let function = Function {
            spelling: spelling.to_owned(),
            kind,
            category: String::new(),
            description: String::new(),
            author: String::new(),
            origin: None,
            examples: Vec::new(),
            is_volatile: false,
            variations: signatures.iter().flat_map(read).collect(),
        };
        let name = function.name();
        self.functions.insert_mut(name.clone(), function);
        self.functions.get_mut(&name).expect("it was just added")
    }
}
