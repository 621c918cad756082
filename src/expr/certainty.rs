//! What is certain of an expression, whatever the row: that it cannot fail, that it is not NULL.

use super::cast::can_coerce;
use super::{CompareOp, Expr, ExprKind, Literal};

impl Expr {
    /// Whether no row can fail in it, so that nobody notices whether it is evaluated. Only what is known is said to be so: columns,
    /// literals, comparisons, IN, IS NULL, widened numbers, and connectives of conditions that are never NULL. LIKE fails for NULL.
    pub fn cannot_fail(&self) -> bool {
        let all_certain = || self.children().into_iter().all(Self::cannot_fail);
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => true,
            ExprKind::Compare(..) | ExprKind::IsNull(_) | ExprKind::IsNotNull(_) | ExprKind::InList(..) => {
                all_certain()
            }
            ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) => {
                self.children().into_iter().all(Self::is_never_null) && all_certain()
            }
            ExprKind::Cast(operand) => operand.is_widened_to(self) && operand.cannot_fail(),
            _ => false,
        }
    }

    /// Whether it is a condition that is true or false in every row, where it does not fail.
    pub fn is_never_null(&self) -> bool {
        match &self.kind {
            ExprKind::Literal(literal) => *literal != Literal::Null,
            ExprKind::Compare(..) | ExprKind::IsNull(_) | ExprKind::IsNotNull(_) | ExprKind::InList(..) => true,
            ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) => {
                self.children().into_iter().all(Self::is_never_null)
            }
            _ => false,
        }
    }

    /// Whether `cast` holds all values of this number.
    pub(super) fn is_widened_to(&self, cast: &Self) -> bool {
        match (self.sql_type(), cast.sql_type()) {
            (Some(from), Some(to)) => from.is_numeric() && to.is_numeric() && can_coerce(from, to),
            _ => false,
        }
    }

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
        let both =
            |left, right| Self::new(ExprKind::And(Box::new(left), Box::new(right)), crate::types::SqlType::Boolean);
        conjuncts.into_iter().reduce(both)
    }
}
