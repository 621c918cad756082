//! Mathematics.

use super::{Function, numbers, scalar};
use crate::functions::function::Returns;
use crate::functions::param_type::ParamType;
use crate::types::SqlType;

const CATEGORY: &str = "MATHEMATICAL";

/// A number of each type to the same type.
const KEEPS_TYPE: [&str; 2] = [numbers!("(value %) -> %"), "(value DECIMAL) -> DECIMAL"];
const TO_DOUBLE: [&str; 1] = [numbers!("(value %) -> DOUBLE")];
const TWO_TO_DOUBLE: &str = numbers!("(first %, second %) -> DOUBLE");
const ANY_NUMBER_OF: [&str; 1] =
    ["INT BIGINT DOUBLE DECIMAL STRING BYTES DATE TIME TIMESTAMP: (first %, more %...) -> %"];
/// To whole numbers, or to so many places.
const TO_PLACES: [&str; 4] = [
    numbers!("(value %) -> BIGINT"),
    "(value DOUBLE, places INT) -> DOUBLE",
    "(value DECIMAL) -> DECIMAL",
    "(value DECIMAL, places INT) -> DECIMAL",
];

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function("Abs", "The value without its sign.", &KEEPS_TYPE),
        function("acos", "The angle, in radians, with this cosine.", &TO_DOUBLE),
        function("asin", "The angle, in radians, with this sine.", &TO_DOUBLE),
        function("atan", "The angle, in radians, with this tangent.", &TO_DOUBLE),
        function(
            "atan2",
            "The angle, in radians, of the point with these y and x.",
            &[numbers!("(y %, x %) -> DOUBLE")],
        ),
        function("cbrt", "The cube root.", &TO_DOUBLE),
        function("Ceil", "The least whole number that is not below the value.", &KEEPS_TYPE),
        function("cos", "The cosine of an angle in radians.", &TO_DOUBLE),
        function("cosh", "The hyperbolic cosine.", &TO_DOUBLE),
        function("cot", "The cotangent of an angle in radians.", &TO_DOUBLE),
        function("degrees", "An angle in radians as degrees.", &TO_DOUBLE),
        function("exp", "e to the power of the value.", &TO_DOUBLE),
        function("Floor", "The greatest whole number that is not above the value.", &KEEPS_TYPE),
        function(
            "geo_distance",
            "The distance of two points on the globe, in kilometres unless a unit is given.",
            &[
                "(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE) -> DOUBLE",
                "(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE, units STRING) -> DOUBLE",
            ],
        ),
        function("greatest", "The greatest of the values that are not NULL.", &ANY_NUMBER_OF),
        function("least", "The least of the values that are not NULL.", &ANY_NUMBER_OF),
        function("ln", "The natural logarithm.", &TO_DOUBLE),
        function(
            "log",
            "The logarithm to a base, the natural one if none is given.",
            &[TO_DOUBLE[0], numbers!("(base %, value %) -> DOUBLE")],
        ),
        function("pi", "The number pi.", &["() -> DOUBLE"]),
        function("power", "The first value to the power of the second.", &[TWO_TO_DOUBLE]),
        function("radians", "An angle in degrees as radians.", &TO_DOUBLE),
        function("random", "A random number from 0 to below 1.", &["() -> DOUBLE"]),
        whole(function("Round", "The value rounded, halves upwards, to so many places.", &TO_PLACES)),
        function("sign", "-1, 0 or 1 as the value is below, at or above 0.", &[numbers!("(value %) -> INT")]),
        function("sin", "The sine of an angle in radians.", &TO_DOUBLE),
        function("sinh", "The hyperbolic sine.", &TO_DOUBLE),
        function("sqrt", "The square root.", &TO_DOUBLE),
        function("tan", "The tangent of an angle in radians.", &TO_DOUBLE),
        function("tanh", "The hyperbolic tangent.", &TO_DOUBLE),
        whole(function("Trunc", "The value cut to so many places.", &TO_PLACES)),
    ]
}

/// `function`, in which a decimal alone becomes one without places.
fn whole(mut function: Function) -> Function {
    for variation in &mut function.variations {
        if matches!(variation.parameters.as_slice(), [only] if only.param_type == ParamType::Decimal) {
            variation.returns = Returns::Computed { shown: ParamType::Decimal, compute: without_places };
        }
    }
    function
}

fn without_places(arguments: &[Option<SqlType>]) -> Option<SqlType> {
    match arguments {
        [Some(SqlType::Decimal { precision, scale })] => {
            Some(SqlType::Decimal { precision: (precision - scale).max(1), scale: 0 })
        }
        [Some(SqlType::Integer)] => Some(SqlType::Decimal { precision: 10, scale: 0 }),
        [Some(SqlType::Bigint)] => Some(SqlType::Decimal { precision: 19, scale: 0 }),
        _ => None,
    }
}
