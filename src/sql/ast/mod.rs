//! The syntax tree: what a statement says, with the places it says it at.
//!
//! ```text
//! Statement ─┬─ CreateSource ── ColumnDefinition ── TypeExpr
//!            ├─ CreateAsSelect ┐
//!            ├─ InsertSelect ──┼─ Query ─┬─ SelectItem ─ Expression
//!            ├─ Query ─────────┘         ├─ Relation ── Join ─ Expression
//!            ├─ Read ── ReadQuery, of Queries    └─ WindowExpression
//!            └─ …
//! ```
//!
//! Trees compare by meaning: positions and the way a name was quoted do not count. `Display` prints a tree as
//! ksqlDB prints it, and parsing that text gives an equal tree.

mod expression;
mod query;
mod read;
mod statement;
mod type_expr;

use std::hash::{Hash, Hasher};

pub use expression::{
    ArithmeticOperator, ComparisonOperator, DecimalLiteral, DoubleLiteral, Expression, FunctionCall, Literal,
    LogicalOperator, Sign, TimeUnit, WhenClause,
};
pub use query::{
    AliasedSource, Grouping, Join, JoinKind, Query, Refinement, Relation, SelectItem, TimeSpan, WindowExpression,
    WindowKind, Within,
};
pub use read::{CommonTable, Read, ReadBody, ReadQuery, Refusal, SortItem, Subquery, SubqueryKind};
pub use statement::{
    AddedColumn, AlterSource, AssertSchema, AssertSource, AssertTopic, ColumnDefinition, ColumnRole, ConnectorKind,
    CreateAsSelect, CreateConnector, CreateFunction, CreateFunctions, CreateSource, CreateType, DropConnector,
    DropFunction, DropSource, DropType, Explain, FunctionBody, FunctionParameter, InsertSelect, InsertValues,
    LibraryPath, PrintTopic, Property, QueryTarget, SourceKind, Statement,
};
pub use type_expr::{PrimitiveType, StructField, TypeExpr};

use super::span::Span;

/// A name as SQL sees it: upper-cased unless it was quoted.
///
/// Names are equal when their text is equal, however they were written.
#[derive(Clone, Debug)]
pub struct Identifier {
    /// The name, after upper-casing or unquoting.
    pub name: String,
    /// Whether it stood in back-ticks or double quotes.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

impl Identifier {
    /// A name that was not read from a text.
    pub fn new(name: impl Into<String>) -> Identifier {
        Identifier { name: name.into(), quoted: false, span: Span::NONE }
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl PartialEq for Identifier {
    fn eq(&self, other: &Identifier) -> bool {
        self.name == other.name
    }
}

impl Eq for Identifier {}

impl Hash for Identifier {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AsRef<str> for Identifier {
    fn as_ref(&self) -> &str {
        &self.name
    }
}
