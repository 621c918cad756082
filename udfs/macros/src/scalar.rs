//! `#[scalar]`: the function stays as it is; beside it comes a type of the same name that evaluates it over batches.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, Meta, Pat, PathArguments, ReturnType, Type};

use crate::options::Options;

/// A parameter of a function over single values.
struct Parameter {
    name: String,
    documentation: String,
    data_type: Type,
}

impl Parameter {
    /// Whether it takes all arguments that are left.
    fn is_rest(&self) -> bool {
        matches!(&self.data_type, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Rest"))
    }

    /// The type of what it has any number of.
    fn element(&self) -> Option<&Type> {
        let Type::Path(path) = &self.data_type else { return None };
        let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(element) => Some(element),
            _ => None,
        })
    }
}

pub(crate) fn expand(options: &Options, mut function: ItemFn) -> syn::Result<TokenStream> {
    let identifier = function.sig.ident.clone();
    let description = documentation(&function.attrs);
    let parameters = take_parameters(&mut function)?;
    let (signatures, evaluate) = if options.signatures.is_empty() {
        (typed_signature(&function, &parameters)?, typed_evaluate(&identifier, &parameters)?)
    } else {
        let texts = &options.signatures;
        let signatures = quote! {
            ::std::vec![#(::levada_udf::Signature { text: ::std::string::String::from(#texts), parameters: ::std::vec![] }),*]
        };
        (signatures, quote! { #identifier(batch) })
    };
    let name = options.name.as_ref().map_or_else(|| identifier.to_string(), syn::LitStr::value);
    let category = options.category.as_ref().map(syn::LitStr::value).unwrap_or_default();
    let is_volatile = options.is_volatile;
    let examples = options.examples.iter().map(|(call, result)| {
        quote! { ::levada_udf::Example { call: #call, result: #result } }
    });
    let visibility = &function.vis;
    let about = format!("[`{identifier}()`] over batches.");
    Ok(quote! {
        #function

        #[doc = #about]
        #[allow(non_camel_case_types)]
        #[derive(Debug)]
        #visibility enum #identifier {}

        const _: () = {
            struct Body;

            impl ::levada_udf::Scalar for Body {
                #[allow(clippy::all, clippy::pedantic)]
                fn evaluate(&self, batch: &mut ::levada_udf::Batch<'_>) -> ::levada_udf::arrow::array::ArrayRef {
                    #evaluate
                }
            }

            impl ::levada_udf::ScalarDefinition for #identifier {
                fn function() -> ::levada_udf::ScalarFunction {
                    ::levada_udf::ScalarFunction {
                        about: ::levada_udf::About {
                            name: #name,
                            category: #category,
                            description: #description,
                            examples: &[#(#examples),*],
                            is_volatile: #is_volatile,
                        },
                        signatures: #signatures,
                        body: ::std::sync::Arc::new(Body),
                    }
                }
            }
        };
    })
}

/// The parameters, whose documentation is taken away: Rust has none there.
fn take_parameters(function: &mut ItemFn) -> syn::Result<Vec<Parameter>> {
    let parameters = function.sig.inputs.iter_mut().map(|input| match input {
        FnArg::Receiver(receiver) => Err(syn::Error::new_spanned(receiver, "a scalar function has no self")),
        FnArg::Typed(typed) => {
            let documentation = documentation(&typed.attrs);
            typed.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
            let Pat::Ident(pattern) = &*typed.pat else {
                return Err(syn::Error::new_spanned(&typed.pat, "a parameter must have a name"));
            };
            let data_type = without_names(&typed.ty);
            Ok(Parameter { name: pattern.ident.to_string(), documentation, data_type })
        }
    });
    parameters.collect()
}

/// The signature that the types of Rust say.
fn typed_signature(function: &ItemFn, parameters: &[Parameter]) -> syn::Result<TokenStream> {
    let ReturnType::Type(_, result) = &function.sig.output else {
        return Err(syn::Error::new_spanned(&function.sig, "a scalar function gives something"));
    };
    let result = without_opaque(&without_names(result));
    let types = parameters.iter().map(|parameter| match parameter.element().filter(|_| parameter.is_rest()) {
        Some(element) => quote! { ::std::format!("{}...", <#element as ::levada_udf::Read<'_>>::sql()) },
        None => {
            let data_type = &parameter.data_type;
            quote! { <#data_type as ::levada_udf::Read<'_>>::sql() }
        }
    });
    let names = parameters.iter().map(|parameter| &parameter.name);
    let documented = parameters.iter().map(|parameter| &parameter.documentation);
    Ok(quote! {{
        let parameters: ::std::vec::Vec<::std::string::String> = ::std::vec![#(::std::format!("{} {}", #names, #types)),*];
        let result = <#result as ::levada_udf::Write>::sql();
        ::std::vec![::levada_udf::Signature {
            text: ::std::format!("({}) -> {}", parameters.join(", "), result),
            parameters: ::std::vec![#(#documented),*],
        }]
    }})
}

/// `data_type` with `'_` in place of lifetimes that only the function knows.
fn without_names(data_type: &Type) -> Type {
    struct Replace;
    impl syn::visit_mut::VisitMut for Replace {
        fn visit_lifetime_mut(&mut self, node: &mut syn::Lifetime) {
            if node.ident != "static" {
                *node = syn::Lifetime::new("'_", node.apostrophe);
            }
        }
    }
    let mut data_type = data_type.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Replace, &mut data_type);
    data_type
}

/// `result` with `()` in place of what has no name: all that can be shown is a STRING.
fn without_opaque(result: &Type) -> Type {
    struct Replace;
    impl syn::visit_mut::VisitMut for Replace {
        fn visit_type_mut(&mut self, node: &mut Type) {
            if matches!(node, Type::ImplTrait(_)) {
                *node = syn::parse_quote!(&'static str);
            } else {
                syn::visit_mut::visit_type_mut(self, node);
            }
        }
    }
    let mut result = result.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Replace, &mut result);
    result
}

/// Calls the function row by row.
fn typed_evaluate(identifier: &Ident, parameters: &[Parameter]) -> syn::Result<TokenStream> {
    let mut opened = Vec::new();
    let mut missing = Vec::new();
    let mut values = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let column = format_ident!("column_{index}");
        if parameter.is_rest() {
            let Some(element) = parameter.element().filter(|_| index + 1 == parameters.len()) else {
                let text = "Rest<T> is the last parameter, and says of what type its values are";
                return Err(syn::Error::new_spanned(&parameter.data_type, text));
            };
            opened.push(quote! { let #column = ::levada_udf::Column::<#element>::all(&arguments[#index..]); });
            values.push(quote! { ::levada_udf::Rest::new(#column.len(), &|index| #column[index].value(row)) });
        } else {
            let data_type = &parameter.data_type;
            opened.push(quote! { let #column = ::levada_udf::Column::<#data_type>::new(&arguments[#index]); });
            missing.push(quote! { #column.is_missing(row) });
            values.push(quote! { #column.get(row) });
        }
    }
    Ok(quote! {
        let arguments = batch.arguments();
        #(#opened)*
        let mut results = ::std::default::Default::default();
        for row in 0..batch.rows() {
            if true #(&& !#missing)* {
                let written = ::levada_udf::Write::write(#identifier(#(#values),*), &mut results);
                if let ::std::result::Result::Err(reason) = written {
                    batch.fail(row, reason);
                }
            } else {
                ::levada_udf::Build::append_null(&mut results);
            }
        }
        ::levada_udf::Build::finish(results)
    })
}

/// The text of documentation comments, its lines joined.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}
