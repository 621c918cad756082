//! Which variation of a function a call means.
//!
//! First those whose parameters are exactly of the arguments' types are looked at, and the tightest is taken: not variadic
//! before variadic, fewer generics before more, then the one declared first. If there is none, numbers may be widened
//! (INT → BIGINT → DECIMAL → DOUBLE) and texts read as times; then two that fit equally well are ambiguous. NULL fits everything but a lambda
//! and a unit.

use std::fmt;

use super::{Binding, Function, ParamType, Variation};
use crate::types::SqlType;

/// What is known of an argument before the variation is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// The literal NULL.
    Null,
    /// A value of this type.
    Value(SqlType),
    /// A lambda with so many parameters.
    Lambda(usize),
    /// A unit of time.
    IntervalUnit,
}

impl Argument {
    /// Type of the value.
    pub fn sql_type(&self) -> Option<SqlType> {
        match self {
            Self::Value(sql_type) => Some(sql_type.clone()),
            _ => None,
        }
    }
}

impl From<Option<&SqlType>> for Argument {
    fn from(sql_type: Option<&SqlType>) -> Self {
        sql_type.map_or(Self::Null, |sql_type| Self::Value(sql_type.clone()))
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Value(sql_type) => write!(f, "{sql_type}"),
            Self::Lambda(_) => f.write_str("LAMBDA"),
            Self::IntervalUnit => f.write_str("INTERVALUNIT"),
        }
    }
}

/// A call that no variation, or more than one, fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// No variation takes the arguments.
    #[error(
        "Function '{name}' does not accept parameters ({arguments}).\nValid alternatives are:\n{alternatives}\nFor \
         detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;"
    )]
    NoMatch {
        /// The function.
        name: String,
        /// Types of the arguments.
        arguments: String,
        /// What it takes, a line each.
        alternatives: String,
    },
    /// Several variations take the arguments equally well.
    #[error("Function '{name}' cannot be resolved due to ambiguous method parameters ({arguments}).")]
    Ambiguous {
        /// The function.
        name: String,
        /// Types of the arguments.
        arguments: String,
    },
}

impl Function {
    /// The variation for `arguments`, and what its generics stand for: those of lambdas' results are still free.
    ///
    /// # Errors
    /// ksqlDB's text if none fits, or more than one.
    pub fn resolve(&self, arguments: &[Argument]) -> Result<(usize, Binding), Unresolved> {
        if let Some((found, _)) = self.best(arguments, false) {
            return Ok(found);
        }
        match self.best(arguments, true) {
            Some((found, true)) => Ok(found),
            Some((_, false)) => Err(Unresolved::Ambiguous { name: self.spelling.clone(), arguments: list(arguments) }),
            None => Err(self.does_not_accept(arguments)),
        }
    }

    /// The error for `arguments` that no variation takes.
    pub fn does_not_accept(&self, arguments: &[Argument]) -> Unresolved {
        let alternatives: Vec<String> =
            self.variations.iter().map(|variation| Self::call_text(&self.spelling, variation)).collect();
        Unresolved::NoMatch {
            name: self.spelling.clone(),
            arguments: list(arguments),
            alternatives: alternatives.join("\n"),
        }
    }

    /// The tightest variation that takes `arguments`, and whether no other is as tight.
    fn best(&self, arguments: &[Argument], casts: bool) -> Option<((usize, Binding), bool)> {
        let mut best: Option<((bool, usize), (usize, Binding))> = None;
        let mut is_only = true;
        for (index, variation) in self.variations.iter().enumerate() {
            let Some(binding) = variation.bind(arguments, casts) else { continue };
            let rank = variation.rank();
            match &best {
                Some((found, _)) if *found < rank => {}
                Some((found, _)) if *found == rank => is_only = false,
                _ => {
                    best = Some((rank, (index, binding)));
                    is_only = true;
                }
            }
        }
        best.map(|(_, found)| (found, is_only))
    }
}

fn list(arguments: &[Argument]) -> String {
    arguments.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Variation {
    /// Less is tighter.
    fn rank(&self) -> (bool, usize) {
        let loose = self.parameters.iter().map(|parameter| parameter.param_type.looseness()).sum();
        (self.variadic.is_some(), loose)
    }

    /// What generics stand for if this takes `arguments`.
    pub fn bind(&self, arguments: &[Argument], casts: bool) -> Option<Binding> {
        if !self.takes(arguments.len()) {
            return None;
        }
        let mut binding = Binding::default();
        for (i, argument) in arguments.iter().enumerate() {
            let parameter = self.parameter(i, arguments.len())?;
            let fits = match (argument, &parameter.param_type) {
                (Argument::Lambda(count), ParamType::Lambda { inputs, .. }) => inputs.len() == *count,
                (Argument::IntervalUnit, ParamType::IntervalUnit) => true,
                (Argument::Lambda(_) | Argument::IntervalUnit, _)
                | (_, ParamType::Lambda { .. } | ParamType::IntervalUnit) => false,
                (Argument::Null, _) => true,
                (Argument::Value(sql_type), wanted) => binding.accepts(wanted, sql_type, casts),
            };
            if !fits {
                return None;
            }
        }
        Some(binding)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FunctionKind, Registry};
    use super::*;

    fn argument(text: &str) -> Argument {
        let decimal = |precision, scale| Argument::Value(SqlType::Decimal { precision, scale });
        match text {
            "INT" => Argument::Value(SqlType::Integer),
            "BIGINT" => Argument::Value(SqlType::Bigint),
            "DOUBLE" => Argument::Value(SqlType::Double),
            "STRING" => Argument::Value(SqlType::String),
            "M4,2" => decimal(4, 2),
            "M7,6" => decimal(7, 6),
            "M76,0" => decimal(76, 0),
            "M76,76" => decimal(76, 76),
            "INTS" => Argument::Value(SqlType::Array(Box::new(SqlType::Integer))),
            "STRINGS" => Argument::Value(SqlType::Array(Box::new(SqlType::String))),
            "MAP" => Argument::Value(SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Integer))),
            "UNIT" => Argument::IntervalUnit,
            "DATE" => Argument::Value(SqlType::Date),
            "x=>" => Argument::Lambda(1),
            "xy=>" => Argument::Lambda(2),
            _ => Argument::Null,
        }
    }

    /// The variation chosen and the type of its result, or the first line of the error.
    fn chosen(registry: &Registry, name: &str, arguments: &[&str]) -> String {
        let function = registry.get(name).expect(name);
        let arguments: Vec<Argument> = arguments.iter().map(|text| argument(text)).collect();
        match function.resolve(&arguments) {
            Ok((index, binding)) => {
                let variation = &function.variations[index];
                let result = binding.result(variation, &arguments);
                let result = result.map_or_else(|| "?".to_owned(), |sql_type| sql_type.to_string());
                format!("{} -> {result}", Function::call_text("", variation))
            }
            Err(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn the_tightest_variation_is_taken() {
        let registry = Registry::default();
        let cases: [(&str, &[&str], &str); 16] = [
            ("ABS", &["INT"], "(value INT) -> INTEGER"),
            ("ABS", &["M4,2"], "(value DECIMAL) -> DECIMAL(4, 2)"),
            ("SUBSTRING", &["STRING", "INT"], "(text VARCHAR, position INT) -> STRING"),
            ("SUBSTRING", &["null", "INT"], "(text VARCHAR, position INT) -> STRING"),
            ("LEAST", &["M4,2", "M7,6", "null"], "(first DECIMAL, more DECIMAL...) -> DECIMAL(8, 6)"),
            ("LEAST", &["M76,0", "M76,76"], "(first DECIMAL, more DECIMAL...) -> DECIMAL(76, 76)"),
            ("GREATEST", &["INT", "BIGINT", "M4,2", "DOUBLE"], "(first DOUBLE, more DOUBLE...) -> DOUBLE"),
            (
                "GEO_DISTANCE",
                &["INT", "BIGINT", "M4,2", "DOUBLE"],
                "(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE) -> DOUBLE",
            ),
            ("ROUND", &["M4,2"], "(value DECIMAL) -> DECIMAL(2, 0)"),
            ("COALESCE", &["null", "STRING"], "(first T, more T...) -> STRING"),
            ("ARRAY_CONTAINS", &["INTS", "INT"], "(array ARRAY<T>, element T) -> BOOLEAN"),
            ("TRANSFORM", &["INTS", "x=>"], "(array ARRAY<T>, element LAMBDA (T) => R) -> ?"),
            ("FILTER", &["MAP", "xy=>"], "(map MAP<K, V>, condition LAMBDA (K, V) => BOOLEAN) -> MAP<STRING, INTEGER>"),
            ("DATEADD", &["UNIT", "INT", "DATE"], "(unit INTERVALUNIT, count INT, date DATE) -> DATE"),
            ("LEAST", &["DATE", "null", "STRING"], "(first DATE, more DATE...) -> DATE"),
            (
                "TOPK",
                &["INT", "STRING", "DOUBLE", "INT"],
                "(sort_value INT, column ANY..., k INT) -> ARRAY<STRUCT<`sort_col` INTEGER, `col0` STRING, `col1` DOUBLE>>",
            ),
        ];
        for (name, arguments, expected) in cases {
            assert_eq!(chosen(&registry, name, arguments), expected, "{name} {arguments:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_with_types() {
        let registry = Registry::default();
        let cases: [(&str, &[&str], &str); 7] = [
            (
                "LEAST",
                &["INT", "BIGINT"],
                "Function 'least' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT).",
            ),
            ("GREATEST", &[], "Function 'greatest' does not accept parameters ()."),
            ("GREATEST", &["STRING", "INT"], "Function 'greatest' does not accept parameters (STRING, INTEGER)."),
            ("COALESCE", &["STRING", "INT"], "Function 'COALESCE' does not accept parameters (STRING, INTEGER)."),
            (
                "ARRAY_CONTAINS",
                &["STRINGS", "INT"],
                "Function 'ARRAY_CONTAINS' does not accept parameters (ARRAY<STRING>, INTEGER).",
            ),
            (
                "DATEADD",
                &["DATE", "INT", "DATE"],
                "Function 'dateadd' does not accept parameters (DATE, INTEGER, DATE).",
            ),
            ("FILTER", &["MAP", "x=>"], "Function 'filter' does not accept parameters (MAP<STRING, INTEGER>, LAMBDA)."),
        ];
        for (name, arguments, expected) in cases {
            assert_eq!(chosen(&registry, name, arguments), expected, "{name} {arguments:?}");
        }
    }

    #[test]
    fn the_middle_may_be_variadic() {
        let mut registry = Registry::default();
        let signature = "(number BIGINT, texts STRING..., LITERAL a INT, LITERAL b INT) -> BIGINT";
        registry.define("MIDDLE", FunctionKind::Aggregate, &[signature]);
        let cases: [(&[&str], bool); 5] = [
            (&["BIGINT", "INT", "INT"], true),
            (&["BIGINT", "STRING", "STRING", "INT", "INT"], true),
            (&["INT", "STRING", "INT", "INT"], true),
            (&["BIGINT", "STRING", "STRING", "INT"], false),
            (&["BIGINT", "INT"], false),
        ];
        for (arguments, fits) in cases {
            let found = chosen(&registry, "middle", arguments);
            assert_eq!(found.ends_with("-> BIGINT"), fits, "{arguments:?}: {found}");
        }
    }
}
