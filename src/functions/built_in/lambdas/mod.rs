//! Functions over elements that take a lambda.

use super::{Function, scalar};

const CATEGORY: &str = "LAMBDA";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function(
            "transform",
            "What a lambda makes of every element, or of the keys and the values.",
            &[
                "(array ARRAY<T>, element LAMBDA<T, R>) -> ARRAY<R>",
                "(map MAP<K, V>, key LAMBDA<K, V, R>, value LAMBDA<K, V, S>) -> MAP<R, S>",
            ],
        ),
        function(
            "filter",
            "The elements or entries for which a lambda is true.",
            &[
                "(array ARRAY<T>, condition LAMBDA<T, BOOLEAN>) -> ARRAY<T>",
                "(map MAP<K, V>, condition LAMBDA<K, V, BOOLEAN>) -> MAP<K, V>",
            ],
        ),
        function(
            "reduce",
            "What a lambda makes of a first value and all elements or entries, one after the other.",
            &[
                "(array ARRAY<T>, initial S, reducer LAMBDA<S, T, S>) -> S",
                "(map MAP<K, V>, initial S, reducer LAMBDA<S, K, V, S>) -> S",
            ],
        ),
    ]
}
