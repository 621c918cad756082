//! What people are told of functions is true: their examples, and `docs/functions.md`, which is made of the same texts.
//! `BLESS=1` writes the page.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use levada::functions::{Function, FunctionKind, Registry, Variation};
use levada::testing::Examples;

#[test]
fn examples_give_what_they_say() {
    let registry = Registry::default();
    let examples = Examples::new(registry.clone()).expect("an empty server starts");
    let mut wrong = Vec::new();
    for function in registry.functions() {
        for (call, result) in &function.examples {
            if let Err(reason) = examples.check(function.kind, call, result) {
                wrong.push(format!("{call}: {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_has_an_example() {
    // What these give is never the same, or depends on the machine, or they make sense with a column only.
    let without = ["AS_VALUE", "RANDOM", "UNIX_DATE", "UNIX_TIMESTAMP", "UUID"];
    let registry = Registry::default();
    let bare = registry.functions().filter(|function| function.examples.is_empty());
    let bare: Vec<String> = bare.map(Function::name).collect();
    let bare: Vec<&str> = bare.iter().map(String::as_str).filter(|name| !without.contains(name)).collect();
    assert_eq!(bare, [""; 0]);
}

/// The page: categories, functions by name, of each its variations, parameters and examples.
fn page(registry: &Registry) -> String {
    let mut page = "# Functions\n\nAll functions of the language, by category: made of what `DESCRIBE FUNCTION` says. \
                    [How a call is checked](calls.md) tells which variation a call means.\n"
        .to_owned();
    let categories: BTreeSet<&str> = registry.functions().map(|function| function.category.as_str()).collect();
    for category in categories {
        let _ = write!(page, "\n## {}\n", title(category));
        for function in registry.functions().filter(|function| function.category == category) {
            describe(function, &mut page);
        }
    }
    page
}

fn title(category: &str) -> String {
    let mut letters = category.chars();
    letters.next().map_or_else(String::new, |first| format!("{first}{}", letters.as_str().to_lowercase()))
}

fn describe(function: &Function, page: &mut String) {
    let _ = write!(page, "\n### {}\n\n{}\n\n```text\n", function.name(), function.description);
    for variation in &function.variations {
        let call = Function::call_text(&function.name(), variation);
        let _ = writeln!(page, "{call} -> {}", variation.returns.shown());
    }
    page.push_str("```\n");
    for (name, description) in parameters(&function.variations) {
        let _ = write!(page, "\n- `{name}`: {description}");
    }
    for (call, result) in &function.examples {
        let _ = write!(page, "\n`{call}` gives `{result}`.\n");
    }
    if function.kind == FunctionKind::Aggregate && function.variations.iter().any(|variation| !variation.has_undo) {
        page.push_str("\nOver streams only.\n");
    }
}

/// What is said of parameters, each once.
fn parameters(variations: &[Variation]) -> Vec<(&str, &str)> {
    let mut said: Vec<(&str, &str)> = Vec::new();
    for parameter in variations.iter().flat_map(|variation| &variation.parameters) {
        if !parameter.description.is_empty() && !said.iter().any(|(name, _)| *name == parameter.name) {
            said.push((&parameter.name, &parameter.description));
        }
    }
    said
}

#[test]
fn the_page_of_functions_says_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/functions.md");
    let written = page(&Registry::default());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &written).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).expect("the page can be read");
    let differs = found.lines().zip(written.lines()).find(|(found, written)| found != written);
    assert!(found == written, "BLESS=1 writes the page anew; it differs in {differs:?}");
}
