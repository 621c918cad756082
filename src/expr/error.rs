//! Why an expression is not well typed. Texts are ksqlDB's.

use crate::types::SqlType;

/// An expression that has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// Arithmetic on types that have none.
    #[error("Unsupported arithmetic types. {left} {right}")]
    Arithmetic {
        /// Type of the left operand.
        left: String,
        /// Type of the right operand.
        right: String,
    },
    /// A sign before something that is no number.
    #[error("Negation on unsupported type: {sql_type}")]
    Negate {
        /// Type of the operand.
        sql_type: String,
    },
    /// Types that have no common order.
    #[error("Cannot compare {left} ({left_type}) to {right} ({right_type}) with {op}.")]
    Compare {
        /// The left operand, printed.
        left: String,
        /// Its type.
        left_type: String,
        /// The right operand, printed.
        right: String,
        /// Its type.
        right_type: String,
        /// Name of the comparison.
        op: &'static str,
    },
    /// A comparison with the NULL literal.
    #[error("Comparison with NULL not supported: {left} {op} {right}")]
    CompareNull {
        /// The left operand, printed.
        left: String,
        /// Sign of the comparison.
        op: &'static str,
        /// The right operand, printed.
        right: String,
    },
    /// A value of another type was needed.
    #[error("Type error in {what}: expected {expected}, found {found}")]
    Expected {
        /// Which operand of what.
        what: &'static str,
        /// What was needed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A conversion that does not exist.
    #[error("Cast of {from} to {to} is not supported")]
    Cast {
        /// Type of the operand.
        from: String,
        /// Type asked for.
        to: String,
    },
    /// All THENs are NULL.
    #[error("Invalid Case expression. All case branches have NULL type")]
    CaseWithoutType,
    /// THENs and ELSE differ.
    #[error("Invalid Case expression. Type for all 'THEN' clauses should be the same.\nTHEN types: {types}.")]
    CaseTypes {
        /// The types, in order.
        types: String,
    },
    /// ELSE differs from THEN.
    #[error(
        "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.\nTHEN type: {then}.\nDEFAULT type: {otherwise}."
    )]
    CaseDefault {
        /// Type of the THENs.
        then: String,
        /// Type of the ELSE.
        otherwise: String,
    },
    /// WHEN is no condition.
    #[error("WHEN operand type should be boolean.\nType for '{when}' is {sql_type}")]
    CaseWhen {
        /// The WHEN, printed.
        when: String,
        /// Its type.
        sql_type: String,
    },
    /// A struct has no such field.
    #[error("Could not find field '{field}' in '{operand}'.")]
    UnknownField {
        /// The field.
        field: String,
        /// The struct, printed.
        operand: String,
        /// The fields that it has.
        known: Vec<String>,
    },
    /// `->` on something that is no struct.
    #[error("Expected STRUCT type, got: {found}")]
    NoStruct {
        /// What is there.
        found: String,
    },
    /// `[ ]` on something that has no elements.
    #[error("Subscript expression not supported for type {found}")]
    NoSubscript {
        /// What is there.
        found: String,
    },
    /// No element says what the type is.
    #[error("Cannot construct {what} with all NULL {elements}")]
    NoElementType {
        /// `an array` or `a map`.
        what: &'static str,
        /// `elements`, `keys` or `values`.
        elements: &'static str,
    },
    /// A list of values of types that do not go together.
    #[error("operator does not exist: {left} = {right}{value}\nHint: You might need to add explicit type casts.")]
    NoCommonType {
        /// Common type so far.
        left: String,
        /// The other type.
        right: String,
        /// The value, printed in brackets.
        value: String,
    },
    /// A text that is no value of the type.
    #[error("invalid input syntax for type {sql_type}: \"{text}\"")]
    InvalidText {
        /// Type asked for.
        sql_type: String,
        /// The text.
        text: String,
    },
}

/// A type in a message; NULL has none.
pub(super) fn type_name(sql_type: Option<&SqlType>) -> String {
    sql_type.map_or_else(|| "null".to_owned(), ToString::to_string)
}
