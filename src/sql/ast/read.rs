//! Reads beyond ksqlDB's pull queries: a SELECT that answers once, over all rows.

use std::hash::{Hash, Hasher};

use super::super::error::ParseError;
use super::super::span::Span;
use super::{Expression, Identifier, Query};

/// A read that ksqlDB's language has no words for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// What it says.
    pub query: ReadQuery,
    /// What is wrong with it in ksqlDB's language.
    pub refusal: Refusal,
}

/// Why a text is no statement of ksqlDB's. All are equal: trees compare by what they say.
#[derive(Clone, Debug)]
pub struct Refusal(pub Box<ParseError>);

impl PartialEq for Refusal {
    fn eq(&self, _: &Refusal) -> bool {
        true
    }
}

impl Eq for Refusal {}

impl Hash for Refusal {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// `[WITH …] body [ORDER BY …] [LIMIT n] [OFFSET n]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadQuery {
    /// WITH: queries with names.
    pub with: Vec<CommonTable>,
    /// The rows.
    pub body: ReadBody,
    /// ORDER BY.
    pub order_by: Vec<SortItem>,
    /// LIMIT, as written: it may be negative.
    pub limit: Option<i32>,
    /// OFFSET, as written: it may be negative.
    pub offset: Option<i32>,
    /// Where it begins.
    pub span: Span,
}

/// `name [(column, …)] AS (query)` of WITH.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommonTable {
    /// Its name.
    pub name: Identifier,
    /// Names of its columns, if they are not those of the query.
    pub columns: Vec<Identifier>,
    /// Its rows.
    pub query: ReadQuery,
}

/// Rows before they are ordered and cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReadBody {
    /// A SELECT; its LIMIT and EMIT are never there.
    Select {
        /// DISTINCT.
        distinct: bool,
        /// The other clauses.
        query: Box<Query>,
    },
    /// `left UNION [ALL] right`.
    Union {
        /// Rows that come first.
        left: Box<ReadBody>,
        /// Rows that follow.
        right: Box<ReadBody>,
        /// ALL: equal rows stay.
        all: bool,
        /// Where UNION stands.
        span: Span,
    },
    /// A query in parentheses.
    Nested(Box<ReadQuery>),
}

/// An item of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SortItem {
    /// What is compared: an expression, a result's name or its number.
    pub expression: Expression,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST or NULLS LAST; `None` when nothing is said.
    pub nulls_first: Option<bool>,
}

/// A query inside an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subquery {
    /// What it means.
    pub kind: SubqueryKind,
    /// Its rows.
    pub query: ReadQuery,
    /// Where it begins.
    pub span: Span,
}

/// What a query inside an expression means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubqueryKind {
    /// `(query)`: the one value of its one row; NULL when there is none.
    Scalar,
    /// `EXISTS (query)`: whether there is a row.
    Exists,
    /// `value IN (query)`: whether a row has this value.
    In(Box<Expression>),
}
