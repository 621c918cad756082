//! What stands in the parentheses of an attribute.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitInt, LitStr, Token, parenthesized};

/// Options of an attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) is_volatile: bool,
    pub(crate) examples: Vec<(LitStr, LitStr)>,
    pub(crate) signatures: Vec<LitStr>,
    pub(crate) blocking: Option<LitInt>,
    pub(crate) rows: Option<LitInt>,
    pub(crate) keeps: Option<LitStr>,
    pub(crate) has_undo: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.option(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name: Ident = input.parse()?;
        let text = |input: ParseStream<'_>| {
            input.parse::<Token![=]>()?;
            input.parse::<LitStr>()
        };
        let number = |input: ParseStream<'_>| {
            input.parse::<Token![=]>()?;
            let number: LitInt = input.parse()?;
            match number.base10_parse::<usize>()? {
                0 => Err(syn::Error::new(number.span(), "it is at least 1")),
                _ => Ok(number),
            }
        };
        match name.to_string().as_str() {
            "name" => self.name = Some(text(input)?),
            "category" => self.category = Some(text(input)?),
            "signature" => self.signatures.push(text(input)?),
            "volatile" => self.is_volatile = true,
            "blocking" => self.blocking = Some(number(input)?),
            "rows" => self.rows = Some(number(input)?),
            "keeps" => self.keeps = Some(text(input)?),
            "undo" => self.has_undo = true,
            "example" => {
                let content;
                parenthesized!(content in input);
                let call = content.parse()?;
                self.examples.push((call, text(&content)?));
            }
            other => {
                let known = "name, category, signature, volatile, blocking, rows, keeps, undo and example";
                return Err(syn::Error::new(name.span(), format!("there is no option '{other}': known are {known}")));
            }
        }
        Ok(())
    }
}
