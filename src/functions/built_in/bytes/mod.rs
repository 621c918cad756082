//! Between texts, numbers and bytes.

mod bigint_from_bytes;
mod double_from_bytes;
mod endian;
mod from_bytes;
mod int_from_bytes;
mod to_bytes;

use levada_udf::functions;

use super::{Function, listed};

const CATEGORY: &str = "STRING";

pub(super) fn functions() -> Vec<Function> {
    let functions = functions![
        bigint_from_bytes::big_endian,
        bigint_from_bytes::ordered,
        double_from_bytes::big_endian,
        double_from_bytes::ordered,
        int_from_bytes::big_endian,
        int_from_bytes::ordered,
        from_bytes::from_bytes,
        to_bytes::to_bytes,
    ];
    listed(CATEGORY, functions)
}
