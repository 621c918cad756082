//! Types of numbers beside each other: what arithmetic gives, what holds both, and in which type values are compared.

use super::ArithmeticOp;
use crate::types::SqlType;

/// The type in which two numbers are computed; decimals only as such.
pub(super) fn common_number(left: &SqlType, right: &SqlType) -> Option<SqlType> {
    if !left.is_numeric() || !right.is_numeric() {
        return None;
    }
    let either = |wanted: &SqlType| left == wanted || right == wanted;
    let decimal = [left, right].into_iter().find(|sql_type| matches!(sql_type, SqlType::Decimal { .. }));
    Some(if either(&SqlType::Double) {
        SqlType::Double
    } else if let Some(decimal) = decimal {
        decimal.clone()
    } else if either(&SqlType::Bigint) {
        SqlType::Bigint
    } else {
        SqlType::Integer
    })
}

/// Precision and scale; integers as the decimals that hold them.
fn digits(sql_type: &SqlType) -> (i32, i32) {
    match sql_type {
        SqlType::Decimal { precision, scale } => (i32::from(*precision), i32::from(*scale)),
        SqlType::Integer => (10, 0),
        _ => (19, 0),
    }
}

/// In ksqlDB there may be more.
const DIGITS_MAX: i32 = SqlType::DECIMAL_DIGITS_MAX as i32;

/// The type of what `op` makes of two decimals.
pub(super) fn decimal_result(op: ArithmeticOp, left: Option<&SqlType>, right: Option<&SqlType>) -> SqlType {
    let ((p1, s1), (p2, s2)) = (left.map_or((1, 0), digits), right.map_or((1, 0), digits));
    let widest = s1.max(s2);
    let (precision, scale) = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => ((p1 - s1).max(p2 - s2) + widest + 1, widest),
        ArithmeticOp::Multiply => (p1 + p2 + 1, s1 + s2),
        ArithmeticOp::Divide => {
            let (whole, scale) = (p1 - s1 + s2, (s1 + p2 + 1).max(6));
            // Digits before the point are kept when there is no room for all.
            (whole + scale, scale.min((DIGITS_MAX - whole).max(6)))
        }
        ArithmeticOp::Modulo => ((p1 - s1).min(p2 - s2) + widest, widest),
    };
    decimal(precision, scale)
}

/// The decimal of so many digits, as far as there is one.
fn decimal(precision: i32, scale: i32) -> SqlType {
    SqlType::Decimal { precision: precision.clamp(1, DIGITS_MAX) as u8, scale: scale.clamp(0, DIGITS_MAX) as u8 }
}

/// The decimal that holds all values of two decimals or integers.
fn wider_decimal(left: &SqlType, right: &SqlType) -> SqlType {
    let ((p1, s1), (p2, s2)) = (digits(left), digits(right));
    let scale = s1.max(s2);
    let precision = (p1 - s1).max(p2 - s2) + scale;
    decimal(precision, scale)
}

/// The type that holds all values of two number types.
pub(super) fn wider_number(left: &SqlType, right: &SqlType) -> Option<SqlType> {
    Some(match common_number(left, right)? {
        SqlType::Decimal { .. } => wider_decimal(left, right),
        other => other,
    })
}

/// The type in which two types are compared.
pub(super) fn comparison_type(left: &SqlType, right: &SqlType, ordered: bool) -> Option<SqlType> {
    use SqlType::{Array, Boolean, Date, Map, String, Struct, Time, Timestamp};
    if left.is_numeric() && right.is_numeric() {
        return wider_number(left, right);
    }
    if left == right {
        let unordered = matches!(left, Boolean | Array(_) | Map(..) | Struct(_));
        return (!(ordered && unordered)).then(|| left.clone());
    }
    match (left, right) {
        (Date, Timestamp) | (Timestamp, Date) => Some(Timestamp),
        (time @ (Date | Time | Timestamp), String) | (String, time @ (Date | Time | Timestamp)) => Some(time.clone()),
        _ => None,
    }
}
