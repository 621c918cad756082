//! The attributes of `levada-udf`, which documents them.

mod options;
mod scalar;

use proc_macro::TokenStream;

/// Makes a scalar function of a function; see the crate `levada-udf`.
///
/// Options: `name = "…"`, `category = "…"`, `volatile`, `example("call" = "result")` and, for functions over whole batches,
/// `signature = "…"`; the last two any number of times.
#[proc_macro_attribute]
pub fn scalar(options: TokenStream, function: TokenStream) -> TokenStream {
    let options = syn::parse_macro_input!(options as options::Options);
    let function = syn::parse_macro_input!(function as syn::ItemFn);
    scalar::expand(&options, function).unwrap_or_else(|error| error.to_compile_error()).into()
}
