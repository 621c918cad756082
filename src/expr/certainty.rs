//! What is certain of an expression, whatever the row: that it cannot fail, that it is not NULL.

use super::cast::can_coerce;
use super::{Expr, ExprKind, Literal};

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
}
