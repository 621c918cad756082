//! SELECT and its clauses.

use super::super::span::Span;
use super::{Expression, Identifier, ReadQuery, TimeUnit};

/// A SELECT, alone or inside CREATE … AS and INSERT INTO.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// What is selected, one item or more.
    pub select: Vec<SelectItem>,
    /// From where.
    pub from: Relation,
    /// WINDOW.
    pub window: Option<WindowExpression>,
    /// WHERE.
    pub where_clause: Option<Expression>,
    /// GROUP BY.
    pub group_by: Option<Grouping>,
    /// PARTITION BY.
    pub partition_by: Option<Grouping>,
    /// HAVING.
    pub having: Option<Expression>,
    /// EMIT. Inside CREATE … AS and INSERT INTO never `None`: EMIT CHANGES is filled in. In a SELECT of its own,
    /// `None` is a pull query.
    pub refinement: Option<Refinement>,
    /// LIMIT, as written: it may be negative.
    pub limit: Option<i32>,
    /// Where SELECT stands.
    pub span: Span,
}

impl Query {
    /// Whether this is a pull query: a SELECT of its own without EMIT.
    pub fn is_pull(&self) -> bool {
        self.refinement.is_none()
    }

    /// All expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let selected = self.select.iter().filter_map(|item| match item {
            SelectItem::Single { expression, .. } => Some(expression),
            SelectItem::AllFields { base, .. } => Some(base),
            SelectItem::All { .. } => None,
        });
        let conditions = self.from.joins.iter().map(|join| &join.on).chain(&self.where_clause).chain(&self.having);
        let groupings = self.group_by.iter().chain(&self.partition_by);
        selected.chain(conditions).chain(groupings.flat_map(|grouping| &grouping.expressions))
    }
}

/// EMIT CHANGES or EMIT FINAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refinement {
    /// EMIT CHANGES.
    Changes,
    /// EMIT FINAL.
    Final,
}

/// One item of the SELECT list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SelectItem {
    /// `expression [[AS] alias]`.
    Single {
        /// What is selected.
        expression: Expression,
        /// Its name.
        alias: Option<Identifier>,
        /// Where the item begins.
        span: Span,
    },
    /// `*` or `source.*`.
    All {
        /// The stream, table or alias before the dot.
        source: Option<Identifier>,
        /// Where the item begins.
        span: Span,
    },
    /// `struct->*`.
    AllFields {
        /// The struct.
        base: Expression,
        /// Where the item begins.
        span: Span,
    },
}

/// The FROM clause: a source and what is joined to it, left to right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Relation {
    /// The leftmost source.
    pub source: AliasedSource,
    /// The joins, none for a single source.
    pub joins: Vec<Join>,
}

impl Relation {
    /// All sources, left to right.
    pub fn sources(&self) -> impl Iterator<Item = &AliasedSource> {
        let joined = self.joins.iter().map(|join| &join.source);
        std::iter::once(&self.source).chain(joined)
    }
}

/// `name [[AS] alias]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AliasedSource {
    /// A stream or table.
    pub name: Identifier,
    /// Its alias; the name itself when none is written.
    pub alias: Identifier,
    /// A query in parentheses, whose name is its alias. Only in reads.
    pub query: Option<Box<ReadQuery>>,
    /// Where the name stands.
    pub span: Span,
}

impl AliasedSource {
    /// The stream or table `name`, which is called `alias`.
    pub fn named(name: Identifier, alias: Identifier) -> Self {
        let span = name.span;
        Self { name, alias, query: None, span }
    }
}

/// `JOIN source [WITHIN …] ON condition`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    /// INNER, LEFT, RIGHT or FULL OUTER.
    pub kind: JoinKind,
    /// The right side.
    pub source: AliasedSource,
    /// WITHIN.
    pub within: Option<Within>,
    /// ON.
    pub on: Expression,
    /// Where the join begins.
    pub span: Span,
}

/// The kind of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// INNER.
    Inner,
    /// LEFT OUTER.
    Left,
    /// RIGHT OUTER.
    Right,
    /// FULL OUTER.
    Outer,
}

/// `WITHIN span` or `WITHIN (before, after)`, with `GRACE PERIOD span`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Within {
    /// How far the right record may lie before the left one.
    pub before: TimeSpan,
    /// How far it may lie after it.
    pub after: TimeSpan,
    /// GRACE PERIOD.
    pub grace: Option<TimeSpan>,
    /// Where the sizes begin.
    pub span: Span,
}

/// A number and a unit, as written: it may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeSpan {
    /// How many.
    pub value: i64,
    /// Of what.
    pub unit: TimeUnit,
}

impl TimeSpan {
    /// Length in milliseconds, kept within 64 bits.
    pub fn as_millis(self) -> i64 {
        self.value.saturating_mul(self.unit.as_millis())
    }
}

/// `WINDOW TUMBLING (…)` and its like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WindowExpression {
    /// The name before the kind, which nothing refers to.
    pub name: Option<Identifier>,
    /// Kind and sizes.
    pub kind: WindowKind,
    /// RETENTION.
    pub retention: Option<TimeSpan>,
    /// GRACE PERIOD.
    pub grace: Option<TimeSpan>,
    /// Where the kind stands.
    pub span: Span,
}

/// The kind of a window and its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowKind {
    /// TUMBLING.
    Tumbling {
        /// SIZE.
        size: TimeSpan,
    },
    /// HOPPING.
    Hopping {
        /// SIZE.
        size: TimeSpan,
        /// ADVANCE BY.
        advance: TimeSpan,
    },
    /// SESSION.
    Session {
        /// The gap that ends a session.
        gap: TimeSpan,
    },
}

/// The expressions of GROUP BY or PARTITION BY.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grouping {
    /// The expressions; none for `()`.
    pub expressions: Vec<Expression>,
    /// Where the first of them begins.
    pub span: Span,
}
