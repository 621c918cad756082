//! From functions as `levada_udf` has them to those that statements call.

use levada_udf::ScalarFunction;

use super::function::{Function, FunctionKind, Variation};
use super::signature::{self, SignatureError};

/// `functions`, of which those of one name are one, in the order of their first ones. What people are told is what the first of
/// a name says.
///
/// # Errors
/// A signature that cannot be read.
pub(super) fn scalars(
    author: &str,
    category: &str,
    functions: Vec<ScalarFunction>,
) -> Result<Vec<Function>, SignatureError> {
    let mut merged: Vec<Function> = Vec::new();
    for function in functions {
        let variations = variations(&function)?;
        let same_name = |other: &&mut Function| other.spelling.eq_ignore_ascii_case(function.about.name);
        if let Some(known) = merged.iter_mut().find(same_name) {
            known.variations.extend(variations);
            known.examples.extend(examples(&function));
            known.is_volatile |= function.about.is_volatile;
            continue;
        }
        let category = if function.about.category.is_empty() { category } else { function.about.category };
        merged.push(Function {
            spelling: function.about.name.to_owned(),
            kind: FunctionKind::Scalar,
            category: category.to_owned(),
            description: function.about.description.to_owned(),
            author: author.to_owned(),
            origin: None,
            examples: examples(&function),
            is_volatile: function.about.is_volatile,
            variations,
        });
    }
    Ok(merged)
}

fn examples(function: &ScalarFunction) -> Vec<(String, String)> {
    function.about.examples.iter().map(|example| (example.call.to_owned(), example.result.to_owned())).collect()
}

/// The ways to call `function`.
fn variations(function: &ScalarFunction) -> Result<Vec<Variation>, SignatureError> {
    let mut all = Vec::new();
    for signature in &function.signatures {
        for mut variation in signature::variations(&signature.text)? {
            variation.scalar = Some(function.body.clone().into());
            for (parameter, description) in variation.parameters.iter_mut().zip(&signature.parameters) {
                (*description).clone_into(&mut parameter.description);
            }
            all.push(variation);
        }
    }
    Ok(all)
}
