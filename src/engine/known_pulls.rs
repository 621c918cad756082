//! Pull queries that were analysed before: a look-up by key in another one's shape costs no parsing, no analysis and no lock that
//! a statement holds.
//!
//! ```text
//! SELECT total FROM balances WHERE account = 'b';
//!   └ tokens ─▶ shape ─▶ prepared read + literals ─▶ keys ─▶ rows
//! ```
//!
//! Literals that are compared with keys are the look-up's; all others must be those of the statement that was analysed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};

use super::pull::PreparedPull;
use crate::catalog::DataSource;
use crate::plan::PullLookup;
use crate::sql::ast::{ComparisonOperator, Expression, LogicalOperator, Query};
use crate::sql::{LiteralText, Shape};
use crate::types::{Column, SqlType};

/// Shapes that are kept at most, and reads of one shape; beyond, it is begun anew.
const SHAPES_MAX: usize = 2_000;
const READS_MAX: usize = 32;

/// The pull queries that were analysed in one state of the catalog.
#[derive(Default)]
pub(super) struct KnownPulls {
    by_shape: RwLock<HashMap<String, Vec<Arc<KnownPull>>>>,
}

/// A look-up by key, for any keys.
pub(super) struct KnownPull {
    prepared: PreparedPull,
    /// The table's key columns.
    key: Vec<Column>,
    /// What each literal of the statement is.
    slots: Vec<Slot>,
}

/// What a literal is.
enum Slot {
    /// A value of this key column.
    Key(usize),
    /// Something that the plan is made of.
    Fixed(String),
}

impl KnownPulls {
    /// The read that `shape` is, with the keys it is for.
    pub(super) fn find(&self, shape: &Shape<'_>) -> Option<(Arc<KnownPull>, PullLookup)> {
        let by_shape = self.by_shape.read().unwrap_or_else(PoisonError::into_inner);
        let known = by_shape.get(&shape.text)?.iter().find(|known| known.is_for(&shape.literals))?;
        let lookup = known.lookup(&shape.literals)?;
        Some((Arc::clone(known), lookup))
    }

    /// Keeps `known`, which was analysed from a text of `shape`.
    pub(super) fn add(&self, shape: Shape<'_>, known: KnownPull) {
        let mut by_shape = self.by_shape.write().unwrap_or_else(PoisonError::into_inner);
        if by_shape.len() >= SHAPES_MAX {
            by_shape.clear();
        }
        let reads = by_shape.entry(shape.text).or_default();
        if reads.len() >= READS_MAX {
            reads.clear();
        }
        reads.push(Arc::new(known));
    }
}

impl KnownPull {
    /// What is known of `query` of the table `source`, which has this shape; `None` if its condition is more than keys that are
    /// equal to literals.
    pub(super) fn new(query: &Query, shape: &Shape<'_>, source: &DataSource, prepared: PreparedPull) -> Option<Self> {
        let key = source.schema.key.clone();
        let of_keys = wanted(query.where_clause.as_ref()?, &key)?;
        let slots = shape.literals.iter().map(|literal| {
            let column = of_keys.iter().find(|(offset, _)| *offset == literal.offset);
            column.map_or_else(|| Slot::Fixed(literal.text.to_owned()), |(_, column)| Slot::Key(*column))
        });
        let slots: Vec<Slot> = slots.collect();
        let found = slots.iter().filter(|slot| matches!(slot, Slot::Key(_))).count();
        let known = Self { prepared: prepared.without_filter(), key, slots };
        (found == of_keys.len() && known.lookup(&shape.literals).is_some()).then_some(known)
    }

    /// The read.
    pub(super) fn prepared(&self) -> &PreparedPull {
        &self.prepared
    }

    fn is_for(&self, literals: &[LiteralText<'_>]) -> bool {
        let fits = |(slot, literal): (&Slot, &LiteralText<'_>)| match slot {
            Slot::Key(_) => true,
            Slot::Fixed(text) => text == literal.text,
        };
        self.slots.len() == literals.len() && self.slots.iter().zip(literals).all(fits)
    }

    /// The keys that `literals` mean; `None` if one is no value of its column.
    fn lookup(&self, literals: &[LiteralText<'_>]) -> Option<PullLookup> {
        let column = |(index, column): (usize, &Column)| {
            let of_column =
                self.slots.iter().zip(literals).filter(|(slot, _)| matches!(slot, Slot::Key(key) if *key == index));
            values(of_column.map(|(_, literal)| literal), &column.sql_type)
        };
        self.key.iter().enumerate().map(column).collect::<Option<_>>().map(PullLookup::Keys)
    }
}

/// `literals` as values of type `sql_type`, as far as that is certain.
fn values<'t>(literals: impl Iterator<Item = &'t LiteralText<'t>>, sql_type: &SqlType) -> Option<ArrayRef> {
    fn number<T: std::str::FromStr>(literal: &LiteralText<'_>) -> Option<T> {
        (!literal.is_text).then(|| literal.text.parse().ok())?
    }
    Some(match sql_type {
        SqlType::String => {
            let texts = literals.map(LiteralText::unquoted).collect::<Option<Vec<_>>>()?;
            Arc::new(StringArray::from_iter_values(texts))
        }
        SqlType::Integer => Arc::new(literals.map(number::<i32>).collect::<Option<Int32Array>>()?),
        SqlType::Bigint => Arc::new(literals.map(number::<i64>).collect::<Option<Int64Array>>()?),
        _ => return None,
    })
}

/// The literals that `condition` compares key columns with, by where they are; `None` if it says anything else than which keys
/// are wanted.
fn wanted(condition: &Expression, key: &[Column]) -> Option<Vec<(u32, usize)>> {
    if let (Expression::InList { value, list, .. }, [_]) = (condition, key) {
        let column = key_column(value, key)?;
        return list.iter().map(|item| Some((literal(item)?, column))).collect();
    }
    let mut found = Vec::with_capacity(key.len());
    equal(condition, key, &mut found)?;
    let once = |index| found.iter().filter(|(_, column)| *column == index).count() == 1;
    (0..key.len()).all(once).then_some(found)
}

/// Adds what `condition` has key columns be equal to.
fn equal(condition: &Expression, key: &[Column], found: &mut Vec<(u32, usize)>) -> Option<()> {
    match condition {
        Expression::Logical { operator: LogicalOperator::And, left, right, .. } => {
            equal(left, key, found)?;
            equal(right, key, found)
        }
        Expression::Comparison { operator: ComparisonOperator::Equal, left, right, .. } => {
            let (column, value) = match key_column(left, key) {
                Some(column) => (column, literal(right)?),
                None => (key_column(right, key)?, literal(left)?),
            };
            found.push((value, column));
            Some(())
        }
        _ => None,
    }
}

fn key_column(expression: &Expression, key: &[Column]) -> Option<usize> {
    let Expression::Column { name, .. } = expression else { return None };
    key.iter().position(|column| column.name == name.as_str())
}

/// Where a literal is.
fn literal(expression: &Expression) -> Option<u32> {
    match expression {
        Expression::Literal { span, .. } => Some(span.offset),
        _ => None,
    }
}
