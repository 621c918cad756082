//! Which functions a statement calls, and whether those of users can be called.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::functions::{FunctionKind, Registry};
use crate::sql::ast::{Expression, FunctionCall};

use super::error::PlanError;
use super::settings::Settings;

/// The functions that `expressions` call and that are not built in, by their names in capitals.
///
/// # Errors
/// The library of one cannot be used.
pub(super) fn called<'e>(
    expressions: impl IntoIterator<Item = &'e Expression>,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Vec<String>, PlanError> {
    let mut names = BTreeSet::new();
    for expression in expressions {
        for call in calls(expression) {
            let name = call.name.as_str().to_uppercase();
            if !is_of_users(&name, catalog) || !names.insert(name.clone()) {
                continue;
            }
            // What was right when it was said stays known.
            let fault = if settings.topics.is_past() { None } else { catalog.function_fault(&name) };
            if let Some(fault) = fault {
                let hint = "once the file is there again: CREATE OR REPLACE FUNCTION … USING 'file'";
                return Err(PlanError::refused_with_hint(fault, hint, call.span));
            }
        }
    }
    Ok(names.into_iter().collect())
}

/// All calls in `expression`.
pub(super) fn calls(expression: &Expression) -> Vec<&FunctionCall> {
    let mut calls = Vec::new();
    expression.walk(&mut |part| {
        if let Expression::FunctionCall(call) = part {
            calls.push(call);
        }
    });
    calls
}

/// The calls in `expression` of functions of `kind`, outer ones first.
pub(super) fn calls_of<'e>(
    expression: &'e Expression,
    kind: FunctionKind,
    functions: &Registry,
) -> impl Iterator<Item = &'e FunctionCall> + use<'e> {
    let calls = calls(expression).into_iter();
    let of_kind: Vec<_> = calls.filter(|call| functions.of_kind(call.name.as_str(), kind).is_some()).collect();
    of_kind.into_iter()
}

/// Whether a statement or a file in the extension folder has made the function `name`.
pub(super) fn is_of_users(name: &str, catalog: &Catalog) -> bool {
    catalog.defined_function(name).is_some()
        || catalog.functions().get(name).is_some_and(|function| function.origin.is_some())
}
