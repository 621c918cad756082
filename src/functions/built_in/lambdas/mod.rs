//! Functions over elements that take a lambda.

mod filter;
mod reduce;
mod transform;

use super::{AUTHOR, Function};
use crate::functions::function::FunctionKind;
use crate::functions::{LambdaBody, signature};

const CATEGORY: &str = "LAMBDA";

pub(super) fn functions() -> Vec<Function> {
    vec![transform::function(), filter::function(), reduce::function()]
}

/// A function whose variation for arrays is computed by `array`, and that for maps by `map`.
fn of_arrays_and_maps(
    spelling: &str,
    description: &str,
    (array, array_body): (&str, LambdaBody),
    (map, map_body): (&str, LambdaBody),
    (call, result): (&str, &str),
) -> Function {
    let variations = [(array, array_body), (map, map_body)].into_iter().flat_map(|(text, body)| {
        let mut variations =
            signature::variations(text).unwrap_or_else(|error| unreachable!("a built-in signature: {error}"));
        variations.iter_mut().for_each(|variation| variation.lambda = Some(body.clone()));
        variations
    });
    Function {
        spelling: spelling.to_owned(),
        kind: FunctionKind::Scalar,
        category: CATEGORY.to_owned(),
        description: description.to_owned(),
        author: AUTHOR.to_owned(),
        origin: None,
        examples: vec![(call.to_owned(), result.to_owned())],
        is_volatile: false,
        variations: variations.collect(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::ArrayRef;
    use arrow::datatypes::DataType;
    use levada_udf::Operand;

    use super::LambdaBody;
    use crate::functions::{Failures, Lambda, LambdaCall};

    /// A lambda in Rust: what it makes of parameters in rows, and the elements for which it fails.
    pub(super) struct TestLambda<F>(pub(super) F);

    impl<F: Fn(&[u32], &[ArrayRef]) -> (ArrayRef, Vec<usize>)> Lambda for TestLambda<F> {
        fn evaluate(&self, rows: &[u32], parameters: &[ArrayRef], failures: &mut Failures<'_>) -> ArrayRef {
            let (values, failed) = (self.0)(rows, parameters);
            failed.into_iter().for_each(|element| failures(element, format!("element {element} fails")));
            values
        }
    }

    /// What `body` gives for `arguments` and a lambda, and which rows fail.
    pub(super) fn evaluated(
        body: &LambdaBody,
        arguments: &[Operand],
        lambda: &dyn Lambda,
        rows: usize,
        result: &DataType,
    ) -> (ArrayRef, Vec<(usize, String)>) {
        let mut failures = Vec::new();
        let mut report = |row: usize, reason: String| failures.push((row, reason));
        let values = body.evaluate(&mut LambdaCall::new(arguments, &[lambda], rows, result, &mut report));
        assert_eq!(values.data_type(), result);
        (values, failures)
    }
}
