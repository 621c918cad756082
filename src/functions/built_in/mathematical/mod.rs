//! Mathematics.

mod abs;
mod acos;
mod asin;
mod atan;
mod atan2;
mod cbrt;
mod ceil;
mod cos;
mod cosh;
mod cot;
mod degrees;
mod doubles;
mod exp;
mod extreme;
mod floor;
mod geo_distance;
mod greatest;
mod least;
mod ln;
mod log;
mod pi;
mod power;
mod radians;
mod random;
mod round;
mod rounding;
mod sign;
mod sin;
mod sinh;
mod sqrt;
mod tan;
mod tanh;
mod trunc;

use levada_udf::functions;

use super::{Function, listed};
use crate::functions::function::Returns;
use crate::functions::param_type::ParamType;
use crate::types::SqlType;

const CATEGORY: &str = "MATHEMATICAL";

pub(super) fn functions() -> Vec<Function> {
    let mut functions = listed(
        CATEGORY,
        functions![
            abs::int,
            abs::bigint,
            abs::double,
            abs::decimal,
            acos::acos,
            asin::asin,
            atan::atan,
            atan2::atan2,
            cbrt::cbrt,
            ceil::int,
            ceil::bigint,
            ceil::double,
            ceil::decimal,
            cos::cos,
            cosh::cosh,
            cot::cot,
            degrees::degrees,
            exp::exp,
            floor::int,
            floor::bigint,
            floor::double,
            floor::decimal,
            geo_distance::kilometres,
            geo_distance::in_units,
            greatest::greatest,
            least::least,
            ln::ln,
            log::natural,
            log::to_base,
            pi::pi,
            power::power,
            radians::radians,
            random::random,
            sign::int,
            sign::bigint,
            sign::double,
            sin::sin,
            sinh::sinh,
            sqrt::sqrt,
            tan::tan,
            tanh::tanh,
        ],
    );
    functions.extend(whole(listed(
        CATEGORY,
        functions![
            round::int,
            round::bigint,
            round::double,
            round::double_places,
            round::decimal,
            round::decimal_places,
            trunc::int,
            trunc::bigint,
            trunc::double,
            trunc::double_places,
            trunc::decimal,
            trunc::decimal_places,
        ],
    )));
    functions
}

/// `functions`, in which a decimal alone becomes one without places.
fn whole(mut functions: Vec<Function>) -> Vec<Function> {
    for variation in functions.iter_mut().flat_map(|function| &mut function.variations) {
        if matches!(variation.parameters.as_slice(), [only] if only.param_type == ParamType::Decimal) {
            variation.returns = Returns::Computed { shown: ParamType::Decimal, compute: without_places };
        }
    }
    functions
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
