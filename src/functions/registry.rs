//! All functions that statements may call.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use levada_udf::ScalarFunction;

use super::function::{Function, FunctionKind, Variation};
use super::signature::{self, SignatureError};
use super::{Now, built_in, definition};

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
    /// With `now` telling the time to the built-in functions whose answer it is.
    #[must_use]
    pub fn with_clock(mut self, now: &Now) -> Self {
        let functions = Arc::make_mut(&mut self.functions);
        for (name, body) in built_in::told_by(now) {
            let variations = functions.get_mut(name).map(|function| &mut function.variations);
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
        Arc::make_mut(&mut self.functions).insert(function.name(), function);
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
        Ok(Arc::make_mut(&mut self.functions).entry(name).insert_entry(function).into_mut())
    }
}
