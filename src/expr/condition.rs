//! Conditions taken apart and put together.

use super::{CompareOp, Expr, ExprKind};
use crate::types::SqlType;

impl Expr {
    /// The conditions that AND connects, in the order in which they are evaluated.
    pub fn into_conjuncts(self) -> Vec<Self> {
        let (mut conjuncts, mut rest) = (Vec::new(), vec![self]);
        while let Some(next) = rest.pop() {
            match next.kind {
                ExprKind::And(left, right) => rest.extend([*right, *left]),
                _ => conjuncts.push(next),
            }
        }
        conjuncts
    }

    /// The operands, of one type, if this is an equality.
    pub fn as_equality(&self) -> Option<(&Self, &Self)> {
        match &self.kind {
            ExprKind::Compare(CompareOp::Equal, left, right) if left.sql_type() == right.sql_type() => {
                Some((left, right))
            }
            _ => None,
        }
    }

    /// The condition that all `conjuncts` are true; `None` if there are none.
    pub fn all_of(conjuncts: Vec<Self>) -> Option<Self> {
        let both = |left, right| Self::new(ExprKind::And(Box::new(left), Box::new(right)), SqlType::Boolean);
        conjuncts.into_iter().reduce(both)
    }
}
