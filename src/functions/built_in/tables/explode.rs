//! `EXPLODE(array)`: a row per element, NULLs included. NULL has none.

use levada_udf::Batch;

use crate::functions::{ScalarBody, TableBody};

pub(super) fn body() -> TableBody {
    let lists = ScalarBody::new(|batch: &mut Batch<'_>| batch.arguments()[0].expanded(batch.rows()));
    TableBody { lists, rows_max: usize::MAX }
}
