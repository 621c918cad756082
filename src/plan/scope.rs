//! What names mean: the sources of FROM and their columns.
//!
//! Every column that a query can see gets one *internal name*: its own name when there is one source, `ALIAS_NAME` in
//! joins. [`Scope::resolve`] turns the column references of an expression into internal names; from then on equal
//! expressions are equal trees, however their columns were written.

use std::sync::Arc;

use crate::catalog::{Catalog, DataSource, system_table};
use crate::sql::Span;
use crate::sql::ast::{AliasedSource, Expression, FunctionCall, Identifier, Relation};
use crate::sql::similar_names;
use crate::types::{Column, SqlType};

use super::call::check_lambdas;
use super::error::{PlanError, PlanErrorKind};
use super::names::{ROWOFFSET, ROWPARTITION, ROWTIME, WINDOWEND, WINDOWSTART, first_free};
use super::rewrite::rewrite;

/// A part of a query that refers to columns, as messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Select,
    Where,
    GroupBy,
    PartitionBy,
    Having,
    JoinOn,
    OrderBy,
    /// The body of a function.
    Function,
}

impl Clause {
    /// Its words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Where => "WHERE",
            Self::GroupBy => "GROUP BY",
            Self::PartitionBy => "PARTITION BY",
            Self::Having => "HAVING",
            Self::JoinOn => "JOIN ON",
            Self::OrderBy => "ORDER BY",
            Self::Function => "FUNCTION",
        }
    }
}

/// Where the value of a column stands in its source's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key(usize),
    Value(usize),
    Header(usize),
    RowTime,
    RowPartition,
    RowOffset,
    WindowStart,
    WindowEnd,
}

impl Role {
    /// Whether no source declares it.
    pub(super) fn is_pseudo(self) -> bool {
        !matches!(self, Self::Key(_) | Self::Value(_) | Self::Header(_))
    }
}

/// A column that a query can see.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    /// Name within the query, which no other column has.
    pub(super) internal: String,
    /// Name of a result that is this column, where its own name alone is not clear.
    pub(super) shown: String,
    /// Name within its source.
    pub(super) name: String,
    /// Index of its source.
    pub(super) source: usize,
    /// Its type.
    pub(super) sql_type: SqlType,
    /// Where its value stands.
    pub(super) role: Role,
}

/// A source of FROM.
#[derive(Debug, Clone)]
pub(super) struct ScopeSource {
    /// Its name in the query.
    pub(super) alias: String,
    /// What it is.
    pub(super) data: Arc<DataSource>,
    /// Where FROM names it.
    pub(super) span: Span,
    /// Its rows have a time and a place besides what it declares.
    pub(super) has_pseudo_columns: bool,
}

/// The sources of FROM, left to right, and all their columns.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) sources: Vec<ScopeSource>,
    pub(super) columns: Vec<ScopeColumn>,
}

impl Scope {
    /// Looks up the sources of `relation`.
    pub(super) fn new(relation: &Relation, catalog: &Catalog) -> Result<Self, PlanError> {
        let found = relation.sources().map(|source| Ok((lookup(source, catalog)?, true)));
        Ok(Self::of(relation, found.collect::<Result<_, PlanError>>()?))
    }

    /// The sources of `relation`, which are those `found`, and whether their rows have pseudo columns.
    pub(super) fn of(relation: &Relation, found: Vec<(Arc<DataSource>, bool)>) -> Self {
        let mut scope = Self { sources: Vec::new(), columns: Vec::new() };
        for (source, (data, has_pseudo_columns)) in relation.sources().zip(found) {
            let alias = source.alias.name.clone();
            scope.sources.push(ScopeSource { alias, data, span: source.span, has_pseudo_columns });
        }
        for index in 0..scope.sources.len() {
            scope.add_columns(index);
        }
        scope
    }

    /// Whether several sources are joined.
    pub(super) fn is_join(&self) -> bool {
        self.sources.len() > 1
    }

    /// Names of the sources, each once.
    pub(super) fn source_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for source in &self.sources {
            if !names.contains(&source.data.name) {
                names.push(source.data.name.clone());
            }
        }
        names
    }

    fn add_columns(&mut self, source: usize) {
        let ScopeSource { alias, data, has_pseudo_columns, .. } = self.sources[source].clone();
        let key = data.schema.key.iter().enumerate().map(|(i, column)| (Role::Key(i), column));
        let value = data.schema.value.iter().enumerate().map(|(i, column)| (Role::Value(i), column));
        let mut value: Vec<(Role, &Column)> = value.collect();
        for (i, header) in data.headers.iter().enumerate() {
            value.insert((header.position + i).min(value.len()), (Role::Header(i), &header.column));
        }
        let declared = key.chain(value).map(|(role, column)| (role, column.name.clone(), column.sql_type.clone()));
        let mut visible: Vec<(Role, String, SqlType)> = declared.collect();
        if has_pseudo_columns {
            visible.push((Role::RowTime, ROWTIME.to_owned(), SqlType::Bigint));
            visible.push((Role::RowPartition, ROWPARTITION.to_owned(), SqlType::Integer));
            visible.push((Role::RowOffset, ROWOFFSET.to_owned(), SqlType::Bigint));
        }
        if data.window.is_some() {
            visible.push((Role::WindowStart, WINDOWSTART.to_owned(), SqlType::Bigint));
            visible.push((Role::WindowEnd, WINDOWEND.to_owned(), SqlType::Bigint));
        }
        for (role, name, sql_type) in visible {
            let shown = if self.is_join() { format!("{alias}_{name}") } else { name.clone() };
            // `A.B_C` and `A_B.C` are both called A_B_C.
            let internal = first_free(&shown, |internal| self.column(internal).is_some());
            self.columns.push(ScopeColumn { internal, shown, name, source, sql_type, role });
        }
    }

    /// The column with this internal name.
    pub(super) fn column(&self, internal: &str) -> Option<&ScopeColumn> {
        self.columns.iter().find(|column| column.internal == internal)
    }

    /// Columns of the source at index `source`, in the order in which it declares them, without pseudo columns.
    pub(super) fn declared(&self, source: usize) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(move |column| column.source == source && !column.role.is_pseudo())
    }

    /// Whether several sources have a column called `name`.
    pub(super) fn clashes(&self, name: &str) -> bool {
        self.columns.iter().filter(|column| column.name == name).count() > 1
    }

    /// `expression` with internal names.
    pub(super) fn resolve(&self, expression: &Expression, clause: Clause) -> Result<Expression, PlanError> {
        self.resolve_beside(expression, clause, &[])
    }

    /// As [`Scope::resolve`], where the names `beside` stay what they are.
    pub(super) fn resolve_beside(
        &self,
        expression: &Expression,
        clause: Clause,
        beside: &[&str],
    ) -> Result<Expression, PlanError> {
        check_lambdas(expression, &|name| self.columns.iter().any(|column| column.name == name))?;
        rewrite(expression, &mut |part| match part {
            Expression::Column { source: None, name, .. } if beside.contains(&name.as_str()) => Ok(Some(part.clone())),
            Expression::FunctionCall(call) => match called_bound(call) {
                Some(bound) => self.resolve_beside(&column(bound, call.span), clause, beside).map(Some),
                None => Ok(None),
            },
            Expression::Column { source, name, span } => {
                let found = self.find(source.as_ref(), name.as_str(), clause, *span)?;
                Ok(Some(column(&found.internal, *span)))
            }
            _ => Ok(None),
        })
    }

    fn find(
        &self,
        source: Option<&Identifier>,
        name: &str,
        clause: Clause,
        span: Span,
    ) -> Result<&ScopeColumn, PlanError> {
        let of_source = |column: &&ScopeColumn| source.is_none_or(|source| self.is_called(column.source, &source.name));
        let found: Vec<&ScopeColumn> =
            self.columns.iter().filter(of_source).filter(|column| column.name == name).collect();
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(self.unknown(source, name, clause, span)),
            several => {
                let candidates =
                    several.iter().map(|column| format!("{}.{name}", self.sources[column.source].alias)).collect();
                Err(PlanError::at(PlanErrorKind::AmbiguousColumn { name: name.to_owned(), candidates }, span))
            }
        }
    }

    /// Whether the source at index `source` can be called `name`: by its alias, or by its own name. Of one that is joined
    /// with itself under its own name, that is this occurrence alone.
    fn is_called(&self, source: usize, name: &str) -> bool {
        let ScopeSource { alias, data, .. } = &self.sources[source];
        let is_same = |other: &ScopeSource| other.data.name == data.name && other.alias == name;
        alias == name || (data.name == name && !self.sources.iter().any(is_same))
    }

    fn unknown(&self, source: Option<&Identifier>, name: &str, clause: Clause, span: Span) -> PlanError {
        let written = source.map_or_else(|| name.to_owned(), |source| format!("{}.{name}", source.name));
        let input_only = match clause {
            Clause::PartitionBy | Clause::GroupBy => format!(
                "'{written}' must be a column in the source schema since {} is applied on the input.",
                clause.name()
            ),
            _ => String::new(),
        };
        let known = self.columns.iter().filter(|column| !column.role.is_pseudo()).map(|column| column.name.as_str());
        let similar = similar_names(name, known);
        let advice = self.advice_for(name);
        let kind = PlanErrorKind::UnknownColumn { clause: clause.name(), name: written, input_only, similar };
        let error = PlanError::at(kind, span);
        match advice {
            Some(advice) => error.advising(advice),
            None => error,
        }
    }

    /// What to write instead of a column that every source had in older versions, or that only some have.
    fn advice_for(&self, name: &str) -> Option<String> {
        let first = &self.sources[0];
        let key: Vec<&str> = first.data.schema.key.iter().map(|column| column.name.as_str()).collect();
        let windowed = self.sources.iter().find(|source| source.data.window.is_some());
        Some(match name {
            "ROWKEY" if self.is_join() => "a join has the key column ROWKEY only where no column of its sources has the \
                                           value of the key in every row, and only SELECT sees it"
                .to_owned(),
            "ROWKEY" if key.is_empty() => format!(
                "{} has no key column: declare it with CREATE STREAM {} (ROWKEY STRING KEY, …)",
                first.data.name, first.data.name
            ),
            "ROWKEY" => format!("the key of {} is {}", first.data.name, key.join(", ")),
            WINDOWSTART | WINDOWEND => match windowed {
                Some(source) if self.is_join() => format!("say of which source: {}.{name}", source.alias),
                _ => "the bounds of windows are columns of windowed streams and tables, and of aggregations of one source \
                      with a WINDOW clause"
                    .to_owned(),
            },
            _ => return None,
        })
    }

    /// `expression`, which has internal names, as the user would write it: `S.ID`.
    pub(super) fn qualified(&self, expression: &Expression) -> Expression {
        let shown = rewrite(expression, &mut |part| {
            let Expression::Column { source: None, name, span } = part else {
                return Ok(None);
            };
            Ok(self.column(name.as_str()).map(|found| Expression::Column {
                source: Some(Identifier::new(self.sources[found.source].alias.clone())),
                name: Identifier::new(found.name.clone()),
                span: *span,
            }))
        });
        shown.unwrap_or_else(|_| expression.clone())
    }
}

/// The stream, table or system table that `source` names.
pub(super) fn lookup(source: &AliasedSource, catalog: &Catalog) -> Result<Arc<DataSource>, PlanError> {
    let name = source.name.as_str();
    catalog.source(name).or_else(|| system_table(name)).cloned().ok_or_else(|| {
        let similar = similar_source(name, catalog);
        PlanError::at(PlanErrorKind::UnknownSource { name: name.to_owned(), similar }, source.span)
    })
}

/// The stream or table whose name is most similar to `name`.
pub(super) fn similar_source(name: &str, catalog: &Catalog) -> Option<String> {
    similar_names(name, source_names(catalog)).into_iter().next()
}

/// Names of all streams and tables.
pub(super) fn source_names(catalog: &Catalog) -> impl Iterator<Item = &str> {
    catalog.sources().map(|source| source.name.as_str())
}

/// The bound of a window that `call` stands for: in older versions bounds were functions.
pub(super) fn called_bound(call: &FunctionCall) -> Option<&'static str> {
    let bounds = [WINDOWSTART, WINDOWEND].into_iter();
    let mut called = bounds.filter(|bound| call.arguments.is_empty() && call.name.as_str().eq_ignore_ascii_case(bound));
    called.next()
}

/// A reference to the column with this internal name.
pub(super) fn column(internal: &str, span: Span) -> Expression {
    Expression::Column { source: None, name: Identifier::new(internal), span }
}

/// The internal name, if `expression` is nothing but a column.
pub(super) fn as_column(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Column { source: None, name, .. } => Some(name.as_str()),
        _ => None,
    }
}

/// Internal names of the columns in `expressions`.
pub(super) fn columns_of<'a>(expressions: impl Iterator<Item = &'a Expression>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for expression in expressions {
        expression.walk(&mut |part| names.extend(as_column(part)));
    }
    names
}
