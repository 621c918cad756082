//! Types.

use super::super::ast::{PrimitiveType, StructField, TypeExpr};
use super::super::error::{Expected, ParseErrorKind};
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind};
use super::{Parsed, Parser, is_identifier};

impl Parser<'_> {
    /// A type, possibly followed by ARRAYs: `INT ARRAY` is `ARRAY<INT>`.
    pub(super) fn data_type(&mut self) -> Parsed<TypeExpr> {
        let mut data_type = self.tree(Self::plain_type)?;
        while self.accept(Keyword::Array) {
            self.link()?;
            data_type = TypeExpr::Array(Box::new(data_type));
        }
        Ok(data_type)
    }

    fn plain_type(&mut self) -> Parsed<TypeExpr> {
        let opens = |count| self.symbol_ahead(count, Symbol::Less);
        match self.kind() {
            TokenKind::Keyword(Keyword::Array) if opens(1) => self.array_type(),
            TokenKind::Keyword(Keyword::Map) if opens(1) => self.map_type(),
            TokenKind::Keyword(Keyword::Struct) => self.struct_type(),
            TokenKind::Keyword(Keyword::Decimal) => self.decimal_type(),
            // DEC alone may be the name of a custom type.
            TokenKind::Word
                if self.symbol_ahead(1, Symbol::OpenParenthesis) && self.text().eq_ignore_ascii_case("DEC") =>
            {
                self.decimal_type()
            }
            kind if is_identifier(kind) => self.named_type(),
            _ => self.unexpected_wanting(Expected::Any("a type")),
        }
    }

    fn array_type(&mut self) -> Parsed<TypeExpr> {
        self.advance();
        self.expect_symbol(Symbol::Less)?;
        let element = self.data_type()?;
        self.expect_symbol(Symbol::Greater)?;
        Ok(TypeExpr::Array(Box::new(element)))
    }

    fn map_type(&mut self) -> Parsed<TypeExpr> {
        self.advance();
        self.expect_symbol(Symbol::Less)?;
        let key = self.data_type()?;
        self.expect_symbol(Symbol::Comma)?;
        let value = self.data_type()?;
        self.expect_symbol(Symbol::Greater)?;
        Ok(TypeExpr::Map { key: Box::new(key), value: Box::new(value) })
    }

    /// `STRUCT<a INT, …>`; without fields it may also be read as the sign `<>`.
    fn struct_type(&mut self) -> Parsed<TypeExpr> {
        if self.symbol_ahead(1, Symbol::NotEqual) {
            self.advance();
            self.advance();
            return Ok(TypeExpr::Struct(Vec::new()));
        }
        if !self.symbol_ahead(1, Symbol::Less) {
            return self.named_type();
        }
        self.advance();
        self.advance();
        if self.accept_symbol(Symbol::Greater) {
            return Ok(TypeExpr::Struct(Vec::new()));
        }
        let fields = self
            .comma_separated(|parser| Ok(StructField { name: parser.identifier()?, data_type: parser.data_type()? }))?;
        self.expect_symbol(Symbol::Greater)?;
        Ok(TypeExpr::Struct(fields))
    }

    fn decimal_type(&mut self) -> Parsed<TypeExpr> {
        let first = self.advance().span;
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let precision = self.integer("DECIMAL(PRECISION)")?;
        self.expect_symbol(Symbol::Comma)?;
        let scale = self.integer("DECIMAL(SCALE)")?;
        let last = self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(TypeExpr::Decimal { precision, scale, span: first.to(last) })
    }

    /// A name, with parameters that mean nothing: `VARCHAR(STRING)`, `VARCHAR(255)`.
    fn named_type(&mut self) -> Parsed<TypeExpr> {
        let name = self.identifier()?;
        if self.at_symbol(Symbol::OpenParenthesis) {
            self.advance();
            self.comma_separated(Self::type_parameter)?;
            self.expect_symbol(Symbol::CloseParenthesis)?;
        }
        Ok(PrimitiveType::named(&name.name).map_or(TypeExpr::Custom(name), TypeExpr::Primitive))
    }

    fn type_parameter(&mut self) -> Parsed<()> {
        if self.accept(Keyword::String) {
            return Ok(());
        }
        if self.kind() != TokenKind::Integer {
            return self.unexpected_wanting(Expected::Kind("INTEGER_VALUE"));
        }
        self.advance();
        Ok(())
    }

    /// A 32-bit integer of a clause, with its sign.
    pub(super) fn integer(&mut self, clause: &'static str) -> Parsed<i32> {
        let first = self.span();
        let number = self.number()?;
        let integer = match number.kind {
            TokenKind::Integer => number.text.parse().ok(),
            _ => None,
        };
        if integer.is_none() {
            self.note_invalid(ParseErrorKind::NotAnInteger { clause }, first);
        }
        Ok(integer.unwrap_or_default())
    }
}
