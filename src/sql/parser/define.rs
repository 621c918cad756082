//! Statements that create, fill, change and drop sources, types and connectors, and that drop functions.

use super::super::ast::{
    AddedColumn, AlterSource, ColumnDefinition, ColumnRole, CreateAsSelect, CreateConnector, CreateSource, CreateType,
    DropConnector, DropFunction, DropSource, DropType, Identifier, InsertSelect, InsertValues, Property, SourceKind,
    Statement,
};
use super::super::error::Expected;
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind};
use super::super::span::Span;
use super::{Parsed, Parser, is_identifier};

impl Parser<'_> {
    // CREATE.

    pub(super) fn create(&mut self) -> Parsed<Statement> {
        let span = self.advance().span;
        let or_replace = self.accept_all(&[Keyword::Or, Keyword::Replace])?;
        if let Some(function) = self.create_function(or_replace)? {
            return Ok(function);
        }
        if !or_replace {
            if self.accept(Keyword::Type) {
                return self.create_type();
            }
            let may_be_connector = self.keyword_ahead(0, Keyword::Source) || self.keyword_ahead(0, Keyword::Sink);
            if may_be_connector && self.keyword_ahead(1, Keyword::Connector) {
                return self.create_connector();
            }
        }
        let is_source = self.accept(Keyword::Source);
        let Some(kind) = self.source_kind() else {
            return self.unexpected();
        };
        let if_not_exists = self.if_not_exists()?;
        let name = self.source_name()?;
        let columns = self.column_definitions()?;
        let properties = self.with_clause()?;
        if columns.is_empty() && !is_source && self.accept(Keyword::As) {
            let query = self.persistent_query()?;
            return Ok(Statement::CreateAsSelect(Box::new(CreateAsSelect {
                kind,
                name,
                or_replace,
                if_not_exists,
                properties,
                query,
                span,
            })));
        }
        Ok(Statement::CreateSource(CreateSource {
            kind,
            name,
            or_replace,
            if_not_exists,
            is_source,
            columns,
            properties,
            span,
        }))
    }

    /// STREAM or TABLE.
    pub(super) fn source_kind(&mut self) -> Option<SourceKind> {
        if self.accept(Keyword::Stream) {
            return Some(SourceKind::Stream);
        }
        self.accept(Keyword::Table).then_some(SourceKind::Table)
    }

    /// IF NOT EXISTS; IF alone may be a name.
    pub(super) fn if_not_exists(&mut self) -> Parsed<bool> {
        if self.keyword_ahead(1, Keyword::Not) {
            return self.accept_all(&[Keyword::If, Keyword::Not, Keyword::Exists]);
        }
        Ok(false)
    }

    /// IF EXISTS; IF alone may be a name.
    fn if_exists(&mut self) -> Parsed<bool> {
        if self.keyword_ahead(1, Keyword::Exists) {
            return self.accept_all(&[Keyword::If, Keyword::Exists]);
        }
        Ok(false)
    }

    fn create_type(&mut self) -> Parsed<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.identifier()?;
        self.expect(Keyword::As)?;
        let data_type = self.data_type()?;
        Ok(Statement::CreateType(CreateType { name, data_type, if_not_exists }))
    }

    fn create_connector(&mut self) -> Parsed<Statement> {
        let Some(kind) = self.connector_kind() else {
            return self.unexpected();
        };
        self.expect(Keyword::Connector)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.identifier()?;
        if !self.keyword_ahead(0, Keyword::With) {
            self.expect(Keyword::With)?;
        }
        let properties = self.with_clause()?;
        Ok(Statement::CreateConnector(CreateConnector { kind, name, if_not_exists, properties }))
    }

    // Columns and properties.

    /// `(column, …)`, or nothing.
    pub(super) fn column_definitions(&mut self) -> Parsed<Vec<ColumnDefinition>> {
        if !self.accept_symbol(Symbol::OpenParenthesis) {
            return Ok(Vec::new());
        }
        let columns = self.comma_separated(Self::column_definition)?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(columns)
    }

    fn column_definition(&mut self) -> Parsed<ColumnDefinition> {
        let name = self.identifier()?;
        let data_type = self.data_type()?;
        let role = self.column_role()?;
        let span = name.span.to(self.previous_span());
        Ok(ColumnDefinition { name, data_type, role, span })
    }

    fn column_role(&mut self) -> Parsed<ColumnRole> {
        if self.accept_all(&[Keyword::Primary, Keyword::Key])? {
            return Ok(ColumnRole::PrimaryKey);
        }
        if self.accept(Keyword::Key) {
            return Ok(ColumnRole::Key);
        }
        if self.accept(Keyword::Headers) {
            return Ok(ColumnRole::Headers);
        }
        if !self.accept(Keyword::Header) {
            return Ok(ColumnRole::Value);
        }
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let key = self.string()?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(ColumnRole::Header(key.trim().to_owned()))
    }

    /// `WITH (name = literal, …)`, or nothing.
    pub(super) fn with_clause(&mut self) -> Parsed<Vec<Property>> {
        if !self.accept(Keyword::With) {
            return Ok(Vec::new());
        }
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let properties = self.comma_separated(Self::property)?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(properties)
    }

    fn property(&mut self) -> Parsed<Property> {
        let span = self.span();
        let name = if self.kind() == TokenKind::String { self.string()? } else { self.identifier()?.name };
        self.expect_symbol(Symbol::Equal)?;
        match self.literal()? {
            Some(value) => Ok(Property { name, value, span }),
            None => self.unexpected_wanting(Expected::Any("a literal")),
        }
    }

    // INSERT.

    pub(super) fn insert(&mut self) -> Parsed<Statement> {
        let span = self.advance().span;
        self.expect(Keyword::Into)?;
        let target = self.source_name()?;
        let has_values = self.at_symbol(Symbol::OpenParenthesis) || self.keyword_ahead(0, Keyword::Values);
        if has_values {
            let values = self.values_of(target, Keyword::Values)?;
            return Ok(Statement::InsertValues(values));
        }
        self.insert_select(target, span)
    }

    fn insert_select(&mut self, target: Identifier, span: Span) -> Parsed<Statement> {
        let properties = self.with_clause()?;
        if properties.is_empty() {
            for alternative in ["(", "VALUES"] {
                self.looked_for(Expected::Token(alternative));
            }
        }
        let query = self.persistent_query()?;
        Ok(Statement::InsertSelect(Box::new(InsertSelect { target, properties, query, span })))
    }

    /// `[(columns)] VALUES (values)` for a target that was read already.
    pub(super) fn values_of(&mut self, target: Identifier, before_values: Keyword) -> Parsed<InsertValues> {
        let columns = if self.accept_symbol(Symbol::OpenParenthesis) {
            let columns = self.comma_separated(Self::identifier)?;
            self.expect_symbol(Symbol::CloseParenthesis)?;
            columns
        } else {
            Vec::new()
        };
        self.expect(before_values)?;
        let values = self.value_list()?;
        let span = target.span;
        Ok(InsertValues { target, columns, values, span })
    }

    // DROP and ALTER.

    pub(super) fn drop(&mut self) -> Parsed<Statement> {
        let span = self.advance().span;
        if let Some(kind) = self.source_kind() {
            let if_exists = self.if_exists()?;
            let name = self.source_name()?;
            let delete_topic = self.accept_all(&[Keyword::Delete, Keyword::Topic])?;
            return Ok(Statement::DropSource(DropSource { kind, name, if_exists, delete_topic, span }));
        }
        if self.accept(Keyword::Connector) {
            let if_exists = self.if_exists()?;
            let name = self.identifier()?;
            return Ok(Statement::DropConnector(DropConnector { name, if_exists }));
        }
        if self.accept(Keyword::Function) {
            let if_exists = self.if_exists()?;
            let name = self.identifier()?;
            return Ok(Statement::DropFunction(DropFunction { name, if_exists }));
        }
        self.expect(Keyword::Type)?;
        let if_exists = self.if_exists()?;
        let name = self.identifier()?;
        Ok(Statement::DropType(DropType { name, if_exists }))
    }

    pub(super) fn alter(&mut self) -> Parsed<Statement> {
        let span = self.advance().span;
        if self.accept(Keyword::System) {
            let (name, value) = self.string_assignment()?;
            return Ok(Statement::AlterSystem { name, value });
        }
        let Some(kind) = self.source_kind() else {
            return self.unexpected();
        };
        let name = self.source_name()?;
        let columns = self.comma_separated(Self::added_column)?;
        Ok(Statement::AlterSource(AlterSource { kind, name, columns, span }))
    }

    /// `ADD [COLUMN] name type`; COLUMN may also be the name.
    fn added_column(&mut self) -> Parsed<AddedColumn> {
        self.expect(Keyword::Add)?;
        let begins_type = self.keyword_ahead(2, Keyword::Decimal) || self.identifier_ahead(2);
        if is_identifier(self.kind_ahead(1)) && begins_type {
            self.accept(Keyword::Column);
        }
        Ok(AddedColumn { name: self.identifier()?, data_type: self.data_type()? })
    }
}
