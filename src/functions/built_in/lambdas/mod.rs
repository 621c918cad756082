//! Functions over elements that take a lambda.

mod filter;
mod reduce;
mod transform;

use super::{Function, scalar};
use crate::functions::LambdaBody;

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
    let mut function = scalar(CATEGORY, spelling, description, &[array, map]);
    let bodies = [array_body, map_body];
    function.variations.iter_mut().zip(bodies).for_each(|(variation, body)| variation.lambda = Some(body));
    function.examples.push((call.to_owned(), result.to_owned()));
    function
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
