//! `#[scalar]` and `#[table]`: the function stays as it is; beside it comes a type of the same name that evaluates it over batches.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, ItemFn, ReturnType, Type};

use crate::definition::Definition;
use crate::options::Options;
use crate::parameter::{Parameters, documentation, without_names};

/// What a function makes of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Makes {
    Value,
    Rows,
}

pub(crate) fn expand(options: &Options, mut function: ItemFn, makes: Makes) -> syn::Result<TokenStream> {
    let identifier = function.sig.ident.clone();
    let description = documentation(&function.attrs);
    let written = options.written_signatures();
    let batches = if written.is_some() { function.sig.inputs.pop() } else { None };
    let parameters = Parameters::take(function.sig.inputs.iter_mut())?;
    let resources = parameters.resources()?;
    let places: Vec<_> = (0..resources.len()).map(|index| format_ident!("resource_{index}")).collect();
    let (signatures, evaluate) = if let Some(written) = written {
        function.sig.inputs.extend(batches.map(syn::punctuated::Pair::into_value));
        (written, quote! { #identifier(#(&self.#places,)* batch) })
    } else {
        let signature = parameters.signature(&result_sql(&function, makes)?)?;
        (signature, row_by_row(&quote! { #identifier }, &places, &parameters)?)
    };
    let body = quote! { ::std::sync::Arc::new(Body { #(#places: <#resources as ::levada_udf::Resource>::open(configuration)?),* }) };
    let body = match &options.blocking {
        None => body,
        Some(threads) => quote! {{
            let threads = const { ::std::num::NonZero::<usize>::new(#threads).expect("it is at least 1") };
            ::std::sync::Arc::new(::levada_udf::Blocking::new(#body, threads))
        }},
    };
    let rows_max = options.rows.as_ref().map_or_else(|| quote! { usize::MAX }, |rows| quote! { #rows });
    let definition = Definition {
        options,
        name: identifier.to_string(),
        description,
        signatures,
        kind: match makes {
            Makes::Value => quote! { ::levada_udf::Kind::Scalar },
            Makes::Rows => quote! { ::levada_udf::Kind::Table { rows_max: #rows_max } },
        },
        open: quote! {
            let _ = configuration;
            ::std::result::Result::Ok(::levada_udf::Body::Scalar(#body))
        },
    };
    let target: Type = syn::parse_quote!(#identifier);
    let definition = definition.of(&target);
    let visibility = &function.vis;
    let about = format!("[`{identifier}()`] over batches.");
    Ok(quote! {
        #function

        #[doc = #about]
        #[allow(non_camel_case_types)]
        #[derive(Debug)]
        #visibility enum #identifier {}

        const _: () = {
            struct Body {
                #(#places: #resources,)*
            }

            impl ::levada_udf::Scalar for Body {
                #[allow(clippy::all, clippy::pedantic)]
                fn evaluate(&self, batch: &mut ::levada_udf::Batch<'_>) -> ::levada_udf::arrow::array::ArrayRef {
                    #evaluate
                }
            }

            #definition
        };
    })
}

/// The type of the result in SQL, as an expression.
fn result_sql(function: &ItemFn, makes: Makes) -> syn::Result<TokenStream> {
    let ReturnType::Type(_, result) = &function.sig.output else {
        return Err(syn::Error::new_spanned(&function.sig, "the function gives something"));
    };
    if let Some(receiver) = function.sig.inputs.iter().find(|input| matches!(input, FnArg::Receiver(_))) {
        return Err(syn::Error::new_spanned(receiver, "the function has no self"));
    }
    let result = without_opaque(&without_names(result));
    Ok(match makes {
        Makes::Value => quote! { <#result as ::levada_udf::Write>::sql() },
        Makes::Rows => quote! { <<#result as ::levada_udf::Rows>::Row as ::levada_udf::Write>::sql() },
    })
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
fn row_by_row(
    function: &TokenStream,
    resources: &[proc_macro2::Ident],
    parameters: &Parameters,
) -> syn::Result<TokenStream> {
    let reading = parameters.read_operands()?;
    let (opened, missing, values) = (&reading.opened, &reading.missing, &reading.values);
    Ok(quote! {
        let operands = batch.arguments();
        #(#opened)*
        let mut results = ::std::default::Default::default();
        for row in 0..batch.rows() {
            if #missing {
                ::levada_udf::Build::append_null(&mut results);
            } else {
                let written = ::levada_udf::Write::write(#function(#(&self.#resources,)* #(#values),*), &mut results);
                if let ::std::result::Result::Err(reason) = written {
                    batch.fail(row, reason);
                }
            }
        }
        ::levada_udf::Build::finish(results)
    })
}
