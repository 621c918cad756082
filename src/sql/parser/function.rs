//! CREATE FUNCTION.

use super::super::ast::{CreateFunction, CreateFunctions, FunctionBody, FunctionParameter, LibraryPath, Statement};
use super::super::keyword::Keyword;
use super::super::lexer::Symbol;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// What follows on CREATE, if it is FUNCTION or FUNCTIONS.
    pub(super) fn create_function(&mut self, or_replace: bool) -> Parsed<Option<Statement>> {
        if self.accept(Keyword::Functions) {
            let if_not_exists = self.if_not_exists()?;
            let library = self.library()?;
            return Ok(Some(Statement::CreateFunctions(CreateFunctions { or_replace, if_not_exists, library })));
        }
        if !self.accept(Keyword::Function) {
            return Ok(None);
        }
        let if_not_exists = self.if_not_exists()?;
        let name = self.identifier()?;
        let body = if self.accept_symbol(Symbol::OpenParenthesis) {
            self.inline_function()?
        } else {
            FunctionBody::Library(self.library()?)
        };
        Ok(Some(Statement::CreateFunction(Box::new(CreateFunction { name, or_replace, if_not_exists, body }))))
    }

    /// `parameter type, …) RETURNS type AS expression`.
    fn inline_function(&mut self) -> Parsed<FunctionBody> {
        let parameters = if self.at_symbol(Symbol::CloseParenthesis) {
            Vec::new()
        } else {
            self.comma_separated(Self::function_parameter)?
        };
        self.expect_symbol(Symbol::CloseParenthesis)?;
        self.expect(Keyword::Returns)?;
        let returns_span = self.span();
        let returns = self.data_type()?;
        self.expect(Keyword::As)?;
        let expression = self.expression()?;
        Ok(FunctionBody::Inline { parameters, returns, returns_span, expression })
    }

    fn function_parameter(&mut self) -> Parsed<FunctionParameter> {
        Ok(FunctionParameter { name: self.identifier()?, data_type: self.data_type()? })
    }

    /// `USING 'file'`.
    fn library(&mut self) -> Parsed<LibraryPath> {
        self.expect(Keyword::Using)?;
        let span = self.span();
        Ok(LibraryPath { path: self.string()?, span })
    }
}
