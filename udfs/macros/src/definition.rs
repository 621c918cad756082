//! What all attributes write: how an item is known as a function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use crate::options::Options;

/// A function of SQL.
pub(crate) struct Definition<'a> {
    pub(crate) options: &'a Options,
    /// What it is called unless the options say.
    pub(crate) name: String,
    pub(crate) description: String,
    /// An expression of `Vec<Signature>`.
    pub(crate) signatures: TokenStream,
    /// An expression of `Kind`.
    pub(crate) kind: TokenStream,
    /// What gives a `Result<Body, String>` of `configuration`.
    pub(crate) open: TokenStream,
}

impl Definition<'_> {
    /// `impl Defined for` the type `target`.
    pub(crate) fn of(&self, target: &Type) -> TokenStream {
        let Self { options, description, signatures, kind, open, .. } = self;
        let name = options.name.as_ref().map_or_else(|| self.name.clone(), syn::LitStr::value);
        let category = options.category.as_ref().map(syn::LitStr::value).unwrap_or_default();
        let is_volatile = options.is_volatile;
        let examples = options.examples.iter().map(|(call, result)| {
            quote! { ::levada_udf::Example { call: #call, result: #result } }
        });
        quote! {
            impl ::levada_udf::Defined for #target {
                fn definition() -> ::levada_udf::Definition {
                    ::levada_udf::Definition {
                        about: ::levada_udf::About {
                            name: #name,
                            category: #category,
                            description: #description,
                            examples: &[#(#examples),*],
                            is_volatile: #is_volatile,
                        },
                        signatures: #signatures,
                        kind: #kind,
                        open: ::std::sync::Arc::new(|configuration: &::levada_udf::Configuration| { #open }),
                    }
                }
            }
        }
    }
}

impl Options {
    /// The signatures that are written, as an expression of `Vec<Signature>`; `None` if the types of Rust say it.
    pub(crate) fn written_signatures(&self) -> Option<TokenStream> {
        let texts = &self.signatures;
        (!texts.is_empty()).then(|| {
            quote! {
                ::std::vec![#(::levada_udf::Signature {
                    text: ::std::string::String::from(#texts),
                    parameters: ::std::vec![],
                }),*]
            }
        })
    }
}
