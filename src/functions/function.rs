//! A function and its variations.

use std::fmt;
use std::path::PathBuf;

use super::{AggregateBody, LambdaBody, ParamType, ScalarBody, TableBody};
use crate::types::SqlType;

/// What a function makes of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// A value of each row.
    Scalar,
    /// A value of many rows.
    Aggregate,
    /// Rows of each row.
    Table,
}

impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scalar => "SCALAR",
            Self::Aggregate => "AGGREGATE",
            Self::Table => "TABLE",
        })
    }
}

/// A function: one name, one way or more to call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name as messages spell it; compared ignoring case.
    pub spelling: String,
    /// What it makes of rows.
    pub kind: FunctionKind,
    /// Under which heading SHOW FUNCTIONS lists it.
    pub category: String,
    /// What it does, a line.
    pub description: String,
    /// Who made it.
    pub author: String,
    /// The file that it comes from; `None` if it is built in.
    pub origin: Option<PathBuf>,
    /// Calls of it and what they give, both in SQL.
    pub examples: Vec<(String, String)>,
    /// It may give something else at every call, whatever its arguments.
    pub is_volatile: bool,
    /// The ways to call it. Of two that fit equally well the first is taken.
    pub variations: Vec<Variation>,
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Variation {
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// Index of the parameter that may be given any number of times.
    pub variadic: Option<usize>,
    /// What it gives.
    pub returns: Returns,
    /// What computes it, for scalar functions of values.
    pub scalar: Option<ScalarBody>,
    /// What computes it, for scalar functions that take lambdas.
    pub lambda: Option<LambdaBody>,
    /// What computes it, for aggregate functions.
    pub aggregate: Option<AggregateBody>,
    /// What computes it, for table functions.
    pub table: Option<TableBody>,
    /// Aggregates: the type of what is kept per group, where it is not that of the result.
    pub intermediate: Option<ParamType>,
    /// Aggregates: rows can be taken back, as tables require.
    pub has_undo: bool,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name, for people.
    pub name: String,
    /// What it takes.
    pub param_type: ParamType,
    /// Only literals may be given: aggregates are made with them.
    pub is_literal: bool,
    /// What it is; empty where its name says it.
    pub description: String,
}

/// What a variation gives.
#[derive(Debug, Clone)]
pub enum Returns {
    /// A type, in which generics stand for those of the arguments.
    Type(ParamType),
    /// A type that is computed from those of the arguments; the text is for people.
    Computed {
        /// What to show.
        shown: ParamType,
        /// The type for arguments of these types; NULL has none.
        compute: fn(&[Option<SqlType>]) -> Option<SqlType>,
    },
}

impl PartialEq for Returns {
    fn eq(&self, other: &Self) -> bool {
        self.shown() == other.shown()
    }
}

impl Returns {
    /// The type as it is listed.
    pub fn shown(&self) -> &ParamType {
        match self {
            Self::Type(param_type) | Self::Computed { shown: param_type, .. } => param_type,
        }
    }
}

impl Function {
    /// The name in capitals, as listings have it.
    pub fn name(&self) -> String {
        self.spelling.to_uppercase()
    }

    /// A call as text: `substring(str VARCHAR, pos INT)`.
    pub fn call_text(name: &str, variation: &Variation) -> String {
        let parameters: Vec<String> = (0..variation.parameters.len()).map(|i| variation.parameter_text(i)).collect();
        format!("{name}({})", parameters.join(", "))
    }
}

impl Variation {
    /// Whether anything computes it.
    pub fn has_body(&self) -> bool {
        self.scalar.is_some() || self.lambda.is_some() || self.aggregate.is_some() || self.table.is_some()
    }

    /// A parameter as text: `str VARCHAR`, `more VARCHAR[]`.
    fn parameter_text(&self, index: usize) -> String {
        let Parameter { name, param_type, .. } = &self.parameters[index];
        let dots = if self.variadic == Some(index) { "..." } else { "" };
        format!("{name} {param_type}{dots}")
    }

    /// The parameter that takes argument `index` of `count`; `None` if it does not take so many, or so few.
    pub fn parameter(&self, index: usize, count: usize) -> Option<&Parameter> {
        let declared = self.parameters.len();
        let Some(variadic) = self.variadic else {
            return if count == declared { self.parameters.get(index) } else { None };
        };
        if count + 1 < declared {
            return None;
        }
        let repeated = count + 1 - declared;
        let position = if index < variadic {
            index
        } else if index < variadic + repeated {
            variadic
        } else {
            index + 1 - repeated
        };
        self.parameters.get(position)
    }

    /// Whether `count` arguments may be given.
    pub fn takes(&self, count: usize) -> bool {
        match self.variadic {
            Some(_) => count + 1 >= self.parameters.len(),
            None => count == self.parameters.len(),
        }
    }
}
