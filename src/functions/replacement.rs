//! Functions that mean something else from now on, and calls that follow.

use std::collections::BTreeSet;

use super::{Argument, Binding, Function, Registry, Returns, Variation};
use crate::types::SqlType;

/// Functions that were replaced.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// All functions, as they were.
    pub before: &'a Registry,
    /// All functions, as they are.
    pub after: &'a Registry,
    /// Names of those that were replaced, in capitals.
    pub names: &'a BTreeSet<String>,
}

/// A call that the new version of a function does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it calls {function}({arguments}), which gives {result}")]
pub struct Unfit {
    /// The function.
    pub function: String,
    /// Types of the arguments.
    pub arguments: String,
    /// Type of the result.
    pub result: String,
}

impl<'a> Replacement<'a> {
    /// The function called `name`, in capitals, as it is; `None` if it was not replaced.
    pub fn of(&self, name: &str) -> Option<&'a Function> {
        if self.names.contains(name) { self.after.get(name) } else { None }
    }

    /// The variation of the replaced `function` that is called as `variation` was before; `None` if there is none any more.
    pub fn same_variation(&self, function: &Function, variation: usize) -> Option<usize> {
        let before = self.before.get(&function.name()).filter(|before| before.kind == function.kind)?;
        let before = before.variations.get(variation)?;
        function.variations.iter().position(|after| after.is_called_as(before))
    }
}

impl Function {
    /// The variation that takes values of the types `arguments` and gives a `result`, where types may be widened.
    pub fn variation_giving(&self, arguments: &[Argument], result: &SqlType) -> Option<(usize, Binding)> {
        let (index, binding) = self.resolve(arguments).ok()?;
        let found = binding.result(&self.variations[index], arguments)?;
        (found == *result).then_some((index, binding))
    }
}

impl Variation {
    /// Whether calls of `other` may be calls of this one: types of parameters and results are the same, and so is what is kept per
    /// group.
    pub fn is_called_as(&self, other: &Self) -> bool {
        let types = |variation: &Self| -> Vec<_> {
            let parameters = variation.parameters.iter();
            parameters.map(|parameter| (parameter.param_type.clone(), parameter.is_literal)).collect()
        };
        let is_computed = |variation: &Self| matches!(variation.returns, Returns::Computed { .. });
        types(self) == types(other)
            && self.variadic == other.variadic
            && self.returns == other.returns
            && is_computed(self) == is_computed(other)
            && self.intermediate == other.intermediate
            && self.has_undo == other.has_undo
    }
}
