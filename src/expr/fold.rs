//! Constant folding: parts that are the same in every row become literals.
//!
//! What is folded gives the same values and the same failures as before:
//!
//! - A constant that fails or is NULL stays, so that each row reports it as before.
//! - `TRUE AND x` is `x` only if `x` is never NULL, since AND reports a NULL operand (semantics 3.1).
//! - `x AND FALSE` is FALSE only if `x` cannot fail; `FALSE AND x` always is, since `x` is not evaluated. OR alike.
//! - Functions that may give something else at every call stay, and so do lambdas; and functions of users, which may be replaced.

use super::{Call, Expr, ExprKind, Literal};

/// A part of an expression that was folded, as it was and as it is.
pub type Folding = (Expr, Expr);

impl Expr {
    /// The expression with its constant parts replaced, if it has any, and the largest parts that were. Numbers that only
    /// take the type of what they stand beside are not among those.
    pub fn folded(&self) -> Option<(Self, Vec<Folding>)> {
        if !self.may_fold() {
            return None;
        }
        let (mut folded, mut foldings) = (self.clone(), Vec::new());
        folded.fold(self, &mut foldings).then_some((folded, foldings))
    }

    /// Whether some part has constant operands: the others need not be copied.
    fn may_fold(&self) -> bool {
        let children = self.children();
        let is_literal = |child: &&Expr| child.as_literal().is_some();
        let simplifies = matches!(self.kind, ExprKind::And(..) | ExprKind::Or(..)) && children.iter().any(is_literal);
        let is_constant = self.is_foldable() && children.iter().all(is_literal);
        simplifies || is_constant || children.into_iter().any(Self::may_fold)
    }

    /// Whether the value follows from the operands alone and has a literal.
    fn is_foldable(&self) -> bool {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Variable(_) | ExprKind::Lambda(..) => false,
            ExprKind::Call(Call { body, is_volatile, is_replaceable, .. }) => {
                body.is_some() && !is_volatile && !is_replaceable
            }
            _ => true,
        }
    }

    /// Folds in place, from the leaves up; whether anything changed. `written` is what it was.
    fn fold(&mut self, written: &Self, foldings: &mut Vec<Folding>) -> bool {
        let (mut changed, before) = (false, foldings.len());
        for (child, written) in self.children_mut().into_iter().zip(written.children()) {
            changed |= child.fold(written, foldings);
        }
        let is_constant = self.is_foldable() && self.children().iter().all(|child| child.as_literal().is_some());
        let Some(folded) = (if is_constant { self.value() } else { self.simplified() }) else { return changed };
        foldings.truncate(before);
        if !written.is_widened_literal() {
            foldings.push((written.clone(), folded.clone()));
        }
        *self = folded;
        true
    }

    /// Whether it is a number in the type of what it stands beside, which nobody has written as a conversion.
    fn is_widened_literal(&self) -> bool {
        match &self.kind {
            ExprKind::Cast(operand) => operand.as_literal().is_some() && operand.is_widened_to(self),
            _ => false,
        }
    }

    /// The literal that a constant part is; `None` if it fails, is NULL, or has a type without literals.
    fn value(&self) -> Option<Self> {
        let literal = Literal::of(&self.constant().ok()?, self.sql_type()?)?;
        Some(Self { kind: ExprKind::Literal(literal), sql_type: self.sql_type.clone() })
    }

    /// A connective with one constant operand.
    fn simplified(&self) -> Option<Self> {
        let (left, right, neutral) = match &self.kind {
            ExprKind::And(left, right) => (left, right, true),
            ExprKind::Or(left, right) => (left, right, false),
            _ => return None,
        };
        match (left.as_boolean(), right.as_boolean()) {
            (Some(value), _) if value == neutral => right.is_never_null().then(|| (**right).clone()),
            (Some(_), _) => Some((**left).clone()),
            (_, Some(value)) if value == neutral => left.is_never_null().then(|| (**left).clone()),
            (_, Some(_)) => (left.is_never_null() && left.cannot_fail()).then(|| (**right).clone()),
            (None, None) => None,
        }
    }

    /// The value of TRUE and FALSE.
    pub fn as_boolean(&self) -> Option<bool> {
        match self.as_literal() {
            Some(Literal::Boolean(value)) => Some(*value),
            _ => None,
        }
    }
}
