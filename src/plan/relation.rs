//! Steps planned so far, and where the columns of the query stand in their rows.

use std::collections::HashMap;

use crate::sql::Span;
use crate::sql::ast::Expression;
use crate::types::SqlType;

use super::PlanNode;
use super::scope::{ScopeColumn, as_column, column};

/// A column of the row layout ([`Schema::row_schema`](crate::types::Schema::row_schema)) of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayoutColumn {
    /// What it holds: an internal name, or an expression that was computed further down.
    pub(super) holds: Expression,
    /// Its index.
    pub(super) index: usize,
    /// Its type.
    pub(super) sql_type: SqlType,
}

/// Where to find what in the rows of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    columns: Vec<LayoutColumn>,
    /// Positions in `columns` by internal name: joins of many sources look up many names.
    named: HashMap<String, usize>,
}

impl Layout {
    /// Of rows that have `columns` and nothing else.
    pub(super) fn of<'c>(columns: impl IntoIterator<Item = &'c ScopeColumn>) -> Self {
        let mut layout = Self::default();
        for (index, found) in columns.into_iter().enumerate() {
            layout.add(column(&found.internal, Span::NONE), index, found.sql_type.clone());
        }
        layout
    }

    /// Notes that column `index` holds `expression`.
    pub(super) fn add(&mut self, expression: Expression, index: usize, sql_type: SqlType) {
        self.push(LayoutColumn { holds: expression, index, sql_type });
    }

    fn push(&mut self, column: LayoutColumn) {
        if let Some(name) = as_column(&column.holds) {
            self.named.entry(name.to_owned()).or_insert(self.columns.len());
        }
        self.columns.push(column);
    }

    /// The same where everything from index `from` on has moved to `to`.
    pub(super) fn moved(mut self, from: usize, to: usize) -> Self {
        for column in self.columns.iter_mut().filter(|column| column.index >= from) {
            column.index = column.index - from + to;
        }
        self
    }

    /// The columns before index `width`, and the others.
    pub(super) fn split_at(self, width: usize) -> (Self, Self) {
        let (mut before, mut others) = (Self::default(), Self::default());
        for column in self.columns {
            if column.index < width { before.push(column) } else { others.push(column) }
        }
        (before, others)
    }

    /// Adds the columns of `other`, whose index 0 is `offset` here.
    pub(super) fn append(&mut self, other: Self, offset: usize) {
        for column in other.columns {
            self.push(LayoutColumn { index: column.index + offset, ..column });
        }
    }

    /// The column that holds `expression`.
    pub(super) fn find(&self, expression: &Expression) -> Option<&LayoutColumn> {
        match as_column(expression) {
            Some(name) => self.named.get(name).map(|position| &self.columns[*position]),
            None => self.columns.iter().find(|column| column.holds == *expression),
        }
    }
}

/// A key column, and which expressions of SELECT are it.
#[derive(Debug, Clone)]
pub(super) struct KeyColumn {
    /// Expressions with the value of the key column, the preferred one first.
    pub(super) expressions: Vec<Expression>,
    /// Its type.
    pub(super) sql_type: SqlType,
}

/// Steps, the layout of the rows that they emit, and the meaning of their key.
#[derive(Debug)]
pub(super) struct Relation {
    /// The last step.
    pub(super) node: PlanNode,
    /// Where its columns stand.
    pub(super) layout: Layout,
    /// Its key columns.
    pub(super) key: Vec<KeyColumn>,
}

/// Indices of the columns after key and value in a row layout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    first: usize,
}

impl Tail {
    /// The tail of the rows of `node`.
    pub(super) fn of(node: &PlanNode) -> Self {
        let schema = node.schema();
        Self { first: schema.key.len() + schema.value.len() }
    }

    /// Index of ROWTIME.
    pub(super) fn rowtime(self) -> usize {
        self.first
    }

    /// Index of WINDOWSTART, where the key is windowed.
    pub(super) fn window_start(self) -> usize {
        self.first + 1
    }

    /// Index of WINDOWEND, where the key is windowed.
    pub(super) fn window_end(self) -> usize {
        self.first + 2
    }
}
