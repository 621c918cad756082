//! Names of columns: which are reserved, and which the planner makes up.

use std::collections::HashSet;

use crate::sql::Span;

use super::error::PlanError;

/// Time of the record.
pub(super) const ROWTIME: &str = "ROWTIME";
/// Partition of the source record.
pub(super) const ROWPARTITION: &str = "ROWPARTITION";
/// Offset of the source record.
pub(super) const ROWOFFSET: &str = "ROWOFFSET";
/// Start of the key's window.
pub(super) const WINDOWSTART: &str = "WINDOWSTART";
/// End of the key's window.
pub(super) const WINDOWEND: &str = "WINDOWEND";

/// Whether users cannot give a column this name.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, ROWTIME | ROWPARTITION | ROWOFFSET | WINDOWSTART | WINDOWEND)
}

/// Whether users can give a column this name, which stands at `span`.
pub(super) fn check_column_name(name: &str, span: Span) -> Result<(), PlanError> {
    if !is_reserved(name) {
        return Ok(());
    }
    let text = format!("'{name}' is a reserved column name. You cannot use it as a name for a column.");
    Err(PlanError::refused(text, span))
}

/// Whether `name` is a bound of a window.
pub(super) fn is_window_bound(name: &str) -> bool {
    matches!(name, WINDOWSTART | WINDOWEND)
}

/// `name`, or `name_1`, `name_2`, …: the first that is not `taken`.
pub(super) fn first_free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 0;
    while taken(&free) {
        number += 1;
        free = format!("{name}_{number}");
    }
    free
}

/// Makes up names for results that have none; a name of a source column is never made up.
pub(super) struct NameGenerator {
    taken: HashSet<String>,
    next: usize,
}

impl NameGenerator {
    /// Names beside `taken`.
    pub(super) fn new(taken: impl Iterator<Item = String>) -> Self {
        Self { taken: taken.collect(), next: 0 }
    }

    /// `KSQL_COL_0`, `KSQL_COL_1`, … for an expression.
    pub(super) fn for_expression(&mut self) -> String {
        loop {
            let name = format!("KSQL_COL_{}", self.next);
            self.next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// The name of a struct's field: `B` for `A->B`, `B_1` if there is a `B` already.
    pub(super) fn for_field(&mut self, field: &str) -> String {
        if self.taken.insert(field.to_owned()) {
            return field.to_owned();
        }
        let free = first_free(field, |name| self.taken.contains(name));
        self.taken.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_names_avoid_those_of_the_sources() {
        let taken = ["KSQL_COL_1", "B", "B_1"];
        let mut names = NameGenerator::new(taken.iter().map(|name| (*name).to_owned()));
        let expressions: Vec<String> = (0..3).map(|_| names.for_expression()).collect();
        assert_eq!(expressions, ["KSQL_COL_0", "KSQL_COL_2", "KSQL_COL_3"]);
        let fields: Vec<String> = ["A", "B", "A", "A"].iter().map(|field| names.for_field(field)).collect();
        assert_eq!(fields, ["A", "B_2", "A_1", "A_2"]);
    }
}
