//! The functions of ksqlDB: signatures by category, bodies in files of their own.

mod aggregates;
mod collections;
mod concat;
mod conditional;
mod cube_explode;
mod date_time;
mod explode;
mod json;
mod lambdas;
mod mathematical;
mod strings;
mod tables;
mod url;

use super::function::{Function, FunctionKind};
use super::signature;
use super::{AggregateBody, ScalarBody, TableBody};

/// All of them.
pub(super) fn functions() -> Vec<Function> {
    let categories = [
        mathematical::functions(),
        collections::functions(),
        lambdas::functions(),
        strings::functions(),
        json::functions(),
        conditional::functions(),
        date_time::functions(),
        url::functions(),
        aggregates::functions(),
        tables::functions(),
    ];
    categories.into_iter().flatten().collect()
}

/// Signatures that are made once per type of number.
macro_rules! numbers {
    ($signature:literal) => {
        concat!("INT BIGINT DOUBLE: ", $signature)
    };
}
use numbers;

/// A function called `spelling` with these `signatures`.
fn function(kind: FunctionKind, category: &str, spelling: &str, description: &str, signatures: &[&str]) -> Function {
    let variations = signatures.iter().flat_map(|text| {
        signature::variations(text).unwrap_or_else(|error| unreachable!("a built-in signature: {error}"))
    });
    Function {
        spelling: spelling.to_owned(),
        kind,
        category: category.to_owned(),
        description: description.to_owned(),
        author: "Levada".to_owned(),
        variations: variations.collect(),
    }
}

/// A scalar function.
fn scalar(category: &str, spelling: &str, description: &str, signatures: &[&str]) -> Function {
    function(FunctionKind::Scalar, category, spelling, description, signatures)
}

impl Function {
    /// With `body` in every variation.
    fn computed_by(mut self, body: &ScalarBody) -> Self {
        self.variations.iter_mut().for_each(|variation| variation.scalar = Some(body.clone()));
        self
    }

    /// With the accumulator `body` in every variation.
    fn accumulated_by(mut self, body: AggregateBody) -> Self {
        self.variations.iter_mut().for_each(|variation| variation.aggregate = Some(body));
        self
    }

    /// With rows from `body` in every variation.
    fn expanded_by(mut self, body: &TableBody) -> Self {
        self.variations.iter_mut().for_each(|variation| variation.table = Some(body.clone()));
        self
    }

    /// With rows that can be taken back.
    fn with_undo(mut self) -> Self {
        self.variations.iter_mut().for_each(|variation| variation.has_undo = true);
        self
    }

    /// With groups that keep a value of the type that `text` names.
    fn keeping(mut self, text: &str) -> Self {
        let kept = signature::param_type(text).unwrap_or_else(|error| unreachable!("a built-in type: {error}"));
        self.variations.iter_mut().for_each(|variation| variation.intermediate = Some(kept.clone()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_has_as_many_functions_as_it_should() {
        let functions = functions();
        for (kind, names, signatures) in
            [(FunctionKind::Scalar, 129, 249), (FunctionKind::Aggregate, 18, 64), (FunctionKind::Table, 2, 3)]
        {
            let of_kind: Vec<&Function> = functions.iter().filter(|function| function.kind == kind).collect();
            let variations: usize = of_kind.iter().map(|function| function.variations.len()).sum();
            assert_eq!((of_kind.len(), variations), (names, signatures), "{kind}");
        }
    }

    #[test]
    fn names_are_unique_and_described() {
        let functions = functions();
        let mut names: Vec<String> = functions.iter().map(Function::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), functions.len());
        assert!(functions.iter().all(|function| function.description.ends_with('.')));
    }
}
