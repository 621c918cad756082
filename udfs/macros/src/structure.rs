//! `#[derive(Struct)]`: a type with named fields as STRUCT.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

pub(crate) fn expand(item: &DeriveInput) -> syn::Result<TokenStream> {
    let target = &item.ident;
    let Data::Struct(data) = &item.data else {
        return Err(syn::Error::new_spanned(target, "STRUCT is a struct with named fields"));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(syn::Error::new_spanned(target, "STRUCT is a struct with named fields"));
    };
    if let Some(parameter) = item.generics.params.first() {
        return Err(syn::Error::new_spanned(parameter, "STRUCT has no parameters: its fields own what they have"));
    }
    let fields: Vec<_> = named.named.iter().filter_map(|field| field.ident.clone()).collect();
    let types: Vec<_> = named.named.iter().map(|field| &field.ty).collect();
    let names: Vec<String> =
        fields.iter().map(|field| field.to_string().trim_start_matches("r#").to_uppercase()).collect();
    let columns: Vec<_> = (0..fields.len()).map(|index| format_ident!("column_{index}")).collect();
    let (writing, reading) = (writing(target, &fields, &types, &names), reading(target, &fields, &types, &columns));
    Ok(quote! {
        #[allow(clippy::all, clippy::pedantic)]
        const _: () = {
            #writing
            #reading
            impl ::levada_udf::Element for #target {}
        };
    })
}

fn writing(target: &syn::Ident, fields: &[syn::Ident], types: &[&syn::Type], names: &[String]) -> TokenStream {
    quote! {
        #[derive(Default)]
        pub struct Builder {
            valid: ::std::vec::Vec<bool>,
            #(#fields: <#types as ::levada_udf::Write>::Builder,)*
        }

        impl ::levada_udf::Build for Builder {
            fn append_null(&mut self) {
                self.valid.push(false);
                #(::levada_udf::Build::append_null(&mut self.#fields);)*
            }

            fn finish(self) -> ::levada_udf::arrow::array::ArrayRef {
                use ::levada_udf::arrow::{array, buffer, datatypes};
                let columns: ::std::vec::Vec<array::ArrayRef> = ::std::vec![#(::levada_udf::Build::finish(self.#fields)),*];
                let names = [#(#names),*];
                let fields: datatypes::Fields = names
                    .iter()
                    .zip(&columns)
                    .map(|(name, column)| datatypes::Field::new(*name, array::Array::data_type(column).clone(), true))
                    .collect();
                let nulls = buffer::NullBuffer::from(self.valid);
                let nulls = ::std::option::Option::Some(nulls).filter(|nulls| nulls.null_count() > 0);
                ::std::sync::Arc::new(array::StructArray::new(fields, columns, nulls))
            }
        }

        impl ::levada_udf::Write for #target {
            type Builder = Builder;

            fn sql() -> ::std::string::String {
                let fields = [#(::std::format!("{} {}", #names, <#types as ::levada_udf::Write>::sql())),*];
                ::std::format!("STRUCT<{}>", fields.join(", "))
            }

            fn write(self, builder: &mut Self::Builder) -> ::std::result::Result<(), ::std::string::String> {
                builder.valid.push(true);
                // All columns get a value, whichever fail.
                let mut written = ::std::result::Result::Ok(());
                #(written = written.and(::levada_udf::Write::write(self.#fields, &mut builder.#fields));)*
                written
            }
        }
    }
}

fn reading(target: &syn::Ident, fields: &[syn::Ident], types: &[&syn::Type], columns: &[syn::Ident]) -> TokenStream {
    let indices = 0..fields.len();
    quote! {
        impl<'a> ::levada_udf::Read<'a> for #target {
            type Array = (#(::levada_udf::Column<'a, #types>,)*);

            fn sql() -> ::std::string::String {
                <Self as ::levada_udf::Write>::sql()
            }

            fn open(array: &'a ::levada_udf::arrow::array::ArrayRef) -> Self::Array {
                let fields = ::levada_udf::arrow::array::AsArray::as_struct(array);
                (#(::levada_udf::Column::of(fields.column(#indices), false),)*)
            }

            fn lacks((#(#columns,)*): &Self::Array, index: usize) -> bool {
                false #(|| #columns.is_missing(index))*
            }

            fn get((#(#columns,)*): &Self::Array, index: usize) -> Self {
                Self { #(#fields: #columns.get(index)),* }
            }
        }
    }
}
