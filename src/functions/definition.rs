//! From functions as `levada_udf` has them to those that statements call.

use std::path::Path;

use levada_udf::{Body, Kind};

use super::function::{Function, FunctionKind, Variation};
use super::signature::{self, SignatureError};
use super::{AggregateBody, ScalarBody, TableBody};

/// What is known of some of the ways to call a function, wherever it comes from.
pub(super) struct Described<'a> {
    pub(super) name: &'a str,
    pub(super) category: &'a str,
    pub(super) description: &'a str,
    pub(super) author: &'a str,
    /// The file that it comes from.
    pub(super) origin: Option<&'a Path>,
    pub(super) is_volatile: bool,
    pub(super) kind: Kind,
    pub(super) signature: &'a str,
    /// What each parameter is, where that is said.
    pub(super) parameters: Vec<&'a str>,
    pub(super) examples: Vec<(String, String)>,
}

/// A signature, or a name, that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DefinitionError {
    /// A signature.
    #[error("{name}: {error}")]
    Signature {
        /// Of the function.
        name: String,
        /// Why.
        error: SignatureError,
    },
    /// One name for functions of two kinds.
    #[error("{name} is of two kinds, {first} and {second}")]
    Kinds {
        /// Of the functions.
        name: String,
        /// What the first one is.
        first: FunctionKind,
        /// What the second one is.
        second: FunctionKind,
    },
}

/// Adds a way to call a function to `functions`, of which those of one name are one. What people are told is what the first of a
/// name says.
pub(super) fn add(
    functions: &mut Vec<Function>,
    described: &Described<'_>,
    body: &Body,
) -> Result<(), DefinitionError> {
    let variations = variations(described, body)?;
    let same_name = |other: &&mut Function| other.spelling.eq_ignore_ascii_case(described.name);
    let kind = function_kind(&described.kind);
    let Some(known) = functions.iter_mut().find(same_name) else {
        functions.push(Function {
            spelling: described.name.to_owned(),
            kind,
            category: described.category.to_owned(),
            description: described.description.to_owned(),
            author: described.author.to_owned(),
            origin: described.origin.map(Path::to_owned),
            examples: described.examples.clone(),
            is_volatile: described.is_volatile,
            variations,
        });
        return Ok(());
    };
    if known.kind != kind {
        return Err(DefinitionError::Kinds { name: known.spelling.clone(), first: known.kind, second: kind });
    }
    known.variations.extend(variations);
    for example in &described.examples {
        if !known.examples.contains(example) {
            known.examples.push(example.clone());
        }
    }
    known.is_volatile |= described.is_volatile;
    Ok(())
}

fn function_kind(kind: &Kind) -> FunctionKind {
    match kind {
        Kind::Scalar => FunctionKind::Scalar,
        Kind::Aggregate { .. } => FunctionKind::Aggregate,
        Kind::Table { .. } => FunctionKind::Table,
    }
}

/// The ways to call it that the signature stands for.
fn variations(described: &Described<'_>, body: &Body) -> Result<Vec<Variation>, DefinitionError> {
    let unread = |error| DefinitionError::Signature { name: described.name.to_owned(), error };
    let mut variations = signature::variations(described.signature).map_err(unread)?;
    let intermediate = match &described.kind {
        Kind::Aggregate { keeps: Some(keeps), .. } => Some(signature::param_type(keeps).map_err(unread)?),
        _ => None,
    };
    for variation in &mut variations {
        match (&described.kind, body.clone()) {
            (Kind::Table { rows_max }, Body::Scalar(lists)) => {
                variation.table = Some(TableBody { lists: ScalarBody::from(lists), rows_max: *rows_max });
            }
            (_, Body::Scalar(scalar)) => variation.scalar = Some(scalar.into()),
            (_, Body::Aggregate(aggregate)) => variation.aggregate = Some(AggregateBody::from(aggregate)),
        }
        variation.has_undo = matches!(described.kind, Kind::Aggregate { has_undo: true, .. });
        variation.intermediate.clone_from(&intermediate);
        for (parameter, description) in variation.parameters.iter_mut().zip(&described.parameters) {
            (*description).clone_into(&mut parameter.description);
        }
    }
    Ok(variations)
}
