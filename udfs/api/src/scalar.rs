//! What is known of a scalar function.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::Batch;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// `INITCAP('the quick fox')`
    pub call: &'static str,
    /// `'The Quick Fox'`
    pub result: &'static str,
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `(text STRING, times INT) -> STRING`. Types are those of SQL; a letter is any type, the same wherever it stands; `STRING...`
    /// may be given any number of times.
    pub text: String,
    /// What each parameter is, where that is said.
    pub parameters: Vec<&'static str>,
}

/// A scalar function, or some of the ways to call it: functions of one name are one.
#[derive(Clone)]
pub struct ScalarFunction {
    /// For people.
    pub about: About,
    /// The ways to call it. Of two that fit equally well the first is taken.
    pub signatures: Vec<Signature>,
    /// What computes it.
    pub body: Arc<dyn Scalar>,
}

/// What the attribute [`scalar`](crate::scalar) makes of a function.
pub trait ScalarDefinition {
    /// The function.
    fn function() -> ScalarFunction;
}

/// A list of functions with the attribute [`scalar`](crate::scalar): `scalars![repeat, greeting::greet]`.
#[macro_export]
macro_rules! scalars {
    ($($function:path),* $(,)?) => {
        ::std::vec![$(<$function as $crate::ScalarDefinition>::function()),*]
    };
}
