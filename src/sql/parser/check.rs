//! What statements cannot say although their words are in order, as far as the text alone tells.

use std::collections::BTreeSet;

use super::super::ast::{
    ColumnDefinition, ColumnRole, CreateAsSelect, Explain, Expression, InsertValues, Property, Query, SelectItem,
    SourceKind, Statement,
};
use super::super::error::ParseErrorKind;
use super::super::span::Span;
use super::{Parser, foreign};

impl Parser<'_> {
    /// Notes what is wrong with a statement whose first token has this index.
    pub(super) fn check(&mut self, statement: &Statement, first: usize) {
        let span = self.tokens[first].span;
        match statement {
            Statement::Query(query) => self.check_query(query),
            Statement::Read(read) => self.check_read(&read.query),
            Statement::CreateSource(create) => {
                self.check_key_roles(create.kind, &create.columns);
                self.check_properties(&create.properties);
            }
            Statement::CreateAsSelect(create) => self.check_create_as_select(create, span),
            Statement::InsertSelect(insert) => {
                self.check_properties(&insert.properties);
                self.check_query(&insert.query);
                if insert.query.limit.is_some() {
                    self.note_invalid(ParseErrorKind::LimitInInsert, span);
                }
            }
            Statement::InsertValues(insert) | Statement::AssertValues(insert) | Statement::AssertTombstone(insert) => {
                self.check_values(insert);
            }
            Statement::CreateConnector(create) => self.check_properties(&create.properties),
            Statement::AssertTopic(assert) => self.check_properties(&assert.properties),
            Statement::AssertSource(assert) => {
                self.check_key_roles(assert.kind, &assert.columns);
                self.check_properties(&assert.properties);
            }
            Statement::Explain(Explain::Statement { statement, .. }) => {
                self.check(statement, first);
            }
            _ => {}
        }
    }

    fn check_create_as_select(&mut self, create: &CreateAsSelect, span: Span) {
        self.check_properties(&create.properties);
        self.check_query(&create.query);
        if create.query.limit.is_some() {
            self.note_invalid(ParseErrorKind::LimitInCreate(create.kind), span);
        }
    }

    /// A table's keys are PRIMARY KEYs, a stream's are KEYs.
    fn check_key_roles(&mut self, kind: SourceKind, columns: &[ColumnDefinition]) {
        let wrong = match kind {
            SourceKind::Stream => ColumnRole::PrimaryKey,
            SourceKind::Table => ColumnRole::Key,
        };
        if let Some(found) = columns.iter().find(|column| column.role == wrong) {
            let column = found.name.name.clone();
            let kind = ParseErrorKind::WrongKeyRole { kind, column };
            self.note_invalid(kind, found.span);
        }
    }

    fn check_properties(&mut self, properties: &[Property]) {
        let mut names: Vec<(&str, Span)> =
            properties.iter().map(|property| (property.name.as_str(), property.span)).collect();
        names.sort_by_key(|(name, _)| *name);
        let twice = names.windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some(&[_, (name, span)]) = twice {
            let kind = ParseErrorKind::DuplicateProperty(name.to_owned());
            self.note_invalid(kind, span);
        }
    }

    fn check_values(&mut self, insert: &InsertValues) {
        let (columns, values) = (insert.columns.len(), insert.values.len());
        if values == 0 {
            self.note_invalid(ParseErrorKind::NoValues, insert.span);
        } else if columns != 0 && columns != values {
            let kind = ParseErrorKind::ColumnCount { columns, values };
            self.note_invalid(kind, insert.span);
        }
        for value in &insert.values {
            self.check_names(value, &BTreeSet::new());
        }
    }

    /// Every name before a dot is a source of FROM.
    pub(super) fn check_query(&mut self, query: &Query) {
        let sources = query.from.sources();
        let sources: BTreeSet<&str> =
            sources.flat_map(|source| [source.name.as_str(), source.alias.as_str()]).collect();
        for item in &query.select {
            match item {
                SelectItem::Single { expression, .. } => self.check_names(expression, &sources),
                SelectItem::AllFields { base, .. } => self.check_names(base, &sources),
                SelectItem::All { source, span } => {
                    if let Some(source) = source {
                        self.check_source(source.as_str(), *span, &sources);
                    }
                }
            }
        }
        let conditions = query.from.joins.iter().map(|join| &join.on);
        let conditions = conditions.chain(&query.where_clause).chain(&query.having);
        let groupings = query.group_by.iter().chain(&query.partition_by);
        let grouped = groupings.flat_map(|grouping| &grouping.expressions);
        for expression in conditions.chain(grouped) {
            self.check_names(expression, &sources);
        }
        for expression in query.group_by.iter().flat_map(|grouping| &grouping.expressions) {
            self.check_grouping(expression);
        }
    }

    /// ROLLUP and CUBE read like functions.
    fn check_grouping(&mut self, expression: &Expression) {
        if let Expression::FunctionCall(call) = expression
            && let Some(hint) = foreign::grouping(call.name.as_str())
        {
            let name = call.name.name.clone();
            self.note_invalid(ParseErrorKind::GroupingFunction { name, hint }, call.span);
        }
    }

    fn check_names(&mut self, expression: &Expression, sources: &BTreeSet<&str>) {
        expression.walk(&mut |part| {
            if let Expression::Column { source: Some(source), span, .. } = part {
                self.check_source(source.as_str(), *span, sources);
            }
        });
    }

    fn check_source(&mut self, name: &str, span: Span, sources: &BTreeSet<&str>) {
        if !sources.contains(name) && !name.starts_with("${") {
            let sources = sources.iter().map(|source| (*source).to_owned()).collect();
            let kind = ParseErrorKind::UnknownSource { name: name.to_owned(), sources };
            self.note_invalid(kind, span);
        }
    }
}
