//! What WHERE says of keys and of windows: how the store of a table is read.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::Int64Type;

use super::super::error::PlanError;
use super::super::expression::Typer;
use super::super::names::{WINDOWEND, WINDOWSTART};
use super::super::scope::{Role, Scope, as_column, columns_of};
use super::{HELP, PullLookup, WindowBounds};
use crate::catalog::DataSource;
use crate::sql::Span;
use crate::sql::ast::{ComparisonOperator, Expression, Literal, LogicalOperator};
use crate::types::{Column, SqlType};

/// Most keys that are looked up one by one; beyond, the whole table is read.
const KEYS_MAX: usize = 10_000;

const SCAN_DISABLED: &str = "Query requires table scan to be enabled. Table scans can be enabled by setting \
                             ksql.query.pull.table.scan.enabled=true";

/// Key columns by index, and the constants that a branch of WHERE fixes them to.
type Branch<'a> = BTreeMap<usize, &'a Expression>;

/// Reads conditions out of WHERE.
pub(super) struct Conditions<'a> {
    pub(super) scope: &'a Scope,
    pub(super) typer: &'a Typer<'a>,
}

impl Conditions<'_> {
    fn source(&self) -> &DataSource {
        &self.scope.sources[0].data
    }

    pub(super) fn lookup(&self, predicate: Option<&Expression>) -> Result<PullLookup, PlanError> {
        let Some(predicate) = predicate else { return Ok(PullLookup::Scan) };
        if let Some(keys) = self.keys(predicate)? {
            return Ok(PullLookup::Keys(keys));
        }
        Ok(self.range(predicate))
    }

    /// The keys that `predicate` fixes, if it fixes all key columns in every branch.
    fn keys(&self, predicate: &Expression) -> Result<Option<Vec<ArrayRef>>, PlanError> {
        let width = self.source().schema.key.len();
        let Some(branches) = self.branches(predicate) else { return Ok(None) };
        if branches.iter().any(|branch| branch.len() < width) {
            return Ok(None);
        }
        let mut columns = Vec::new();
        for (i, key) in self.source().schema.key.iter().enumerate() {
            let mut values = Vec::new();
            for branch in &branches {
                let Some(value) = self.key_value(branch[&i], key)? else { return Ok(None) };
                values.push(value);
            }
            let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
            columns.push(concat(&values).expect("the values have the key's type"));
        }
        Ok(Some(columns))
    }

    /// The constant as a key; `None` if no key can equal it by look-up.
    fn key_value(&self, constant: &Expression, key: &Column) -> Result<Option<ArrayRef>, PlanError> {
        let is_text = matches!(constant, Expression::Literal { value: Literal::String(_), .. });
        if is_text && (key.sql_type.is_numeric() || key.sql_type == SqlType::Boolean) {
            let text = format!(
                "{} can not be converted to the type of the key column: {} {} KEY",
                constant.plain(),
                key.name,
                key.sql_type
            );
            return Err(PlanError::refused(text, constant.span()));
        }
        let Some(value) = self.typer.lossless_constant(constant, &key.sql_type)? else { return Ok(None) };
        if value.is_null(0) {
            let text = format!("Primary key columns can not be NULL: ({} = {})", key.name, constant.plain());
            return Err(PlanError::refused(text, constant.span()));
        }
        Ok(Some(value))
    }

    /// `predicate` as alternatives, each with the key columns it fixes; `None` if there are too many.
    fn branches<'e>(&self, predicate: &'e Expression) -> Option<Vec<Branch<'e>>> {
        match predicate {
            Expression::Logical { operator: LogicalOperator::Or, left, right, .. } => {
                let mut branches = self.branches(left)?;
                branches.extend(self.branches(right)?);
                (branches.len() <= KEYS_MAX).then_some(branches)
            }
            Expression::Logical { operator: LogicalOperator::And, left, right, .. } => {
                let (left, right) = (self.branches(left)?, self.branches(right)?);
                if left.len() * right.len() > KEYS_MAX {
                    return None;
                }
                // A column that both sides fix keeps the first value: the row is checked again anyway.
                let both = left.iter().flat_map(|left| {
                    right.iter().map(move |right| {
                        let mut both = right.clone();
                        both.extend(left.iter().map(|(key, value)| (*key, *value)));
                        both
                    })
                });
                Some(both.collect())
            }
            Expression::Comparison { operator: ComparisonOperator::Equal, left, right, .. } => {
                let fixed = self.key_and_constant(left, right).or_else(|| self.key_and_constant(right, left));
                Some(vec![fixed.into_iter().collect()])
            }
            Expression::InList { value, list, .. } => match self.key_index(value) {
                Some(key) if list.iter().all(is_constant) && list.len() <= KEYS_MAX => {
                    Some(list.iter().map(|constant| Branch::from([(key, constant)])).collect())
                }
                _ => Some(vec![Branch::new()]),
            },
            _ => Some(vec![Branch::new()]),
        }
    }

    fn key_and_constant<'e>(&self, key: &Expression, constant: &'e Expression) -> Option<(usize, &'e Expression)> {
        is_constant(constant).then(|| self.key_index(key)).flatten().map(|key| (key, constant))
    }

    fn key_index(&self, expression: &Expression) -> Option<usize> {
        match self.scope.column(as_column(expression)?)?.role {
            Role::Key(index) => Some(index),
            _ => None,
        }
    }

    /// The range of a single text key that the conjuncts of `predicate` give.
    fn range(&self, predicate: &Expression) -> PullLookup {
        let source = self.source();
        let is_text = |key: &Column| matches!(key.sql_type, SqlType::String | SqlType::Bytes);
        let [key] = source.schema.key.as_slice() else { return PullLookup::Scan };
        if !is_text(key) || source.window.is_some() {
            return PullLookup::Scan;
        }
        let mut bounds = (None, None);
        for conjunct in conjuncts(predicate) {
            for (operator, constant) in self.comparisons(conjunct, |column| self.key_index(column) == Some(0)) {
                let value = self.typer.lossless_constant(constant, &key.sql_type);
                let Ok(Some(value)) = value else { continue };
                if value.is_null(0) {
                    continue;
                }
                match operator {
                    ComparisonOperator::GreaterThan => bounds.0 = Some((value, false)),
                    ComparisonOperator::GreaterThanOrEqual => bounds.0 = Some((value, true)),
                    ComparisonOperator::LessThan => bounds.1 = Some((value, false)),
                    ComparisonOperator::LessThanOrEqual => bounds.1 = Some((value, true)),
                    _ => {}
                }
            }
        }
        match bounds {
            (None, None) => PullLookup::Scan,
            (from, to) => PullLookup::Range { from, to },
        }
    }

    /// Where tables may not be read from end to end, WHERE must fix keys in the plainest way.
    pub(super) fn check_without_scan(
        &self,
        lookup: &PullLookup,
        predicate: Option<&Expression>,
        span: Span,
    ) -> Result<(), PlanError> {
        let reason = match predicate {
            Some(predicate) => self.scan_reason(lookup, predicate),
            None => matches!(lookup, PullLookup::Scan).then(|| SCAN_DISABLED.to_owned()),
        };
        reason.map_or(Ok(()), |reason| Err(PlanError::refused(format!("{reason}.{HELP}"), span)))
    }

    /// Why `predicate` is no plain look-up; `None` if it is.
    fn scan_reason(&self, lookup: &PullLookup, predicate: &Expression) -> Option<String> {
        let mut compared: Vec<usize> = Vec::new();
        let mut reason = None;
        for conjunct in conjuncts(predicate) {
            match conjunct {
                Expression::Comparison { operator, left, right, .. } => {
                    let key = self.key_index(left).or_else(|| self.key_index(right));
                    let inside =
                        || columns_of([&**left, &**right].into_iter()).into_iter().any(|name| self.is_key(name));
                    match key {
                        Some(_) if matches!(operator, ComparisonOperator::NotEqual) => {
                            reason =
                                Some(format!("Bound on key columns '[{}]' must currently be '='", self.key_text()));
                        }
                        Some(key) => compared.push(key),
                        None if inside() => {
                            reason = Some("A comparison must directly reference a key column".to_owned());
                        }
                        None => {}
                    }
                }
                Expression::InList { value, list, .. } => {
                    if !list.iter().all(is_constant) {
                        reason =
                            Some("A comparison must be between a key column and a resolvable expression".to_owned());
                    }
                    compared.extend(self.key_index(value));
                }
                Expression::Like { value, .. } if !self.is_text_column(value) => {
                    reason = Some("Like condition must be between strings".to_owned());
                }
                _ => {}
            }
        }
        if reason.is_some() {
            return reason;
        }
        let width = self.source().schema.key.len();
        let specified = (0..width).filter(|key| compared.contains(key)).count();
        if compared.len() > specified {
            return Some(
                "A comparison condition on the key column cannot be combined with other comparisons such as an IN \
                 predicate"
                    .to_owned(),
            );
        }
        if !matches!(lookup, PullLookup::Scan) {
            return None;
        }
        let all_branches = columns_of(std::iter::once(predicate)).into_iter().any(|name| self.is_key(name));
        if width > 1 && all_branches && specified < width {
            return Some("Multi-column sources must specify every key in the WHERE clause".to_owned());
        }
        Some(SCAN_DISABLED.to_owned())
    }

    fn is_text_column(&self, expression: &Expression) -> bool {
        let column = as_column(expression).and_then(|name| self.scope.column(name));
        column.is_some_and(|column| column.sql_type == SqlType::String)
    }

    fn is_key(&self, name: &str) -> bool {
        self.scope.column(name).is_some_and(|found| matches!(found.role, Role::Key(_)))
    }

    fn key_text(&self) -> String {
        let columns: Vec<String> = self.source().schema.key.iter().map(|column| format!("{column} KEY")).collect();
        columns.join(", ")
    }

    /// What the conjuncts of `predicate` say about WINDOWSTART and WINDOWEND.
    pub(super) fn window_bounds(&self, predicate: Option<&Expression>) -> WindowBounds {
        let mut bounds = WindowBounds::ALL;
        for conjunct in predicate.map(conjuncts).unwrap_or_default() {
            for (name, is_start) in [(WINDOWSTART, true), (WINDOWEND, false)] {
                for (operator, constant) in self.comparisons(conjunct, |column| as_column(column) == Some(name)) {
                    let Some(value) = self.time(constant) else { continue };
                    let (min, max) = if is_start {
                        (&mut bounds.start_min, &mut bounds.start_max)
                    } else {
                        (&mut bounds.end_min, &mut bounds.end_max)
                    };
                    match operator {
                        ComparisonOperator::Equal => {
                            *min = value.max(*min);
                            *max = value.min(*max);
                        }
                        ComparisonOperator::GreaterThan => *min = value.saturating_add(1).max(*min),
                        ComparisonOperator::GreaterThanOrEqual => *min = value.max(*min),
                        ComparisonOperator::LessThan => *max = value.saturating_sub(1).min(*max),
                        ComparisonOperator::LessThanOrEqual => *max = value.min(*max),
                        _ => {}
                    }
                }
            }
        }
        bounds
    }

    fn time(&self, constant: &Expression) -> Option<i64> {
        let value = self.typer.time_constant(constant)?;
        let value = value.as_primitive::<Int64Type>();
        value.is_valid(0).then(|| value.value(0))
    }

    /// The comparisons of a column that `is_wanted` with a constant, read with the column on the left.
    fn comparisons<'e>(
        &self,
        conjunct: &'e Expression,
        is_wanted: impl Fn(&Expression) -> bool,
    ) -> Vec<(ComparisonOperator, &'e Expression)> {
        match conjunct {
            Expression::Comparison { operator, left, right, .. } => {
                if is_wanted(left) && is_constant(right) {
                    vec![(*operator, right)]
                } else if is_wanted(right) && is_constant(left) {
                    vec![(mirrored(*operator), left)]
                } else {
                    Vec::new()
                }
            }
            Expression::Between { value, low, high, .. }
                if is_wanted(value) && is_constant(low) && is_constant(high) =>
            {
                vec![(ComparisonOperator::GreaterThanOrEqual, low), (ComparisonOperator::LessThanOrEqual, high)]
            }
            _ => Vec::new(),
        }
    }
}

/// Whether `expression` refers to no column.
fn is_constant(expression: &Expression) -> bool {
    columns_of(std::iter::once(expression)).is_empty()
}

/// The conditions that AND connects in `predicate`.
pub(in crate::plan) fn conjuncts(predicate: &Expression) -> Vec<&Expression> {
    match predicate {
        Expression::Logical { operator: LogicalOperator::And, left, right, .. } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        other => vec![other],
    }
}

/// `a < b` read from `b`'s side.
fn mirrored(operator: ComparisonOperator) -> ComparisonOperator {
    match operator {
        ComparisonOperator::LessThan => ComparisonOperator::GreaterThan,
        ComparisonOperator::LessThanOrEqual => ComparisonOperator::GreaterThanOrEqual,
        ComparisonOperator::GreaterThan => ComparisonOperator::LessThan,
        ComparisonOperator::GreaterThanOrEqual => ComparisonOperator::LessThanOrEqual,
        same => same,
    }
}
