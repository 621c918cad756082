//! All functions that statements may call.

use std::sync::LazyLock;

use levada_udf::ScalarFunction;
use rpds::RedBlackTreeMapSync;

use super::function::{Function, FunctionKind, Variation};
use super::signature::{self, SignatureError};
use super::{built_in, definition};

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

    /// Adds scalar `functions` under the heading `category`; those of one name are one.
    ///
    /// # Errors
    /// A signature that cannot be read.
    pub fn add_scalars(
        &mut self,
        author: &str,
        category: &str,
        functions: Vec<ScalarFunction>,
    ) -> Result<(), SignatureError> {
        definition::scalars(author, category, functions)?.into_iter().for_each(|function| self.add(function));
        Ok(())
    }

    /// Adds a function with these `signatures`, written as those of the built-in ones, and no body.
    ///
    /// # Errors
    /// A signature that cannot be read.
    pub fn define(
        &mut self,
        spelling: &str,
        kind: FunctionKind,
        category: &str,
        description: &str,
        signatures: &[&str],
    ) -> Result<&mut Function, SignatureError> {
        let variations: Vec<Vec<Variation>> =
            signatures.iter().map(|text| signature::variations(text)).collect::<Result<_, _>>()?;
        let function = Function {
            spelling: spelling.to_owned(),
            kind,
            category: category.to_owned(),
            description: description.to_owned(),
            author: String::new(),
            origin: None,
            examples: Vec::new(),
            is_volatile: false,
            variations: variations.into_iter().flatten().collect(),
        };
        let name = function.name();
        self.functions.insert_mut(name.clone(), function);
        Ok(self.functions.get_mut(&name).expect("it was just added"))
    }
}
