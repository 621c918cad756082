//! Both sides of the interface of plug-ins in one process.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use levada_udf::abi::{Plugin, VERSION};
use levada_udf::{Batch, Exported, Functions, Operand, Rest, ScalarFunction, scalar, scalars};

use super::library::Library;
use super::{add, functions_of};
use crate::functions::{Function, Registry};

/// A share of a whole.
#[scalar(name = "share", example("share(6, 3)" = "2"))]
fn share(
    /// What is divided.
    whole: i32,
    parts: i32,
) -> Result<i32, String> {
    assert!(parts >= 0, "there cannot be {parts} parts");
    whole.checked_div(parts).ok_or_else(|| "there are no parts".to_owned())
}

/// Texts, the first one of them so many times.
#[scalar(volatile)]
fn joined(count: Option<i32>, texts: Rest<&str>) -> String {
    let first = texts.get(0).unwrap_or("-").repeat(count.unwrap_or(0) as usize);
    texts.iter().skip(1).fold(first, |joined, text| joined + text.unwrap_or("?"))
}

/// What is of another type than it says.
#[scalar(signature = "(value T) -> T")]
fn liar(batch: &mut Batch<'_>) -> ArrayRef {
    Arc::new(Int64Array::from(vec![0; batch.rows()]))
}

struct Own;

impl Functions for Own {
    fn scalars() -> &'static [ScalarFunction] {
        static ALL: OnceLock<Vec<ScalarFunction>> = OnceLock::new();
        ALL.get_or_init(|| scalars![share, joined, liar])
    }
}

fn functions() -> Vec<Function> {
    static PLUGIN: Plugin = Exported::<Own>::PLUGIN;
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    // SAFETY: it is one, and static.
    let library = LIBRARY.get_or_init(|| unsafe { Library::of(&raw const PLUGIN) }.expect("it is of this version"));
    functions_of(library, Path::new("own.so")).expect("good functions")
}

/// What the function `name` gives for `arguments`, and which rows fail.
fn evaluated(name: &str, arguments: &[Operand], rows: usize, result: &DataType) -> (ArrayRef, Vec<(usize, String)>) {
    let functions = functions();
    let function = functions.iter().find(|function| function.spelling == name).expect("it is there");
    let body = function.variations[0].scalar.as_ref().expect("it is in the library");
    let mut failures = Vec::new();
    let values = body.evaluate(arguments, rows, result, &mut |row, reason| failures.push((row, reason)));
    (values, failures)
}

fn numbers(values: Vec<Option<i32>>) -> Operand {
    Operand::Column(Arc::new(Int32Array::from(values)))
}

#[test]
fn functions_are_as_their_author_says() {
    let all = functions();
    let calls: Vec<String> = all.iter().map(|one| Function::call_text(&one.name(), &one.variations[0])).collect();
    assert_eq!(calls, ["SHARE(whole INT, parts INT)", "JOINED(count INT, texts VARCHAR...)", "LIAR(value T)"]);
    assert_eq!(all[0].description, "A share of a whole.");
    assert_eq!(all[0].examples, [("share(6, 3)".to_owned(), "2".to_owned())]);
    assert_eq!(all[0].variations[0].parameters[0].description, "What is divided.");
    assert!(all[1].is_volatile && !all[0].is_volatile);
}

#[test]
fn rows_that_fail_or_panic_are_null_and_told_apart() {
    let arguments =
        [numbers(vec![Some(6), Some(6), Some(6), None]), numbers(vec![Some(3), Some(0), Some(-1), Some(1)])];
    let (shares, failures) = evaluated("share", &arguments, 4, &DataType::Int32);
    assert_eq!(*shares.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(2), None, None, None]));
    let panic = "the function panicked: there cannot be -1 parts".to_owned();
    assert_eq!(failures, [(1, "there are no parts".to_owned()), (2, panic)]);
}

#[test]
fn constants_nulls_and_any_number_of_arguments_cross_the_interface() {
    let text = |text| Operand::Constant(Arc::new(StringArray::from(vec![text])) as ArrayRef);
    let arguments = [numbers(vec![Some(2), None]), text(Some("ab")), text(None)];
    let (joined, failures) = evaluated("joined", &arguments, 2, &DataType::Utf8);
    assert_eq!(*joined.as_string::<i32>(), StringArray::from(vec!["abab?", "?"]));
    assert_eq!(failures, []);
}

#[test]
fn a_result_of_another_type_fails_all_rows() {
    let (values, failures) = evaluated("liar", &[numbers(vec![Some(1), Some(2)])], 2, &DataType::Int32);
    assert_eq!(*values.as_primitive::<Int32Type>(), Int32Array::from(vec![None, None]));
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].1, "liar: the plug-in has not given Int32 for every row, as its signature says");
}

#[test]
fn plug_ins_for_another_interface_are_refused() {
    let refused = |plugin: Plugin| {
        // SAFETY: it lives until the end of the call, and a refused one is not kept.
        unsafe { Library::of(&raw const plugin) }.err().expect("it is refused")
    };
    let newer = refused(Plugin { version: VERSION + 1, ..Exported::<Own>::PLUGIN });
    assert_eq!(newer, "it is built for version 2 of the interface of plug-ins, and this server speaks version 1");
    assert_eq!(
        refused(Plugin { magic: *b"whatever", ..Exported::<Own>::PLUGIN }),
        "it is no plug-in: it begins otherwise"
    );
}

#[test]
fn a_name_that_is_taken_refuses_the_whole_plug_in() {
    let mut registry = Registry::default();
    add(functions(), Path::new("own.so"), &mut registry).expect("the names are new");
    let error = add(functions(), Path::new("other.so"), &mut registry).expect_err("the names are taken");
    let text = "Cannot load functions from other.so: the function SHARE is there already, from own.so";
    assert_eq!(error.to_string(), text);
    let mut own = functions().remove(0);
    own.spelling = "ucase".to_owned();
    let error = add(vec![own], Path::new("third.so"), &mut registry).expect_err("it is built in");
    assert!(error.to_string().ends_with("the function UCASE is there already, from Levada itself"), "{error}");
}
