//! The functions of ksqlDB: signatures by category, bodies in files of their own.
//!
//! ```text
//! function with its attribute ── levada_udf ──▶ Definition ── functions! ──▶ category ── listed ──▶ Function
//! ```

mod aggregates;
mod bytes;
mod collections;
mod conditional;
mod date_time;
mod elements;
mod encoding;
mod equality;
mod json;
mod lambdas;
mod mathematical;
mod order;
mod regex;
mod selection;
mod strings;
mod tables;
mod url;

pub use date_time::Now;
pub(super) use date_time::told_by;

use levada_udf::{Configuration, Definition};

use super::definition::{self, Described};
use super::function::Function;

const AUTHOR: &str = "Levada";

/// All of them.
pub(super) fn functions() -> Vec<Function> {
    let categories = [
        mathematical::functions(),
        collections::functions(),
        lambdas::functions(),
        strings::functions(),
        bytes::functions(),
        regex::functions(),
        json::functions(),
        conditional::functions(),
        date_time::functions(),
        url::functions(),
        aggregates::functions(),
        tables::functions(),
    ];
    categories.into_iter().flatten().collect()
}

/// `definitions` under the heading `category`; those of one name are one.
fn listed(category: &str, definitions: Vec<Definition>) -> Vec<Function> {
    let mut functions = Vec::new();
    for definition in definitions {
        let about = &definition.about;
        let body = (definition.open)(&Configuration::default())
            .unwrap_or_else(|error| unreachable!("{} needs nothing: {error}", about.name));
        for signature in &definition.signatures {
            let described = Described {
                name: about.name,
                category: if about.category.is_empty() { category } else { about.category },
                description: about.description,
                author: AUTHOR,
                origin: None,
                is_volatile: about.is_volatile,
                kind: definition.kind.clone(),
                signature: &signature.text,
                parameters: signature.parameters.clone(),
                examples: about.examples.iter().map(|one| (one.call.to_owned(), one.result.to_owned())).collect(),
            };
            definition::add(&mut functions, &described, &body)
                .unwrap_or_else(|error| unreachable!("a built-in function: {error}"));
        }
    }
    functions
}

/// What the variation of `name` that takes `arguments` gives for them; no row may fail.
#[cfg(test)]
fn evaluated(name: &str, arguments: &[levada_udf::Operand], rows: usize) -> arrow::array::ArrayRef {
    let (values, failures) = tests::evaluated_with_failures(name, arguments, rows);
    assert_eq!(failures, [], "{name}");
    values
}

#[cfg(test)]
mod tests {
    use arrow::array::ArrayRef;
    use arrow::datatypes::DataType;
    use levada_udf::Operand;

    use super::super::{Argument, FunctionKind, Registry, Variation};
    use super::*;
    use crate::types::{SqlType, StructField};

    /// What the variation of `name` that takes `arguments` gives for them, and which rows fail.
    pub(super) fn evaluated_with_failures(
        name: &str,
        arguments: &[Operand],
        rows: usize,
    ) -> (ArrayRef, Vec<(usize, String)>) {
        let registry = Registry::default();
        let function = registry.get(name).expect("a function of the language");
        let types: Vec<Argument> = arguments.iter().map(|operand| argument(operand.array().data_type())).collect();
        let (index, binding) = function.resolve(&types).expect("a variation that takes these");
        let variation = &function.variations[index];
        let result = binding.result(variation, &types).expect("a type").arrow();
        let body = variation.scalar.as_ref().expect("something computes it");
        let mut failures = Vec::new();
        let values = body.evaluate(arguments, rows, &result, &mut |row, reason| failures.push((row, reason)));
        assert_eq!(*values.data_type(), result, "{name}");
        (values, failures)
    }

    fn argument(data_type: &DataType) -> Argument {
        sql_type(data_type).map_or(Argument::Null, Argument::Value)
    }

    fn sql_type(data_type: &DataType) -> Option<SqlType> {
        Some(match data_type {
            DataType::Boolean => SqlType::Boolean,
            DataType::Int32 => SqlType::Integer,
            DataType::Int64 => SqlType::Bigint,
            DataType::Float64 => SqlType::Double,
            DataType::Utf8 => SqlType::String,
            DataType::Binary => SqlType::Bytes,
            DataType::Date32 => SqlType::Date,
            DataType::Time32(_) => SqlType::Time,
            DataType::Timestamp(..) => SqlType::Timestamp,
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                SqlType::Decimal { precision: *precision, scale: *scale as u8 }
            }
            DataType::List(element) => SqlType::Array(Box::new(sql_type(element.data_type())?)),
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else { return None };
                let [key, value] = [0, 1].map(|index| sql_type(fields[index].data_type()).map(Box::new));
                SqlType::Map(key?, value?)
            }
            DataType::Struct(fields) => {
                let field = |field: &arrow::datatypes::FieldRef| {
                    Some(StructField { name: field.name().clone(), sql_type: sql_type(field.data_type())? })
                };
                SqlType::Struct(fields.iter().map(field).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

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
    fn every_variation_is_computed() {
        let functions = functions();
        let bodiless = functions.iter().filter(|function| !function.variations.iter().all(Variation::has_body));
        assert_eq!(bodiless.map(Function::name).collect::<Vec<_>>(), [""; 0]);
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
