//! Parameters and their types.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, Lit, Meta, Pat, PathArguments, Token, Type};

/// A parameter of a function over single values.
pub(crate) struct Parameter {
    name: String,
    documentation: String,
    data_type: Type,
    /// It is opened with the function: no argument.
    is_resource: bool,
    /// Only literals may be given.
    is_literal: bool,
}

/// All parameters of a function.
pub(crate) struct Parameters(Vec<Parameter>);

/// Code that reads the arguments of rows.
pub(crate) struct Reading {
    /// Opens the columns.
    pub(crate) opened: Vec<TokenStream>,
    /// Whether `row` lacks an argument.
    pub(crate) missing: TokenStream,
    /// The arguments of `row`.
    pub(crate) values: Vec<TokenStream>,
}

impl Parameter {
    fn new(input: &mut FnArg) -> syn::Result<Self> {
        let FnArg::Typed(typed) = input else {
            return Err(syn::Error::new_spanned(input, "the function has no self"));
        };
        let has = |word: &str| typed.attrs.iter().any(|attribute| attribute.path().is_ident(word));
        let (is_resource, is_literal) = (has("resource"), has("literal"));
        let documentation = documentation(&typed.attrs);
        // Rust has none there.
        typed
            .attrs
            .retain(|attribute| !["doc", "resource", "literal"].iter().any(|word| attribute.path().is_ident(word)));
        let Pat::Ident(pattern) = &*typed.pat else {
            return Err(syn::Error::new_spanned(&typed.pat, "a parameter must have a name"));
        };
        let name = pattern.ident.to_string().trim_start_matches('_').to_owned();
        Ok(Self { name, documentation, data_type: without_names(&typed.ty), is_resource, is_literal })
    }

    /// Whether it takes all arguments that are left.
    fn is_rest(&self) -> bool {
        matches!(&self.data_type, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Rest"))
    }

    /// The type of what it has any number of.
    fn element(&self) -> syn::Result<&Type> {
        let found = match &self.data_type {
            Type::Path(path) => match &path.path.segments.last().map(|segment| &segment.arguments) {
                Some(PathArguments::AngleBracketed(arguments)) => {
                    arguments.args.iter().find_map(|argument| match argument {
                        syn::GenericArgument::Type(element) => Some(element),
                        _ => None,
                    })
                }
                _ => None,
            },
            _ => None,
        };
        found.ok_or_else(|| syn::Error::new_spanned(&self.data_type, "Rest<T> says of what type its values are"))
    }

    /// The type of the resource.
    fn resource(&self) -> syn::Result<&Type> {
        match &self.data_type {
            Type::Reference(reference) => Ok(&reference.elem),
            other => Err(syn::Error::new_spanned(other, "a resource is a reference: &T")),
        }
    }

    /// Its part of a signature, as an expression of Rust.
    fn signature(&self) -> syn::Result<TokenStream> {
        let (name, literal) = (&self.name, if self.is_literal { "LITERAL " } else { "" });
        let (data_type, dots) = if self.is_rest() { (self.element()?, "...") } else { (&self.data_type, "") };
        Ok(quote! {
            ::std::format!("{}{} {}{}", #literal, #name, <#data_type as ::levada_udf::Read<'_>>::sql(), #dots)
        })
    }
}

impl Parameters {
    /// The parameters among `inputs`, which lose what Rust has not: documentation and our attributes.
    pub(crate) fn take<'i>(inputs: impl Iterator<Item = &'i mut FnArg>) -> syn::Result<Self> {
        let all = inputs.map(Parameter::new).collect::<syn::Result<Vec<_>>>()?;
        let mut arguments = all.iter().filter(|parameter| !parameter.is_resource);
        let misplaced = arguments
            .by_ref()
            .find(|parameter| parameter.is_rest())
            .and_then(|_| arguments.find(|parameter| !parameter.is_literal));
        match misplaced {
            Some(parameter) => {
                Err(syn::Error::new_spanned(&parameter.data_type, "Rest<T> is the last parameter but for literals"))
            }
            None => Ok(Self(all)),
        }
    }

    fn arguments(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter().filter(|parameter| !parameter.is_resource)
    }

    /// Types of the resources, in order.
    pub(crate) fn resources(&self) -> syn::Result<Vec<&Type>> {
        self.0.iter().filter(|parameter| parameter.is_resource).map(Parameter::resource).collect()
    }

    /// The signature that the types of Rust say, with `result`, an expression that gives a type of SQL.
    pub(crate) fn signature(&self, result: &TokenStream) -> syn::Result<TokenStream> {
        let texts = self.arguments().map(Parameter::signature).collect::<syn::Result<Vec<_>>>()?;
        let documented = self.arguments().map(|parameter| &parameter.documentation);
        Ok(quote! {{
            let parameters: ::std::vec::Vec<::std::string::String> = ::std::vec![#(#texts),*];
            ::std::vec![::levada_udf::Signature {
                text: ::std::format!("({}) -> {}", parameters.join(", "), #result),
                parameters: ::std::vec![#(#documented),*],
            }]
        }})
    }

    /// Reads rows of `operands`.
    pub(crate) fn read_operands(&self) -> syn::Result<Reading> {
        self.read(
            |column, data_type, index| quote! { let #column = ::levada_udf::Column::<#data_type>::new(&operands[#index]); },
            |column, element, index| quote! { let #column = ::levada_udf::Column::<#element>::all(&operands[#index..]); },
        )
    }

    /// Reads rows of `columns`, beside `literals`.
    pub(crate) fn read_columns(&self) -> syn::Result<Reading> {
        let first_literal = self.arguments().filter(|parameter| !parameter.is_literal).count();
        self.read(
            |column, data_type, index| {
                let (arrays, index, is_constant) = if index < first_literal {
                    (quote! { columns }, index, false)
                } else {
                    (quote! { literals }, index - first_literal, true)
                };
                quote! { let #column = ::levada_udf::Column::<#data_type>::of(&#arrays[#index], #is_constant); }
            },
            |column, element, index| {
                quote! {
                    let #column: ::std::vec::Vec<_> = columns[#index..]
                        .iter()
                        .map(|array| ::levada_udf::Column::<#element>::of(array, false))
                        .collect();
                }
            },
        )
    }

    fn read(
        &self,
        one: impl Fn(&Ident, &Type, usize) -> TokenStream,
        rest: impl Fn(&Ident, &Type, usize) -> TokenStream,
    ) -> syn::Result<Reading> {
        let (mut opened, mut missing, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (index, parameter) in self.arguments().enumerate() {
            let column = format_ident!("column_{index}");
            if parameter.is_rest() {
                opened.push(rest(&column, parameter.element()?, index));
                values.push(quote! { ::levada_udf::Rest::new(#column.len(), &|index| #column[index].value(row)) });
            } else {
                opened.push(one(&column, &parameter.data_type, index));
                missing.push(quote! { #column.is_missing(row) });
                values.push(quote! { #column.get(row) });
            }
        }
        Ok(Reading { opened, missing: quote! { false #(|| #missing)* }, values })
    }
}

/// The parameters of a method after `self`.
pub(crate) fn after_self(inputs: &mut Punctuated<FnArg, Token![,]>) -> impl Iterator<Item = &mut FnArg> {
    inputs.iter_mut().filter(|input| matches!(input, FnArg::Typed(_)))
}

/// `data_type` with `'_` in place of lifetimes that only the function knows.
pub(crate) fn without_names(data_type: &Type) -> Type {
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

/// The text of documentation comments, its lines joined.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}
