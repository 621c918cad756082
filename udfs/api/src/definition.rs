//! What is known of a function.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::{Aggregate, Batch, Configuration};

/// What computes a scalar function.
pub trait Scalar: Send + Sync {
    /// One value per row of `batch`, of its result type.
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef;
}

impl<F> Scalar for F
where
    F: Fn(&mut Batch<'_>) -> ArrayRef + Send + Sync,
{
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        self(batch)
    }
}

/// What people are told of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What it is called; compared ignoring case.
    pub name: &'static str,
    /// Under which heading it is listed; empty: that of functions of users.
    pub category: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Calls and what they give.
    pub examples: &'static [Example],
    /// It may give something else at every call, whatever its arguments.
    pub is_volatile: bool,
}

/// A call and what it gives, both in SQL.
///
/// | function | call | result |
/// |---|---|---|
/// | scalar | `INITCAP('the quick fox')` | `'The Quick Fox'` |
/// | aggregate | `MAX(v) FROM VALUES (3), (7) AS (v)` | `7` |
/// | table | `EXPLODE(ARRAY[1, 2])` | an ARRAY of what the rows have: `ARRAY[1, 2]` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What is called with what.
    pub call: &'static str,
    /// What it gives.
    pub result: &'static str,
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `(text STRING, times INT) -> STRING`. Types are those of SQL; a letter is any type, the same wherever it stands; `STRING...`
    /// may be given any number of times; before a name, `LITERAL` says that only literals may be given.
    pub text: String,
    /// What each parameter is, where that is said.
    pub parameters: Vec<&'static str>,
}

/// What a function makes of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A value of each row.
    Scalar,
    /// A value of many rows.
    Aggregate {
        /// The type of what is kept of a group, where it is not that of the result.
        keeps: Option<String>,
        /// Whether rows can be taken back, as tables require.
        has_undo: bool,
    },
    /// Rows of each row.
    Table {
        /// Rows that it may be given at once, so that its arrays fit memory whatever they are.
        rows_max: usize,
    },
}

/// What computes a function.
#[derive(Clone)]
pub enum Body {
    /// A value of each row; for a table function an array of what stands in its rows, NULL for none.
    Scalar(Arc<dyn Scalar>),
    /// The states of groups.
    Aggregate(Arc<dyn Aggregate>),
}

/// Makes the body of a function.
pub type Open = dyn Fn(&Configuration) -> Result<Body, String> + Send + Sync;

/// A function, or some of the ways to call it: functions of one name are one.
#[derive(Clone)]
pub struct Definition {
    /// For people.
    pub about: About,
    /// The ways to call it. Of two that fit equally well the first is taken.
    pub signatures: Vec<Signature>,
    /// What it makes of rows.
    pub kind: Kind,
    /// Makes what computes it: once when the function becomes known, with what its server is configured to tell it. What it gives
    /// is dropped when the function is forgotten and no query uses it any more. An error is the reason why the function cannot be
    /// used.
    pub open: Arc<Open>,
}

/// What the attributes of this crate make of their items.
pub trait Defined {
    /// The function.
    fn definition() -> Definition;
}

/// A list of what the attributes of this crate stand at: `functions![repeat, greeting::greet]`.
#[macro_export]
macro_rules! functions {
    ($($function:path),* $(,)?) => {
        ::std::vec![$(<$function as $crate::Defined>::definition()),*]
    };
}
