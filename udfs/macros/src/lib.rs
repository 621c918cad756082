//! The attributes of `levada-udf`, which documents them.

mod aggregate;
mod definition;
mod options;
mod parameter;
mod scalar;
mod structure;

use proc_macro::TokenStream;

/// Makes a scalar function of a function; see the crate `levada-udf`.
///
/// Options: `name = "…"`, `category = "…"`, `volatile`, `blocking = 16`, `example("call" = "result")` and, for functions over whole
/// batches, `signature = "…"`; the last two any number of times.
#[proc_macro_attribute]
pub fn scalar(options: TokenStream, function: TokenStream) -> TokenStream {
    let options = syn::parse_macro_input!(options as options::Options);
    let function = syn::parse_macro_input!(function as syn::ItemFn);
    expanded(scalar::expand(&options, function, scalar::Makes::Value))
}

/// Makes a table function of a function that gives the values of the rows as a `Vec`; see the crate `levada-udf`.
///
/// Options: those of `scalar`, and `rows = 64`: so many rows are given to it at once at most.
#[proc_macro_attribute]
pub fn table(options: TokenStream, function: TokenStream) -> TokenStream {
    let options = syn::parse_macro_input!(options as options::Options);
    let function = syn::parse_macro_input!(function as syn::ItemFn);
    expanded(scalar::expand(&options, function, scalar::Makes::Rows))
}

/// Makes an aggregate function of the methods of a type, or of a function that gives an `Accumulator`; see the crate `levada-udf`.
///
/// Options: `name = "…"`, `category = "…"`, `example("call" = "result")`, `keeps = "…"` and, for accumulators, `signature = "…"` and
/// `undo`.
#[proc_macro_attribute]
pub fn aggregate(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = syn::parse_macro_input!(options as options::Options);
    let item = syn::parse_macro_input!(item as syn::Item);
    expanded(aggregate::expand(&options, item))
}

/// Makes STRUCT of a type with named fields: it may be a parameter, a result, an element of either, and what an aggregate function
/// stores.
#[proc_macro_derive(Struct)]
pub fn structure(item: TokenStream) -> TokenStream {
    let item = syn::parse_macro_input!(item as syn::DeriveInput);
    expanded(structure::expand(&item))
}

fn expanded(tokens: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    tokens.unwrap_or_else(|error| error.to_compile_error()).into()
}
