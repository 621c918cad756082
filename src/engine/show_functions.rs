//! Listings of functions: SHOW FUNCTIONS and DESCRIBE FUNCTION.

use super::response::Listing;
use super::show::{self, advice};
use crate::catalog::{Catalog, FunctionDefinition};
use crate::functions::{Function, FunctionKind, Registry, Variation, plugins};

/// `SHOW FUNCTIONS`.
pub fn functions(registry: &Registry) -> Vec<Listing> {
    let rows = registry.functions().map(|function| vec![function.name(), function.category.clone()]);
    vec![
        Listing::table("", &["Function Name", "Category"], rows.collect()),
        advice(["For detailed information about a function, run: DESCRIBE FUNCTION <Function Name>;"]),
    ]
}

/// `DESCRIBE FUNCTION` of the function `name`, in any case.
pub fn function(catalog: &Catalog, name: &str) -> Vec<Listing> {
    let Some(function) = catalog.functions().get(name) else { return Vec::new() };
    let mut facts = facts(function);
    let info = catalog.defined_function(name);
    if let Some(FunctionDefinition::Inline { expression }) = info.map(|info| &info.definition) {
        facts.push(("Definition", expression.clone()));
    }
    facts.extend(catalog.function_fault(name).map(|fault| ("Error", fault)));
    let mut listings = vec![Listing::facts(facts)];
    for (i, variation) in function.variations.iter().enumerate() {
        let title = if i == 0 { "Variations" } else { "" };
        listings.push(Listing { title: title.to_owned(), ..facts_of(function, variation) });
    }
    listings
}

fn facts(function: &Function) -> Vec<(&'static str, String)> {
    let jar = match &function.origin {
        Some(path) => path.display().to_string(),
        None if function.author.is_empty() => String::new(),
        None => "internal".to_owned(),
    };
    vec![
        ("Name", function.name()),
        ("Author", function.author.clone()),
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Overview", function.description.clone()),
        ("Type", function.kind.to_string()),
        ("Jar", jar),
        ("Examples", examples(function)),
    ]
}

/// Calls and what they give, as they are written.
fn examples(function: &Function) -> String {
    let shown = function.examples.iter().map(|(call, result)| format!("{call} = {result}"));
    shown.collect::<Vec<_>>().join("; ")
}

fn facts_of(function: &Function, variation: &Variation) -> Listing {
    let literals = variation.parameters.iter().filter(|parameter| parameter.is_literal);
    let literals: Vec<&str> = literals.map(|parameter| parameter.name.as_str()).collect();
    let notes = match (function.kind, variation.has_undo) {
        (FunctionKind::Aggregate, false) => "Streams only.",
        _ => "",
    };
    let mut facts = vec![
        ("Variation".to_owned(), Function::call_text(&function.name(), variation)),
        ("Returns".to_owned(), variation.returns.shown().to_string()),
        ("Description".to_owned(), function.description.clone()),
    ];
    let described = variation.parameters.iter().filter(|parameter| !parameter.description.is_empty());
    facts.extend(described.map(|parameter| (parameter.name.clone(), parameter.description.clone())));
    facts.push(("Literals".to_owned(), literals.join(", ")));
    facts.push(("Notes".to_owned(), notes.to_owned()));
    Listing::facts(facts)
}

/// What functions of users that were called have taken, if there are any, and what is wrong with them at the moment.
pub fn usage() -> Vec<Listing> {
    let called = plugins::usage().into_iter().filter(|usage| usage.calls > 0);
    let rows: Vec<Vec<String>> = called
        .map(|usage| {
            let seconds = format!("{:.3}", usage.time.as_secs_f64());
            vec![usage.name.to_uppercase(), usage.calls.to_string(), seconds, usage.bytes_max.to_string()]
        })
        .collect();
    let columns = ["Function", "Batches", "Seconds", "Most Bytes at Once"];
    let table = (!rows.is_empty()).then(|| Listing::table("Functions of users", &columns, rows));
    table.into_iter().chain(show::complaints()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of all listings, names before values.
    fn shown(listings: &[Listing]) -> Vec<String> {
        let of_listing = |listing: &Listing| -> Vec<String> {
            let cells = listing.columns.iter().zip(&listing.rows[0]).filter(|(_, cell)| !cell.is_empty());
            cells.map(|(column, cell)| format!("{column}: {cell}")).collect()
        };
        listings.iter().flat_map(of_listing).collect()
    }

    #[test]
    fn a_function_is_described_with_its_variations() {
        let listings = function(&Catalog::new(), "concat");
        let expected = [
            "Name: CONCAT",
            "Author: Levada",
            concat!("Version: ", env!("CARGO_PKG_VERSION")),
            "Overview: Texts or bytes one after the other; NULLs are left out, unlike with `+` and `||`.",
            "Type: SCALAR",
            "Jar: internal",
            "Examples: CONCAT('a', NULL, 'b') = 'ab'",
            "Variation: CONCAT(first VARCHAR, more VARCHAR...)",
            "Returns: VARCHAR",
            "Description: Texts or bytes one after the other; NULLs are left out, unlike with `+` and `||`.",
            "Variation: CONCAT(first BYTES, more BYTES...)",
            "Returns: BYTES",
            "Description: Texts or bytes one after the other; NULLs are left out, unlike with `+` and `||`.",
        ];
        assert_eq!(shown(&listings), expected);
    }

    #[test]
    fn functions_are_listed_by_name() {
        let listings = functions(&Registry::default());
        let names: Vec<&str> = listings[0].rows.iter().map(|row| row[0].as_str()).collect();
        assert!(names.is_sorted() && names.len() == 149);
        assert_eq!(listings[0].rows[0], ["ABS", "MATHEMATICAL"]);
    }
}
