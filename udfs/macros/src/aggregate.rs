//! `#[aggregate]`: the methods of a type stay as they are; beside them comes what folds rows with them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ImplItem, ImplItemFn, Item, ItemFn, ItemImpl, ReturnType, Type};

use crate::definition::Definition;
use crate::options::Options;
use crate::parameter::{Parameters, after_self, documentation, without_names};

pub(crate) fn expand(options: &Options, item: Item) -> syn::Result<TokenStream> {
    match item {
        Item::Impl(methods) => of_methods(options, methods),
        Item::Fn(function) => of_function(options, &function),
        other => Err(syn::Error::new_spanned(other, "the attribute stands at `impl Type { … }` or at a function")),
    }
}

/// `stored` is the type of Rust that storage keeps.
fn kind(options: &Options, has_undo: bool, stored: Option<&Type>) -> TokenStream {
    let keeps = match (&options.keeps, stored) {
        (Some(keeps), _) => quote! { ::std::option::Option::Some(::std::string::String::from(#keeps)) },
        (None, Some(stored)) => quote! { ::std::option::Option::Some(<#stored as ::levada_udf::Write>::sql()) },
        (None, None) => quote! { ::std::option::Option::None },
    };
    quote! { ::levada_udf::Kind::Aggregate { keeps: #keeps, has_undo: #has_undo } }
}

/// Of a function that gives an accumulator for each call.
fn of_function(options: &Options, function: &ItemFn) -> syn::Result<TokenStream> {
    let identifier = &function.sig.ident;
    let signatures = options.written_signatures().ok_or_else(|| {
        syn::Error::new_spanned(
            identifier,
            "what gives an accumulator says its signature: signature = \"(value T) -> T\"",
        )
    })?;
    let definition = Definition {
        options,
        name: identifier.to_string(),
        description: documentation(&function.attrs),
        signatures,
        kind: kind(options, options.has_undo, None),
        open: quote! {
            let _ = configuration;
            ::std::result::Result::Ok(::levada_udf::Body::Aggregate(::std::sync::Arc::new(#identifier)))
        },
    };
    let definition = definition.of(&syn::parse_quote!(#identifier));
    let visibility = &function.vis;
    let about = format!("[`{identifier}()`] as a function of SQL.");
    Ok(quote! {
        #function

        #[doc = #about]
        #[allow(non_camel_case_types)]
        #[derive(Debug)]
        #visibility enum #identifier {}

        const _: () = { #definition };
    })
}

/// The methods of `item` by name.
fn method<'i>(item: &'i mut ItemImpl, name: &str) -> Option<&'i mut ImplItemFn> {
    item.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == name => Some(method),
        _ => None,
    })
}

fn required<'i>(item: &'i mut ItemImpl, name: &str, what: &str) -> syn::Result<&'i mut ImplItemFn> {
    let target = item.self_ty.clone();
    method(item, name).ok_or_else(|| {
        let text = format!("an aggregate function has a method `{name}`, which {what}");
        syn::Error::new_spanned(target, text)
    })
}

fn result_of(method: &ImplItemFn) -> syn::Result<Type> {
    match &method.sig.output {
        ReturnType::Type(_, result) => Ok(without_names(result)),
        ReturnType::Default => Err(syn::Error::new_spanned(&method.sig, "the method gives something")),
    }
}

/// Of the methods of the state of a group.
fn of_methods(options: &Options, mut item: ItemImpl) -> syn::Result<TokenStream> {
    let target = (*item.self_ty).clone();
    let description = documentation(&item.attrs);
    let add = required(&mut item, "add", "adds a row: fn add(&mut self, value: i64)")?;
    let parameters = Parameters::take(after_self(&mut add.sig.inputs))?;
    let result = result_of(required(&mut item, "result", "gives the value of the group: fn result(&self) -> i64")?)?;
    required(&mut item, "merge", "adds the state of later rows: fn merge(&mut self, later: &Self)")?;
    let has_undo = match method(&mut item, "undo") {
        // Its parameters are those of `add`, and may say so.
        Some(undo) => Parameters::take(after_self(&mut undo.sig.inputs)).map(|_| true)?,
        None => false,
    };
    let stored = match method(&mut item, "store") {
        Some(store) => Some(result_of(store)?),
        None => None,
    };
    if stored.is_some() {
        required(&mut item, "restore", "makes a state of what `store` gives: fn restore(stored: …) -> Self")?;
    }
    let bytes = method(&mut item, "bytes").map(|_| {
        quote! {
            fn bytes(&self) -> usize {
                Self::bytes(self)
            }
        }
    });
    let group = group(&target, &parameters, has_undo, &result, stored.as_ref(), bytes.as_ref())?;
    let definition = Definition {
        options,
        name: name_of(&target)?,
        description,
        signatures: parameters.signature(&quote! { <#result as ::levada_udf::Write>::sql() })?,
        kind: kind(options, has_undo, Some(stored.as_ref().unwrap_or(&target))),
        open: quote! {
            let _ = configuration;
            let grouped = ::levada_udf::grouped::<#target>;
            ::std::result::Result::Ok(::levada_udf::Body::Aggregate(::std::sync::Arc::new(grouped)))
        },
    };
    let definition = definition.of(&target);
    Ok(quote! {
        #item

        const _: () = {
            #group
            #definition
        };
    })
}

/// The name of the type as those of functions are: `GeometricMean` is `geometric_mean`.
fn name_of(target: &Type) -> syn::Result<String> {
    let Type::Path(path) = target else { return Err(syn::Error::new_spanned(target, "the type has a name")) };
    let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    Ok(words)
}

fn group(
    target: &Type,
    parameters: &Parameters,
    has_undo: bool,
    result: &Type,
    stored: Option<&Type>,
    bytes: Option<&TokenStream>,
) -> syn::Result<TokenStream> {
    let reading = parameters.read_columns()?;
    let (opened, missing, values) = (&reading.opened, &reading.missing, &reading.values);
    let undone = if has_undo {
        quote! { ::levada_udf::Outcome::into_result(#target::undo(state, #(#values),*)) }
    } else {
        quote! { ::std::result::Result::Err(::std::string::String::from("the function cannot take rows back")) }
    };
    let (stored, store, restored) = match stored {
        Some(stored) => (stored, quote! { Self::store(self) }, quote! { map(#target::restore) }),
        None => (target, quote! { ::std::clone::Clone::clone(self) }, quote! { map(|stored| stored) }),
    };
    Ok(quote! {
        #[allow(clippy::all, clippy::pedantic)]
        impl ::levada_udf::Group for #target {
            type Result = #result;
            type Stored = #stored;

            fn step<'a>(
                columns: &'a [::levada_udf::arrow::array::ArrayRef],
                literals: &'a [::levada_udf::arrow::array::ArrayRef],
            ) -> ::levada_udf::Step<'a, Self> {
                #(#opened)*
                ::std::boxed::Box::new(move |state: &mut Self, row, is_undone| {
                    if #missing {
                        ::std::result::Result::Ok(())
                    } else if is_undone {
                        #undone
                    } else {
                        ::levada_udf::Outcome::into_result(#target::add(state, #(#values),*))
                    }
                })
            }

            fn merge(&mut self, later: &Self) -> ::std::result::Result<(), ::std::string::String> {
                ::levada_udf::Outcome::into_result(#target::merge(self, later))
            }

            fn result(&self) -> Self::Result {
                #target::result(self)
            }

            fn store(&self) -> Self::Stored {
                #store
            }

            fn restore(column: &::levada_udf::arrow::array::ArrayRef) -> ::std::vec::Vec<Self> {
                let stored = ::levada_udf::Column::<#stored>::of(column, false);
                let rows = 0..::levada_udf::arrow::array::Array::len(column);
                rows.map(|row| stored.value(row).#restored.unwrap_or_default()).collect()
            }

            #bytes
        }
    })
}
