//! Expressions whose functions were replaced.

use super::{Call, Expr, ExprKind};
use crate::functions::{Argument, Function, FunctionKind, Registry, Replacement, Unfit};
use crate::types::SqlType;

impl Expr {
    /// Lets calls of replaced functions be calls of what these are now; whether there are any.
    ///
    /// # Errors
    /// A call that the new version does not take. The expression is then good for nothing.
    pub fn replace_calls(&mut self, replacement: &Replacement<'_>) -> Result<bool, Unfit> {
        let mut any = false;
        for child in self.children_mut() {
            any |= child.replace_calls(replacement)?;
        }
        let ExprKind::Call(call) = &self.kind else { return Ok(any) };
        let Some(function) = replacement.of(&call.name) else { return Ok(any) };
        let Some(replaced) = self.sql_type().and_then(|result| replaced(call, result, function, replacement)) else {
            return Err(Unfit {
                function: call.name.clone(),
                arguments: call.arguments.iter().map(type_name).collect::<Vec<_>>().join(", "),
                result: type_name(self),
            });
        };
        *self = replaced;
        Ok(true)
    }

    /// How many rows a call of a table function may be given at once; `None` if it is none.
    pub fn table_rows_max(&self, functions: &Registry) -> Option<usize> {
        let ExprKind::Call(call) = &self.kind else { return None };
        let variation = functions.get(&call.name)?.variations.get(call.variation)?;
        variation.table.as_ref().map(|table| table.rows_max)
    }
}

/// `call`, which gives a `result`, as a call of `function`.
fn replaced(call: &Call, result: &SqlType, function: &Function, replacement: &Replacement<'_>) -> Option<Expr> {
    if let Some(variation) = replacement.same_variation(function, call.variation) {
        return Some(Expr::called_as(function, variation, call.arguments.clone(), result.clone()));
    }
    let has_lambda = call.arguments.iter().any(|argument| matches!(argument.kind, ExprKind::Lambda(..)));
    if has_lambda || function.kind != FunctionKind::Scalar {
        return None;
    }
    let arguments: Vec<Argument> = call.arguments.iter().map(|argument| Argument::from(argument.sql_type())).collect();
    let (variation, binding) = function.variation_giving(&arguments, result)?;
    Some(Expr::call(function, variation, &binding, call.arguments.clone(), result.clone()))
}

fn type_name(expr: &Expr) -> String {
    super::error::type_name(expr.sql_type())
}
