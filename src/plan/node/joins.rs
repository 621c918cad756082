//! The steps that join two sides. Each has the value columns of the left side, then those of the right.

use super::PlanNode;
use crate::expr::Expr;
use crate::formats::Serde;
use crate::types::{Column, Schema};

/// Kind of a stream-table join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamTableJoinKind {
    /// Only stream rows with a partner.
    Inner,
    /// All stream rows.
    Left,
}

/// Kind of a join of two streams, or of two tables on their keys: which sides' rows come out without a partner too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Neither's.
    Inner,
    /// The left one's.
    Left,
    /// The right one's.
    Right,
    /// Both.
    Full,
}

impl JoinKind {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inner => "INNER",
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
            Self::Full => "FULL",
        }
    }

    /// Whether every result has a row of the left side.
    pub fn has_left(self) -> bool {
        matches!(self, Self::Inner | Self::Left)
    }

    /// Whether every result has a row of the right side.
    pub fn has_right(self) -> bool {
        matches!(self, Self::Inner | Self::Right)
    }
}

/// How far apart in time two joined records may be: a left record at `t` meets right ones from `t - before_ms` to
/// `t + after_ms`, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinWindow {
    /// How much earlier the right record may be.
    pub before_ms: i64,
    /// How much later the right record may be.
    pub after_ms: i64,
    /// How long after its window a late record still finds partners.
    pub grace_ms: i64,
    /// Without GRACE PERIOD: a record without a partner comes out at once, and again when a partner arrives.
    pub is_eager: bool,
}

/// Pairs of rows of two streams with equal keys (and windows, if the keys have them) and times that are close (semantics
/// 5.2). The time of a pair is the later one.
#[derive(Debug, Clone)]
pub struct StreamStreamJoin {
    /// Left side, keyed by the join expression.
    pub left: Box<PlanNode>,
    /// Right side, keyed alike.
    pub right: Box<PlanNode>,
    /// Which rows come out without a partner.
    pub kind: JoinKind,
    /// Which times are close.
    pub window: JoinWindow,
    /// The key column; both sides have the same bytes for it.
    pub key: Column,
}

/// Rows of two tables with the same primary key (semantics 5.4). The time of a row is the later one.
#[derive(Debug, Clone)]
pub struct TableTableJoin {
    /// Left side.
    pub left: Box<PlanNode>,
    /// Right side, keyed alike.
    pub right: Box<PlanNode>,
    /// Which rows come out without a partner.
    pub kind: JoinKind,
    /// The key column; both sides have the same bytes for it.
    pub key: Column,
}

/// Each row of a table with the row of another whose primary key it refers to (semantics 5.5). The key is the left one's.
#[derive(Debug, Clone)]
pub struct ForeignKeyJoin {
    /// The table that refers.
    pub left: Box<PlanNode>,
    /// The table that is referred to; its key is one column.
    pub right: Box<PlanNode>,
    /// `Inner` or `Left`.
    pub kind: JoinKind,
    /// The reference, over rows of the left side; it has the type of the right side's key.
    pub foreign_key: Expr,
    /// Bytes of the left side's key.
    pub left_key_serde: Serde,
    /// Bytes of the right side's key, and of references to it.
    pub right_key_serde: Serde,
}

/// The key `key`, the values of both sides.
fn joined(left: &PlanNode, right: &PlanNode, key: &Column) -> Schema {
    let mut value = left.schema().value;
    value.extend(right.schema().value);
    Schema { key: vec![key.clone()], value }
}

impl StreamStreamJoin {
    /// Columns of the pairs.
    pub fn schema(&self) -> Schema {
        joined(&self.left, &self.right, &self.key)
    }
}

impl TableTableJoin {
    /// Columns of the rows.
    pub fn schema(&self) -> Schema {
        joined(&self.left, &self.right, &self.key)
    }
}

impl ForeignKeyJoin {
    /// Columns of the rows.
    pub fn schema(&self) -> Schema {
        let mut schema = self.left.schema();
        schema.value.extend(self.right.schema().value);
        schema
    }
}
